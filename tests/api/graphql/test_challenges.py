"""Consent spoken aloud: a phrase nobody knew, one attempt, and the person's own voice."""

import asyncio
import secrets
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from api.state import State
from registry import challenges
from registry.challenge_words import WORDS
from registry.challenges import SpokenOutcome, SpokenStatement, says
from registry.database import Database
from registry.presentations import PresentationFault, RefusedPresentation
from registry.reviews import Review, ReviewKind
from tests.api.graphql.identifying import Identities, Vector, a_voice, near, spoken_by
from tests.conftest import Account, Accounts, Execute, Json
from tests.registry.enrolling import Person, face, unit

BEGIN = """
mutation ($grant: ID!) { done: beginSigning(grantId: $grant) {
  ... on SigningBegun { challenge { id phrase expiresAt } }
  ... on Problem { code message field } } }
"""
LIKE, UNLIKE = 0.95, 0.0


class Speaker:
    """A person known by attestation, with an enrolled voice and a grant that covers it."""

    def __init__(self, desk: Identities, account: Account, subject: str, voice: Vector) -> None:
        self.desk, self.account, self.subject, self.voice = desk, account, subject, voice
        self.grant = ""

    async def begin(self, grant: str | None = None, by: Account | None = None) -> Json:
        answer = await self.desk.execute(by or self.account, BEGIN, grant=grant or self.grant)
        done: Json = answer["done"]
        return done.get("challenge", done)

    async def say(self, challenge: Json, voice: Vector | None = None, **more: Any) -> Json:
        """What signing with a recording of this phrase is answered."""
        spoken = more.pop("spoken", challenge["phrase"])
        grant = more.pop("grant", self.grant)
        voice = near(self.voice, LIKE) if voice is None else voice
        handle = await self.desk.recording(self.account, voice, **more)
        statement = {"handle": handle, "challengeId": challenge["id"], "spoken": spoken}
        return await self.desk.sign(self.account, grant, statement=statement)

    async def state(self) -> str:
        return await self.desk.state_of(self.account, self.grant)


@pytest.fixture
async def desk(state: State, accounts: Accounts, execute: Execute) -> Identities:
    return await Identities.open(state, accounts, execute)


@pytest.fixture
async def speaker(desk: Identities, service: Account) -> Speaker:
    account, subject, vector = await desk.enrolled()
    voice = a_voice()
    await Person(desk.state, account, UUID(subject), 1).enrol(spoken_by(voice))
    await desk.attest(account, face=near(vector, 0.99), subjectId=subject)
    made = Speaker(desk, account, subject, voice)
    made.grant = await desk.proposed(account, subject, service, modalities=["VOICE"])
    return made


async def outcomes(operator: Database, speaker: Speaker) -> list[SpokenOutcome]:
    async with operator.reading() as session:
        rows = await session.scalars(
            select(SpokenStatement.outcome)
            .where(SpokenStatement.spoken_by == speaker.account.id)
            .order_by(SpokenStatement.id)
        )
        return list(rows)


def test_there_are_words_enough_and_no_two_alike() -> None:
    assert len(set(WORDS)) == len(WORDS) >= 256
    assert all(one.isascii() and one.islower() and one.isalpha() for one in WORDS)


@pytest.mark.parametrize(
    ("spoken", "holds"),
    [
        ("I consent for X on 1 May: amber river stone.", True),
        ("AMBER, River ... stone", True),
        ("amber river", False),
        ("amber stone river", False),
        ("amber and river stone", False),
        ("", False),
    ],
)
def test_the_words_are_spoken_one_after_another(spoken: str, *, holds: bool) -> None:
    assert says(spoken, ["amber", "river", "stone"]) is holds
    assert not says(spoken, [])


async def test_a_phrase_says_when_and_to_whom_and_is_never_the_same(
    speaker: Speaker, service: Account
) -> None:
    first, second = await speaker.begin(), await speaker.begin()
    assert service.handle in first["phrase"]
    words = [one["phrase"].rpartition(": ")[2].rstrip(".").split() for one in (first, second)]
    assert all(len(one) >= 4 and set(one) <= set(WORDS) for one in words)
    assert words[0] != words[1]


async def test_w06_a_voice_is_granted_by_the_spoken_phrase_alone(
    speaker: Speaker, operator: Database
) -> None:
    refused = await speaker.desk.sign(speaker.account, speaker.grant)
    assert refused["code"] == "FORBIDDEN"
    assert "speak the phrase" in refused["message"]
    assert await speaker.state() == "PENDING"
    signed = await speaker.say(await speaker.begin())
    assert signed["grant"]["state"] == "ACTIVE"
    assert await outcomes(operator, speaker) == [SpokenOutcome.ACCEPTED]


async def test_w06_other_words_are_a_replay_and_use_the_challenge_up(
    speaker: Speaker, operator: Database
) -> None:
    challenge, other = await speaker.begin(), await speaker.begin()
    for spoken in (other["phrase"], challenge["phrase"]):
        answer = await speaker.say(challenge, spoken=spoken)
        assert answer["code"] == "REPLAY_DETECTED"
    assert await speaker.state() == "PENDING"
    assert await outcomes(operator, speaker) == [
        SpokenOutcome.OTHER_WORDS,
        SpokenOutcome.REPEATED,
    ]


async def test_w06_a_challenge_of_another_grant_is_none(speaker: Speaker, service: Account) -> None:
    other = await speaker.desk.proposed(
        speaker.account, speaker.subject, service, modalities=["VOICE"]
    )
    challenge = await speaker.begin(other)
    assert (await speaker.say(challenge))["code"] == "REPLAY_DETECTED"
    assert (await speaker.say(challenge, grant=other))["code"] == "REPLAY_DETECTED"
    assert await speaker.state() == "PENDING"


async def test_w06_an_old_challenge_is_none(
    speaker: Speaker, monkeypatch: pytest.MonkeyPatch, operator: Database
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(challenges, "LASTS", timedelta(0))
        challenge = await speaker.begin()
    assert (await speaker.say(challenge))["code"] == "REPLAY_DETECTED"
    assert await outcomes(operator, speaker) == [SpokenOutcome.LATE]


async def test_w06_a_file_is_heard_once(speaker: Speaker, service: Account) -> None:
    media = secrets.token_bytes(32)
    assert "grant" in await speaker.say(await speaker.begin(), sha256=media)
    other = await speaker.desk.proposed(
        speaker.account, speaker.subject, service, modalities=["VOICE"]
    )
    again = await speaker.say(await speaker.begin(other), sha256=media, grant=other)
    assert again["code"] == "REPLAY_DETECTED"
    assert await speaker.desk.state_of(speaker.account, other) == "PENDING"


async def test_w06_an_enrolled_recording_or_an_earlier_statement_saved_anew_is_a_replay(
    speaker: Speaker,
) -> None:
    spoken = near(speaker.voice, LIKE)
    first = await speaker.begin()
    await speaker.say(first, voice=spoken, spoken="something else")
    for voice in (near(speaker.voice, 0.9985), near(spoken, 0.9985)):
        answer = await speaker.say(await speaker.begin(), voice=voice)
        assert answer["code"] == "REPLAY_DETECTED"
    assert await speaker.state() == "PENDING"
    assert "grant" in await speaker.say(await speaker.begin())


async def test_w06_another_voice_is_rejected_and_goes_to_the_desk(
    speaker: Speaker, operator: Database
) -> None:
    stranger = near(speaker.voice, UNLIKE)
    refused = await speaker.say(await speaker.begin(), voice=stranger)
    assert refused["code"] == "REJECTED_PRESENTATION_ATTACK"
    assert refused["message"] == "This face or voice is not accepted for this person."
    assert await speaker.state() == "PENDING"
    assert await outcomes(operator, speaker) == [SpokenOutcome.ANOTHER_VOICE]
    async with operator.reading() as session:
        refusal = await session.scalar(
            select(RefusedPresentation).where(
                RefusedPresentation.presented_by == speaker.account.id
            )
        )
        assert refusal is not None
        review = await session.scalar(select(Review).where(Review.about == refusal.id))
    assert refusal.fault is PresentationFault.NOT_THE_SUBJECT
    assert review is not None
    assert review.kind is ReviewKind.SUSPICIOUS_ENROLMENT


async def test_a_challenge_of_somebody_else_is_absent(
    speaker: Speaker, desk: Identities, service: Account
) -> None:
    other, subject = await desk.newcomer()
    grant = await desk.proposed(other, subject, service)
    challenge = await speaker.begin(grant, by=other)
    assert (await speaker.say(challenge))["code"] == "NOT_FOUND"
    assert (await speaker.begin(grant))["code"] == "NOT_FOUND"
    assert (await speaker.begin("x"))["code"] == "NOT_FOUND"
    assert (await speaker.begin(by=service))["code"] == "NOT_FOUND"  # it sees the grant, no more


async def test_without_an_enrolled_voice_a_recording_proves_nothing(
    desk: Identities, service: Account
) -> None:
    account, subject, vector = await desk.enrolled()
    await desk.attest(account, face=near(vector, 0.99), subjectId=subject)
    mute = Speaker(desk, account, subject, a_voice())
    mute.grant = await desk.proposed(account, subject, service, modalities=["VOICE"])
    assert (await mute.say(await mute.begin()))["code"] == "INVALID"
    assert "grant" in await desk.sign(account, mute.grant)  # no voice on record: none is asked for


async def test_too_long_a_transcript_is_refused(speaker: Speaker) -> None:
    challenge = await speaker.begin()
    assert (await speaker.say(challenge, spoken="a " * 600))["code"] == "INVALID"
    assert "grant" in await speaker.say(challenge)


async def test_a_photograph_is_no_statement(speaker: Speaker) -> None:
    challenge = await speaker.begin()
    handle = await speaker.desk.photograph(speaker.account, unit())
    statement = {"handle": handle, "challengeId": challenge["id"], "spoken": challenge["phrase"]}
    answer = await speaker.desk.sign(speaker.account, speaker.grant, statement=statement)
    assert answer["code"] == "INVALID"


async def test_a_refused_signature_leaves_the_challenge_unused(
    desk: Identities, service: Account, operator: Database
) -> None:
    account, subject = await desk.newcomer()
    voice = a_voice()
    await Person(desk.state, account, UUID(subject), 1).enrol(spoken_by(voice))
    await Person(desk.state, account, UUID(subject), 1).enrol(face())
    speaker = Speaker(desk, account, subject, voice)
    speaker.grant = await desk.proposed(account, subject, service, modalities=["VOICE"])
    assert (await speaker.say(await speaker.begin()))["code"] == "FORBIDDEN"
    assert await outcomes(operator, speaker) == []


async def test_w06_two_uses_at_once_are_one(speaker: Speaker, operator: Database) -> None:
    challenge = await speaker.begin()
    answers = await asyncio.gather(*(speaker.say(challenge) for _ in range(3)))
    assert sorted(one.get("code", "signed") for one in answers) == [
        "REPLAY_DETECTED",
        "REPLAY_DETECTED",
        "signed",
    ]
    assert (await outcomes(operator, speaker)).count(SpokenOutcome.ACCEPTED) == 1
