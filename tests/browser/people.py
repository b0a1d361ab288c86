"""What people do on the pages, in as few steps as the pages let them."""

from dataclasses import dataclass

from tests.browser.walker import Walker

LEAD = "main a.button[href='/object']"
CONFIRMED = "#confirmed"


@dataclass(frozen=True, slots=True)
class Kept:
    """What somebody has written down: their case's number, and its PIN."""

    number: str
    pin: str


async def to_the_form(walker: Walker) -> None:
    """From the first page to the form."""
    await walker.open("/")
    await walker.send(LEAD)


async def send_objection(walker: Walker) -> Kept:
    """Confirm, send, and write down what is shown."""
    await walker.tick(CONFIRMED)
    await walker.send()
    return await written_down(walker)


async def written_down(walker: Walker) -> Kept:
    """The number and the PIN that are shown."""
    assert walker.path == "/object/done", await walker.text()
    number, pin = await walker.at("main dl.secret dd").all_inner_texts()
    walker.keeps(number, pin)
    return Kept(number, pin)


async def sign_in(walker: Walker, kept: Kept) -> None:
    """Come back to the case, with a browser that remembers nothing."""
    await walker.context.clear_cookies()
    await walker.open("/case")
    await walker.fill("#number", kept.number)
    await walker.fill("#pin", kept.pin)
    await walker.send("main form[action='/case/sign-in'] [type=submit]")
    assert walker.path == "/case", await walker.text()
