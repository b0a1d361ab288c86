"""Small pages for the scripts alone, served as the real ones are: one origin, a strict policy."""

import asyncio
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

import api

STATIC = Path(api.__file__).parent / "web" / "static"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:;"
    " media-src 'self' blob:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HINTS = """data-hint-good="GOOD" data-hint-small="SMALL" data-hint-dark="DARK"
  data-hint-blurred="BLURRED" data-hint-flat="FLAT {name}" data-hint-unreadable="UNREADABLE"
  data-hint-unhashable="UNHASHABLE {name}" data-hint-blocked="BLOCKED"
  data-hashing="HASHING {number} {count}" """
LIMITS = """data-max-files="3" data-max-bytes="3000000" data-remove="Remove {name}"
  data-too-many="TOO MANY {most}" data-too-large="TOO LARGE {name}" """
PHOTOS = f"""
<form method="post" action="/sent" enctype="multipart/form-data" data-once data-busy="BUSY">
<fieldset data-photos {LIMITS} {HINTS}>
  <input type="file" name="photos" accept="image/*" multiple aria-label="Photos">
  <button type="button" data-camera hidden data-camera-denied="DENIED" data-camera-none="NONE"
    data-camera-busy="IN USE" data-camera-failed="FAILED" data-camera-taken="TAKEN">Camera</button>
  <p data-camera-status role="status"></p>
  <label data-hash-only-offer hidden>
    <input type="checkbox" data-hash-only autocomplete="off">Hash only</label>
  <p data-when-hash-only hidden>A hash finds only this picture.</p>
  <ul data-chosen hidden></ul>
  <p data-status role="status" aria-live="polite"></p>
</fieldset>
<input name="who" aria-label="Who" required value="me">
<p data-busy-status role="status"></p>
<button name="act" value="send">Send</button>
</form>
<dialog data-camera-dialog aria-label="Camera">
  <video playsinline muted></video>
  <button type="button" data-take>Take</button><button type="button" data-cancel>Cancel</button>
</dialog>"""
VOICE = f"""
<form method="post" action="/sent" enctype="multipart/form-data">
<fieldset data-voice {LIMITS}>
  <input type="file" name="voice" accept="audio/*" aria-label="Voice">
  <button type="button" data-record hidden data-max-seconds="SECONDS" data-hint-good="GOOD"
    data-hint-quiet="QUIET" data-hint-clipping="CLIPPING" data-hint-short="SHORT"
    data-microphone-denied="DENIED" data-microphone-none="NONE" data-microphone-busy="IN USE"
    data-microphone-failed="FAILED">Record</button>
  <button type="button" data-stop hidden>Stop</button>
  <meter data-level hidden min="0" max="1" aria-label="Level"></meter>
  <span data-seconds hidden></span>
  <audio data-playback controls hidden></audio>
  <button type="button" data-discard hidden>Discard</button>
  <p data-record-status role="status"></p>
  <ul data-chosen hidden></ul>
  <p data-status role="status" aria-live="polite"></p>
</fieldset>
<button>Send</button>
</form>"""
SAVE = """
<dl><dt>Case</dt><dd data-save-line="Case number">LR-1
  23</dd><dt>PIN</dt><dd data-save-line="PIN"><b>4711</b></dd></dl>
<p data-save-line>https://registry.example/case</p>
<button type="button" data-save="my-case.txt" hidden>Save</button>
<button type="button" data-copy hidden data-copied="COPIED" data-copy-failed="NOT COPIED">Copy
</button>
<button type="button" data-print hidden>Print</button>
<p data-save-status role="status"></p>
<form method="post" action="/slow" data-once data-busy="BUSY"><p data-busy-status role="status"></p>
<button name="act" value="go">Go</button></form>"""
PAGES = {
    "photos": PHOTOS,
    "voice": VOICE.replace("SECONDS", "30"),
    "voice-short": VOICE.replace("SECONDS", "2"),
    "save": SAVE,
    "plain": "<p>Nothing to enhance.</p>",
}


@dataclass
class Site:
    """Where the pages are, and what was sent to them."""

    url: str = ""
    sent: list[dict[str, list[Any]]] = field(default_factory=list)

    async def keep(self, request: Request) -> Response:
        """A form as it came: texts, and files as their name, type and content."""
        kept: dict[str, list[Any]] = {}
        async with request.form() as form:
            for name, value in form.multi_items():
                one = value
                if isinstance(value, UploadFile):
                    one = (value.filename, value.content_type, await value.read())
                kept.setdefault(name, []).append(one)
        self.sent.append(kept)
        return page("<p>Sent.</p>")

    async def keep_slowly(self, request: Request) -> Response:
        """Long enough to press again."""
        await asyncio.sleep(1.5)
        return await self.keep(request)


def page(body: str) -> Response:
    head = '<meta charset="utf-8"><title>Page</title><link rel="icon" href="/static/none">'
    script = '<script type="module" src="/static/app.js"></script>'
    text = f'<!doctype html><html lang="en"><head>{head}{script}</head><body>{body}</body></html>'
    return HTMLResponse(text, headers={"content-security-policy": POLICY})


async def shown(request: Request) -> Response:
    return page(PAGES[request.path_params["name"]])


async def icon(_request: Request) -> Response:
    return Response(status_code=204)


def pages_of(site: Site) -> Starlette:
    return Starlette(
        routes=[
            Route("/sent", site.keep, methods=["POST"]),
            Route("/slow", site.keep_slowly, methods=["POST"]),
            Route("/static/none", icon),
            Mount("/static", StaticFiles(directory=STATIC)),
            Route("/{name}", shown),
        ]
    )


@contextmanager
def served() -> Generator[Site]:
    """The site on a free port, in a thread of its own."""
    site = Site()
    server = uvicorn.Server(uvicorn.Config(pages_of(site), port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.02)
    site.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    yield site
    server.should_exit = True
    thread.join(timeout=10)
