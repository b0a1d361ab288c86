"""What every measurement says and takes: options, progress, a table and a last line."""

import argparse
import os
import platform
import sys
import time
from collections.abc import Sequence


def options(doc: str | None, *, n: int, quick: int, long: int, what: str) -> argparse.Namespace:
    """The options every measurement has; `n` is how many of `what` it tries."""
    parser = parser_of(doc)
    parser.add_argument("--n", type=int, help=f"{what}  [default: {n:,}]")
    return sized(parser, n=n, quick=quick, long=long)


def parser_of(doc: str | None) -> argparse.ArgumentParser:
    """A parser that shows the module's text and knows the sizes."""
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    sizes = parser.add_mutually_exclusive_group()
    sizes.add_argument("--quick", action="store_true", help="a smoke run of seconds")
    sizes.add_argument("--long", action="store_true", help="many times the usual size")
    parser.add_argument("--seed", type=int, default=1)
    return parser


def sized(parser: argparse.ArgumentParser, *, n: int, quick: int, long: int) -> argparse.Namespace:
    """The arguments with `n` settled; prints what runs, and where."""
    given = parser.parse_args()
    if given.n is None:
        given.n = quick if given.quick else long if given.long else n
    if given.n < 1:
        parser.error("--n is at least 1")
    name = os.path.basename(sys.argv[0])  # noqa: PTH119  # of text, not of a file
    print(
        f"{name}: n = {given.n:,}, seed {given.seed}; {platform.machine()}, {os.cpu_count()} cores,"
        f" load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}",
        flush=True,
    )
    return given


class Progress:
    """A line on standard error, at most once a second, wiped at the end."""

    def __init__(self, what: str, total: int) -> None:
        self._what, self._total = what, total
        self._shown = time.monotonic()
        self.done = 0

    def step(self, by: int = 1) -> None:
        """Note what was done."""
        self.done += by
        if time.monotonic() - self._shown > 1:
            self._shown = time.monotonic()
            line = f"\r  {self._what}: {self.done:,} of {self._total:,}"
            print(line, end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        """Wipe the line."""
        print("\r" + " " * 70 + "\r", end="", file=sys.stderr, flush=True)


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Rows under heads, the first column to the left and the others to the right."""
    lines = [list(heads), *([_shown(one) for one in row] for row in rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(heads))]
    for line in lines:
        cells = [line[0].ljust(widths[0])]
        cells += [one.rjust(width) for one, width in zip(line[1:], widths[1:], strict=True)]
        print("  ".join(cells), flush=True)


def _shown(value: object) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def verdict(*, holds: bool, text: str) -> int:
    """Print the last line, which `run.py` puts into its summary; the exit code."""
    print(f"{'holds' if holds else 'DOES NOT HOLD'}: {text}", flush=True)
    return 0 if holds else 1


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share of all values does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
