"""The letter to a platform that asks it to take a misuse down: ready to send but for a name. Pure.

It says what the rule packs say of the law, and that this is no legal advice. What only the sender
knows stands in square brackets.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from registry.errors import InvalidError
from registry.misuse import ComplaintKind, Misuse
from registry.policy.help import help_for
from registry.policy.pack import Pack
from registry.policy.pack_words import Party, Status
from registry.policy.packs import PackSet
from registry.policy.territories import WORLD
from registry.policy.vocabulary import ContentFlag

LANGUAGES: Final = ("en", "zh-Hans")


@dataclass(frozen=True, slots=True)
class Law:
    """A law by its title, and what it says that matters here."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class _Words:
    """The letter's own words in one language."""

    check: str
    greeting: str
    opening: str
    kinds: dict[ComplaintKind, str]
    links: str
    no_links: str
    place: str
    seen_on: str
    media: str
    statement: str
    law: str
    deadlines: str
    asks: tuple[str, ...]
    asking: str
    colon: str
    closing: str


_ENGLISH: Final = _Words(
    check=(
        "[Read this before you send it, fill in what stands in square brackets, and take these"
        " lines out. This is not legal advice: what is said of the law is how this registry reads"
        " it, and nobody has checked it for your case.]"
    ),
    greeting="To whom it may concern,",
    opening=(
        "content on your service uses my voice or likeness, or that of a person I act for, and"
        " nobody consented to that. I report it and ask you to take it down."
    ),
    kinds={
        ComplaintKind.IMPERSONATION: "it passes for me, or has me say or do what I did not",
        ComplaintKind.INTIMATE: "it shows me in an intimate or sexual way without my consent",
        ComplaintKind.FRAUD: "it is used to deceive people for money or data",
        ComplaintKind.ADVERTISING: "it advertises with me without my consent",
        ComplaintKind.HARASSMENT: "it is used to harass or degrade me",
        ComplaintKind.OTHER: "it uses my voice or likeness without my consent",
    },
    links="Where it is",
    no_links="[the address of each page, picture or video]",
    place="Where it was seen",
    seen_on="Seen on",
    media="SHA-256 of the file",
    statement="What happened",
    law="The law",
    deadlines="By when",
    asks=(
        "take this content down, or disable access to it, without delay;",
        "take down copies of it and keep it from being uploaded again;",
        "keep what shows who uploaded it, for the authorities;",
        "confirm that you received this, and tell me what you decided and why.",
    ),
    asking="I ask you to",
    colon=":",
    closing=(
        "I believe in good faith that what I say here is accurate and complete.\n\n"
        "[your name]\n[how you can be reached]\n[date]"
    ),
)
_CHINESE: Final = _Words(
    check=(
        "【发送前请通读全文，填写方括号中的内容，并删去本段。本函不是法律意见：其中关于法律的"
        "内容是本登记处的理解，未就您的具体情况核实。】"
    ),
    greeting="您好：",
    opening=(
        "贵平台上的下列内容未经同意使用了我本人（或我所代表的人）的声音或肖像。特此举报，请予删除。"
    ),
    kinds={
        ComplaintKind.IMPERSONATION: "冒充我本人，或让我“说”出、“做”出我没有说过、做过的事",
        ComplaintKind.INTIMATE: "未经同意以私密或色情的方式展示我",
        ComplaintKind.FRAUD: "被用于骗取他人的钱财或信息",
        ComplaintKind.ADVERTISING: "未经同意用我的形象或声音做广告",
        ComplaintKind.HARASSMENT: "被用于骚扰、侮辱我",
        ComplaintKind.OTHER: "未经同意使用我的声音或肖像",
    },
    links="内容所在位置",
    no_links="[每个网页、图片或视频的网址]",
    place="发现的平台或地点",
    seen_on="发现日期",
    media="文件的 SHA-256",
    statement="事情经过",
    law="法律依据",
    deadlines="处理期限",
    asks=(
        "立即删除上述内容，或断开其链接；",
        "删除其副本，并防止再次上传；",
        "保存能够证明上传者身份的记录，以备有关机关调取；",
        "确认收到本函，并告知处理结果和理由。",
    ),
    asking="请贵平台",
    colon="：",
    closing="我善意地确信，以上所述准确、完整。\n\n[您的姓名]\n[您的联系方式]\n[日期]",
)
_WORDS: Final = {"en": _ENGLISH, "zh-Hans": _CHINESE}
# What is said in a complaint as packs name it.
_CONTENT: Final = {
    ComplaintKind.INTIMATE: ContentFlag.SEXUAL,
    ComplaintKind.FRAUD: ContentFlag.FRAUD,
}


def notice_text(
    misuse: Misuse, language: str, *, laws: Sequence[Law] = (), deadlines: Sequence[str] = ()
) -> str:
    """The letter in this language. Without a law or a deadline that part is left out."""
    words = _WORDS.get(language)
    if words is None:
        raise InvalidError(f"A letter is in {' or '.join(LANGUAGES)}.", field="language")
    parts = [words.check, words.greeting, words.opening]
    parts.append("\n".join(f"- {words.kinds[one]}" for one in misuse.kinds))
    parts.append(_listed(words.links + words.colon, misuse.links or (words.no_links,)))
    parts.append(_where(misuse, words))
    parts.append(f"{words.statement}{words.colon}\n{misuse.statement}")
    told = dict.fromkeys(f"{one.title}{words.colon} {one.text}" for one in laws)
    parts.append(_listed(words.law + words.colon, tuple(told)))
    parts.append(_listed(words.deadlines + words.colon, tuple(dict.fromkeys(deadlines))))
    parts.append(_listed(words.asking + words.colon, words.asks))
    parts.append(words.closing)
    return "\n\n".join(part for part in parts if part) + "\n"


def _listed(title: str, lines: Sequence[str]) -> str:
    return "\n".join([title, *(f"- {one}" for one in lines)]) if lines else ""


def _where(misuse: Misuse, words: _Words) -> str:
    said = (
        (words.place, misuse.place),
        (words.seen_on, misuse.seen_on),
        (words.media, None if misuse.media is None else misuse.media.sha256),
    )
    return "\n".join(f"{name}{words.colon} {value}" for name, value in said if value is not None)


def letter(packs: PackSet, misuse: Misuse, language: str, today: date) -> str:
    """The letter with what the packs of its territory say today; of everywhere, without a law."""
    reading = packs.for_territories(frozenset({misuse.territory}))
    return notice_text(
        misuse,
        language,
        # Nobody knows whose law binds a platform somewhere; a wrong one makes the letter weaker.
        laws=() if misuse.territory == WORLD else laws_of(reading.packs, today),
        deadlines=_deadlines(packs, misuse, language, today),
    )


def laws_of(packs: Iterable[Pack], today: date) -> tuple[Law, ...]:
    """What these packs say that whoever was wronged may ask for, as law today."""
    found = []
    for pack in packs:
        titles = {one.id: one.title for one in pack.instruments}
        for remedy in pack.remedies:
            if remedy.status is not Status.DRAFT and remedy.holds(today):
                title = "; ".join(titles[one] for one in remedy.law) or pack.name
                found.append(Law(title, remedy.text))
    return tuple(found)


def _deadlines(packs: PackSet, misuse: Misuse, language: str, today: date) -> list[str]:
    """By when platforms must act on such content."""
    content = {_CONTENT[one] for one in misuse.kinds if one in _CONTENT}
    found = []
    for due in help_for(packs, misuse.territory).deadlines:
        said = due.deadline
        concerned = not said.content or not said.content.isdisjoint(content)
        if said.who is Party.PLATFORM and concerned and said.holds(today):
            laws = f" ({'; '.join(due.laws)})" if due.laws else ""
            found.append(said.text.in_language(language) + laws)
    return found
