"""Receipts: a page to print, and a file that anybody can verify."""

import re

import httpx2

from registry import consent_receipts
from registry.principals import OPERATOR_ID, PrincipalKind
from tests.api.web.conftest import Holder
from tests.api.web.reading import Reader
from tests.conftest import Accounts


async def receipt(reader: Reader) -> str:
    """The address of the newest objection's receipt."""
    await reader.open("/case")
    assert reader.page is not None
    found = re.search(r'href="(/case/objections/[0-9a-f-]{36})"', reader.page.text)
    assert found is not None
    return found[1]


async def test_the_page_says_what_was_said_and_what_became_of_it(holder: Holder) -> None:
    reader = holder.reader
    path = await receipt(reader)
    await reader.open(path)
    for said in (
        holder.number,
        path.rpartition("/")[2],
        "http://registry.test",
        "Every use of voice and face by AI, everywhere.",
        "object-2026-11, en",
        "You objected",
    ):
        assert said in reader.text
    assert "You withdrew your objection" not in reader.text
    assert holder.pin not in reader.text
    await reader.open(f"{path}/withdraw")
    await reader.send(f"{path}/withdraw", {})
    await reader.open(path)
    assert reader.text.index("You objected") < reader.text.index("You withdrew your objection")


async def test_the_file_verifies_with_the_published_keys_and_names_nobody(
    holder: Holder, client: httpx2.AsyncClient
) -> None:
    path = await receipt(holder.reader)
    page = await holder.reader.client.get(f"{path}/receipts.json")
    assert page.headers["content-type"] == "application/json"
    assert page.headers["content-disposition"] == 'attachment; filename="receipts.json"'
    assert page.headers["cache-control"] == "no-store"
    keys = (await client.get("/.well-known/jwks.json")).json()
    [one] = page.json()
    assert consent_receipts.verify(one["token"], keys).document == one["document"]
    assert one["document"]["receipt_metadata"]["record_id"] == path.rpartition("/")[2]
    assert one["document"]["pii_processing"]["privacy_notice"]["version"] == "object-2026-11"
    for secret in (holder.name, holder.number, holder.pin, "mara.example"):
        assert secret not in page.text


async def test_a_receipt_is_for_its_case_only(holder: Holder, other: Reader) -> None:
    path = await receipt(holder.reader)
    await other.open(path)
    assert other.path == "/sign-in"
    await other.object(name="Somebody Else")
    for one in (path, "/case/objections/x", f"/case/objections/{OPERATOR_ID}"):
        for end in ("", "/receipts.json"):
            await other.open(one + end)
            assert other.status == 404
            assert holder.number not in other.text


async def test_a_reviewer_who_sees_an_objection_has_no_receipt_of_it(
    holder: Holder, other: Reader, accounts: Accounts
) -> None:
    path, kind = await receipt(holder.reader), PrincipalKind.REVIEWER
    await other.open("/sign-in")
    await other.send("/sign-in", {"access_token": (await accounts.open(kind)).token})
    for end in ("", "/receipts.json"):
        await other.open(path + end)
        assert (other.status, "Receipts are for the person" in other.text) == (403, True)
