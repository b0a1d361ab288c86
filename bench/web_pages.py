"""What the web pages cost: bytes of a first visit, and CPU of the server for each answer.

    python bench/web_pages.py --n 200

A real server with real models (`likeness models install`), and a desk, a case and a service with
something in them. Each page is fetched n times, in rounds over all of them, in both languages; the
first rounds are left out. Then n people object with a photo. Bytes are those of the page and of all
it may load, styles, icon and every script, as sent. CPU is that of the API process and of
PostgreSQL, each by its own clock; means over the rounds. Apart from these stand the media workers,
whose share the encoders are, and the hashing of a new PIN, which is slow on purpose (Argon2id,
measured here alone). Exits with 1 if a page is not answered, weighs more than 100 KB, or takes more
than 50 CPU ms.
"""

import asyncio
import re
import sys
import time
from collections.abc import Mapping, Sequence
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin

import cpu
import httpx2
from asking import Client, question
from filling import stranger
from stage import REPOSITORY, Api, Stage
from telling import Progress, parser_of, sized, table, verdict

from api.cli.demonstration.browser import forms_in
from registry import pins
from registry.encoders.models import Models
from registry.photos import photos

LANGUAGES = ("en", "zh-Hans")
NOBODY, CASE, REVIEWER, SERVICE = "", "case", "reviewer", "service"
PAGES = (
    *((path, NOBODY) for path in ("/", "/help", "/object", "/report", "/case", "/case/lost")),
    ("/sign-in", NOBODY),
    *((path, CASE) for path in ("/case", "/report")),
    ("/desk", REVIEWER),
    *((path, SERVICE) for path in ("/service", "/service/check")),
)
WARM = 3
FILLED = 25  # decisions of the service, and reports before the desk: a page of each
MOST_BYTES, MOST_MS = 100_000, 50.0
PATIENT = {"MEDIA_SECONDS": "60", "REQUEST_SECONDS": "120", "CASES_PER_SOURCE": "100000"}
Page = tuple[str, str, str]  # path, who is signed in, language


def main() -> int:
    parser = parser_of(__doc__)
    parser.add_argument("--n", type=int, help="rounds  [default: 100]")
    for name in ("models", "packages"):
        folder = REPOSITORY / ".likeness" / name
        parser.add_argument(f"--{name}", type=Path, default=folder, help=f"folder of the {name}")
    given = sized(parser, n=100, quick=10, long=1000)
    if missing := Models.open(given.models.resolve()).missing:
        parser.error(" ".join(missing.values()))
    photo = photos(given.packages)["astronaut"]
    with Stage() as stage:
        work = _Work(stage, stage.api(settings={"MODELS_DIR": str(given.models), **PATIENT}))
        try:
            work.prepare()
            work.weigh()
            work.fetch(given.n)
            work.objecting(given.n, photo)
        finally:
            work.close()
    return _tell(work, given.n, _pin_ms(given.n))


def _tell(work: "_Work", rounds: int, pin_ms: float) -> int:
    heads = ("page", "signed in", "language", "requests", "KB", "API CPU ms", "PostgreSQL CPU ms")
    table(heads, [work.row(page, rounds) for page in work.taken])
    api, postgres, workers = (1000 * one / rounds for one in work.objected)
    rest = api - pin_ms + postgres
    print()
    heads = ("objecting with a photo, CPU ms", "API", "of it the PIN", "PostgreSQL", "workers")
    table(
        (*heads, "without PIN and workers"),
        [("POST /object", api, pin_ms, postgres, workers, rest)],
    )
    heaviest = max(size for _, size in work.weights.values())
    slowest = max(1000 * sum(one) / rounds for one in work.taken.values())
    return verdict(
        holds=heaviest <= MOST_BYTES and max(slowest, rest) <= MOST_MS,
        text=f"{len(PAGES)} pages: {heaviest / 1000:.1f} KB at most (<= {MOST_BYTES // 1000}),"
        f" {slowest:.1f} CPU ms at most (<= {MOST_MS:.0f}); objecting {rest:.1f} besides its PIN"
        f" ({pin_ms:.0f}) and the photo's encoders ({workers:.0f})",
    )


class _Work:
    """Fetches the pages, and keeps what each weighs and took."""

    def __init__(self, stage: Stage, api: Api) -> None:
        assert stage.postgres.pid is not None
        self._stage, self._api, self._postmaster = stage, api, stage.postgres.pid
        self._clients = {
            who: httpx2.Client(base_url=api.url, timeout=120, follow_redirects=True)
            for who in (NOBODY, CASE, REVIEWER, SERVICE)
        }
        self.weights: dict[Page, tuple[int, int]] = {}
        # CPU seconds of (API, PostgreSQL), and of (API, PostgreSQL, workers).
        self.taken = {(*page, one): [0.0, 0.0] for page in PAGES for one in LANGUAGES}
        self.objected = [0.0, 0.0, 0.0]

    def close(self) -> None:
        """Give up the connections."""
        for one in self._clients.values():
            one.close()

    def prepare(self) -> None:
        """Sign in, ask as the service, and report what the desk then has before it."""
        asyncio.run(self._ask())
        for number in range(FILLED):
            said = {"name": f"Somebody {number}", "confirmed": "yes", "level": "ALL"}
            what = {"kind": "FRAUD", "statement": "A call with my voice.", "territory": "DE"}
            self._clients[CASE].cookies.clear()
            self._send(CASE, "/report", "/report", {**said, **what})
        for who, account in ((REVIEWER, self._stage.reviewer), (SERVICE, self._stage.service)):
            self._send(who, "/sign-in", "/sign-in", {"access_token": account.token})

    async def _ask(self) -> None:
        async with Client(self._api, self._stage.service) as client:
            for _ in range(FILLED):
                await client.check(question(stranger()))

    def _send(
        self,
        who: str,
        path: str,
        action: str,
        values: Mapping[str, str],
        files: Sequence[tuple[str, tuple[str, bytes]]] = (),
    ) -> httpx2.Response:
        """The form of a page that goes there, filled in and sent."""
        client = self._clients[who]
        form = next(one for one in forms_in(client.get(path).text) if one.action == action)
        answer = client.post(action, data={**dict(form.values), **values}, files=files or None)
        answer.raise_for_status()
        return answer

    def weigh(self) -> None:
        """Load each page as on a first visit."""
        for page in self.taken:
            answer = self._got(page)
            parts = self._loaded(answer)
            sizes = [one.num_bytes_downloaded for one in (answer, *parts)]
            self.weights[page] = (len(sizes), sum(sizes))

    def _loaded(self, answer: httpx2.Response) -> list[httpx2.Response]:
        """All that a page loads, or may load when somebody uses it."""
        left, found = sorted(_Loaded(answer.text).addresses), dict[str, httpx2.Response]()
        while left:
            address = urljoin(str(answer.url), left.pop())
            if address in found:
                continue
            found[address] = part = self._clients[NOBODY].get(address)
            part.raise_for_status()
            if "javascript" in part.headers["content-type"]:
                left += [urljoin(address, one) for one in _MODULE.findall(part.text)]
        return list(found.values())

    def fetch(self, rounds: int) -> None:
        """Ask for all pages, so many times."""
        progress = Progress("pages", (rounds + WARM) * len(self.taken))
        for number in range(-WARM, rounds):
            for page, taken in self.taken.items():
                before = self._now()
                self._got(page)
                after = self._now()
                if number >= 0:
                    taken[0] += after[0] - before[0]
                    taken[1] += after[1] - before[1]
                progress.step()
        progress.end()

    def objecting(self, rounds: int, photo: bytes) -> None:
        """So many people object, each with a photo."""
        progress = Progress("objections", rounds + WARM)
        for number in range(-WARM, rounds):
            self._clients[NOBODY].cookies.clear()
            before = self._now()
            said = {"confirmed": "yes", "level": "ALL"}
            answer = self._send(NOBODY, "/object", "/object", said, [("photo", ("me.png", photo))])
            after = self._now()
            assert answer.url.path == "/object/done", answer.text
            if number >= 0:
                for at in range(3):
                    self.objected[at] += after[at] - before[at]
            progress.step()
        progress.end()

    def row(self, page: Page, rounds: int) -> tuple[object, ...]:
        """A line of the table."""
        requests, size = self.weights[page]
        path, who, language = page
        took = (1000 * one / rounds for one in self.taken[page])
        return (path, who or "-", language, requests, size / 1000, *took)

    def _now(self) -> tuple[float, float, float]:
        backends = [self._postmaster, *cpu.descendants(self._postmaster)]
        return (
            cpu.exact_seconds([self._api.pid]),
            cpu.exact_seconds(backends),
            cpu.exact_seconds(cpu.descendants(self._api.pid)),
        )

    def _got(self, page: Page) -> httpx2.Response:
        path, who, language = page
        answer = self._clients[who].get(path, headers={"accept-language": language})
        answer.raise_for_status()
        assert answer.headers["content-type"].startswith("text/html"), path
        assert answer.url.path == path, f"{path} leads {who} to {answer.url.path}"
        return answer


def _pin_ms(rounds: int) -> float:
    """CPU milliseconds of hashing a new PIN, all threads together."""
    tries = max(5, min(20, rounds))
    asyncio.run(pins.hashed(pins.new_pin()))
    before = time.process_time()
    for _ in range(tries):
        asyncio.run(pins.hashed(pins.new_pin()))
    return 1000 * (time.process_time() - before) / tries


_MODULE = re.compile(r"""["'](\./[\w-]+\.js)["']""")


class _Loaded(HTMLParser):
    """The addresses of what a page loads by itself."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.addresses = set[str]()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag loads."""
        given = dict(attrs)
        source = given.get("href") if tag == "link" else given.get("src")
        if source is not None and not source.startswith("data:"):
            self.addresses.add(source)


if __name__ == "__main__":
    sys.exit(main())
