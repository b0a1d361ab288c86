"""Forms: bounded before anything is read from them, and never a reason to fail."""

import re
import secrets
from dataclasses import dataclass

import httpx2
import pytest

from api.state import State
from api.web import forms
from registry.encoders.media import HELD_BYTES
from registry.settings import Settings
from tests.api.web.conftest import Holder
from tests.api.web.reading import HTML, Reader

UNREADABLE = "The form cannot be read"
MULTIPART = "multipart/form-data; boundary=b"


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a body that is written by hand."""

    head: bytes
    body: bytes = b""


def body_of(*parts: Part, end: bytes = b"--b--\r\n") -> bytes:
    joined = b"".join(b"--b\r\n" + one.head + b"\r\n\r\n" + one.body + b"\r\n" for one in parts)
    return joined + end


def field(name: str, value: bytes) -> Part:
    return Part(f'Content-Disposition: form-data; name="{name}"'.encode(), value)


def file(name: str, filename: bytes, value: bytes) -> Part:
    head = f'Content-Disposition: form-data; name="{name}"; filename="'.encode()
    return Part(head + filename + b'"', value)


async def posted(reader: Reader, body: bytes, kind: str = MULTIPART) -> httpx2.Response:
    """What `/object` answers to this body; the page's own token goes in where it says so."""
    await reader.open("/object")
    hidden = reader.hidden()
    for name in ("form_token", "once"):
        body = body.replace(f"<{name}>".encode(), hidden[name].encode())
    reader.page = await reader.client.post(
        "/object", content=body, headers={**HTML, "content-type": kind}
    )
    return reader.page


GOOD = (
    field("form_token", b"<form_token>"),
    field("level", b"ALL"),
    field("confirmed", b"yes"),
    field("name", b"By Hand"),
)


async def test_a_form_written_by_hand_is_read(reader: Reader) -> None:
    assert (await posted(reader, body_of(*GOOD))).url.path == "/object/done"


async def test_unknown_fields_and_files_change_nothing(reader: Reader) -> None:
    more = (field("is_admin", b"yes"), field("ial", b"2"), file("other", b"a.bin", b"\x00\xff"))
    assert (await posted(reader, body_of(*GOOD, *more))).url.path == "/object/done"
    await reader.open("/case")
    assert "In force, not yet proved" in reader.text


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--b",
        b"no part at all",
        b'--b\r\nContent-Disposition: form-data; name="a',
        body_of(Part(b"Content-Disposition: form-data", b"nameless")),
        body_of(Part(b"Broken header without colon", b"x")),
        body_of(*GOOD, *(file(f"f{n}", b"a", b"x") for n in range(forms.MOST_FILES + 1))),
        body_of(*GOOD, *(field(f"f{n}", b"x") for n in range(forms.MOST_FIELDS))),
        body_of(*GOOD, field("statement", b"x" * (forms.FIELD_BYTES + 1))),
    ],
    ids=["empty", "begun", "none", "cut", "nameless", "header", "files", "fields", "field"],
)
async def test_a_body_that_is_no_form_is_said_to_be_none(reader: Reader, body: bytes) -> None:
    page = await posted(reader, body)
    assert page.status_code in {400, 403}  # 403: it could be read, and has no token
    assert UNREADABLE in reader.text or "too old" in reader.text


async def test_a_form_that_was_cut_short_is_not_taken(reader: Reader) -> None:
    page = await posted(reader, body_of(*GOOD, end=b""))
    assert (page.status_code, page.url.path) == (422, "/object")
    assert "Give a photo, a recording, a name or a link" in reader.text  # the name was last


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/json", 415),
        ("text/plain", 415),  # what another site's form can send without asking
        ("", 415),
        ("multipart/form-data", 400),
        ("multipart/mixed; boundary=b", 415),
        ("application/x-www-form-urlencoded", 403),
    ],
)
async def test_another_type_is_refused(reader: Reader, kind: str, status: int) -> None:
    assert (await posted(reader, body_of(*GOOD), kind)).status_code == status


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (body_of(*GOOD, field("aliases", b"\xff\xfe")), MULTIPART),
        (body_of(*GOOD, file("photo", b"\xff.jpg", b"no picture")), MULTIPART),
        (
            b"form_token=<form_token>&level=ALL&confirmed=yes&name=%FF%FE",
            "application/x-www-form-urlencoded",
        ),
    ],
    ids=["field", "filename", "urlencoded"],
)
async def test_bytes_that_are_no_utf8_break_nothing(reader: Reader, body: bytes, kind: str) -> None:
    assert (await posted(reader, body, kind)).url.path == "/object/done"


@pytest.mark.parametrize("charset", ["utf-7", "nonsense", "idna", "utf-16"])
async def test_another_encoding_breaks_nothing(reader: Reader, charset: str) -> None:
    half = b"+2AA-"  # half a character, as UTF-7 writes it
    for more in (field("name", half), file("photo", half, b"x"), field("contact", half)):
        page = await posted(reader, body_of(*GOOD, more), f"{MULTIPART}; charset={charset}")
        assert page.status_code < 500, page.text


@pytest.mark.parametrize("name", ["name", "aliases", "links", "contact", "once", "age", "level"])
@pytest.mark.parametrize("value", ["\x00", "\u202e\u2066", "\ufffe", "x" * 5000, "' or 1=1; --"])
async def test_odd_characters_are_taken_or_said_to_be_wrong(
    reader: Reader, name: str, value: str
) -> None:
    await reader.open("/object")
    given = {"name": "Odd", "level": "ALL", "confirmed": "yes", "age_group": "ADULT", name: value}
    await reader.send("/object", given, [("photo", ("", b""))])
    assert reader.status in {200, 422}


async def test_a_form_that_is_too_large_is_refused_before_it_is_read(
    reader: Reader, state: State
) -> None:
    photo = file("photo", b"a.jpg", secrets.token_bytes(forms.FORM_BYTES))
    page = await posted(reader, body_of(*GOOD, photo))
    assert page.status_code == 413
    assert "The files are too large together." in reader.text
    state.uploads.hold(HELD_BYTES)  # all of it: nothing of the refused form is held
    state.uploads.release(HELD_BYTES)


async def test_a_file_that_is_too_large_is_named_so_and_not_decoded(
    reader: Reader, settings: Settings
) -> None:
    photo = file("photo", b"a.jpg", b"\xff\xd8" + bytes(settings.media_max_bytes))
    page = await posted(reader, body_of(*GOOD, photo))
    assert page.status_code == 413
    assert "One of the files is too large." in reader.text


@pytest.mark.parametrize("path", ["/case/contact", "/case/pin", "/case/sign-in", "/sign-in"])
async def test_a_form_without_files_is_small(holder: Holder, path: str) -> None:
    given = {"contact": "x" * forms.FIELD_BYTES, "number": "x", "access_token": "x"}
    await holder.reader.send(path, given)
    assert holder.reader.status == 413
    assert "too large" in holder.reader.text


async def test_every_file_of_a_form_that_is_full_is_looked_at(reader: Reader) -> None:
    files = [file("photo", f"{n}.txt".encode(), b"no picture") for n in range(forms.MOST_FILES)]
    assert (await posted(reader, body_of(*GOOD, *files))).url.path == "/object/done"
    named = set(re.findall(r"<strong>(\d)\.txt</strong>", reader.text))
    assert len(named) == forms.MOST_FILES
