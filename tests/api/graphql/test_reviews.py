"""The review desk through the schema: taken, given back, decided, by two where two are needed."""

from uuid import UUID

import pytest

from api.state import State
from registry import reviews
from registry.database import Database
from registry.objections import ObjectionEvent, ObjectionEventKind
from registry.principals import OPERATOR_ID, PrincipalKind, Scope
from registry.reviews import ReviewKind
from tests import acts
from tests.api.graphql.test_registering import counted
from tests.conftest import Account, Accounts, Execute, Json
from tests.desk import APPEAL, DISPUTE, RELEASE, REVIEWS, Desk, near
from tests.registry.enrolling import unit

OBJECTION = """
query ($id: ID!) { objections(subjectId: $id) { edges { node { id state } } } }
"""
REQUEST = """
mutation ($input: RequestDisclosureInput!) { requestDisclosure(input: $input) {
  ... on DisclosureRequested { reviewId } ... on Problem { code message field } } }
"""
READ = """
mutation ($id: ID!) { readDisclosure(reviewId: $id) {
  ... on DisclosureRead { identities { subjectId name contact } }
  ... on Problem { code message } } }
"""
ACCESSES = """
query ($id: ID!) { subject(id: $id) { name accesses { edges { node {
  what principalId reviewId } } } } }
"""


@pytest.fixture
def desk(state: State, execute: Execute, accounts: Accounts, operator: Database) -> Desk:
    return Desk(state, execute, accounts, operator)


@pytest.fixture
async def held(desk: Desk, owner: Account) -> tuple[str, str]:
    """A subject with a sample that waits, and the review of it."""
    subject = await desk.somebody(owner, unit())
    made = await desk.enrol(owner, subject, unit())
    assert made["sample"]["state"] == "IN_REVIEW"
    (review,) = await desk.reviews(await desk.reviewer(), subject=subject)
    assert review["kind"] == "SUSPICIOUS_ENROLMENT"
    assert review["about"] == made["sample"]["id"]
    return subject, review["id"]


async def one(desk: Desk, reviewer: Account, subject: str) -> Json:
    (found,) = await desk.reviews(reviewer, subject=subject)
    return found


async def samples(desk: Desk, owner: Account, subject: str) -> list[str]:
    shown = "query ($id: ID!) { subject(id: $id) { samples { state } } }"
    found = await desk.execute(owner, shown, id=subject)
    return [each["state"] for each in found["subject"]["samples"]]


@pytest.mark.parametrize(("ruling", "becomes"), [("RELEASE", "ENROLLED"), ("REFUSE", "REFUSED")])
async def test_a_held_sample_is_let_count_or_not(
    desk: Desk, owner: Account, held: tuple[str, str], ruling: str, becomes: str
) -> None:
    subject, review = held
    reviewer = await desk.reviewer()
    answer = await desk.rule(reviewer, review, ruling, reason="seen the passport")
    assert answer["review"] == {"id": review, "state": "DECIDED", "ruling": ruling}
    assert await samples(desk, owner, subject) == ["ENROLLED", becomes]
    shown = await one(desk, reviewer, subject)
    assert [(each["kind"], each["ruling"], each["reason"]) for each in shown["events"]] == [
        ("ASSIGNED", None, None),
        ("DECIDED", ruling, "seen the passport"),
    ]
    assert {each["actorId"] for each in shown["events"]} == {str(reviewer.id)}
    assert ("REVIEW_DECIDED", review) in [
        (kind, str(about)) for kind, about in await desk.notices(owner)
    ]


async def test_a_review_is_with_one_reviewer_at_a_time(desk: Desk, held: tuple[str, str]) -> None:
    _, review = held
    first, second = await desk.reviewer(), await desk.reviewer()
    assert (await desk.decide(first, review, "RELEASE"))["code"] == "CONFLICT"
    taken = await desk.take(first, review)
    assert taken["review"]["assignee"] == str(first.id)
    assert (await desk.take(first, review))["review"]["state"] == "ASSIGNED"
    assert (await desk.take(second, review))["code"] == "CONFLICT"
    assert (await desk.decide(second, review, "RELEASE"))["code"] == "CONFLICT"
    refused = await desk.execute(second, RELEASE, id=review)
    assert refused["releaseReview"]["code"] == "CONFLICT"
    given_back = await desk.execute(first, RELEASE, id=review)
    assert given_back["releaseReview"]["review"] == {
        "id": review,
        "state": "OPEN",
        "assignee": None,
    }
    again = await desk.execute(first, RELEASE, id=review)
    assert again["releaseReview"]["code"] == "CONFLICT"
    assert (await desk.rule(second, review, "RELEASE"))["review"]["state"] == "DECIDED"
    assert (await desk.take(first, review))["code"] == "CONFLICT"


async def test_a_ruling_fits_its_kind(desk: Desk, held: tuple[str, str]) -> None:
    subject, review = held
    reviewer = await desk.reviewer()
    await desk.take(reviewer, review)
    answer = await desk.decide(reviewer, review, "COEXISTING")
    assert (answer["code"], answer["field"]) == ("INVALID", "ruling")
    answer = await desk.decide(reviewer, review, "RELEASE", subjectId=subject)
    assert (answer["code"], answer["field"]) == ("INVALID", "subjectId")
    answer = await desk.decide(reviewer, review, "RELEASE", reason=" ")
    assert (answer["code"], answer["field"]) == ("INVALID", "reason")


async def test_the_desk_is_for_reviewers_with_the_scope(
    desk: Desk, owner: Account, accounts: Accounts, held: tuple[str, str]
) -> None:
    _, review = held
    assert (await desk.take(owner, review))["code"] == "FORBIDDEN"
    without = await accounts.open(PrincipalKind.REVIEWER, scopes=frozenset({Scope.SUBJECTS_READ}))
    for caller in (owner, without):
        with pytest.raises(AssertionError, match="FORBIDDEN"):
            await desk.execute(caller, REVIEWS)


async def test_nobody_decides_what_concerns_themselves(
    desk: Desk, accounts: Accounts, operator: Database
) -> None:
    judge = await accounts.open(PrincipalKind.REVIEWER)
    owner = await accounts.open()
    subject = await acts.subject(desk.execute, owner)
    async with operator.writing() as session:
        own = await reviews.open_review(
            session,
            ReviewKind.SUSPICIOUS_ENROLMENT,
            subject_ids=[],
            opened_by=judge.id,
        )
    assert (await desk.take(judge, str(own)))["code"] == "FORBIDDEN"
    assert "review" in await desk.take(await desk.reviewer(), str(own))
    assert await desk.reviews(judge, subject=subject) == []


async def test_reviews_are_listed_by_kind_state_and_whose(
    desk: Desk, held: tuple[str, str]
) -> None:
    subject, review = held
    reviewer = await desk.reviewer()

    async def listed(**by: object) -> bool:
        found = await desk.reviews(reviewer, subject=subject, **by)
        return [each["id"] for each in found] == [review]

    assert await listed(state="OPEN")
    assert await listed(kind="SUSPICIOUS_ENROLMENT")
    assert not await listed(kind="GREY_MATCH")
    assert not await listed(mine=True)
    await desk.take(reviewer, review)
    assert await listed(mine=True)
    assert await listed(state="ASSIGNED")
    assert not await listed(state="OPEN")


async def test_a_list_asks_the_database_as_often_for_one_as_for_many(
    desk: Desk, owner: Account, state: State
) -> None:
    subject = await desk.somebody(owner, unit())
    reviewer = await desk.reviewer()
    await desk.execute(reviewer, REVIEWS, first=100)
    counts = []
    for _ in range(2):
        await desk.enrol(owner, subject, unit())
        await desk.enrol(owner, subject, unit())
        with counted(state) as statements:
            await desk.execute(reviewer, REVIEWS, first=100)
        counts.append(len(statements))
    assert counts[0] == counts[1]


async def objecting(desk: Desk, accounts: Accounts, ial: int) -> tuple[Account, str, str]:
    """Somebody's objection, disputed, and the review of it."""
    objector = await accounts.open(ial=ial)
    subject = await acts.subject(desk.execute, objector)
    made = await desk.execute(objector, acts.OBJECT, input={"subjectId": subject})
    objection = made["fileObjection"]["objection"]["id"]
    async with desk.operator.writing() as session:
        session.add(
            ObjectionEvent(
                objection_id=objection, kind=ObjectionEventKind.DISPUTED, actor_id=OPERATOR_ID
            )
        )
        review = await reviews.open_review(
            session,
            ReviewKind.DISPUTED_OBJECTION,
            subject_ids=[UUID(subject)],
            opened_by=OPERATOR_ID,
            about=UUID(objection),
        )
    return objector, subject, str(review)


@pytest.mark.parametrize(("ruling", "becomes"), [("UPHOLD", "VERIFIED"), ("LAPSE", "LAPSED")])
async def test_a_provisional_objection_is_upheld_or_lapses(
    desk: Desk, accounts: Accounts, ruling: str, becomes: str
) -> None:
    objector, subject, review = await objecting(desk, accounts, ial=1)
    assert "review" in await desk.rule(await desk.reviewer(), review, ruling)
    shown = await desk.execute(objector, OBJECTION, id=subject)
    (edge,) = shown["objections"]["edges"]
    assert edge["node"]["state"] == becomes


async def test_an_objection_of_somebody_verified_does_not_lapse(
    desk: Desk, accounts: Accounts
) -> None:
    _, _, review = await objecting(desk, accounts, ial=2)
    reviewer = await desk.reviewer()
    assert (await desk.rule(reviewer, review, "LAPSE"))["code"] == "CONFLICT"
    assert (await desk.decide(reviewer, review, "UPHOLD"))["review"]["state"] == "DECIDED"


async def test_an_objection_that_was_ruled_to_lapse_is_filed_anew_on_appeal(
    desk: Desk, accounts: Accounts
) -> None:
    objector, subject, review = await objecting(desk, accounts, ial=1)
    await desk.rule(await desk.reviewer(), review, "LAPSE")
    given = {"reviewId": review, "statement": "It is me."}
    appeal = (await desk.execute(objector, APPEAL, input=given))["appealReview"]["reviewId"]
    for _ in range(2):
        ruled = await desk.rule(await desk.reviewer(), appeal, "UPHOLD")
    assert ruled["review"]["state"] == "CLOSED"
    edges = (await desk.execute(objector, OBJECTION, id=subject))["objections"]["edges"]
    assert [edge["node"]["state"] for edge in edges] == ["LAPSED", "VERIFIED"]


async def test_an_appeal_is_for_other_reviewers_and_overturning_takes_two(
    desk: Desk, owner: Account, accounts: Accounts, held: tuple[str, str]
) -> None:
    subject, review = held
    first, second, third = [await desk.reviewer() for _ in range(3)]
    given = {"reviewId": review, "statement": "It is me.", "idempotencyKey": "one"}
    early = await desk.execute(owner, APPEAL, input={**given, "idempotencyKey": "early"})
    assert early["appealReview"]["code"] == "CONFLICT"
    await desk.rule(first, review, "REFUSE")
    stranger = await accounts.open()
    refused = await desk.execute(stranger, APPEAL, input=given)
    assert refused["appealReview"]["code"] == "NOT_FOUND"
    made = [(await desk.execute(owner, APPEAL, input=given))["appealReview"] for _ in range(2)]
    assert made[0] == made[1]
    appeal = made[0]["reviewId"]
    assert (await desk.take(first, appeal))["code"] == "FORBIDDEN"
    taken = await desk.take(second, appeal)
    assert taken["review"]["papers"]["statement"] == "It is me."
    assert (await desk.decide(second, appeal, "REFUSE"))["code"] == "INVALID"
    proposed = await desk.decide(second, appeal, "RELEASE")
    assert proposed["review"]["state"] == "AWAITING_SECOND"
    assert (await desk.take(second, appeal))["code"] == "FORBIDDEN"
    assert await samples(desk, owner, subject) == ["ENROLLED", "REFUSED"]
    await desk.rule(third, appeal, "RELEASE")
    assert await samples(desk, owner, subject) == ["ENROLLED", "ENROLLED"]
    states = {each["kind"]: each["state"] for each in await desk.reviews(first, subject=subject)}
    assert states == {"SUSPICIOUS_ENROLMENT": "CLOSED", "APPEAL": "CLOSED"}
    over = await desk.execute(owner, APPEAL, input={"reviewId": review, "statement": "Again."})
    assert over["appealReview"]["code"] == "CONFLICT"


async def test_an_appeal_that_is_denied_takes_one(
    desk: Desk, owner: Account, held: tuple[str, str]
) -> None:
    subject, review = held
    await desk.rule(await desk.reviewer(), review, "REFUSE")
    given = {"decisionId": review, "statement": "It is me."}
    appeal = (await desk.execute(owner, DISPUTE, input=given))["disputeDecision"]["reviewId"]
    denied = await desk.rule(await desk.reviewer(), appeal, "DENY")
    assert denied["review"]["state"] == "CLOSED"
    assert await samples(desk, owner, subject) == ["ENROLLED", "REFUSED"]


class Disclosure:
    """An authority that asks who somebody is."""

    def __init__(self, desk: Desk, owner: Account, regulator: Account) -> None:
        self.desk, self.owner, self.regulator = desk, owner, regulator
        self.subject, self.review = "", ""

    async def ask(self) -> "Disclosure":
        self.subject = await acts.subject(self.desk.execute, self.owner)
        given = {"subjectId": self.subject, "reason": "A complaint.", "caseNumber": "C-1/26"}
        made = await self.desk.execute(self.regulator, REQUEST, input=given)
        self.review = made["requestDisclosure"]["reviewId"]
        return self

    async def read(self, caller: Account | None = None) -> Json:
        answer: Json = await self.desk.execute(caller or self.regulator, READ, id=self.review)
        return answer["readDisclosure"]

    async def accesses(self) -> tuple[str, list[tuple[str, str]]]:
        found = (await self.desk.execute(self.owner, ACCESSES, id=self.subject))["subject"]
        nodes = [edge["node"] for edge in found["accesses"]["edges"]]
        return found["name"], [(node["what"], node["reviewId"]) for node in nodes]


@pytest.fixture
async def disclosure(desk: Desk, owner: Account, accounts: Accounts) -> Disclosure:
    regulator = await accounts.open(PrincipalKind.REGULATOR)
    return await Disclosure(desk, owner, regulator).ask()


async def test_two_reviewers_disclose_who_somebody_is_once_and_the_person_sees_it(
    desk: Desk, owner: Account, disclosure: Disclosure
) -> None:
    assert (await disclosure.read())["code"] == "CONFLICT"
    first, second = await desk.reviewer(), await desk.reviewer()
    taken = await desk.take(first, disclosure.review)
    assert taken["review"]["papers"]["caseNumber"] == "C-1/26"
    proposed = await desk.decide(first, disclosure.review, "DISCLOSE")
    assert proposed["review"]["state"] == "AWAITING_SECOND"
    assert (await desk.take(first, disclosure.review))["code"] == "FORBIDDEN"
    assert (await disclosure.read())["code"] == "CONFLICT"
    await desk.rule(second, disclosure.review, "DISCLOSE")
    assert (await disclosure.read(owner))["code"] == "FORBIDDEN"
    other = await desk.accounts.open(PrincipalKind.REGULATOR)
    assert (await disclosure.read(other))["code"] == "NOT_FOUND"
    (told,) = (await disclosure.read())["identities"]
    name, seen = await disclosure.accesses()
    assert told == {"subjectId": disclosure.subject, "name": name, "contact": owner.handle}
    assert seen == [
        ("REVIEW", disclosure.review),
        ("REVIEW", disclosure.review),
        ("DISCLOSURE", disclosure.review),
    ]
    assert (await disclosure.read())["code"] == "CONFLICT"


async def test_reviewers_who_differ_ask_for_a_third(desk: Desk, disclosure: Disclosure) -> None:
    first, second, third = [await desk.reviewer() for _ in range(3)]
    await desk.rule(first, disclosure.review, "DISCLOSE")
    differs = await desk.rule(second, disclosure.review, "DENY")
    assert differs["review"]["state"] == "AWAITING_SECOND"
    decided = await desk.rule(third, disclosure.review, "DENY")
    assert (decided["review"]["state"], decided["review"]["ruling"]) == ("DECIDED", "DENY")
    assert (await disclosure.read())["code"] == "CONFLICT"


async def test_only_an_authority_asks_who_somebody_is(
    desk: Desk, owner: Account, disclosure: Disclosure
) -> None:
    given = {"subjectId": disclosure.subject, "reason": "Curious.", "caseNumber": "1"}
    refused = (await desk.execute(owner, REQUEST, input=given))["requestDisclosure"]
    assert refused["code"] == "FORBIDDEN"
    both = {**given, "decisionId": disclosure.subject}
    answer = await desk.execute(disclosure.regulator, REQUEST, input=both)
    assert answer["requestDisclosure"]["field"] == "subjectId"


async def test_a_twin_is_named_where_it_may_be_two(
    desk: Desk, owner: Account, service: Account
) -> None:
    vector = unit()
    twin = near(vector, desk.cosine("grey"))
    first, second = await desk.somebody(owner, vector), await desk.somebody(owner, twin)
    await desk.ask(service, {"media": {"handle": await desk.upload(service, vector)}})
    decision = await desk.ask(service, claimedSubject=first)
    given = {"decisionId": decision["id"], "statement": "Not her."}
    made = (await desk.execute(service, DISPUTE, input=given))["disputeDecision"]
    reviewer = await desk.reviewer()
    shown = [each["id"] for each in await desk.reviews(reviewer, subject=second)]
    assert made["reviewId"] not in shown
