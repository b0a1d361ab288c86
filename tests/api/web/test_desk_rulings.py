"""Rulings by the desk's pages: on record, of two where two must agree, and by our own forms."""

from uuid import UUID

from registry import reviews
from registry.database import Database
from registry.principals import PrincipalKind
from tests import acts
from tests.api.graphql.test_rulings import between
from tests.api.web.offices import Browsers, element, has, queue
from tests.conftest import Account, Accounts
from tests.desk import Desk, by, near
from tests.registry.enrolling import unit

PDF = b"%PDF-1.7\nA passport, read by nobody but the desk."


async def test_a_ruling_is_put_on_record(
    browsers: Browsers, desk: Desk, operator: Database, held: tuple[str, str]
) -> None:
    _, review = held
    browser, reviewer = await browsers(), await desk.reviewer()
    await browser.sign_in(reviewer)
    page = await browser.get(f"/desk/{review}")
    assert not has(page, "decide")
    page = await browser.post(f"/desk/{review}/take")
    assert 'value="RELEASE"' in page.text
    assert 'value="COEXISTING"' not in page.text
    page = await browser.post(f"/desk/{review}/decide", reason="I looked.")
    assert page.status_code == 400
    assert "Choose what you find." in element(page, "wrong")
    assert element(page, "ruling-wrong") == "Choose what you find."
    assert "I looked." in page.text
    page = await browser.post(f"/desk/{review}/decide", ruling="RELEASE", reason=" \n ")
    assert page.status_code == 400
    assert "Say why" in element(page, "wrong")
    assert "Say why" in element(page, "reason-wrong")
    page = await browser.post(
        f"/desk/{review}/decide", ruling="RELEASE", reason="Compared.\r\nThe same face."
    )
    assert page.url.path == f"/desk/{review}"
    assert element(page, "state") == "Decided: Let it count"
    assert "Compared. The same face." in element(page, "history")
    async with operator.reading() as session:
        events = (await reviews.events(session, [UUID(review)]))[UUID(review)]
    decided = events[-1]
    assert (decided.kind, decided.ruling, decided.actor_id, decided.reason) == (
        "DECIDED",
        "RELEASE",
        reviewer.id,
        "Compared. The same face.",
    )
    assert review in await queue(browser, "/desk?whose=DECIDED")


async def test_another_reviewers_review_is_refused_in_words(
    browsers: Browsers, desk: Desk, held: tuple[str, str]
) -> None:
    _, review = held
    first, second = await browsers(), await browsers()
    for browser in (first, second):
        await browser.sign_in(await desk.reviewer())
        await browser.get(f"/desk/{review}")
    await first.post(f"/desk/{review}/take")
    page = await second.post(f"/desk/{review}/take")
    assert page.status_code == 409
    assert "with another reviewer" in element(page, "wrong")
    await second.get("/desk")
    page = await second.post(f"/desk/{review}/decide", ruling="RELEASE", reason="Mine.")
    assert page.status_code == 409
    assert "Take review" in element(page, "wrong")
    page = await first.post(f"/desk/{review}/release")
    assert element(page, "taken") == "Nobody"
    await second.get(f"/desk/{review}")
    page = await second.post(f"/desk/{review}/take")
    assert element(page, "taken") == "You"


async def test_two_must_agree_to_tell_who_somebody_is(
    browsers: Browsers, desk: Desk, accounts: Accounts, owner: Account
) -> None:
    subject = await acts.subject(desk.execute, owner)
    authority = await accounts.open(PrincipalKind.REGULATOR)
    asked = await desk.execute(
        authority,
        "mutation ($input: RequestDisclosureInput!) { requestDisclosure(input: $input) {"
        " ... on DisclosureRequested { reviewId } ... on Problem { message } } }",
        input={"subjectId": subject, "reason": "A case of fraud.", "caseNumber": "A-1"},
    )
    review = asked["requestDisclosure"]["reviewId"]
    first, second = await browsers(), await browsers()
    for browser in (first, second):
        await browser.sign_in(await desk.reviewer())
        await browser.get(f"/desk/{review}")
    page = await first.post(f"/desk/{review}/take")
    assert "Two reviewers must agree" in page.text
    page = await first.post(
        f"/desk/{review}/decide", ruling="DISCLOSE", reason="The order is real."
    )
    assert element(page, "state") == "Waits for a second reviewer"
    page = await first.post(f"/desk/{review}/take")
    assert page.status_code == 403
    assert "another than the first" in element(page, "wrong")
    page = await second.post(f"/desk/{review}/take")
    assert "The order is real." in element(page, "proposal")
    page = await second.post(f"/desk/{review}/decide", ruling="DISCLOSE", reason="I agree.")
    assert element(page, "state") == "Decided: Tell the authority"


async def test_several_people_stand_side_by_side(
    browsers: Browsers, desk: Desk, owner: Account, service: Account
) -> None:
    face = unit()
    twin = near(face, desk.cosine("grey"))
    people = [await desk.somebody(owner, one) for one in (face, twin)]
    await desk.ask(service, by(between(face, twin, desk.cosine("match") + 0.01)))
    await desk.look_through()
    (review,) = await desk.reviews(await desk.reviewer(), subject=people[0])
    assert review["kind"] == "AMBIGUOUS_MATCH"
    browser = await browsers()
    await browser.sign_in(await desk.reviewer())
    await browser.get(f"/desk/{review['id']}")
    page = await browser.post(f"/desk/{review['id']}/take")
    assert has(page, "person-A")
    assert has(page, "person-B")
    decide = f"/desk/{review['id']}/decide"
    page = await browser.post(decide, ruling="SAME_PERSON", reason="Seen.", subject="")
    assert "Say which of them it is." in element(page, "wrong")
    page = await browser.post(decide, ruling="SAME_PERSON", reason="Seen.", subject=people[1])
    assert element(page, "state") == "Decided: It is this person"


async def test_a_form_of_another_site_is_refused(
    browsers: Browsers, desk: Desk, operator: Database, held: tuple[str, str]
) -> None:
    _, review = held
    browser = await browsers()
    await browser.sign_in(await desk.reviewer())
    for act in ("take", "release", "decide"):
        await browser.get(f"/desk/{review}")
        page = await browser.post(
            f"/desk/{review}/{act}", form_token="x" * 43, ruling="RELEASE", reason="Forged."
        )
        assert page.status_code == 403
    async with operator.reading() as session:
        assert (await reviews.events(session, [UUID(review)]))[UUID(review)] == []
