"""What shows a person: each file is used, or its sender is told why not and what to send."""

import io
import wave

import pytest
from PIL import Image

from api.web import showing
from tests import acts
from tests.api.web.reading import Reader


def plain() -> bytes:
    """A picture of one colour."""
    made = io.BytesIO()
    Image.new("RGB", (300, 300), "red").save(made, "PNG")
    return made.getvalue()


def silence() -> bytes:
    """Two seconds of nothing."""
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(bytes(64_000))
    return made.getvalue()


@pytest.mark.parametrize(
    ("field", "file", "said"),
    [
        ("photo", plain(), "The picture is too plain to be recognised again."),
        ("photo", silence(), "This is no picture. Send a photo as JPEG, PNG or WebP."),
        ("voice", silence(), "This recording is silent. Send one in which somebody speaks."),
        ("voice", plain(), "This upload is of kind image: it holds no VOICE."),
        ("photo", b"", "The file is empty."),
    ],
    ids=["plain", "sound", "silence", "picture", "empty"],
)
async def test_what_cannot_be_used_is_named(
    reader: Reader, field: str, file: bytes, said: str
) -> None:
    await reader.object(name="Somebody", files=[(field, ("<i>mine</i>.bin", file))])
    assert "Not everything could be used:" in reader.text
    assert said in reader.text
    assert reader.page is not None
    assert "&lt;i&gt;mine&lt;/i&gt;.bin" in reader.page.text


async def test_a_picture_without_a_face_is_known_again_all_the_same(
    reader: Reader, photos: dict[str, bytes]
) -> None:
    await reader.object(files=[("photo", ("cat.png", photos["chelsea"]))])
    assert "No face was found." in reader.text
    await reader.open("/case")
    assert "1 picture that is known again" in reader.text
    assert "A photo of your face" not in reader.text


async def test_a_picture_of_several_people_enrols_none_of_them(
    reader: Reader, photos: dict[str, bytes]
) -> None:
    left, right = (Image.open(io.BytesIO(photos[one])).convert("RGB") for one in ("obama", "biden"))
    height = min(left.height, right.height)
    sides = [one.resize((one.width * height // one.height, height)) for one in (left, right)]
    both, made = Image.new("RGB", (sum(one.width for one in sides), height)), io.BytesIO()
    both.paste(sides[0], (0, 0))
    both.paste(sides[1], (sides[0].width, 0))
    both.save(made, "JPEG")
    await reader.object(files=[("photo", ("both.jpg", made.getvalue()))])
    assert "There are 2 faces" in reader.text
    await reader.open("/case")
    assert "A photo of your face" not in reader.text


@pytest.mark.parametrize(
    ("hashes", "field"),
    [
        ([acts.random_hash() for _ in range(showing.MOST_HASHES + 1)], showing.PHOTOS),
        (["0" * 63], showing.PHOTOS),
        (["g" * 64], showing.PHOTOS),
    ],
)
async def test_hashes_that_are_none_or_too_many_are_said_to_be(
    reader: Reader, hashes: list[str], field: str
) -> None:
    await reader.open("/object")
    given = {"level": "ALL", "confirmed": "yes", "name": "Kept", "imageHash": hashes}
    await reader.send("/object", given, [("photo", ("", b""))])
    assert (reader.status, reader.path) == (422, "/object")
    assert reader.page is not None
    assert f'href="#{field}"' in reader.page.text
    assert 'value="Kept"' in reader.page.text


async def test_as_many_hashes_as_are_allowed_all_count(reader: Reader) -> None:
    hashes = [acts.random_hash() for _ in range(showing.MOST_HASHES)]
    await reader.object(imageHash=hashes)
    await reader.open("/case")
    assert f"{showing.MOST_HASHES} pictures that are known again" in reader.text
