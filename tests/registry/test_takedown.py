"""The letter to a platform says what was said, and of the law what the packs say and no more."""

from datetime import date

import pytest

from registry import takedown
from registry.errors import InvalidError
from registry.misuse import ComplaintKind, Misuse, SeenMedia
from registry.policy.shelf import Shelf
from registry.takedown import LANGUAGES, Law

TODAY = date(2026, 11, 25)
PACKS = Shelf.of(None).current()
SAID = Misuse(
    kinds=(ComplaintKind.ADVERTISING,),
    territory="US",
    statement="A video has me advertise a bank.",
    links=("https://video.example/1", "https://video.example/2"),
    place="Example Video",
    seen_on=date(2026, 11, 20),
    media=SeenMedia("video", "ab" * 32),
)


def of(territory: str, *kinds: ComplaintKind) -> Misuse:
    return Misuse(kinds=kinds, territory=territory, statement="It is me.")


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_says_everything_that_was_said(language: str) -> None:
    text = takedown.notice_text(SAID, language)
    for said in (SAID.statement, *SAID.links, "Example Video", "2026-11-20", "ab" * 32):
        assert said in text


@pytest.mark.parametrize(
    ("language", "name", "advice"),
    [("en", "[your name]", "not legal advice"), ("zh-Hans", "[您的姓名]", "不是法律意见")],
)
def test_what_only_the_sender_knows_is_left_open_and_it_is_no_advice(
    language: str, name: str, advice: str
) -> None:
    text = takedown.notice_text(of("US", ComplaintKind.OTHER), language)
    assert name in text
    assert advice in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_has_words_of_its_own(language: str) -> None:
    texts = {takedown.notice_text(of("US", one), language) for one in ComplaintKind}
    assert len(texts) == len(ComplaintKind)


@pytest.mark.parametrize(
    ("language", "law", "deadline"),
    [("en", "The law:", "By when:"), ("zh-Hans", "法律依据", "处理期限")],
)
def test_law_and_deadlines_are_said_where_there_are_any(
    language: str, law: str, deadline: str
) -> None:
    bare = takedown.notice_text(SAID, language)
    assert law not in bare
    assert deadline not in bare
    laws, deadlines = [Law("Likeness Act", "Damages.")] * 2, ["Within two days."] * 2
    text = takedown.notice_text(SAID, language, laws=laws, deadlines=deadlines)
    assert text.count("Likeness Act") == text.count("Within two days.") == 1
    assert law in text
    assert deadline in text


@pytest.mark.parametrize("language", ["de", "zh", "EN", ""])
def test_another_language_is_refused(language: str) -> None:
    with pytest.raises(InvalidError, match="zh-Hans"):
        takedown.notice_text(SAID, language)


def test_a_deadline_for_intimate_content_is_said_of_such_content_alone() -> None:
    intimate = takedown.letter(PACKS, of("US", ComplaintKind.INTIMATE), "en", TODAY)
    other = takedown.letter(PACKS, of("US", ComplaintKind.FRAUD), "en", TODAY)
    assert "48 hours" in intimate
    assert "48 hours" not in other


def test_deadlines_are_said_in_the_language_of_the_letter() -> None:
    text = takedown.letter(PACKS, of("CN", ComplaintKind.OTHER), "zh-Hans", TODAY)
    assert "平台收到有效通知后应当及时采取删除等措施" in text


def test_what_is_only_draft_is_not_said() -> None:
    drafts = [one.text for one in PACKS.packs["US"].remedies if str(one.status) == "draft"]
    text = takedown.letter(PACKS, of("US", ComplaintKind.OTHER), "en", TODAY)
    assert drafts
    assert not any(one in text for one in drafts)
    assert any(one.text in text for one in PACKS.packs["US"].remedies)


@pytest.mark.parametrize("territory", ["DE", "DK", "CN", "US-CA", "BR", "001"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_there_is_a_letter_for_every_territory(territory: str, language: str) -> None:
    text = takedown.letter(PACKS, of(territory, ComplaintKind.OTHER), language, TODAY)
    assert "It is me." in text


def test_a_letter_for_everywhere_names_no_countrys_law() -> None:
    everywhere = takedown.letter(PACKS, of("001", ComplaintKind.OTHER), "en", TODAY)
    laws = takedown.laws_of(PACKS.packs.values(), TODAY)
    assert laws
    assert not [one.title for one in laws if one.title in everywhere]
    assert "The law:" in takedown.letter(PACKS, of("DE", ComplaintKind.OTHER), "en", TODAY)
