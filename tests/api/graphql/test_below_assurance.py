"""Below IAL2 nothing that a comparison with other people brought out is told, by any way round."""

from uuid import UUID

import pytest

from api.state import State
from registry.database import Database
from registry.samples import Verdict
from tests import acts
from tests.api.graphql.identifying import Identities, Vector, a_voice, near, spoken_by
from tests.api.graphql.test_challenges import BEGIN, LIKE
from tests.api.graphql.test_erasure import ERASE
from tests.conftest import Account, Accounts, Execute, Json
from tests.desk import Desk
from tests.registry.enrolling import Person, unit

SAMPLES = "query ($id: ID!) { subject(id: $id) { samples { id state } } }"
ACCESSES = "query ($id: ID!) { subject(id: $id) { accesses { edges { node { what } } } } }"


@pytest.fixture
async def identities(state: State, accounts: Accounts, execute: Execute) -> Identities:
    return await Identities.open(state, accounts, execute)


@pytest.fixture
def desk(state: State, execute: Execute, accounts: Accounts, operator: Database) -> Desk:
    return Desk(state, execute, accounts, operator)


@pytest.fixture
async def stranger(accounts: Accounts) -> Account:
    """Somebody who proved nothing."""
    return await accounts.open(ial=1)


async def spoken(
    identities: Identities, account: Account, subject: str, voice: Vector, service: Account
) -> Json:
    """What signing by a recording of this voice is answered."""
    grant = await identities.proposed(account, subject, service, modalities=["VOICE"])
    begun = (await identities.execute(account, BEGIN, grant=grant))["done"]["challenge"]
    handle = await identities.recording(account, voice)
    statement = {"handle": handle, "challengeId": begun["id"], "spoken": begun["phrase"]}
    return await identities.sign(account, grant, statement=statement)


async def test_signing_does_not_tell_whether_a_voice_was_held_nor_whose_it_is(
    identities: Identities, state: State, execute: Execute, stranger: Account, service: Account
) -> None:
    voice, answers = a_voice(), []
    for verdict in (Verdict.JOIN, Verdict.HOLD_NEAR_OTHERS):
        subject = await acts.subject(execute, stranger)
        await Person(state, stranger, UUID(subject), 1).enrol(spoken_by(voice), verdict=verdict)
        for heard in (near(voice, LIKE), a_voice()):
            answer = await spoken(identities, stranger, subject, heard, service)
            answers.append(answer)
    assert {one["code"] for one in answers} == {"FORBIDDEN"}
    assert {one["message"] for one in answers} == {answers[0]["message"]}


async def test_what_is_kept_for_blocking_does_not_tell_whether_a_face_was_held(
    desk: Desk, execute: Execute, owner: Account, stranger: Account
) -> None:
    victim, shown = unit(), []
    await desk.somebody(owner, victim)
    for vector in (victim, unit()):
        subject = await desk.somebody(stranger, vector)
        given = {"subjectId": subject, "keepBlocking": True}
        kept = (await execute(stranger, ERASE, input=given))["eraseSubject"]["keptAs"]
        shown.append((await execute(stranger, SAMPLES, id=kept))["subject"]["samples"])
        added = await desk.enrol(stranger, kept, unit())  # how many fit would tell as well
        assert added["code"] == "CONFLICT"
    assert shown == [[], []]


async def test_neither_a_notice_nor_an_access_tells_that_a_sample_was_held(
    desk: Desk, execute: Execute, owner: Account, stranger: Account
) -> None:
    victim = unit()
    await desk.somebody(owner, victim)
    subject = await desk.somebody(stranger, victim)
    reviewer = await desk.reviewer()
    (review,) = await desk.reviews(reviewer, subject=subject)
    assert review["kind"] == "SUSPICIOUS_ENROLMENT"
    assert (await desk.rule(reviewer, review["id"], "REFUSE"))["review"]["state"] == "DECIDED"
    assert await desk.notices(stranger) == []
    assert await desk.notices(owner) == [("REVIEW_DECIDED", UUID(review["id"]))]
    assert (await execute(stranger, ACCESSES, id=subject))["subject"]["accesses"]["edges"] == []
