"""Contests: who proved to be somebody ends what others claimed in their place (W01, W05)."""

import base64
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import select

from api.state import State
from registry import freezing, upkeep
from registry.database import Database, now
from registry.encoders.identity import FACE
from registry.notices import Notice
from registry.objections import CONTEST_PERIOD
from registry.policy.vocabulary import AiUse
from registry.principals import OPERATOR_ID, PrincipalKind
from registry.reviews import Review, ReviewKind
from registry.samples import Verdict
from registry.subjects import SubjectEvent, SubjectEventKind
from tests import acts
from tests.conftest import Account, Accounts, Execute, Json
from tests.desk import Desk
from tests.registry.enrolling import Person, face, unit

CONTEST = """
mutation ($input: ContestObjectionInput!) { contestObjection(input: $input) {
  ... on ObjectionsContested { lapseAt } ... on Problem { code message field } } }
"""
STATE = "query ($id: ID) { objections(subjectId: $id) { edges { node { id state } } } }"
SAMPLES = "query ($id: ID!) { subject(id: $id) { registration samples { state } } }"
AS_OF = """
query ($input: CheckInput!, $at: DateTime!, $service: ID) {
  consentAsOf(input: $input, at: $at, service: $service) { outcome reasons { code } } }
"""


class World:
    """Somebody who claims a face, and the one whose face it is."""

    def __init__(
        self, state: State, execute: Execute, accounts: Accounts, operator: Database
    ) -> None:
        self.state, self.execute, self.accounts, self.operator = state, execute, accounts, operator
        self.vector = unit()

    async def claim(
        self, account: Account, *, ial: int = 1, verdict: Verdict = Verdict.JOIN
    ) -> str:
        """This face on somebody's record."""
        subject = await acts.subject(self.execute, account)
        await self.enrol(account, subject, ial=ial, verdict=verdict)
        return subject

    async def enrol(
        self, account: Account, subject: str, *, ial: int = 1, verdict: Verdict = Verdict.JOIN
    ) -> None:
        person = Person(self.state, account, UUID(subject), ial)
        await person.enrol(face(self.vector), verdict=verdict)

    async def object(self, account: Account, subject: str, **more: object) -> str:
        made = await self.execute(account, acts.OBJECT, input={"subjectId": subject, **more})
        id: str = made["fileObjection"]["objection"]["id"]
        return id

    async def contest(self, account: Account, subject: str) -> Json:
        made = await self.execute(account, CONTEST, input={"subjectId": subject, "reason": "me"})
        answer: Json = made["contestObjection"]
        return answer

    async def states(self, account: Account, subject: str) -> list[str]:
        found = (await self.execute(account, STATE, id=subject))["objections"]["edges"]
        return [one["node"]["state"] for one in found]

    async def ask(self, service: Account, claimed: str | None = None) -> Json:
        text = base64.b64encode(self.vector.tobytes()).decode()
        person: Json = {"probes": [{"faceVector": {"encoder": FACE, "base64": text}}]}
        if claimed is not None:
            person["claimedSubject"] = claimed
        return await acts.check(self.execute, service, {**acts.question(), "persons": [person]})

    async def picture(self, account: Account, subject: str) -> str:
        """A registered picture of theirs."""
        hash = acts.random_hash()
        await acts.asset(self.execute, account, [subject], hash)
        return hash

    async def bites(self, service: Account, hash: str) -> bool:
        """Whether an objection stands against the use of a picture."""
        return "OBJECTION" in acts.codes(
            await acts.check(self.execute, service, acts.question(hash))
        )

    async def age(self, subject: str, by: timedelta, *, whole: bool = False) -> None:
        """Let what was contested of this subject, or all of it, have been that much earlier."""
        admin = self.state.settings.admin_database_url
        assert admin is not None
        connection = await asyncpg.connect(admin)
        async with connection.transaction():
            await connection.execute("set local session_replication_role = replica")
            await connection.execute(
                "update subject_events set at = at - $2::interval"
                " where kind = 'CONTESTED' and subject_id = $1",
                UUID(subject),
                by,
            )
            await connection.execute(
                "update objection_events e set at = e.at - $2::interval from objections o"
                " where o.id = e.objection_id and e.kind = 'CONTESTED' and o.subject_id = $1",
                UUID(subject),
                by,
            )
            if whole:
                await connection.execute(
                    "update subjects set created_at = created_at - $2::interval where id = $1",
                    UUID(subject),
                    by,
                )
                await connection.execute(
                    "update objections set since = since - $2::interval where subject_id = $1",
                    UUID(subject),
                    by,
                )
                await connection.execute(
                    "update services set created_at = created_at - $1::interval", by
                )
                await connection.execute("update service_events set at = at - $1::interval", by)
        await connection.close()

    async def upkeep(self, *, at: datetime | None = None) -> None:
        await upkeep.run(self.operator, self.state.keys, self.state.checker.packs, at=at)

    async def later(self, by: timedelta) -> datetime:
        async with self.operator.reading() as session:
            return await now(session) + by


@pytest.fixture
async def world(state: State, execute: Execute, accounts: Accounts, operator: Database) -> World:
    return World(state, execute, accounts, operator)


@pytest.fixture
async def squatter(accounts: Accounts) -> Account:
    """Somebody known at IAL1."""
    return await accounts.open(PrincipalKind.PERSON, ial=1)


async def test_a_contested_objection_holds_for_fourteen_days_and_then_lapses(
    world: World, squatter: Account, owner: Account, service: Account
) -> None:
    """W01 and W05: by time alone, before any upkeep ran."""
    claimed = await world.claim(squatter)
    await world.object(squatter, claimed)
    hash = await world.picture(squatter, claimed)
    mine = await world.claim(owner, ial=2)
    received = await world.contest(owner, mine)
    lapse_at = datetime.fromisoformat(received["lapseAt"])
    assert abs(await world.later(CONTEST_PERIOD) - lapse_at) < timedelta(minutes=1)
    assert await world.states(squatter, claimed) == ["PROVISIONAL"]
    assert await world.bites(service, hash)
    await world.age(claimed, CONTEST_PERIOD - timedelta(minutes=5))
    assert await world.bites(service, hash)
    await world.age(claimed, timedelta(minutes=6))
    assert await world.states(squatter, claimed) == ["LAPSED"]
    assert not await world.bites(service, hash)


async def test_the_past_knows_when_it_lapsed(
    world: World, squatter: Account, owner: Account, service: Account, accounts: Accounts
) -> None:
    """`consentAsOf`: it stood until the fourteenth day, and not after."""
    claimed = await world.claim(squatter)
    await world.object(squatter, claimed)
    mine = await world.claim(owner, ial=2)
    await world.contest(owner, mine)
    await world.age(claimed, CONTEST_PERIOD + timedelta(days=2), whole=True)
    auditor = await accounts.open(PrincipalKind.AUDITOR)
    stood = []
    for days in (5, 3, 1):
        at = await world.later(-timedelta(days=days))
        asked = {**acts.question(), "persons": [{"claimedSubject": claimed}]}
        then = await world.execute(
            auditor, AS_OF, input=asked, at=at.isoformat(), service=str(service.id)
        )
        stood.append("OBJECTION" in acts.codes(then["consentAsOf"]))
    assert stood == [True, True, False]


async def test_an_objection_that_nobody_contests_stays(
    world: World, squatter: Account, service: Account
) -> None:
    """W01: time alone takes nothing away."""
    claimed = await world.claim(squatter)
    await world.object(squatter, claimed)
    hash = await world.picture(squatter, claimed)
    later = await world.later(timedelta(days=400))
    await world.upkeep(at=later)
    assert await world.states(squatter, claimed) == ["PROVISIONAL"]
    assert await world.bites(service, hash)


async def test_after_the_lapse_the_real_holder_permits(
    world: World, squatter: Account, owner: Account, service: Account
) -> None:
    """W05: the claim is closed, so that it makes nobody ambiguous."""
    claimed = await world.claim(squatter)
    await world.object(squatter, claimed)
    mine = await world.claim(owner, ial=2)
    await acts.grant(world.execute, owner, mine, service)
    assert (await world.ask(service, mine))["outcome"] == "PROHIBITED"
    await world.contest(owner, mine)
    await world.age(claimed, CONTEST_PERIOD)
    assert (await world.ask(service, mine))["outcome"] != "PERMITTED"
    await world.upkeep()
    decision = await world.ask(service, mine)
    assert (decision["outcome"], acts.codes(decision)) == ("PERMITTED", {"GRANT"})
    shown = (await world.execute(squatter, SAMPLES, id=claimed))["subject"]
    assert shown["samples"] == [{"state": "RETIRED"}]
    await world.upkeep()  # twice is as good as once


async def test_the_objector_is_told_and_may_prove_it(
    world: World, squatter: Account, owner: Account, service: Account
) -> None:
    """Proved meanwhile, the objection stays for good, and so does the claim."""
    claimed = await world.claim(squatter)
    objection = await world.object(squatter, claimed)
    hash = await world.picture(squatter, claimed)
    mine = await world.claim(owner, ial=2)
    await world.contest(owner, mine)
    async with world.operator.reading() as session:
        told = (
            await session.scalars(select(Notice).where(Notice.principal_id == squatter.id))
        ).one()
    assert (told.kind, str(told.about)) == ("OBJECTION_CONTESTED", objection)
    assert told.due_at is not None
    async with world.operator.writing() as session:
        session.add(
            SubjectEvent(
                subject_id=UUID(claimed), kind=SubjectEventKind.VERIFIED, actor_id=OPERATOR_ID
            )
        )
    await world.age(claimed, timedelta(0))
    later = await world.later(2 * CONTEST_PERIOD)
    await world.upkeep(at=later)
    assert await world.states(squatter, claimed) == ["VERIFIED"]
    assert await world.bites(service, hash)


async def test_what_was_proved_goes_before_the_desk(
    world: World, owner: Account, accounts: Accounts, service: Account
) -> None:
    other = await accounts.open(ial=2)
    theirs = await world.claim(other, ial=2)
    await world.object(other, theirs)
    hash = await world.picture(other, theirs)
    mine = await world.claim(owner, ial=2)
    received = await world.contest(owner, mine)
    assert set(received) == {"lapseAt"}
    assert await world.states(other, theirs) == ["VERIFIED"]
    async with world.operator.reading() as session:
        reviews = list(
            await session.scalars(select(Review).where(Review.subject_ids.contains([UUID(mine)])))
        )
    assert [(one.kind, one.opened_by) for one in reviews] == [
        (ReviewKind.DISPUTED_OBJECTION, OPERATOR_ID)
    ]
    assert set(reviews[0].subject_ids) == {UUID(mine), UUID(theirs)}
    later = await world.later(2 * CONTEST_PERIOD)
    await world.upkeep(at=later)
    assert await world.bites(service, hash)


async def test_the_desk_rules_on_what_was_proved_and_it_stays(
    world: World, owner: Account, accounts: Accounts
) -> None:
    other, reviewer = await accounts.open(ial=2), await accounts.open(PrincipalKind.REVIEWER)
    theirs = await world.claim(other, ial=2)
    await world.object(other, theirs)
    mine = await world.claim(owner, ial=2)
    await world.contest(owner, mine)
    desk = Desk(world.state, world.execute, accounts, world.operator)
    [review] = await desk.reviews(reviewer, subject=mine)
    assert (await desk.rule(reviewer, review["id"], "LAPSE"))["code"] == "CONFLICT"
    ruled = await desk.decide(reviewer, review["id"], "UPHOLD")
    assert ruled["review"]["state"] == "DECIDED", ruled
    assert await world.states(other, theirs) == ["VERIFIED"]


async def test_who_is_proved_while_another_contests_is_not_closed(
    world: World, squatter: Account
) -> None:
    """The contest looked before the attestation was committed, and was put on record after it."""
    claimed = await world.claim(squatter)
    for kind in (SubjectEventKind.VERIFIED, SubjectEventKind.CONTESTED):
        async with world.operator.writing() as session:
            session.add(SubjectEvent(subject_id=UUID(claimed), kind=kind, actor_id=OPERATOR_ID))
    await world.age(claimed, timedelta(0))
    await world.upkeep(at=await world.later(2 * CONTEST_PERIOD))
    shown = (await world.execute(squatter, SAMPLES, id=claimed))["subject"]
    assert (shown["registration"], shown["samples"]) == ("VERIFIED", [{"state": "RECEIVED"}])


async def test_who_is_not_alike_is_not_contested_and_the_answer_is_the_same(
    world: World, squatter: Account, owner: Account, state: State
) -> None:
    stranger = World(state, world.execute, world.accounts, world.operator)
    claimed = await stranger.claim(squatter)
    await stranger.object(squatter, claimed)
    mine = await world.claim(owner, ial=2)
    received = await world.contest(owner, mine)
    assert set(received) == {"lapseAt"}
    await world.age(claimed, CONTEST_PERIOD)
    assert await stranger.states(squatter, claimed) == ["PROVISIONAL"]


async def test_a_held_sample_is_found_too(world: World, squatter: Account, owner: Account) -> None:
    mine = await world.claim(owner, ial=2)
    claimed = await world.claim(squatter, verdict=Verdict.HOLD_NEAR_OTHERS)
    await world.object(squatter, claimed)
    await world.contest(owner, mine)
    await world.age(claimed, CONTEST_PERIOD)
    assert await world.states(squatter, claimed) == ["LAPSED"]


async def test_who_proved_nothing_contests_nothing(
    world: World, squatter: Account, owner: Account, accounts: Accounts
) -> None:
    claimed = await world.claim(squatter)
    await world.object(squatter, claimed)
    low = await accounts.open(ial=1)
    theirs = await world.claim(low)
    assert (await world.contest(low, theirs))["code"] == "FORBIDDEN"
    promoted = Account(low.id, low.kind, await accounts.token(low.id, ial=2), low.handle)
    assert (await world.contest(promoted, theirs))["code"] == "FORBIDDEN"  # registered at IAL1
    bare = await acts.subject(world.execute, owner)
    assert (await world.contest(owner, bare))["code"] == "FORBIDDEN"  # nothing is enrolled
    assert (await world.contest(owner, claimed))["code"] == "NOT_FOUND"
    mine = await world.claim(owner, ial=2)
    async with world.operator.writing() as session:
        await freezing.freeze(session, principal_id=owner.id, actor_id=OPERATOR_ID)
    assert (await world.contest(owner, mine))["code"] == "FORBIDDEN"
    await world.age(claimed, CONTEST_PERIOD)
    assert await world.states(squatter, claimed) == ["PROVISIONAL"]


async def test_a_contested_claim_is_not_carried_over_its_time_by_erasing_it(
    world: World, squatter: Account, owner: Account
) -> None:
    claimed = await world.claim(squatter)
    await world.object(squatter, claimed)
    mine = await world.claim(owner, ial=2)
    await world.contest(owner, mine)
    erase = """
    mutation ($input: EraseSubjectInput!) { eraseSubject(input: $input) {
      ... on SubjectErased { keptAs } ... on Problem { code } } }
    """
    given = {"subjectId": claimed, "keepBlocking": True}
    made = await world.execute(squatter, erase, input=given)
    assert made["eraseSubject"] == {"code": "CONFLICT"}
    made = await world.execute(squatter, erase, input={**given, "keepBlocking": False})
    assert made["eraseSubject"] == {"keptAs": None}
    await world.upkeep()


async def test_whoever_does_it_twice_is_frozen_and_may_still_take_back(
    world: World, squatter: Account, owner: Account, state: State
) -> None:
    """W05: repeat offender."""
    worlds = [world, World(state, world.execute, world.accounts, world.operator)]
    kept = await acts.subject(world.execute, squatter)
    standing = await world.object(squatter, kept)
    for one in worlds:
        claimed = await one.claim(squatter)
        await one.object(squatter, claimed, scope={"uses": [AiUse.SWAP_FACE]})
        mine = await one.claim(owner, ial=2)
        await one.contest(owner, mine)
        await one.age(claimed, CONTEST_PERIOD)
        async with world.operator.reading() as session:
            assert not await freezing.frozen(session, [squatter.id])
        await world.upkeep()
    async with world.operator.reading() as session:
        assert await freezing.frozen(session, [squatter.id]) == {squatter.id}
        kinds = list(
            await session.scalars(select(Notice.kind).where(Notice.principal_id == squatter.id))
        )
    assert kinds.count("ACCOUNT_FROZEN") == 1
    refused = await world.execute(squatter, acts.OBJECT, input={"subjectId": kept})
    assert refused["fileObjection"]["code"] == "FORBIDDEN"
    assert "frozen" in refused["fileObjection"]["message"]
    withdrawn = await world.execute(squatter, acts.WITHDRAW, id=standing)
    assert withdrawn["withdrawObjection"]["objection"]["state"] == "WITHDRAWN"
