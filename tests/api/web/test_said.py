"""What the registry says in English is known to the catalogue, or is shown for what it is."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.web.languages import Language, translations
from api.web.said import MESSAGES, said
from registry import errors
from registry.errors import ProblemCode

CHINESE = Language.SIMPLIFIED_CHINESE
ROOT = Path(__file__).parent.parent.parent.parent
# Whose refusals reach somebody who fills in a form of the public pages, without an account.
REACHED = (
    "registry/cases.py",
    "registry/case_numbers.py",
    "registry/complaints.py",
    "registry/encoders/media.py",
    "registry/encoders/picture.py",
    "registry/encoders/sound.py",
    "registry/encoders/video.py",
    "registry/encoders/containers.py",
    "registry/encoders/contents.py",
    "registry/intake.py",
    "registry/links.py",
    "registry/misuse.py",
    "registry/pins.py",
    "registry/sampling.py",
    "registry/subjects.py",
    "registry/throttles.py",
)
# What a form of ours never asks for, or catches before.
UNREACHED = (
    "A box chooses a face",
    "A sample is of a FACE or of a VOICE.",
    "Say what of this video is enrolled",
    "Send an image, not",
    "Say what it was misused for.",
    "Your account is no case",
    "This record is kept for blocking alone",
    "A birth date is not in the future.",
    "Whoever keeps the person's record, or acts for them, reports.",
    "Complaint ",
    "No such ",
    "This recording was read for a check only",
    "A media file may not open another.",
)
# So rare that they are shown under the sentence of their code.
RARE = (
    "A subject has at most {n} complaints.",
    "This recording holds samples",
    "This recording claims a sample rate",
    "This recording has {n} channels",
    "This recording's channels become",
    "This recording's sample rate changes",
    "This recording holds more samples",
    "This video has no frames.",
    "This video's frames have more than",
)


def pieces(node: ast.expr) -> str:
    """A sentence as it is written in the source, with {n} for what is filled in."""
    if isinstance(node, ast.Constant):
        return re.sub(r"\d+", "{n}", str(node.value))
    if isinstance(node, ast.JoinedStr):
        return "".join(pieces(one) for one in node.values)
    return "{n}"


def refused(path: str) -> Iterator[str]:
    """Every sentence that a module refuses with."""
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        match node:
            case ast.Raise(exc=ast.Call(func=ast.Name(id=name), args=[sentence, *_])):
                if hasattr(errors, name) and isinstance(sentence, (ast.Constant, ast.JoinedStr)):
                    yield pieces(sentence)


def written() -> str:
    """All text of the registry and of its ways in, as one line."""
    found = []
    for folder in ("registry", "api"):
        for file in (ROOT / folder).rglob("*.py"):
            if "web" not in file.parts or file.name == "sessions.py":
                found += [
                    pieces(node)
                    for node in ast.walk(ast.parse(file.read_text()))
                    if isinstance(node, (ast.Constant, ast.JoinedStr))
                ]
    return "\n".join(found)


def pattern(sentence: str) -> re.Pattern[str]:
    """What a sentence of the catalogue may have looked like in the source."""
    words = re.escape(sentence.replace("{n}.{n}", "{n}")).replace(re.escape("{n}"), r"[^\n]*?")
    return re.compile(words)


@pytest.mark.parametrize("path", REACHED)
def test_every_refusal_that_reaches_a_page_is_known(path: str) -> None:
    sentences = [one for one in refused(path) if not one.startswith(UNREACHED + RARE)]
    known = set(MESSAGES)
    for one in sentences:
        filled = re.compile(re.escape(one).replace(re.escape("{n}"), r"[\w{}., ]*"))
        assert any(filled.fullmatch(each) for each in known), f"{path}: {one}"


@pytest.mark.parametrize("path", ["registry/encoders/face.py", "registry/encoders/voice.py"])
def test_what_is_wrong_with_a_face_or_a_voice_is_known(path: str) -> None:
    tree = ast.parse((ROOT / path).read_text())
    said_of_code = {id(one.value) for one in ast.walk(tree) if isinstance(one, ast.Expr)}
    inner = {
        id(each) for one in ast.walk(tree) if isinstance(one, ast.JoinedStr) for each in one.values
    }
    found = [
        pieces(one)
        for one in ast.walk(tree)
        if isinstance(one, (ast.Constant, ast.JoinedStr)) and id(one) not in said_of_code | inner
    ]
    sentences = [one for one in found if re.fullmatch(r"[A-Z][^\n]* [^\n]*\.", one)]
    assert len(sentences) > 2
    for one in sentences:
        filled = re.compile(re.escape(one).replace(re.escape("{n}"), r"[{}n.]+"))
        assert any(filled.fullmatch(each) for each in MESSAGES), f"{path}: {one}"


# Words that are filled in, and those of Starlette.
FILLED = re.compile(
    "(?<=This )(JPEG|PNG|WEBP|GIF)|(?<=read of )(JPEG|PNG)|(?<=kind )(image|audio)"
    "|(?<=holds no )(VOICE|FACE)"
)
ELSEWHERE = {"Not Found.", "Method Not Allowed."}


def test_the_catalogue_knows_no_sentence_that_nobody_says() -> None:
    text = written()
    for one in MESSAGES:
        filled = FILLED.sub("{n}", one)
        assert one in ELSEWHERE or pattern(filled).search(text), one


@pytest.mark.parametrize("code", list(ProblemCode))
def test_a_sentence_that_is_not_translated_is_shown_with_what_it_means(code: ProblemCode) -> None:
    sentence = "A sentence that nobody translated."
    shown = said(sentence, CHINESE, code=code)
    assert sentence in shown
    assert said(sentence, Language.ENGLISH, code=code) == sentence
    assert said(sentence, CHINESE) == sentence


def test_numbers_are_filled_in_in_their_order() -> None:
    catalogue = translations(CHINESE)
    original = "A name has {n} to {n} printable characters."
    shown = said("A name has 1 to 200 printable characters.", CHINESE, code="INVALID")
    translated = catalogue.gettext(original)
    if translated != original:
        assert shown == translated.replace("{n}", "1", 1).replace("{n}", "200", 1)
    assert shown.index("1") < shown.index("200")
    assert "{n}" not in shown
