"""Rulings that last: the very media that a reviewer saw is in doubt no more, nothing else is."""

import secrets

import pytest

from api.state import State
from registry.database import Database
from tests import acts
from tests.conftest import Account, Accounts, Execute, Json
from tests.desk import APPEAL, DISPUTE, Desk, by, near
from tests.registry.enrolling import unit

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
