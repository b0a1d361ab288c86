"""Text as names are looked for in it: without case, width, accents and other ways to write alike.

The folded text knows where each of its characters was, so that what is found can be pointed out.
What belongs together stays together: a letter and its marks, a syllable of Hangul, a ligature.
"""

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_LEAST_MARK: Final = "\u0300"  # no character below it joins the one before
_KEEPS_MARKS: Final = "\u0900"  # from Devanagari on, marks are letters; before, accents and points
_ALIKE: Final = str.maketrans(
    {
        "\u2019": "'",
        "\u02bc": "'",
        "\u2018": "'",
        "\uff07": "'",
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "\u0131": "i",
        "æ": "ae",
        "œ": "oe",
        "\u0640": None,  # tatweel lengthens a line
    }
)
_SPACES: Final = frozenset("_·・‧•\u0f0b")  # between the words of names, beside blanks and dashes
# Scripts that put no blanks between words: a name may touch its neighbours.
_UNSPACED: Final = (
    ("\u0e00", "\u0eff"),  # Thai, Lao
    ("\u1000", "\u109f"),  # Myanmar
    ("\u1100", "\u11ff"),  # Hangul, decomposed
    ("\u1780", "\u17ff"),  # Khmer
    ("\u3005", "\u3007"),
    ("\u3040", "\u318f"),  # kana, bopomofo, Hangul letters
    ("\u31f0", "\u31ff"),
    ("\u3400", "\u9fff"),  # Han
    ("\ua960", "\ud7ff"),  # Hangul
    ("\uf900", "\ufaff"),
    ("\U00020000", "\U0003ffff"),
)


@dataclass(frozen=True, slots=True)
class Folded:
    """Folded text; of each of its characters, from where to where it was in the original."""

    text: str
    starts: list[int]
    ends: list[int]

    def whole(self, start: int, end: int) -> bool:
        """Whether this part begins and ends between letters, not between a letter and its mark."""
        starts = self.starts
        return (start == 0 or starts[start - 1] != starts[start]) and (
            end == len(starts) or starts[end] != starts[end - 1]
        )

    def stands_alone(self, start: int, end: int) -> bool:
        """Whether this part is no piece of a longer word."""
        text = self.text
        return (start == 0 or not _run_on(text[start - 1], text[start])) and (
            end == len(text) or not _run_on(text[end - 1], text[end])
        )


def fold(text: str) -> Folded:
    """The text without what two writings of one name may differ in."""
    letters: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    at, length, blank = 0, len(text), True
    while at < length:
        end = at + 1
        while end < length and text[end] >= _LEAST_MARK and _joins(text[end]):
            end += 1
        for one in _fold_letter(text[at:end]):
            if one != " " or not blank:
                letters.append(one)
                starts.append(at)
                ends.append(end)
            blank = one == " "
        at = end
    return Folded("".join(letters), starts, ends)


def spelled(name: str) -> str | None:
    """How a name is looked for; none if it is too short to be told from other words."""
    text = fold(name).text
    first, last = 0, len(text)
    while first < last and unicodedata.category(text[first])[0] in "PSZ":
        first += 1
    while first < last and unicodedata.category(text[last - 1])[0] in "PSZ":
        last -= 1
    text = text[first:last]
    return text if len(set(fold(unicodedata.normalize("NFC", text)).starts)) > 1 else None


@lru_cache(maxsize=2**16)
def _joins(one: str) -> bool:
    joiner = one in "\u200c\u200d" or "\u1160" <= one <= "\u11ff"
    return joiner or unicodedata.category(one)[0] == "M"


@lru_cache(maxsize=2**16)
def _fold_letter(letter: str) -> str:
    for _ in range(2):
        letter = unicodedata.normalize("NFKD", letter).casefold()  # each can undo the other once
    letter = unicodedata.normalize("NFKD", letter).translate(_ALIKE)
    plain = letter[:1] < _KEEPS_MARKS
    kept = []
    for one in letter:
        category = unicodedata.category(one)
        if category in {"Cf", "Cc"} and not one.isspace():
            continue  # invisible, and put there by accident or to hide a name
        if category == "Mn" and (plain or unicodedata.name(one, "").startswith("VARIATION")):
            continue
        kept.append(" " if one.isspace() or category == "Pd" or one in _SPACES else one)
    return "".join(kept)


def _run_on(left: str, right: str) -> bool:
    """Whether these two neighbours are in one word."""
    return left.isalnum() and right.isalnum() and not (_is_unspaced(left) or _is_unspaced(right))


@lru_cache(maxsize=2**16)
def _is_unspaced(one: str) -> bool:
    return any(first <= one <= last for first, last in _UNSPACED)
