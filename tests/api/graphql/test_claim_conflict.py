"""Two accounts that claim one face (W03): both disputed, until a reviewer has decided."""

from typing import Any

import pytest

from api.problems import status_of
from api.state import State
from registry import claims
from registry.database import Database, now
from registry.errors import ProblemCode
from registry.principals import PrincipalKind
from tests import acts
from tests.conftest import Account, Accounts, Execute, Json
from tests.desk import APPEAL, ENROL, Desk, by, near
from tests.registry.enrolling import unit

STANDING = """
query ($id: ID!) { subject(id: $id) { registration samples { id state } } }
"""
GRANTS = """
query ($id: ID!) { grants(subjectId: $id) { edges { node { id state } } } }
"""

EVIDENCE = """
mutation ($input: AddEvidenceInput!) { addEvidence(input: $input) {
  ... on EvidenceAdded { id } ... on Problem { code message } } }
"""
READ = """
query ($first: Int!) { reviews(kind: CLAIM_CONFLICT, first: $first) {
  edges { node { id evidence { statement givenBy } } } } }
"""


@pytest.fixture
def desk(state: State, execute: Execute, accounts: Accounts, operator: Database) -> Desk:
    return Desk(state, execute, accounts, operator)


class Conflict:
    """Two accounts with a grant each, the second of which has just claimed the first's face."""

    def __init__(self, desk: Desk, service: Account, first: Account, second: Account) -> None:
        self.desk, self.service = desk, service
        self.owners = {"first": first, "second": second}
        self.subjects: dict[str, str] = {}
        self.face = unit()
        self.answer: Json = {}

    async def stand(self) -> "Conflict":
        desk, execute = self.desk, self.desk.execute
        first, second = self.owners["first"], self.owners["second"]
        self.subjects["first"] = await desk.somebody(first, self.face)
        self.subjects["second"] = await acts.subject(execute, second)
        for name, subject in self.subjects.items():
            await acts.grant(execute, self.owners[name], subject, self.service)
        self.answer = await self.claim()
        return self

    async def claim(self, **more: Any) -> Json:
        copy = near(self.face, 0.97)
        return await self.desk.enrol(self.owners["second"], self.subjects["second"], copy, **more)

    async def shown(self, name: str) -> Json:
        found: Json = await self.desk.execute(self.owners[name], STANDING, id=self.subjects[name])
        return found["subject"]

    async def registrations(self) -> list[str]:
        return [(await self.shown(name))["registration"] for name in ("first", "second")]

    async def grants(self) -> list[str]:
        states = []
        for name in ("first", "second"):
            found = await self.desk.execute(self.owners[name], GRANTS, id=self.subjects[name])
            (edge,) = found["grants"]["edges"]
            states.append(edge["node"]["state"])
        return states

    async def samples(self) -> list[list[str]]:
        return [
            [one["state"] for one in (await self.shown(name))["samples"]]
            for name in ("first", "second")
        ]

    async def review(self, reviewer: Account) -> Json:
        (found,) = await self.desk.reviews(
            reviewer, subject=self.subjects["first"], kind="CLAIM_CONFLICT"
        )
        return found

    async def decided(self, ruling: str) -> Json:
        reviewer = await self.desk.reviewer()
        review = await self.review(reviewer)
        answer = await self.desk.rule(reviewer, review["id"], ruling)
        assert answer["review"]["state"] == "DECIDED", answer
        return review

    async def ask(self, name: str) -> tuple[str, set[str]]:
        decision = await self.desk.ask(
            self.service, by(near(self.face, 0.97)), claimedSubject=self.subjects[name]
        )
        return decision["outcome"], acts.codes(decision)


@pytest.fixture
async def conflict(desk: Desk, service: Account, accounts: Accounts) -> Conflict:
    return await Conflict(desk, service, await accounts.open(), await accounts.open()).stand()


async def test_a_second_claim_is_a_conflict_and_both_are_disputed(conflict: Conflict) -> None:
    assert conflict.answer["code"] == "CLAIM_CONFLICT"
    assert status_of(ProblemCode.CLAIM_CONFLICT) == 409
    assert await conflict.registrations() == ["DISPUTED", "DISPUTED"]
    assert await conflict.grants() == ["SUSPENDED", "SUSPENDED"]
    assert await conflict.samples() == [["ENROLLED"], ["IN_REVIEW"]]


async def test_grants_of_both_are_answered_with_review_and_objections_stand(
    conflict: Conflict,
) -> None:
    outcome, codes = await conflict.ask("first")
    assert (outcome, "CLAIM_DISPUTED" in codes) == ("REVIEW_REQUIRED", True)
    for name in ("first", "second"):
        await conflict.desk.execute(
            conflict.owners[name], acts.OBJECT, input={"subjectId": conflict.subjects[name]}
        )
    outcome, codes = await conflict.ask("first")
    assert outcome == "PROHIBITED", codes
    assert "OBJECTION" in codes


async def test_the_first_holder_is_told_within_which_time_to_answer(conflict: Conflict) -> None:
    reviewer = await conflict.desk.reviewer()
    review = await conflict.review(reviewer)
    for name in ("first", "second"):
        told = await conflict.desk.notices(conflict.owners[name])
        assert ("CLAIM_CONFLICT", review["id"]) in [(kind, str(about)) for kind, about in told]


async def test_the_services_are_told_what_becomes_of_their_grants(conflict: Conflict) -> None:
    async def told() -> list[str]:
        return [kind for kind, _ in await conflict.desk.notices(conflict.service)]

    before = await told()
    assert before[-2:] == ["GRANT_SUSPENDED", "GRANT_SUSPENDED"]
    await conflict.decided("FIRST_HOLDER")
    assert sorted((await told())[len(before) :]) == ["GRANT_ACTIVE", "GRANT_REVOKED"]


async def test_nobody_is_told_that_a_grant_counts_which_nobody_signed(
    desk: Desk, service: Account, accounts: Accounts
) -> None:
    vector, owner, other = unit(), await accounts.open(), await accounts.open()
    unsigned = await desk.somebody(owner, vector)
    given = {"subjectId": unsigned, "scope": {}, "grantees": [str(service.id)]}
    made = await desk.execute(owner, acts.PROPOSE, input=given)
    own = await acts.subject(desk.execute, other)
    await desk.enrol(other, own, near(vector, 0.97))
    reviewer = await desk.reviewer()
    (review,) = await desk.reviews(reviewer, subject=unsigned)
    await desk.rule(reviewer, review["id"], "FIRST_HOLDER")
    found = await desk.execute(owner, GRANTS, id=unsigned)
    assert found["grants"]["edges"][0]["node"]["state"] == "PENDING"
    about = made["proposeGrant"]["grant"]["id"]
    told = [kind for kind, which in await desk.notices(service) if str(which) == about]
    assert told == ["GRANT_SUSPENDED"]


async def test_more_samples_of_one_conflict_are_one_review(conflict: Conflict) -> None:
    assert (await conflict.claim())["code"] == "CLAIM_CONFLICT"
    await conflict.decided("COEXISTING")
    assert await conflict.samples() == [["ENROLLED"], ["ENROLLED", "ENROLLED"]]


async def test_asked_again_under_one_key_it_is_the_same_conflict(conflict: Conflict) -> None:
    owner, subject = conflict.owners["second"], conflict.subjects["second"]
    handle = await conflict.desk.upload(owner, near(conflict.face, 0.97))
    given = {"subjectId": subject, "media": {"handle": handle}, "idempotencyKey": "one"}
    for _ in range(2):
        answer = await conflict.desk.execute(owner, ENROL, input=given)
        assert answer["enrollSample"]["code"] == "CLAIM_CONFLICT"
    assert len((await conflict.shown("second"))["samples"]) == 2


async def test_the_first_holder_is_found_right(conflict: Conflict) -> None:
    review = await conflict.decided("FIRST_HOLDER")
    assert await conflict.registrations() == ["VERIFIED", "DISPUTED"]
    assert await conflict.grants() == ["ACTIVE", "REVOKED"]
    assert await conflict.samples() == [["ENROLLED"], ["REFUSED"]]
    assert (await conflict.ask("first"))[0] == "PERMITTED"
    told = await conflict.desk.notices(conflict.owners["second"])
    assert str(told[-1][1]) == review["id"]
    assert told[-1][0] == "REVIEW_DECIDED"


async def test_a_claim_that_was_lost_moves_nobody_again(conflict: Conflict) -> None:
    await conflict.decided("FIRST_HOLDER")
    assert (await conflict.claim())["code"] == "CLAIM_CONFLICT"
    assert await conflict.registrations() == ["VERIFIED", "DISPUTED"]
    assert await conflict.grants() == ["ACTIVE", "REVOKED"]


async def test_the_second_holder_is_found_right(conflict: Conflict) -> None:
    await conflict.decided("SECOND_HOLDER")
    assert await conflict.registrations() == ["DISPUTED", "VERIFIED"]
    assert await conflict.grants() == ["REVOKED", "ACTIVE"]
    assert await conflict.samples() == [["REFUSED"], ["ENROLLED"]]


async def test_twins_coexist_and_enrol_further_samples(conflict: Conflict) -> None:
    await conflict.decided("COEXISTING")
    assert await conflict.registrations() == ["VERIFIED", "VERIFIED"]
    assert await conflict.grants() == ["ACTIVE", "ACTIVE"]
    assert (await conflict.claim())["sample"]["state"] == "ENROLLED"
    first = await conflict.desk.enrol(
        conflict.owners["first"], conflict.subjects["first"], near(conflict.face, 0.97)
    )
    assert first["sample"]["state"] == "ENROLLED"


async def test_below_ial2_nothing_is_shown_and_nobody_verified_is_moved(
    desk: Desk, service: Account, accounts: Accounts
) -> None:
    first, weak = await accounts.open(), await accounts.open(ial=1)
    conflict = Conflict(desk, service, first, weak)
    subject = await desk.somebody(first, conflict.face)
    await acts.grant(desk.execute, first, subject, service)
    own = await acts.subject(desk.execute, weak)
    near_by = await desk.enrol(weak, own, near(conflict.face, 0.97))
    stranger = await desk.enrol(weak, own, unit())
    assert near_by["sample"]["state"] == stranger["sample"]["state"] == "RECEIVED"
    conflict.subjects = {"first": subject}
    assert (await conflict.shown("first"))["registration"] == "VERIFIED"
    assert (await conflict.ask("first"))[0] == "PERMITTED"
    assert {kind for kind, _ in await desk.notices(first)} <= {"GRANT_ACTIVE"}
    reviewer = await desk.reviewer()
    (review,) = await desk.reviews(reviewer, subject=subject)
    assert review["kind"] == "SUSPICIOUS_ENROLMENT"


async def test_two_subjects_of_one_account_are_no_conflict(desk: Desk, owner: Account) -> None:
    vector = unit()
    await desk.somebody(owner, vector)
    again = await acts.subject(desk.execute, owner)
    made = await desk.enrol(owner, again, near(vector, 0.97))
    assert made["sample"]["state"] == "IN_REVIEW"


async def test_a_conflict_that_was_left_half_way_takes_effect_later(
    conflict: Conflict, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = conflict.desk
    third = await desk.accounts.open()
    own = await acts.subject(desk.execute, third)

    async def stopped(*_: object) -> None:
        raise claims.conflict()

    with monkeypatch.context() as patched:
        patched.setattr(claims, "dispute", stopped)
        vector = unit()
        first = await desk.somebody(conflict.owners["first"], vector)
        await desk.enrol(third, own, near(vector, 0.97))
    conflict.subjects |= {"first": first}
    assert (await conflict.shown("first"))["registration"] == "VERIFIED"
    for _ in range(2):
        async with desk.operator.reading() as session:
            at = await now(session)
        await claims.catch_up(desk.operator, desk.state.keys, at)
        assert (await conflict.shown("first"))["registration"] == "DISPUTED"


async def test_both_have_their_say_until_it_is_decided(
    conflict: Conflict, accounts: Accounts
) -> None:
    desk, reviewer = conflict.desk, await conflict.desk.reviewer()
    review = (await conflict.review(reviewer))["id"]
    for name, owner in conflict.owners.items():
        given = {"reviewId": review, "statement": f"I am the {name}.", "idempotencyKey": "one"}
        made = [(await desk.execute(owner, EVIDENCE, input=given))["addEvidence"] for _ in "ab"]
        assert made[0] == made[1]
    given = {"reviewId": review, "statement": "I know both."}
    stranger = await desk.execute(await accounts.open(), EVIDENCE, input=given)
    assert stranger["addEvidence"]["code"] == "NOT_FOUND"
    assert (await desk.execute(reviewer, READ, first=100))["reviews"]["edges"][-1]["node"] == {
        "id": review,
        "evidence": [],
    }
    await desk.take(reviewer, review)
    read = (await desk.execute(reviewer, READ, first=100))["reviews"]["edges"][-1]["node"]
    assert [(one["statement"], one["givenBy"]) for one in read["evidence"]] == [
        (f"I am the {name}.", str(owner.id)) for name, owner in conflict.owners.items()
    ]
    await desk.decide(reviewer, review, "COEXISTING")
    late = await desk.execute(conflict.owners["first"], EVIDENCE, input=given)
    assert late["addEvidence"]["code"] == "CONFLICT"


async def test_the_second_wins_on_appeal(conflict: Conflict) -> None:
    desk = conflict.desk
    review = await conflict.decided("FIRST_HOLDER")
    given = {"reviewId": review["id"], "statement": "Here is my passport."}
    made = await desk.execute(conflict.owners["second"], APPEAL, input=given)
    for _ in range(2):
        ruled = await desk.rule(
            await desk.reviewer(), made["appealReview"]["reviewId"], "SECOND_HOLDER"
        )
    assert ruled["review"]["state"] == "CLOSED"
    assert await conflict.registrations() == ["DISPUTED", "VERIFIED"]
    assert await conflict.grants() == ["REVOKED", "REVOKED"]
    assert await conflict.samples() == [["REFUSED"], ["ENROLLED"]]


async def test_a_third_claim_keeps_both_in_dispute_when_the_first_is_settled(
    conflict: Conflict, accounts: Accounts
) -> None:
    desk, third = conflict.desk, await accounts.open()
    own = await acts.subject(desk.execute, third)
    made = await desk.enrol(third, own, near(conflict.face, 0.97))
    assert made["code"] == "CLAIM_CONFLICT"
    reviewer = await desk.reviewer()
    for review in await desk.reviews(reviewer, subject=conflict.subjects["first"]):
        if conflict.subjects["second"] in review["subjectIds"]:
            await desk.rule(reviewer, review["id"], "FIRST_HOLDER")
            assert await conflict.registrations() == ["DISPUTED", "DISPUTED"]
            assert await conflict.grants() == ["SUSPENDED", "REVOKED"]
        else:
            other = review["id"]
    await desk.rule(reviewer, other, "FIRST_HOLDER")
    assert await conflict.registrations() == ["VERIFIED", "DISPUTED"]
    assert await conflict.grants() == ["ACTIVE", "REVOKED"]


async def test_nobody_decides_on_a_face_of_their_own(conflict: Conflict) -> None:
    desk = conflict.desk
    reviewer = await desk.accounts.open(PrincipalKind.REVIEWER)
    review = await conflict.review(reviewer)
    for owner in conflict.owners.values():
        answer = await desk.take(owner, review["id"])
        assert answer["code"] == "FORBIDDEN"
