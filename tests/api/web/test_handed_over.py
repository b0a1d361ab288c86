"""The number and the PIN are shown once, in one browser, for a quarter of an hour."""

import time
from base64 import urlsafe_b64decode, urlsafe_b64encode

import pytest

from api.web import handed_over
from tests.api.web.conftest import Holder


def replace(holder: Holder, cookie: str) -> None:
    jar = holder.reader.client.cookies
    jar.delete("opened")
    jar.set("opened", cookie)


async def is_shown(holder: Holder) -> bool:
    await holder.reader.open("/object/done")
    assert holder.reader.status == 200
    assert (holder.pin in holder.reader.text) is (holder.reader.path == "/object/done")
    return holder.pin in holder.reader.text


async def test_it_is_shown_until_its_time_is_over(
    holder: Holder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A browser drops the cookie; a copy of it shows nothing afterwards either."""
    assert await is_shown(holder)
    cookie, real = holder.reader.client.cookies["opened"], time.time
    for later, shown in ((handed_over.SECONDS - 60, True), (handed_over.SECONDS + 1, False)):
        monkeypatch.setattr("api.web.handed_over.time.time", lambda ahead=later: real() + ahead)
        replace(holder, cookie)
        assert await is_shown(holder) is shown
        monkeypatch.undo()


@pytest.mark.parametrize("cookie", ["", "x", "A" * 40, "%%%", "x" * 4000])
async def test_a_cookie_that_is_none_shows_nothing(holder: Holder, cookie: str) -> None:
    replace(holder, cookie)
    assert not await is_shown(holder)
    assert holder.reader.path == "/case"


async def test_a_cookie_that_was_tampered_with_shows_nothing(holder: Holder) -> None:
    sealed = bytearray(urlsafe_b64decode(holder.reader.client.cookies["opened"]))
    sealed[-1] ^= 1
    replace(holder, urlsafe_b64encode(sealed).decode())
    assert not await is_shown(holder)


async def test_the_cookie_says_nothing_by_itself(holder: Holder) -> None:
    opened = urlsafe_b64decode(holder.reader.client.cookies["opened"])
    assert holder.pin.encode() not in opened
    assert holder.number.encode() not in opened
