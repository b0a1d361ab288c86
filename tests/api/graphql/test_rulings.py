"""Rulings that last: the very media that a reviewer saw is in doubt no more, nothing else is."""

import secrets

import numpy as np
import pytest

from api.state import State
from registry import disputes, organisations, services
from registry.database import Database, new_id, now
from registry.principals import OPERATOR, PrincipalKind
from tests import acts
from tests.api.graphql.test_claim_conflict import EVIDENCE
from tests.api.graphql.test_erasure import ERASE
from tests.conftest import Account, Accounts, Execute, Json
from tests.desk import APPEAL, DISPUTE, Desk, Vector, box, by, near
from tests.registry.enrolling import unit

AS_OF = """
query ($input: CheckInput!, $at: DateTime!, $service: ID) {
  consentAsOf(input: $input, at: $at, service: $service) { outcome reasons { code } } }
"""
CLEAR = {"NO_MATCH", "OWN_LAWFUL_BASIS_NEEDED"}


@pytest.fixture
def desk(state: State, execute: Execute, accounts: Accounts, operator: Database) -> Desk:
    return Desk(state, execute, accounts, operator)


class Doubtful:
    """Somebody on record, and media of which it is unsure whether it shows them."""

    def __init__(self, desk: Desk, owner: Account, service: Account) -> None:
        self.desk, self.owner, self.service = desk, owner, service
        self.face = unit()
        self.grey = near(self.face, desk.cosine("grey"))
        self.sha256 = secrets.token_bytes(32)
        self.subject = ""

    async def stand(self) -> "Doubtful":
        self.subject = await self.desk.somebody(self.owner, self.face)
        return self

    async def media(self, sha256: bytes | None = None) -> Json:
        handle = await self.desk.upload(self.service, self.grey, sha256=sha256 or self.sha256)
        return {"media": {"handle": handle}}

    async def codes(self, probe: Json | None = None, **more: str) -> set[str]:
        probe = probe or await self.media()
        return acts.codes(await self.desk.ask(self.service, probe, **more))

    async def review(self, reviewer: Account) -> str:
        await self.desk.look_through()
        (review,) = await self.desk.reviews(reviewer, subject=self.subject, kind="GREY_MATCH")
        id: str = review["id"]
        return id

    async def ruled(self, ruling: str) -> str:
        reviewer = await self.desk.reviewer()
        review = await self.review(reviewer)
        answer = await self.desk.rule(reviewer, review, ruling)
        assert answer["review"]["ruling"] == ruling, answer
        return review


@pytest.fixture
async def doubtful(desk: Desk, owner: Account, service: Account) -> Doubtful:
    made = await Doubtful(desk, owner, service).stand()
    assert await made.codes() == {"GREY_ZONE_MATCH"}
    return made


async def test_ruled_another_person_the_same_media_is_in_doubt_no_more(doubtful: Doubtful) -> None:
    await doubtful.ruled("NOT_THE_SAME_PERSON")
    assert await doubtful.codes() == CLEAR


async def test_other_media_of_the_same_face_still_is(doubtful: Doubtful) -> None:
    await doubtful.ruled("NOT_THE_SAME_PERSON")
    other = await doubtful.media(secrets.token_bytes(32))
    assert await doubtful.codes(other) == {"GREY_ZONE_MATCH"}
    assert await doubtful.codes(by(doubtful.grey)) == {"GREY_ZONE_MATCH"}


async def test_a_vector_is_known_again_by_its_bytes(doubtful: Doubtful) -> None:
    vector = near(doubtful.face, doubtful.desk.cosine("grey"))
    assert await doubtful.codes(by(vector)) == {"GREY_ZONE_MATCH"}
    reviewer = await doubtful.desk.reviewer()
    await doubtful.desk.look_through()
    for review in await doubtful.desk.reviews(reviewer, subject=doubtful.subject):
        await doubtful.desk.rule(reviewer, review["id"], "NOT_THE_SAME_PERSON")
    assert await doubtful.codes(by(vector)) == CLEAR


async def test_whoever_is_claimed_to_be_that_person_is_compared_as_ever(
    doubtful: Doubtful,
) -> None:
    before = await doubtful.codes(claimedSubject=doubtful.subject)
    await doubtful.ruled("NOT_THE_SAME_PERSON")
    assert await doubtful.codes(claimedSubject=doubtful.subject) == before


async def test_ruled_the_same_person_the_media_stays_in_doubt(doubtful: Doubtful) -> None:
    await doubtful.ruled("SAME_PERSON")
    assert await doubtful.codes() == {"GREY_ZONE_MATCH"}


async def test_an_overturned_ruling_stops_counting_at_the_next_check(doubtful: Doubtful) -> None:
    desk = doubtful.desk
    review = await doubtful.ruled("NOT_THE_SAME_PERSON")
    given = {"reviewId": review, "statement": "It is me."}
    made = await desk.execute(doubtful.owner, APPEAL, input=given)
    appeal = made["appealReview"]["reviewId"]
    second, third = await desk.reviewer(), await desk.reviewer()
    proposed = await desk.rule(second, appeal, "SAME_PERSON")
    assert proposed["review"]["state"] == "AWAITING_SECOND"
    assert await doubtful.codes() == CLEAR
    await desk.rule(third, appeal, "SAME_PERSON")
    assert await doubtful.codes() == {"GREY_ZONE_MATCH"}


async def test_a_thousand_times_the_same_is_one_review(doubtful: Doubtful) -> None:
    for _ in range(5):
        await doubtful.codes()
    reviewer = await doubtful.desk.reviewer()
    review = await doubtful.review(reviewer)
    await doubtful.codes()
    assert await doubtful.review(reviewer) == review


async def test_a_false_match_is_disputed_by_the_service_it_hit(
    desk: Desk, doubtful: Doubtful, accounts: Accounts
) -> None:
    vector = near(doubtful.face, desk.cosine("match"))
    await desk.execute(doubtful.owner, acts.OBJECT, input={"subjectId": doubtful.subject})
    decision = await desk.ask(doubtful.service, by(vector))
    assert acts.codes(decision) == {"OBJECTION"}
    given = {"decisionId": decision["id"], "statement": "An actor who looks alike."}
    stranger = await accounts.open(doubtful.service.kind)
    refused = await desk.execute(stranger, DISPUTE, input=given)
    assert refused["disputeDecision"]["code"] == "NOT_FOUND"
    made = [
        (await desk.execute(doubtful.service, DISPUTE, input=given | key))["disputeDecision"]
        for key in ({}, {}, {"idempotencyKey": "one"}, {"idempotencyKey": "one"})
    ]
    assert made == [made[0]] * 4
    reviewer = await desk.reviewer()
    taken = await desk.take(reviewer, made[0]["reviewId"])
    assert taken["review"]["papers"]["statement"] == "An actor who looks alike."
    await desk.decide(reviewer, made[0]["reviewId"], "NOT_THE_SAME_PERSON")
    assert await doubtful.codes(by(vector)) == CLEAR
    assert ("REVIEW_DECIDED", made[0]["reviewId"]) in [
        (kind, str(about)) for kind, about in await desk.notices(doubtful.service)
    ]


async def test_a_dispute_about_nobody_is_answered_alike(doubtful: Doubtful) -> None:
    desk = doubtful.desk
    decision = await desk.ask(doubtful.service, by(unit()))
    given = {"decisionId": decision["id"], "statement": "Who is it?"}
    made = (await desk.execute(doubtful.service, DISPUTE, input=given))["disputeDecision"]
    reviewer = await desk.reviewer()
    answer = await desk.rule(reviewer, made["reviewId"], "NOT_THE_SAME_PERSON")
    assert answer["review"]["state"] == "DECIDED"


async def test_neither_dispute_nor_appeal_nor_evidence_tells_that_somebody_was_erased(
    doubtful: Doubtful,
) -> None:
    desk, service = doubtful.desk, doubtful.service
    first, second = [
        (await desk.ask(service, by(near(doubtful.face, desk.cosine("match")))))["id"] for _ in "ab"
    ]
    given = {"decisionId": first, "statement": "An actor."}
    review = (await desk.execute(service, DISPUTE, input=given))["disputeDecision"]["reviewId"]
    await desk.rule(await desk.reviewer(), review, "SAME_PERSON")
    await desk.execute(
        doubtful.owner, ERASE, input={"subjectId": doubtful.subject, "keepBlocking": False}
    )
    given = {"decisionId": second, "statement": "An actor."}
    later = (await desk.execute(service, DISPUTE, input=given))["disputeDecision"]
    assert "reviewId" in later, later
    appeal = {"reviewId": review, "statement": "Look again."}
    appealed = (await desk.execute(service, APPEAL, input=appeal))["appealReview"]
    assert "reviewId" in appealed, appealed
    for id in (later["reviewId"], appealed["reviewId"]):
        said = {"reviewId": id, "statement": "And this."}
        assert "id" in (await desk.execute(service, EVIDENCE, input=said))["addEvidence"]
        reviewer = await desk.reviewer()
        assert "review" in await desk.take(reviewer, id)


async def test_a_registered_picture_that_matches_is_no_matter_of_opinion(
    desk: Desk, owner: Account, service: Account
) -> None:
    picture = acts.random_hash()
    subject = await acts.subject(desk.execute, owner)
    await acts.asset(desk.execute, owner, [subject], picture)
    probe = {"imageHash": {"algorithm": "PHASH_256", "hex": picture}}
    decision = await desk.ask(service, probe)
    given = {"decisionId": decision["id"], "statement": "Another picture."}
    made = (await desk.execute(service, DISPUTE, input=given))["disputeDecision"]
    await desk.rule(await desk.reviewer(), made["reviewId"], "NOT_THE_SAME_PERSON")
    again = await desk.ask(service, probe)
    assert acts.codes(again) == acts.codes(decision)
    assert "ASSET_MATCH" in acts.codes(again)


async def test_a_ruling_on_one_face_of_a_picture_is_none_on_another(doubtful: Doubtful) -> None:
    desk, other = doubtful.desk, near(doubtful.face, doubtful.desk.cosine("grey"))
    handle = await desk.upload(doubtful.service, doubtful.grey, other, sha256=b"\1" * 32)

    def face(place: int) -> Json:
        return {"media": {"handle": handle, "box": box(place)}}

    reviewer = await desk.reviewer()
    assert await doubtful.codes(face(0)) == {"GREY_ZONE_MATCH"}
    await desk.look_through()
    for review in await desk.reviews(reviewer, subject=doubtful.subject, state="OPEN"):
        await desk.rule(reviewer, review["id"], "NOT_THE_SAME_PERSON")
    assert await doubtful.codes(face(0)) == CLEAR
    assert await doubtful.codes(face(1)) == {"GREY_ZONE_MATCH"}
    assert await doubtful.codes({"media": {"handle": handle}}) == {"GREY_ZONE_MATCH"}


async def test_of_two_who_may_be_meant_the_other_is_ruled_out(
    desk: Desk, owner: Account, service: Account
) -> None:
    vector, at_match = unit(), desk.cosine("match") + 0.01
    twin = near(vector, desk.cosine("grey"))
    first, second = await desk.somebody(owner, vector), await desk.somebody(owner, twin)
    probe = by(between(vector, twin, at_match))
    assert acts.codes(await desk.ask(service, probe)) == {"AMBIGUOUS"}
    await desk.look_through()
    reviewer = await desk.reviewer()
    (review,) = await desk.reviews(reviewer, subject=first)
    assert review["kind"] == "AMBIGUOUS_MATCH"
    assert set(review["subjectIds"]) == {first, second}
    unsaid = await desk.rule(reviewer, review["id"], "SAME_PERSON")
    assert (unsaid["code"], unsaid["field"]) == ("INVALID", "subjectId")
    await desk.decide(reviewer, review["id"], "SAME_PERSON", subjectId=first)
    assert "AMBIGUOUS" not in acts.codes(await desk.ask(service, probe))
    await desk.execute(owner, acts.OBJECT, input={"subjectId": first})
    assert acts.codes(await desk.ask(service, probe)) == {"OBJECTION"}


def between(first: Vector, second: Vector, cosine: float) -> Vector:
    """A vector at this cosine from two others."""
    middle = first.astype(np.float64) + second
    middle *= cosine / (1 + float(first @ second))
    other = unit(len(first)).astype(np.float64)
    for one in (first, second - float(first @ second) * first):
        other -= (other @ one) / (one @ one) * one
    other *= np.sqrt(1 - middle @ middle) / np.linalg.norm(other)
    return (middle + other).astype(np.float32)


async def test_the_past_is_answered_as_it_was_ruled_then(desk: Desk, doubtful: Doubtful) -> None:
    async with desk.operator.reading() as session:
        before = await now(session)
    vector = by(doubtful.grey)
    await doubtful.codes(vector)
    reviewer = await desk.reviewer()
    await desk.look_through()
    for review in await desk.reviews(reviewer, subject=doubtful.subject):
        await desk.rule(reviewer, review["id"], "NOT_THE_SAME_PERSON")
    auditor = await desk.accounts.open(PrincipalKind.AUDITOR)
    asked = acts.question(persons=[{"probes": [vector]}])
    async with desk.operator.reading() as session:
        after = await now(session)
    outcomes = []
    for at in (before, after):
        told = await desk.execute(
            auditor, AS_OF, input=asked, at=at.isoformat(), service=str(doubtful.service.id)
        )
        outcomes.append({one["code"] for one in told["consentAsOf"]["reasons"]})
    assert outcomes == [{"GREY_ZONE_MATCH"}, CLEAR]


async def test_a_service_disputes_so_often_a_day(
    desk: Desk, doubtful: Doubtful, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disputes, "DAILY", 1)
    for refused in (False, True):
        decision = await desk.ask(doubtful.service, by(unit()))
        given = {"decisionId": decision["id"], "statement": "No."}
        if refused:
            with pytest.raises(AssertionError, match="BUSY"):
                await desk.execute(doubtful.service, DISPUTE, input=given)
        else:
            made = await desk.execute(doubtful.service, DISPUTE, input=given)
            assert "reviewId" in made["disputeDecision"]


@pytest.mark.parametrize("member", [False, True])
async def test_whoever_owns_the_service_does_not_decide_its_dispute(
    desk: Desk, doubtful: Doubtful, owner: Account, *, member: bool
) -> None:
    judge = await desk.reviewer()
    async with desk.operator.writing() as session:
        if member:
            await organisations.add(
                session,
                member_id=new_id(),
                organisation_id=owner.id,
                principal_id=judge.id,
                by=OPERATOR,
            )
        keeper = owner if member else judge
        own = await services.register(
            session, service_id=new_id(), owner_id=keeper.id, name=f"of {judge.handle}"
        )
    service = Account(own.id, PrincipalKind.SERVICE, await desk.accounts.token(own.id), own.name)
    decision = await desk.ask(service, by(doubtful.grey))
    given = {"decisionId": decision["id"], "statement": "No."}
    made = (await desk.execute(service, DISPUTE, input=given))["disputeDecision"]
    assert (await desk.take(judge, made["reviewId"]))["code"] == "FORBIDDEN"
