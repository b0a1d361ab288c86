"""What stands before every request: bounds on size, time and encoding, headers, and last resorts.

Plain ASGI classes, outermost first: `SecurityHeaders`, `Errors`, `Guard`. They know no path but
those they are given. Cross-origin requests get no permission here: there is no CORS.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

import orjson
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import RETRY_SECONDS, Explanation, explain, status_of
from registry.errors import ProblemCode

MAX_HEADER_BYTES = 32 * 2**10
MAX_HEADERS = 100
MAX_DIGITS = 18  # of a Content-Length
DRAIN_FACTOR = 32  # a refused body of up to this many times the limit is read, then answered

REQUEST_TIMEOUT = 408
HEADERS_TOO_LARGE = 431

SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long an upload may take to arrive, and its answer after that, in seconds."""

    upload: float
    answer: float


class Answer(Protocol):
    """How a refusal is sent; `close` when the rest of the request will not be read."""

    async def __call__(
        self, scope: Scope, send: Send, explained: Explanation, *, close: bool = False
    ) -> None:
        """Send it."""


async def as_json(scope: Scope, send: Send, explained: Explanation, *, close: bool = False) -> None:
    """Send a refusal as a JSON problem: `{"code", "message", ...}`."""
    _ = scope
    body = orjson.dumps(explained.body())
    headers = {
        "content-type": "application/json",
        "content-length": str(len(body)),
        **explained.headers(),
        **({"connection": "close"} if close else {}),
    }
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": explained.status, "headers": raw})
    await send({"type": "http.response.body", "body": body})


class SecurityHeaders:
    """Adds the headers above to every answer that does not set them itself; names no server.

    uvicorn adds its own `Server` after this: start it with `server_header=False`.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and its answer back with the headers."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = [
                    (name, value) for name, value in message["headers"] if name.lower() != b"server"
                ]
                names = {name.lower() for name, _ in given}
                missing = [each for each in SECURITY_HEADERS if each[0] not in names]
                message = {**message, "headers": [*given, *missing]}
            await send(message)

        await self.app(scope, receive, secured)


class Errors:
    """Answers what nothing inside answered: refusals by their code, the rest masked and logged."""

    def __init__(self, app: ASGIApp, answer: Answer = as_json) -> None:
        self.app = app
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; if that raises, answer with the problem."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        watched = _Watched(send)
        try:
            await self.app(scope, receive, watched)
        except ClientDisconnect:
            return  # nobody is left to answer
        except Exception as error:
            explained = explain(error)
            if watched.started:
                raise  # half an answer is out: only a broken connection says so
            await self._answer(scope, send, explained)


class Guard:
    """Refuses what is too large, too slow or encoded, before anything else sees it.

    A body is read here, whole, within `max_bytes` and `body_seconds`; then the request has
    `request_seconds` until its handler is cancelled and 503 is answered. At a path in `streaming`
    the handler reads and limits the body itself, within that path's patience.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        max_bytes: int,
        request_seconds: float,
        body_seconds: float = 10.0,
        streaming: Mapping[str, Patience] | None = None,
        answer: Answer = as_json,
    ) -> None:
        self.app = app
        self._max_bytes = max_bytes
        self._request_seconds = request_seconds
        self._body_seconds = body_seconds
        self._streaming = streaming or {}
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with a problem, or pass the request on with a body that is within bounds."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        watched = _Watched(send)
        try:
            _require_modest(scope)
            length = _content_length(scope)
            patience = self._streaming.get(scope["path"])
            if patience is not None:
                await self._stream(scope, receive, watched, patience)
            else:
                body = await self._body(scope, receive, length)
                async with _deadline(self._request_seconds, _late):
                    await self.app(scope, _replayed(body, receive), watched)
        except _RefusedError as refusal:
            if watched.started:
                raise TimeoutError("The answer outlasted its deadline.") from refusal
            await self._answer(scope, send, refusal.explained, close=refusal.close)

    async def _body(self, scope: Scope, receive: Receive, length: int | None) -> bytes:
        most, drained = self._max_bytes, DRAIN_FACTOR * self._max_bytes
        waits = any(name == b"expect" for name, _ in scope["headers"])
        if length is not None and length > (most if waits else drained):
            raise _too_large(most)
        body = bytearray()
        received = 0
        async with _deadline(self._body_seconds, _slow):
            async for chunk in _chunks(receive):
                received += len(chunk)
                if received <= most:
                    body += chunk
                elif received > drained:
                    break
        if received > most:
            raise _too_large(most)
        return bytes(body)

    async def _stream(self, scope: Scope, receive: Receive, send: Send, patience: Patience) -> None:
        loop = asyncio.get_running_loop()
        whole = False

        async def timed() -> Message:
            nonlocal whole
            message = await receive()
            if not whole and not message.get("more_body", False):
                whole = True
                clock.reschedule(loop.time() + patience.answer)
            return message

        def refusal() -> _RefusedError:
            return _late() if whole else _slow()

        async with _deadline(patience.upload, refusal) as clock:
            await self.app(scope, timed, send)


class _RefusedError(Exception):
    """Ends a request inside the guard; `close` when the rest of its body will not be read."""

    def __init__(self, explained: Explanation, *, close: bool = False) -> None:
        super().__init__(explained.message)
        self.explained = explained
        self.close = close


def _refused(
    code: ProblemCode, message: str, *, status: int | None = None, close: bool = False
) -> _RefusedError:
    return _RefusedError(Explanation(code, message, status or status_of(code)), close=close)


def _too_large(most: int) -> _RefusedError:
    return _refused(ProblemCode.TOO_LARGE, f"A request has at most {most} bytes.", close=True)


def _slow() -> _RefusedError:
    message = "The body did not arrive in time."
    return _refused(ProblemCode.INVALID, message, status=REQUEST_TIMEOUT, close=True)


def _late() -> _RefusedError:
    code = ProblemCode.UNAVAILABLE
    message = "The answer took too long; it was given up."
    return _RefusedError(Explanation(code, message, status_of(code), retry_after=RETRY_SECONDS))


@asynccontextmanager
async def _deadline(
    seconds: float, refusal: Callable[[], _RefusedError]
) -> AsyncIterator[asyncio.Timeout]:
    """Cancel the block after so many seconds and raise the refusal in its place."""
    try:
        async with asyncio.timeout(seconds) as clock:
            yield clock
    except TimeoutError as error:
        if not clock.expired():
            raise  # the handler's own
        raise refusal() from error


class _Watched:
    """A `send` that remembers whether an answer has begun."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.started = False

    async def __call__(self, message: Message) -> None:
        self.started = True
        await self._send(message)


async def _chunks(receive: Receive) -> AsyncIterator[bytes]:
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        yield message.get("body", b"")
        more = message.get("more_body", False)


def _replayed(body: bytes, receive: Receive) -> Receive:
    """A `receive` that hands out the body that was read, then whatever comes."""
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return pending.pop() if pending else await receive()

    return replay


def _require_modest(scope: Scope) -> None:
    """Refuse headers of unreasonable size, and bodies that would have to be unpacked."""
    headers = scope["headers"]
    size = len(scope.get("raw_path") or b"") + len(scope["query_string"])
    size += sum(len(name) + len(value) for name, value in headers)
    if len(headers) > MAX_HEADERS or size > MAX_HEADER_BYTES:
        message = f"A request has at most {MAX_HEADERS} headers of {MAX_HEADER_BYTES} bytes."
        raise _refused(ProblemCode.TOO_LARGE, message, status=HEADERS_TOO_LARGE)
    encodings = {value.strip().lower() for name, value in headers if name == b"content-encoding"}
    if encodings - {b"", b"identity"}:
        raise _refused(ProblemCode.UNSUPPORTED, "Send the body without a Content-Encoding.")


def _content_length(scope: Scope) -> int | None:
    lengths = {value for name, value in scope["headers"] if name == b"content-length"}
    if not lengths:
        return None
    length = lengths.pop()
    if lengths or not length.isdigit() or len(length) > MAX_DIGITS:
        raise _refused(ProblemCode.INVALID, "Content-Length is not a length.", close=True)
    return int(length)
