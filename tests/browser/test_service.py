"""The page of an AI service: how it is known, and a check tried with a photo of one's own."""

import pytest

from registry import client_secrets
from registry.principals import OPERATOR_ID, Scope
from tests.browser import people
from tests.browser.conftest import Walk
from tests.browser.records import Records
from tests.browser.walker import Walker
from tests.browser.ways import PAIRS, Way


async def sign_in(walker: Walker, client: str, secret: str) -> None:
    """From the first page, with the client's id and secret."""
    await walker.open("/")
    await walker.send("footer a[href='/service']")
    await walker.fill("#client", client, secret=False)
    await walker.fill("#secret", secret)
    await walker.send("form:has(#client) [type=submit]")


async def ask(walker: Walker, photo: bytes) -> None:
    """May this face be put into an advertisement?"""
    await walker.send("main a[href='/service/check']")
    await walker.upload("#file", ("somebody.jpg", "image/jpeg", photo))
    await walker.choose("#use", "SWAP_FACE")
    await walker.choose("#purpose", "ADVERTISING")
    await walker.fill("#territories", "NO", secret=False)
    await walker.send("form[action='/service/check'] [type=submit]")


@pytest.mark.parametrize("way", PAIRS, ids=str)
async def test_try_a_check(
    walk: Walk, way: Way, photos: dict[str, bytes], records: Records
) -> None:
    async with records.operator.writing() as session:
        made = await client_secrets.make(
            session,
            principal_id=records.service.id,
            scopes=frozenset({Scope.CHECK}),
            made_by=OPERATOR_ID,
        )
    async with walk(way) as walker:
        await people.to_the_form(walker)
        await walker.upload("#photo", ("me.jpg", "image/jpeg", photos["obama"]))
        await people.send_objection(walker)
        await walker.context.clear_cookies()
        await sign_in(walker, str(records.service.id), "not the secret")
        await walker.look("wrong secret")
        await sign_in(walker, str(records.service.id), made.secret)
        assert walker.path == "/service", await walker.text()
        await walker.look("service")
        await ask(walker, photos["obama2"])
        assert walker.path.startswith("/service/decisions/")
        await walker.look("forbidden")
        assert "OBJECTION" in await walker.text()
        assert "PROHIBITED" in await walker.text()
        await walker.send("main a[href='/service']")
        await ask(walker, photos["biden"])
        await walker.look("another")
        assert "OBJECTION" not in await walker.text()
        await walker.open("/service/check")
        await walker.choose("#use", "SWAP_FACE")
        await walker.choose("#purpose", "ADVERTISING")
        answer = await walker.send("form[action='/service/check'] [type=submit]")
        assert answer.status in {400, 422}
        await walker.look("nobody given")
        await walker.open("/service")
        assert await walker.at("#recent tbody tr").count() == 2
        await walker.look("two decisions")
