"""Sessions: who gets in, what the cookie allows, and that signing out ends it everywhere."""

import copy
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from starlette.types import ASGIApp

from api.runtime import Runtime
from registry import client_secrets
from registry.database import Database
from registry.principals import OPERATOR_ID, PrincipalKind, Scope
from registry.settings import Settings
from tests.api.web.conftest import Holder
from tests.api.web.reading import Reader, reading
from tests.conftest import Account, Accounts, Execute, served
from tests.without_accounts import VIEWER

WRONG = "The number and the PIN do not belong together"


async def enters(reader: Reader, number: str, pin: str) -> bool:
    """Whether the number and the PIN open the case."""
    await reader.open("/case")
    await reader.send("/case/sign-in", {"number": number, "pin": pin})
    return (reader.status, reader.path) == (200, "/case")


async def asks(client: httpx2.AsyncClient, token: str) -> int:
    """What GraphQL says to somebody who shows this token."""
    headers = {"authorization": f"Bearer {token}"}
    return (await client.post("/graphql", json={"query": VIEWER}, headers=headers)).status_code


async def test_number_and_pin_open_the_case_however_they_are_typed(
    holder: Holder, other: Reader
) -> None:
    assert await enters(other, holder.number.lower().replace("-", " "), f" {holder.pin} ")
    assert holder.name in other.text


@pytest.mark.parametrize(
    ("number", "pin", "said"),
    [
        (None, "00000000", WRONG),
        (None, "", WRONG),
        (None, "\u0663" * 8, WRONG),
        ("LR-7K3M-9QXV-2C4T", None, "This case number is mistyped"),
        ("<b>LR</b>", None, "A case number looks like"),
        ("", None, "A case number looks like"),
    ],
)
async def test_what_is_wrong_is_said_and_opens_nothing(
    holder: Holder, other: Reader, number: str | None, pin: str | None, said: str
) -> None:
    typed = holder.number if number is None else number
    assert not await enters(other, typed, holder.pin if pin is None else pin)
    assert other.status == 422
    assert said in other.text
    assert other.page is not None
    assert "<b>LR" not in other.page.text
    assert "session" not in other.client.cookies


async def test_a_number_that_nobody_has_is_answered_as_a_wrong_pin(
    holder: Holder, other: Reader
) -> None:
    assert not await enters(other, holder.number, "12121212")
    wrong_pin = other.text.replace(holder.number, "LR")
    assert not await enters(other, "LR-0000-0000-0000", "12121212")
    assert other.text.replace("LR-0000-0000-0000", "LR") == wrong_pin


async def test_after_five_wrong_pins_the_right_one_waits_too(holder: Holder, app: ASGIApp) -> None:
    for _ in range(5):
        async with reading(app) as guesser:
            assert not await enters(guesser, holder.number, "12121212")
    async with reading(app) as guesser:
        assert not await enters(guesser, holder.number, holder.pin)
        assert "tried too often" in guesser.text
    await holder.reader.open("/case")
    assert holder.name in holder.reader.text  # who is in stays in


async def test_an_address_that_tries_too_often_is_asked_to_come_back(
    reader: Reader, settings: Settings
) -> None:
    for _ in range(settings.pin_tries_per_source):
        await reader.open("/sign-in")
        await reader.send("/sign-in", {"access_token": "x"})
        assert reader.status == 422
    await reader.open("/case")
    await reader.send("/case/sign-in", {"number": "LR-7K3M-9QXV-2C4T", "pin": "1"})
    assert reader.status == 429
    assert "Too many from this address today." in reader.text


@pytest.mark.parametrize(
    ("kind", "home"),
    [
        (PrincipalKind.REVIEWER, "/desk"),
        (PrincipalKind.SERVICE, "/service"),
        (PrincipalKind.ORGANISATION, "/"),
    ],
)
async def test_a_token_signs_in_and_leads_home(
    reader: Reader, accounts: Accounts, kind: PrincipalKind, home: str
) -> None:
    account = await accounts.open(kind)
    await reader.open("/sign-in")
    await reader.send("/sign-in", {"access_token": account.token})
    assert (reader.status, reader.path) == (200, home)


@pytest.mark.parametrize("token", ["no token", "\u00e9.\u00e9.\u00e9", "a.b.c" * 1000])
async def test_a_token_that_does_not_hold_signs_nobody_in(reader: Reader, token: str) -> None:
    await reader.open("/sign-in")
    await reader.send("/sign-in", {"access_token": token})
    assert reader.status == 422
    assert "This access token does not hold." in reader.text
    assert "session" not in reader.client.cookies
    assert token not in reader.text


async def test_a_client_secret_signs_a_service_in_with_the_secrets_scopes(
    reader: Reader, service: Account, operator: Database
) -> None:
    async with operator.writing() as session:
        made = await client_secrets.make(
            session, principal_id=service.id, scopes=frozenset({Scope.CHECK}), made_by=OPERATOR_ID
        )
    for client, secret in (
        (str(service.id), made.secret[:-1]),
        (str(service.id), ""),
        ("not an id", made.secret),
        ("", ""),
    ):
        await reader.open("/sign-in")
        await reader.send("/sign-in", {"client": client, "secret": secret})
        assert reader.status == 422
        assert "There is no such client with this secret." in reader.text
        assert made.secret not in reader.text
    await reader.open("/sign-in?next=/service/check")
    await reader.send("/sign-in", {"client": str(service.id), "secret": made.secret})
    assert reader.path == "/service/check"


@pytest.mark.parametrize(
    ("wanted", "lands"),
    [
        ("/desk", "/desk"),
        ("/service/check", "/service/check"),
        ("//evil.test", "/desk"),
        ("/desk//evil", "/desk"),
        ("https://evil.test/desk", "/desk"),
        ("/\\evil.test", "/desk"),
        ("/desk@evil.test", "/desk"),
        ("/desk\r\nset-cookie: a=b", "/desk"),
        ("/desk?next=//evil.test", "/desk"),
        ("javascript:alert(1)", "/desk"),
    ],
)
async def test_one_goes_on_to_our_own_pages_only(
    reader: Reader, accounts: Accounts, wanted: str, lands: str
) -> None:
    reviewer = await accounts.open(PrincipalKind.REVIEWER)
    await reader.open("/sign-in")
    reader.client.follow_redirects = False
    await reader.send("/sign-in", {"access_token": reviewer.token, "next": wanted})
    assert reader.page is not None
    assert (reader.status, reader.page.headers["location"]) == (303, lands)


async def test_a_sent_form_leads_back_to_the_page_it_stands_on(reader: Reader) -> None:
    await reader.open("/case")
    reader.client.follow_redirects = False
    for path, back in (
        ("/desk/1/take", "/desk/1"),
        ("/service/check", "/service/check"),
        ("/case/contact", "/case/contact"),
    ):
        page = await reader.client.post(path, data={})
        where = urlsplit(page.headers["location"])
        assert (page.status_code, where.path) == (303, "/sign-in")
        assert parse_qs(where.query) == {"next": [back]}


@pytest.mark.parametrize("wanted", ["/case", "/case/contact", "/report"])
async def test_who_was_in_a_case_is_asked_for_its_number_again(reader: Reader, wanted: str) -> None:
    await reader.open(f"/sign-in?next={wanted}")
    assert "You are not signed in, or were for too long." in reader.text
    assert 'name="pin"' in reader.text


async def test_signing_out_ends_the_token_everywhere(
    holder: Holder, client: httpx2.AsyncClient
) -> None:
    reader = holder.reader
    token = reader.client.cookies["session"]
    assert await asks(client, token) == 200
    await reader.send("/sign-out", {})
    assert reader.path == "/"
    assert "session" not in reader.client.cookies
    assert await asks(client, token) == 401
    reader.client.cookies.set("session", token)
    await reader.open("/case")
    assert holder.name not in reader.text
    assert "Open your case" in reader.text


async def test_signing_out_hides_the_pin_that_was_shown(holder: Holder) -> None:
    await holder.reader.open("/object/done")
    assert holder.pin in holder.reader.text
    await holder.reader.open("/case")
    await holder.reader.send("/sign-out", {})
    await holder.reader.open("/object/done")
    assert holder.pin not in holder.reader.text


async def test_signing_out_needs_no_session(reader: Reader) -> None:
    await reader.open("/case")
    await reader.send("/sign-out", {})
    assert (reader.status, reader.path) == (200, "/")


@pytest.mark.parametrize("cookie", ["x", "a.b.c", "%00", "x" * 9000])
async def test_a_session_that_is_none_is_nobodys(reader: Reader, cookie: str) -> None:
    reader.client.cookies.set("session", cookie)
    await reader.open("/case")
    assert reader.status == 200
    assert "Open your case" in reader.text


@pytest.mark.parametrize("issuer", ["http://registry.test", "https://registry.test"])
async def test_cookies_are_for_the_server_alone(
    settings: Settings, runtime: Runtime, issuer: str
) -> None:
    public = copy.copy(runtime)
    public.settings = settings.model_copy(update={"issuer": issuer})
    async with reading(served(public.settings, public)) as reader:
        reader.client.follow_redirects = False
        reader.client.base_url = httpx2.URL(issuer)
        page = await reader.client.get("/object?lang=en")
        reader.page = page
        given = {"name": "Cookie", "level": "ALL", "confirmed": "yes"}
        await reader.send("/object", given, [("photo", ("", b""))])
        set_by = page.headers.get_list("set-cookie")
        assert reader.page is not None
        set_by += reader.page.headers.get_list("set-cookie")
    named = {one.partition("=")[0]: one.lower() for one in set_by}
    assert named.keys() == {"visit", "language", "session", "opened"}
    for one in named.values():
        assert "; httponly" in one
        assert "; samesite=lax" in one
        assert "; path=/" in one
        assert ("; secure" in one) is issuer.startswith("https")
        assert "domain=" not in one
    assert "max-age=3600" in named["session"]


async def test_a_case_that_is_signed_in_is_no_office(holder: Holder, execute: Execute) -> None:
    await holder.reader.open("/desk")
    assert holder.reader.status == 403
    bare = Account(OPERATOR_ID, PrincipalKind.PERSON, holder.reader.client.cookies["session"], "")
    viewer = (await execute(bare, VIEWER))["viewer"]
    assert (viewer["kind"], viewer["ial"]) == ("PERSON", 1)
