"""Names in a prompt: which public figures it speaks of, and what it may want of them. Pure.

All names are searched in one pass. Every occurrence counts that stands alone and lies in no longer
one: of "Anna Adams" and "Anna Adams Lee" the text tells which is meant.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, NamedTuple, TypeVar
from uuid import UUID

from ahocorasick_rs import AhoCorasick, Implementation, MatchKind

from registry.errors import InvalidError
from registry.folding import Folded, fold
from registry.policy.vocabulary import AiUse, Modality, SubjectClass
from registry.prompt_cues import CUES

MAX_PROMPT: Final = 2000

T = TypeVar("T")


class Hit(NamedTuple, Generic[T]):
    """A place of the folded text, and what is known under the word there."""

    start: int
    end: int
    value: T


class Words(Generic[T]):
    """Words in folded spelling, each with a value, searched for all at once."""

    def __init__(self, words: Mapping[str, T]) -> None:
        self._values: list[T] = list(words.values())
        self._automaton: Any = None
        if words:
            self._automaton = AhoCorasick(
                list(words),
                matchkind=MatchKind.Standard,
                store_patterns=False,
                implementation=Implementation.ContiguousNFA,
            )

    def __len__(self) -> int:
        return len(self._values)

    def hits(self, folded: Folded) -> Iterator[Hit[T]]:
        """Every whole word of these, also those that overlap."""
        if self._automaton is None:
            return
        for number, start, end in self._automaton.find_matches_as_indexes(
            folded.text, overlapping=True
        ):
            if folded.whole(start, end) and folded.stands_alone(start, end):
                yield Hit(start, end, self._values[number])


def longest(hits: Iterable[Hit[T]]) -> list[Hit[T]]:
    """Those that lie in no longer one, from left to right."""
    kept: list[Hit[T]] = []
    for hit in sorted(hits, key=lambda one: (one.start, -one.end)):
        if not kept or hit.end > kept[-1].end or (hit.start, hit.end) == kept[-1][:2]:
            kept.append(hit)
    return kept


class Known(NamedTuple):
    """A figure as a prompt is searched for it. `spelled`: its names, folded."""

    id: UUID
    name: str
    classes: tuple[SubjectClass, ...]
    spelled: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Suggested:
    """A check to make before the prompt is acted on; no use where no word tells of one."""

    name: str
    modalities: tuple[Modality, ...]
    use: AiUse | None


@dataclass(frozen=True, slots=True)
class Finding:
    """A figure that a prompt names, and where: characters of the prompt as it was given."""

    name: str
    start: int
    end: int
    figure_id: UUID
    classes: tuple[SubjectClass, ...]
    checks: tuple[Suggested, ...]


def _cues() -> dict[str, AiUse]:
    return {
        fold(word.strip()).text: use
        for use, (_, words) in CUES.items()
        for word in words.replace("\n", ",").split(",")
        if word.strip()
    }


_WANTED: Final = Words(_cues())


def checked(text: str) -> str:
    """The prompt, if it is short enough."""
    if len(text) > MAX_PROMPT:
        raise InvalidError(f"A prompt has at most {MAX_PROMPT} characters.", field="text")
    return text


def findings(folded: Folded, hits: Iterable[Hit[Known]]) -> list[Finding]:
    """What was found, from left to right, with the checks that the words of the prompt suggest."""
    found = longest(hits)
    if not found:
        return []
    wanted = sorted({one.value for one in longest(_WANTED.hits(folded))})
    return [
        Finding(
            name=hit.value.name,
            start=folded.starts[hit.start],
            end=folded.ends[hit.end - 1],
            figure_id=hit.value.id,
            classes=hit.value.classes,
            checks=_suggested(hit.value.name, wanted),
        )
        for hit in found
    ]


def _suggested(name: str, wanted: Sequence[AiUse]) -> tuple[Suggested, ...]:
    if not wanted:
        return (Suggested(name, (Modality.NAME,), None),)
    return tuple(Suggested(name, (CUES[use][0],), use) for use in wanted)
