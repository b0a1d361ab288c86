"""Names in prompts: every one is found where it is, in any script, and nothing else is."""

# ruff: noqa: RUF001  # letters that look alike are the point

import unicodedata
from uuid import UUID, uuid4

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from registry import prompts
from registry.errors import InvalidError
from registry.folding import fold, spelled
from registry.policy.vocabulary import AiUse, Modality, SubjectClass
from registry.prompts import Finding, Known, Words, findings

PUBLIC = (SubjectClass.PUBLIC_FIGURE,)


def words_of(*names: str) -> Words[Known]:
    ways = {name: spelled(name) for name in names}
    return Words(
        {way: Known(uuid4(), name, PUBLIC, (way,)) for name, way in ways.items() if way is not None}
    )


def find(text: str, *names: str) -> list[Finding]:
    folded = fold(text)
    return findings(folded, words_of(*names).hits(folded))


def parts(text: str, *names: str) -> list[str]:
    return [text[one.start : one.end] for one in find(text, *names)]


@pytest.mark.parametrize(
    ("name", "text", "part"),
    [
        ("Anna Adams", "a photo of Anna Adams, smiling", "Anna Adams"),
        ("Anna Adams", "ANNA ADAMS", "ANNA ADAMS"),
        ("Anna Adams", "anna adams's dog", "anna adams"),
        ("Anna Adams", "Anna Adams’ dog", "Anna Adams"),
        ("Anna Adams", "of Anna\nAdams", "Anna\nAdams"),
        ("Anna Adams", "of Anna \t  Adams.", "Anna \t  Adams"),
        ("Anna Adams", "Anna-Adams", "Anna-Adams"),
        ("Anna Adams", "Ａｎｎａ　Ａｄａｍｓ", "Ａｎｎａ　Ａｄａｍｓ"),
        ("Anna Adams", "An\u200bna Ad\u00adams", "An\u200bna Ad\u00adams"),
        ("José Núñez", "jose nunez", "jose nunez"),
        ("Jose Nunez", "José Nu\u0301n\u0303ez!", "José Nu\u0301n\u0303ez"),
        ("Søren Łęcki", "soren lecki", "soren lecki"),
        ("Weiß", "WEISS", "WEISS"),
        ("O'Hara", "O’Hara", "O’Hara"),
        ("Sammy Davis Jr.", "sammy davis jr sang", "sammy davis jr"),
        ("Лев Толстой", "лев  толстой", "лев  толстой"),
        ("Королёв", "Королев", "Королев"),
        ("محمد علي", "صورة محمّد علي", "محمّد علي"),
        ("अमिताभ बच्चन", "अमिताभ बच्चन की आवाज़", "अमिताभ बच्चन"),
        ("李白", "请用诗人李白的声音朗读", "李白"),
        ("迈克尔·杰克逊", "迈克尔・杰克逊唱歌", "迈克尔・杰克逊"),
        ("김연아", "김연아의 사진", "김연아"),
        (
            "김연아",
            unicodedata.normalize("NFD", "김연아의"),
            unicodedata.normalize("NFD", "김연아"),
        ),
        ("ガガ", "歌手ｶﾞｶﾞの写真", "ｶﾞｶﾞ"),
        ("สมชาย", "ภาพของสมชายครับ", "สมชาย"),
        ("Anna", "我爱Anna吗", "Anna"),
    ],
)
def test_a_name_is_found_however_it_is_written(name: str, text: str, part: str) -> None:
    assert parts(text, name) == [part]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Ann Lee", "Ann Leeds"),
        ("Ann Lee", "Joann Lee"),
        ("Ann Lee", "Ann Lee2"),
        ("Ann Lee", "Ann, Lee"),
        ("राम", "रामा"),
        ("かき", "かぎ"),
        ("이사", "이산"),
        ("이사", unicodedata.normalize("NFD", "이산")),
        ("李", "李白"),
        ("X", "X marks it"),
        ("...", "... and so on"),
    ],
)
def test_a_part_of_another_word_is_no_name(name: str, text: str) -> None:
    assert parts(text, name) == []


def test_the_longest_name_counts_and_one_that_only_overlaps_counts_too() -> None:
    names = ("Anna Adams", "Anna Adams Lee", "Lee Miller")
    assert parts("Anna Adams Leeds", *names) == ["Anna Adams"]
    assert parts("Anna Adams Lee", *names) == ["Anna Adams Lee"]
    assert parts("Anna Adams Lee Miller", *names) == ["Anna Adams Lee", "Lee Miller"]


def test_everybody_of_a_name_is_told() -> None:
    folded = fold("of anna adams")
    both = [Known(UUID(int=at), "Anna Adams", PUBLIC, ()) for at in (1, 2)]
    hits = [prompts.Hit(3, 13, one) for one in both]
    assert [one.figure_id.int for one in findings(folded, hits)] == [1, 2]


@pytest.mark.parametrize(
    ("text", "uses"),
    [
        ("Anna Adams", [None]),
        ("let Anna Adams sing", [AiUse.SYNTHESIZE_SINGING]),
        ("Anna Adams singled out", [None]),
        ("the voice of Anna Adams", [AiUse.SYNTHESIZE_SPEECH]),
        ("a Photo and a video of Anna Adams", [AiUse.GENERATE_IMAGE, AiUse.GENERATE_VIDEO]),
        ("用Anna Adams的声音", [AiUse.SYNTHESIZE_SPEECH]),
        ("让Anna Adams唱", [AiUse.SYNTHESIZE_SINGING]),
        ("Anna Adams的照片", [AiUse.GENERATE_IMAGE]),
        ("Anna Adams视频", [AiUse.GENERATE_VIDEO]),
        ("a face swap with Anna Adams", [AiUse.SWAP_FACE]),
        ("Anna Adams lip-sync", [AiUse.LIP_SYNC]),
    ],
)
def test_words_of_the_prompt_suggest_what_to_check(text: str, uses: list[AiUse | None]) -> None:
    [found] = find(text, "Anna Adams")
    assert [one.use for one in found.checks] == uses
    assert {one.name for one in found.checks} == {"Anna Adams"}
    if uses == [None]:
        assert found.checks[0].modalities == (Modality.NAME,)


def test_a_prompt_has_an_end() -> None:
    assert prompts.checked("a" * 2000)
    with pytest.raises(InvalidError):
        prompts.checked("a" * 2001)
    assert find("Anna Adams") == []


ALPHABET = "abcXYZ 12李白가나éß'-\n.ñлёमाراก\u0301\u200bﬁ"
NAMES = st.lists(st.text(ALPHABET, min_size=1, max_size=6), min_size=1, max_size=6, unique=True)


def brute(text: str, names: list[str]) -> set[tuple[int, int, str]]:
    """Every place where a name stands alone and in no longer one, tried one by one."""
    folded = fold(text)
    places = set()
    for way in {way for one in names if (way := spelled(one)) is not None}:
        for start in range(len(folded.text)):
            end = start + len(way)
            if folded.text[start:end] != way:
                continue
            if folded.whole(start, end) and folded.stands_alone(start, end):
                places.add((start, end, way))
    return {
        (folded.starts[start], folded.ends[end - 1], way)
        for start, end, way in places
        if not any((s <= start and end <= e) and (s, e) != (start, end) for s, e, _ in places)
    }


@given(st.text(ALPHABET, max_size=60), NAMES)
@example("Xa X", ["a", "aX"])
def test_the_search_finds_what_trying_every_place_finds(text: str, names: list[str]) -> None:
    found = {(one.start, one.end, spelled(one.name)) for one in find(text, *names)}
    assert found == brute(text, names)


PEOPLE = st.sampled_from(
    ["Anna Adams", "José Núñez", "李白", "Лев Толстой", "محمد علي", "अमिताभ बच्चन", "김연아"]
)
CHANGES = st.sampled_from(
    [
        str,
        str.upper,
        str.lower,
        str.swapcase,
        lambda one: one.replace(" ", "\n"),
        lambda one: one.replace(" ", "  "),
        lambda one: unicodedata.normalize("NFD", one),
        "\u200b".join,
    ]
)
AROUND = st.sampled_from(
    ["", "a photo of ", "…", "(", "“", "请画 ", "\n\n", "e\u0301 ", "ﬁ ", "𝔸 "]
)
AFTER = st.sampled_from(["", "'s dog", ".", ")", " and you", "\n", ", 请", "’s"])


@given(PEOPLE, CHANGES, AROUND, AFTER, AROUND)
def test_every_name_that_is_put_in_is_found_there(
    name: str, change: object, before: str, after: str, later: str
) -> None:
    assert callable(change)
    written = change(name)
    text = f"{before}{written}{after} {later}"
    [found] = find(text, name)
    assert text[found.start : found.end].strip("\u200b") == written
    assert found.start == len(before)
    assert found.name == name
