"""The desk's pages: the queue, a review with its papers, and what a reviewer does there."""

from uuid import UUID

import pytest
from sqlalchemy import select

from api.state import State
from registry import reviews
from registry.accesses import Access, AccessKind
from registry.database import Database, new_id
from registry.evidence import EvidenceKind, keep
from registry.principals import OPERATOR, PrincipalKind, Scope
from registry.reviews import ReviewKind
from tests import acts
from tests.api.web.offices import Browsers, element, has, queue
from tests.conftest import Account, Accounts
from tests.desk import DISPUTE, Desk, near
from tests.registry.enrolling import unit

PDF = b"%PDF-1.7\nA passport, read by nobody but the desk."
SCRIPT = "<script>alert('x')</script> This is not me."


@pytest.fixture
async def disputed(desk: Desk, owner: Account, service: Account) -> tuple[str, str]:
    """A subject that a service was told of, and the review of its dispute."""
    face = unit()
    subject = await desk.somebody(owner, face)
    handle = await desk.upload(service, near(face, desk.cosine("match")))
    decision = await desk.ask(service, {"media": {"handle": handle}})
    given = {"decisionId": decision["id"], "statement": SCRIPT}
    answer = await desk.execute(service, DISPUTE, input=given)
    return subject, answer["disputeDecision"]["reviewId"]


async def accesses(operator: Database, subject: str) -> list[tuple[UUID, AccessKind]]:
    async with operator.reading() as session:
        rows = await session.execute(
            select(Access.principal_id, Access.what)
            .where(Access.subject_id == UUID(subject))
            .order_by(Access.id)
        )
        return [(row[0], row[1]) for row in rows]


async def test_the_desk_is_for_reviewers(
    browsers: Browsers, accounts: Accounts, owner: Account, service: Account, held: tuple[str, str]
) -> None:
    browser = await browsers()
    assert (await browser.get("/desk")).url.path == "/sign-in"
    without = await accounts.open(PrincipalKind.REVIEWER, scopes=frozenset({Scope.SUBJECTS_READ}))
    for one in (owner, service, without):
        browser = await browsers()
        await browser.sign_in(one)
        for path in ("/desk", f"/desk/{held[1]}"):
            assert (await browser.get(path)).status_code == 403
        assert (await browser.post(f"/desk/{held[1]}/take")).status_code == 403


async def test_a_reviewer_lands_at_the_desk_and_finds_what_waits(
    browsers: Browsers, desk: Desk, held: tuple[str, str]
) -> None:
    browser, reviewer = await browsers(), await desk.reviewer()
    page = await browser.sign_in(reviewer)
    assert page.url.path == "/desk"
    assert int(element(page, "waiting")) >= 1
    assert element(page, "mine") == "0"
    assert len(page.content) < 100_000
    page = await browser.get("/desk?whose=MINE")
    assert "You have taken nothing." in element(page, "nothing")
    await browser.get(f"/desk/{held[1]}")
    await browser.post(f"/desk/{held[1]}/take")
    page = await browser.get("/desk?whose=MINE&kind=SUSPICIOUS_ENROLMENT")
    assert "A photo or recording is held back" in element(page, f"review-{held[1]}")
    assert "You" in element(page, f"review-{held[1]}")
    page = await browser.get("/desk?whose=MINE&kind=APPEAL")
    assert has(page, "nothing")
    assert (await browser.get("/desk?whose=x&kind=y&after=z")).status_code == 200


async def test_what_is_due_first_comes_first_over_the_pages(
    browsers: Browsers, desk: Desk, owner: Account, operator: Database
) -> None:
    subject = UUID(await acts.subject(desk.execute, owner))
    opened: dict[str, int] = {}
    kinds = (ReviewKind.SUSPICIOUS_ENROLMENT, ReviewKind.FALSE_MATCH)
    async with operator.writing() as session:
        for at in range(30):
            made = await reviews.open_review(
                session, kinds[at % 2], subject_ids=[subject], opened_by=OPERATOR.principal_id
            )
            opened[str(made)] = at % 2
    browser = await browsers()
    await browser.sign_in(await desk.reviewer())
    shown = await queue(browser, "/desk?whose=NOBODYS")
    assert len(shown) == len(set(shown))
    ours = [opened[one] for one in shown if one in opened]
    assert ours == [1] * 15 + [0] * 15


async def test_papers_are_not_shown_before_it_is_taken(
    browsers: Browsers, desk: Desk, operator: Database, disputed: tuple[str, str]
) -> None:
    subject, review = disputed
    browser, reviewer = await browsers(), await desk.reviewer()
    await browser.sign_in(reviewer)
    page = await browser.get(f"/desk/{review}")
    assert "Take it first" in element(page, "papers")
    assert not has(page, "people")
    assert not has(page, "statement")
    assert await accesses(operator, subject) == []


async def test_what_is_read_is_escaped_and_on_record(
    browsers: Browsers, desk: Desk, operator: Database, disputed: tuple[str, str]
) -> None:
    subject, review = disputed
    browser, reviewer = await browsers(), await desk.reviewer()
    await browser.sign_in(reviewer)
    await browser.get(f"/desk/{review}")
    page = await browser.post(f"/desk/{review}/take")
    assert page.url.path == f"/desk/{review}"
    assert element(page, "taken") == "You"
    assert SCRIPT not in page.text
    assert "&lt;script&gt;alert" in page.text
    assert "the registry keeps none" in element(page, "no-photo")
    person = element(page, "person-A")
    assert "Person A: Person" in person
    assert "Face Alike" in person or "Face Very alike" in person, person
    assert await accesses(operator, subject) == [
        (reviewer.id, AccessKind.REVIEW),
        (reviewer.id, AccessKind.RECORD),
    ]
    other = await browsers()
    await other.sign_in(await desk.reviewer())
    page = await other.get(f"/desk/{review}")
    assert not has(page, "statement")
    assert element(page, "taken") == reviewer.handle


async def test_a_token_that_reads_no_people_is_shown_none(
    browsers: Browsers, accounts: Accounts, operator: Database, disputed: tuple[str, str]
) -> None:
    subject, review = disputed
    scopes = frozenset({Scope.REVIEWS_READ, Scope.REVIEWS_WRITE})
    reviewer = await accounts.open(PrincipalKind.REVIEWER, scopes=scopes)
    browser = await browsers()
    await browser.sign_in(reviewer)
    await browser.get(f"/desk/{review}")
    page = await browser.post(f"/desk/{review}/take")
    assert has(page, "statement")
    assert not has(page, "people")
    assert "subjects:read" in element(page, "papers")
    assert await accesses(operator, subject) == [(reviewer.id, AccessKind.REVIEW)]


async def test_a_document_is_read_by_whoever_has_the_review(
    browsers: Browsers,
    desk: Desk,
    state: State,
    owner: Account,
    operator: Database,
    held: tuple[str, str],
) -> None:
    subject, review = held
    another = await acts.subject(desk.execute, owner)
    kept = []
    async with state.db.acting_for(owner.actor).writing() as session:
        for one in (subject, another):
            made = await keep(
                session,
                PDF,
                evidence_id=new_id(),
                subject_id=UUID(one),
                kind=EvidenceKind.IDENTITY,
                actor=owner.actor,
                keys=state.keys,
            )
            kept.append(made.id)
    browser, reviewer = await browsers(), await desk.reviewer()
    await browser.sign_in(reviewer)
    link = f"/desk/{review}/evidence/{kept[0]}"
    assert (await browser.get(link)).status_code == 403
    await browser.get(f"/desk/{review}")
    page = await browser.post(f"/desk/{review}/take")
    assert f'href="{link}"' in page.text
    document = await browser.get(link)
    assert document.content == PDF
    assert document.headers["content-disposition"].startswith("attachment")
    assert (await accesses(operator, subject))[-1] == (reviewer.id, AccessKind.EVIDENCE)
    assert (await browser.get(f"/desk/{review}/evidence/{kept[1]}")).status_code == 404
    assert (await browser.get(f"/desk/{review}/evidence/x")).status_code == 404
