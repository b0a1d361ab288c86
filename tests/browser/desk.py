"""What a reviewer does at the desk's pages."""

from uuid import UUID

from tests.browser.walker import Walker
from tests.conftest import Account


async def sign_in(walker: Walker, account: Account) -> None:
    """From the first page to the queue, with a token that the operator gave."""
    walker.keeps(account.token)
    await walker.open("/")
    await walker.send("footer a[href='/desk']")
    await walker.look("sign in")
    await walker.fill("#access_token", account.token)
    await walker.send("form:has(#access_token) [type=submit]")
    assert walker.path == "/desk", await walker.text()


async def take(walker: Walker, review: UUID) -> None:
    """Open a review from the queue, newest last, and take it."""
    await walker.choose("#whose", "NOBODYS")
    await walker.send("form.filter [type=submit]")
    while not await walker.at(f"main a[href='/desk/{review}']").count():
        await walker.send("#more")
    await walker.send(f"main a[href='/desk/{review}']")
    await walker.send("form[action$='/take'] [type=submit]")


async def decide(walker: Walker, ruling: str, reason: str) -> None:
    """Say what was found, and why."""
    await walker.tick(f"[name=ruling][value={ruling}]")
    await walker.fill("#reason", reason)
    await walker.send("form[action$='/decide'] [type=submit]")
