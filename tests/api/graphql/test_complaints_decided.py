"""What becomes of a complaint: taken up, decided, appealed, taken back; and who is told."""

from collections.abc import Collection
from uuid import UUID

import pytest

from api.graphql.paging import cursor_of
from api.state import State
from registry import complaints
from registry.database import Database
from registry.principals import PrincipalKind
from tests import acts
from tests.api.graphql import complaining
from tests.api.graphql.complaining import LINK, STATEMENT, WITHDRAW
from tests.api.graphql.test_erasure import ERASE
from tests.api.graphql.test_representatives import named
from tests.conftest import Account, Accounts, Execute, Json
from tests.desk import APPEAL, Desk, near
from tests.registry.enrolling import unit

PAPERS = """
query ($after: String) { reviews(kind: MISUSE, mine: true, first: 100, after: $after) {
  edges { node { id state papers { statement misuse {
    kinds territory links whereSeen media { kind } } } evidence { statement } } } } }
"""
EVIDENCE = """
mutation ($input: AddEvidenceInput!) { addEvidence(input: $input) {
  ... on EvidenceAdded { id } ... on Problem { code message } } }
"""


@pytest.fixture
def desk(state: State, execute: Execute, accounts: Accounts, operator: Database) -> Desk:
    return Desk(state, execute, accounts, operator)


async def state_of(execute: Execute, account: Account, subject: str) -> str:
    [found] = await complaining.listed(execute, account, subject)
    state: str = found["state"]
    return state


async def papers(execute: Execute, reviewer: Account) -> Json:
    """Of the only review that a reviewer has taken."""
    [edge] = (await execute(reviewer, PAPERS))["reviews"]["edges"]
    node: Json = edge["node"]
    return node


async def test_who_takes_it_reads_it_and_the_complainant_sees_that(
    execute: Execute, desk: Desk, owner: Account
) -> None:
    subject, reviewer = await acts.subject(execute, owner), await desk.reviewer()
    complaint = await complaining.filed(execute, owner, subject)
    [waiting] = await desk.reviews(reviewer, subject=subject, kind="MISUSE")
    assert (waiting["id"], waiting["papers"]) == (complaint, None)
    given = {"reviewId": complaint, "statement": "It was seen again today."}
    await execute(owner, EVIDENCE, input=given)
    await desk.take(reviewer, complaint)
    found = await papers(execute, reviewer)
    assert found["papers"] == {
        "statement": STATEMENT,
        "misuse": {
            "kinds": ["ADVERTISING"],
            "territory": "DE",
            "links": [LINK],
            "whereSeen": "Example Video",
            "media": None,
        },
    }
    assert [one["statement"] for one in found["evidence"]] == ["It was seen again today."]
    assert await state_of(execute, owner, subject) == "IN_REVIEW"


@pytest.mark.parametrize(
    ("ruling", "found"), [("CONFIRM", "CONFIRMED"), ("NOT_CONFIRM", "NOT_CONFIRMED")]
)
async def test_a_ruling_is_its_state_and_the_complainant_is_told(
    execute: Execute, desk: Desk, owner: Account, ruling: str, found: str
) -> None:
    subject = await acts.subject(execute, owner)
    complaint = await complaining.filed(execute, owner, subject)
    ruled = await desk.rule(await desk.reviewer(), complaint, ruling)
    assert ruled["review"]["state"] == "DECIDED"
    assert await state_of(execute, owner, subject) == found
    assert ("REVIEW_DECIDED", UUID(complaint)) in await desk.notices(owner)
    answer = await execute(owner, WITHDRAW, id=complaint)
    assert answer["withdrawComplaint"]["code"] == "CONFLICT"


@pytest.mark.parametrize("ruling", ["DENY", "UPHOLD", "SAME_PERSON"])
async def test_a_ruling_of_other_reviews_is_none_here(
    execute: Execute, desk: Desk, owner: Account, ruling: str
) -> None:
    subject = await acts.subject(execute, owner)
    complaint = await complaining.filed(execute, owner, subject)
    assert (await desk.rule(await desk.reviewer(), complaint, ruling))["code"] == "INVALID"
    assert await state_of(execute, owner, subject) == "IN_REVIEW"


@pytest.mark.parametrize(("ruling", "found"), [("CONFIRM", "CONFIRMED"), ("DENY", "NOT_CONFIRMED")])
async def test_on_appeal_two_others_may_find_otherwise(
    execute: Execute, desk: Desk, owner: Account, ruling: str, found: str
) -> None:
    subject = await acts.subject(execute, owner)
    complaint = await complaining.filed(execute, owner, subject)
    await desk.rule(await desk.reviewer(), complaint, "NOT_CONFIRM")
    given = {"reviewId": complaint, "statement": "It is my voice."}
    appeal = (await execute(owner, APPEAL, input=given))["appealReview"]["reviewId"]
    for _ in range(1 if ruling == "DENY" else 2):
        assert "review" in await desk.rule(await desk.reviewer(), appeal, ruling)
    assert await state_of(execute, owner, subject) == found


async def test_what_is_taken_back_is_before_the_desk_no_more(
    execute: Execute, desk: Desk, owner: Account
) -> None:
    subject, reviewer = await acts.subject(execute, owner), await desk.reviewer()
    complaint = await complaining.filed(execute, owner, subject)
    await desk.take(reviewer, complaint)
    answer = await execute(owner, WITHDRAW, id=complaint, reason="It was taken down.")
    assert answer["withdrawComplaint"]["complaint"]["state"] == "WITHDRAWN"
    [review] = await desk.reviews(reviewer, subject=subject, kind="MISUSE")
    assert (review["state"], review["assignee"], review["overdue"]) == ("CLOSED", None, False)
    assert (await desk.decide(reviewer, complaint, "CONFIRM"))["code"] == "CONFLICT"
    assert (await desk.take(await desk.reviewer(), complaint))["code"] == "CONFLICT"
    answer = await execute(owner, WITHDRAW, id=complaint)
    assert answer["withdrawComplaint"]["code"] == "CONFLICT"
    assert await state_of(execute, owner, subject) == "WITHDRAWN"


async def test_nobody_decides_on_a_person_they_act_for(
    execute: Execute, accounts: Accounts, desk: Desk, owner: Account
) -> None:
    subject, reviewer = (
        await acts.subject(execute, owner, birthDate="2015-01-01"),
        await desk.reviewer(),
    )
    attester = await accounts.open(PrincipalKind.ATTESTER)
    await named(execute, attester, subject, reviewer)
    complaint = await complaining.filed(execute, owner, subject)
    assert (await desk.take(reviewer, complaint))["code"] == "FORBIDDEN"
    assert await state_of(execute, owner, subject) == "RECEIVED"


async def test_who_acts_for_the_person_sees_what_they_filed_and_the_person_sees_all(
    execute: Execute, accounts: Accounts, owner: Account
) -> None:
    child, mother = (
        await acts.subject(execute, owner, birthDate="2015-01-01"),
        await accounts.open(),
    )
    attester = await accounts.open(PrincipalKind.ATTESTER)
    await named(execute, attester, child, mother)
    alone = await complaining.filed(execute, owner, child)
    together = await complaining.filed(execute, mother, child)
    assert ids(await complaining.listed(execute, owner, child)) == [alone, together]
    assert ids(await complaining.listed(execute, mother, child)) == [together]
    answer = await execute(mother, WITHDRAW, id=alone)
    assert answer["withdrawComplaint"]["code"] == "NOT_FOUND"
    answer = await execute(owner, WITHDRAW, id=together)
    assert answer["withdrawComplaint"]["complaint"]["state"] == "WITHDRAWN"


def ids(found: Collection[Json]) -> list[str]:
    return [one["id"] for one in found]


async def test_erasing_the_person_makes_it_and_its_papers_unreadable(
    execute: Execute, desk: Desk, owner: Account
) -> None:
    subject, reviewer = await acts.subject(execute, owner), await desk.reviewer()
    complaint = await complaining.filed(execute, owner, subject)
    await desk.take(reviewer, complaint)
    erased = await execute(owner, ERASE, input={"subjectId": subject, "keepBlocking": False})
    assert "erasedAt" in erased["eraseSubject"]
    [left] = await complaining.listed(execute, owner, subject)
    assert (left["misuse"], left["subject"], left["kinds"]) == (None, None, ["ADVERTISING"])
    assert await complaining.letter(execute, owner, subject, "en") is None
    found = await papers(execute, reviewer)
    assert found["papers"] == {"statement": None, "misuse": None}
    answer = await complaining.file(execute, owner, subject)
    assert answer["code"] == "NOT_FOUND"
    decided = await desk.decide(reviewer, complaint, "NOT_CONFIRM")
    assert decided["review"]["state"] == "DECIDED"


RESEMBLES = """
query ($after: String) {
  reviews(kind: MISUSE, first: 1, after: $after) { edges { node { id resemblance } } } }
"""


async def resemblance(execute: Execute, account: Account, complaint: str) -> str | None:
    before = cursor_of(UUID(int=UUID(complaint).int - 1))
    [edge] = (await execute(account, RESEMBLES, after=before))["reviews"]["edges"]
    assert edge["node"]["id"] == complaint
    band: str | None = edge["node"]["resemblance"]
    return band


@pytest.mark.parametrize(
    ("cosine", "bands"), [(0.99, {"MATCH", "STRONG"}), (0.0, {"NONE"})], ids=["alike", "unlike"]
)
async def test_who_has_it_is_told_whether_the_file_resembles_the_person(
    execute: Execute, desk: Desk, owner: Account, cosine: float, bands: set[str]
) -> None:
    face, reviewer = unit(), await desk.reviewer()
    subject = await desk.somebody(owner, face)
    handle = await desk.upload(owner, unit(), near(face, cosine))
    complaint = await complaining.filed(execute, owner, subject, mediaHandle=handle)
    assert await resemblance(execute, reviewer, complaint) is None
    await desk.take(reviewer, complaint)
    assert await resemblance(execute, reviewer, complaint) in bands
    assert await resemblance(execute, await desk.reviewer(), complaint) is None


async def test_without_a_file_or_a_sample_there_is_nothing_to_compare(
    execute: Execute, desk: Desk, owner: Account
) -> None:
    reviewer = await desk.reviewer()
    shown = await desk.somebody(owner, unit())
    bare = await acts.subject(execute, owner)
    handle = await desk.upload(owner, unit())
    for complaint in (
        await complaining.filed(execute, owner, shown),
        await complaining.filed(execute, owner, bare, mediaHandle=handle),
    ):
        await desk.take(reviewer, complaint)
        assert await resemblance(execute, reviewer, complaint) is None


async def test_a_registered_picture_is_known_again(
    execute: Execute, desk: Desk, owner: Account
) -> None:
    reviewer, subject = await desk.reviewer(), await acts.subject(execute, owner)
    handle = await desk.upload(owner, unit())
    complaint = await complaining.filed(execute, owner, subject, mediaHandle=handle)
    async with desk.state.db.acting_for(owner.actor).reading() as session:
        found = await complaints.contents(session, [UUID(complaint)], keys=desk.state.keys)
    shown = found[UUID(complaint)].shown
    assert shown is not None
    await acts.asset(execute, owner, [subject], shown.hashes[0].hex())
    await desk.take(reviewer, complaint)
    assert await resemblance(execute, reviewer, complaint) == "MATCH"


async def test_after_an_erasure_there_is_nothing_to_compare(
    execute: Execute, desk: Desk, owner: Account
) -> None:
    face, reviewer = unit(), await desk.reviewer()
    subject = await desk.somebody(owner, face)
    handle = await desk.upload(owner, face)
    complaint = await complaining.filed(execute, owner, subject, mediaHandle=handle)
    await desk.take(reviewer, complaint)
    await execute(owner, ERASE, input={"subjectId": subject, "keepBlocking": False})
    assert await resemblance(execute, reviewer, complaint) is None
