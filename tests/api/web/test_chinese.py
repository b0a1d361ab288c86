"""The pages in Chinese: nothing of the English is left in them, and reasons are translated."""

import re
from html import unescape

from starlette.types import ASGIApp

from api.web.languages import Language
from api.web.said import said
from api.web.said_reasons import REASONS
from registry.policy.reasons import REASONS as OF_THE_ENGINE
from registry.policy.shelf import SHIPPED, read_folder
from tests.api.web.reading import Reader, reading

CHINESE = Language.SIMPLIFIED_CHINESE
_SENTENCE = re.compile(r"(?:\b[A-Za-z][a-z]* ){2}[a-z]+")
_ENGLISH_STOP = re.compile(r"[\u4e00-\u9fff] ?[.,;!?](?: |$)", re.MULTILINE)


def left(reader: Reader) -> list[str]:
    """English sentences and full stops in the words of a page."""
    assert reader.page is not None
    shown = re.sub(r"<(script|style|title)\b.*?</\1>", "", reader.page.text, flags=re.DOTALL)
    lines = unescape(re.sub(r"\s*<[^>]+>\s*", "\n", shown))
    together = unescape(re.sub(r"<[^>]+>", "", shown))
    return _SENTENCE.findall(lines) + _ENGLISH_STOP.findall(together)


async def test_no_english_is_left_in_what_people_read(app: ASGIApp) -> None:
    async with reading(app, "zh-CN") as reader:
        found = {}
        for path in ("/", "/object", "/object?young", "/report", "/report?young"):
            found[path] = left(await reader.open(path))
        for path in ("/case", "/case/lost", "/sign-in", "/nowhere"):
            found[path] = left(await reader.open(path))
        minor = {"age_group": "MINOR", "age": "14", "name": "某人", "level": "OWN"}
        await reader.object(**minor, modality=["FACE", "VOICE"], use=["SWAP_FACE"])
        found["done"] = left(reader)
        found["case"] = left(await reader.open("/case"))
        for part in ("objections", "people"):
            address = re.search(rf'"(/case/{part}/[^"]+)"', reader.text)
            assert address is not None
            found[part] = left(await reader.open(address[1]))
            assert reader.path == address[1]
            await reader.open("/case")
        assert {page: words for page, words in found.items() if words} == {}


def test_what_is_left_in_a_page_would_be_found() -> None:
    assert _SENTENCE.findall("请看 You may not do this.") == ["You may not"]
    assert _ENGLISH_STOP.findall("我的面孔. 禁止") == ["孔. "]


def test_every_reason_is_said_in_chinese() -> None:
    engine = {message for message, _ in OF_THE_ENGINE.values()}
    bars = {bar.message for pack in read_folder(SHIPPED).values() for bar in pack.bars}
    assert engine | bars == set(REASONS)
    assert [one for one in REASONS if said(one, CHINESE) == one] == []


def test_what_a_reason_names_follows_it() -> None:
    english = "A permission brings duties this service has not declared. Missing: WATERMARK."
    assert said(english, CHINESE) == "许可附带本服务方未声明的义务。 Missing: WATERMARK."
    assert said(english, Language.ENGLISH) == english
