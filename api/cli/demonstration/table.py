"""What the demonstration shows: plain text of at most 100 columns, coloured on a terminal."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from api.cli.demonstration.client import Told
from api.cli.demonstration.scene import Scene

WIDTH = 100
_STYLES = {
    "PERMITTED": "green",
    "UNKNOWN": "cyan",
    "CONSENT_REQUIRED": "yellow",
    "REVIEW_REQUIRED": "magenta",
    "PROHIBITED": "red",
    "NOT_CLEARED": "yellow",
    "ENROLLED": "green",
}
_COMMON = "ASSET_MATCH"


@dataclass(frozen=True, slots=True)
class Played:
    """A scene, the part it belongs to, and the answer it got."""

    part: str
    scene: Scene
    told: Told

    @property
    def held(self) -> bool:
        """Whether it was the answer it must get."""
        return self.scene.accepts(self.told)


class Screen:
    """Standard output."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, markup=False, emoji=False)
        self._console.width = (
            min(self._console.width, WIDTH) if self._console.is_terminal else WIDTH
        )

    def say(self, text: str = "") -> None:
        """A line; one that is to be copied is never broken."""
        self._console.print(Text(text), soft_wrap=True)

    def heading(self, text: str) -> None:
        """What follows."""
        self._console.print()
        self._console.print(Text(text, style="bold"))

    def scenes(self, title: str, played: Sequence[Played]) -> None:
        """Every scene of one part with its answer."""
        table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=0)
        table.add_column(title, width=34)
        table.add_column("Shown or heard", width=23)
        table.add_column("Answer", no_wrap=True, width=16)
        table.add_column("Reasons", no_wrap=True, width=24)
        for one in played:
            style = _STYLES.get(one.told.outcome, "blue")
            table.add_row(
                Text(one.scene.title),
                Text(one.scene.shown),
                Text(one.told.outcome, style=style),
                Text("\n".join(sorted(one.told.reasons - {_COMMON}))),
            )
        self._console.print()
        self._console.print(table)
        if any(_COMMON in one.told.reasons for one in played):
            self.say(f"Wherever a registered picture was recognised, {_COMMON} is a reason too.")
        self.pairs((one.scene.title, one.told.sentence) for one in played if one.told.sentence)

    def failures(self, played: Iterable[Played]) -> None:
        """Every answer that is not what it must be."""
        for one in played:
            if not one.held:
                self._bad(f"{one.scene.title} ({one.scene.shown})")
                self._bad(f"  expected {_said(one.scene.expected)}")
                self._bad(f"  got      {_said(one.told)}")

    def pairs(self, rows: Iterable[tuple[str, str]]) -> None:
        """Names and values below one another."""
        table = Table(box=None, pad_edge=False, show_header=False)
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        for name, value in rows:
            table.add_row(Text(name), Text(value, style="bold"))
        self._console.print(table)

    def good(self, text: str) -> None:
        """How it ended, when all is well."""
        self._console.print(Text(text, style="bold green"))

    def _bad(self, text: str) -> None:
        self._console.print(Text(text, style="bold red"), soft_wrap=True)


def _said(told: Told) -> str:
    return f"{told.outcome} {', '.join(sorted(told.reasons))} {told.sentence}".rstrip()
