"""What the web pages cost: bytes of a first visit, and CPU of the server for each answer.

    python bench/web_pages.py --n 200

A real server. Each page is fetched n times, in rounds over all of them, in both languages; the
first rounds are left out. Bytes are those of the page and of all it loads, styles and scripts,
as sent. CPU is that of the API process and of PostgreSQL, each by its own clock; means over the
rounds. Exits with 1 if a page is not answered, weighs more than 100 KB, or takes more than
50 CPU ms.
"""

import sys
from html.parser import HTMLParser
from urllib.parse import urljoin

import cpu
import httpx2
from stage import Api, Stage
from telling import Progress, options, table, verdict

PATHS = ("/", "/object", "/report", "/case", "/help", "/desk", "/service")
LANGUAGES = ("en", "zh-Hans")
WARM = 3
MOST_BYTES, MOST_MS = 100_000, 50.0


def main() -> int:
    given = options(__doc__, n=100, quick=20, long=1000, what="rounds")
    with Stage() as stage:
        pages = _Pages(stage, stage.api())
        pages.weigh()
        pages.fetch(given.n)
    heads = ("page", "language", "requests", "KB", "API CPU ms", "PostgreSQL CPU ms")
    table(heads, [pages.row(page, given.n) for page in pages.taken])
    heaviest = max(size for _, size in pages.weights.values())
    slowest = max(1000 * sum(one) / given.n for one in pages.taken.values())
    return verdict(
        holds=heaviest <= MOST_BYTES and slowest <= MOST_MS,
        text=f"{len(PATHS)} pages: {heaviest / 1000:.1f} KB at most (<= {MOST_BYTES // 1000}),"
        f" {slowest:.1f} CPU ms at most (<= {MOST_MS:.0f})",
    )


class _Pages:
    """Fetches the pages, and keeps what each weighs and took."""

    def __init__(self, stage: Stage, api: Api) -> None:
        assert stage.postgres.pid is not None
        self._api, self._postmaster = api, stage.postgres.pid
        self.weights: dict[tuple[str, str], tuple[int, int]] = {}
        # By page and language: CPU seconds of (API, PostgreSQL).
        self.taken = {(path, one): [0.0, 0.0] for path in PATHS for one in LANGUAGES}

    def weigh(self) -> None:
        """Load each page as on a first visit."""
        with httpx2.Client(base_url=self._api.url) as client:
            for page in self.taken:
                answer = _got(client, *page)
                loaded = _Loaded(answer.text)
                parts = [client.get(urljoin(page[0], one)) for one in sorted(loaded.addresses)]
                for one in parts:
                    one.raise_for_status()
                sizes = [answer.num_bytes_downloaded, *(one.num_bytes_downloaded for one in parts)]
                self.weights[page] = (len(sizes), sum(sizes))

    def fetch(self, rounds: int) -> None:
        """Ask for all pages, so many times."""
        progress = Progress("pages", (rounds + WARM) * len(self.taken))
        with httpx2.Client(base_url=self._api.url) as client:
            for number in range(-WARM, rounds):
                for page, taken in self.taken.items():
                    before = self._now()
                    _got(client, *page)
                    after = self._now()
                    if number >= 0:
                        taken[0] += after[0] - before[0]
                        taken[1] += after[1] - before[1]
                    progress.step()
        progress.end()

    def row(self, page: tuple[str, str], rounds: int) -> tuple[object, ...]:
        """A line of the table."""
        requests, size = self.weights[page]
        return (*page, requests, size / 1000, *(1000 * one / rounds for one in self.taken[page]))

    def _now(self) -> tuple[float, float]:
        backends = [self._postmaster, *cpu.descendants(self._postmaster)]
        return cpu.exact_seconds([self._api.pid]), cpu.exact_seconds(backends)


def _got(client: httpx2.Client, path: str, language: str) -> httpx2.Response:
    answer = client.get(path, headers={"accept-language": language})
    answer.raise_for_status()
    assert answer.headers["content-type"].startswith("text/html"), path
    return answer


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
