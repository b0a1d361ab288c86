"""The checker when something is wrong: damage, floods, imports, a log that went backwards."""

import asyncio
import secrets
from collections.abc import AsyncGenerator
from uuid import UUID, uuid4

import asyncpg
import pytest

from api.state import State
from registry import assets
from registry.checks.checker import Checker
from registry.checks.questions import Person, Probe, Question
from registry.checks.queue import MAX_BATCH_PROBES, MAX_WAITING, Asked, Queue
from registry.checks.record import Evidence, Recorder
from registry.checks.statement import MOST_NEW
from registry.database import Actor
from registry.decisions import Answer
from registry.encoder_set import EncoderSet
from registry.encoders.identity import IMAGE_HASH
from registry.errors import BusyError, RegistryError, SetupError, UnavailableError
from registry.installation import Installation, check_pool
from registry.log import merkle
from registry.policy.facts import Request
from registry.policy.shelf import load_packs
from registry.policy.vocabulary import AiUse, Modality, Outcome, Purpose
from tests import acts
from tests.conftest import Account, Execute

REQUEST = Request(AiUse.GENERATE_IMAGE, Purpose.FILM_TV, frozenset({Modality.FACE}))


def question(
    hash: bytes | None = None, *, probes: int = 1, claimed: UUID | None = None
) -> Question:
    probe = Probe(image_hash=hash or secrets.token_bytes(32))
    return Question(REQUEST, (Person((probe,) * probes, claimed_subject=claimed),))


@pytest.fixture
async def checker(state: State, urls: tuple[str, str]) -> AsyncGenerator[Checker]:
    """A checker of its own, as another process would have it."""
    installation = Installation(state.settings, state.keys, state.db, *urls)
    pool = await check_pool(installation)
    checker = Checker(
        pool,
        packs=load_packs(),
        encoders=EncoderSet.load(),
        evidence=Evidence(state.settings.issuer, state.settings.log_origin, state.keys),
    )
    await checker.start()
    yield checker
    await checker.stop()
    await pool.close()


async def damage(urls: tuple[str, str], table: str, column: str, where: str, id: UUID) -> None:
    """Spoil a sealed value, as a failing disk might: history's own trigger stands in the way."""
    connection = await asyncpg.connect(urls[0])
    await connection.execute("set session_replication_role = replica")
    await connection.execute(f"update {table} set {column} = 'broken' where {where} = $1", id)
    await connection.close()


async def test_one_damaged_subject_spoils_no_other_check(
    execute: Execute, checker: Checker, owner: Account, service: Account,
    urls: tuple[str, str],
) -> None:  # fmt: skip
    subject = UUID(await acts.subject(execute, owner))
    await damage(urls, "subjects", "profile", "id", subject)
    asked = [question() for _ in range(20)]
    asked[7] = question(claimed=subject)
    answers = await checker.check_many(service.actor, asked)
    refused = answers[7]
    assert isinstance(refused, Answer)
    assert not refused.may_proceed
    rest = [one for at, one in enumerate(answers) if at != 7]
    assert all(isinstance(one, Answer) and one.outcome is Outcome.UNKNOWN for one in rest)


async def test_one_damaged_reference_blinds_nobody(
    execute: Execute, checker: Checker, owner: Account, service: Account, urls: tuple[str, str]
) -> None:
    subject = await acts.subject(execute, owner)
    good, bad = secrets.token_bytes(32), secrets.token_bytes(32)
    connection = await asyncpg.connect(urls[0])
    async with connection.transaction():
        asset = await acts.asset(execute, owner, [subject], bad.hex())
    await connection.close()
    await damage(urls, "asset_references", "sealed_hash", "asset_id", UUID(asset))
    await acts.asset(execute, owner, [subject], good.hex())
    answer = await checker.check(service.actor, question(good))
    assert answer.outcome is Outcome.CONSENT_REQUIRED
    assert checker.references.unreadable == 1


async def test_a_large_import_is_taken_in_and_found_at_once(
    execute: Execute, state: State, checker: Checker, owner: Account, service: Account
) -> None:
    subject = UUID(await acts.subject(execute, owner))
    hashes = [secrets.token_bytes(32) for _ in range(MOST_NEW + 500)]
    async with state.db.acting_for(owner.actor).writing() as session:
        wrapped = (await assets.subjects.wrapped_keys(session, [subject]))[subject]
        key = state.keys.open_key(subject, wrapped)
        asset = assets.Asset(id=assets.new_id(), owner_id=owner.id, encoder=IMAGE_HASH)
        session.add(asset)
        await session.flush()
        for hash in hashes:
            id = assets.new_id()
            sealed = key.seal(hash, context=assets.hash_context(id))
            session.add(
                assets.AssetReference(
                    id=id, asset_id=asset.id, subject_id=subject, sealed_hash=sealed
                )
            )
    for hash in (hashes[0], hashes[-1]):
        answer = await checker.check(service.actor, question(hash))
        assert answer.outcome is Outcome.CONSENT_REQUIRED


async def test_new_references_are_taken_in_while_nobody_asks(
    execute: Execute, checker: Checker, owner: Account
) -> None:
    before = len(checker.references)
    await acts.asset(execute, owner, [await acts.subject(execute, owner)], acts.random_hash())
    async with asyncio.timeout(20):
        while len(checker.references) == before:  # noqa: ASYNC110  # it looks by itself
            await asyncio.sleep(0.05)


async def test_a_stopped_checker_refuses_who_waits_and_who_comes(
    checker: Checker, service: Account
) -> None:
    waiting = asyncio.gather(
        *(checker.check(service.actor, question()) for _ in range(50)), return_exceptions=True
    )
    await asyncio.sleep(0)
    await checker.stop()
    for one in await waiting:
        assert isinstance(one, (Answer, UnavailableError))
    assert not checker.is_working
    with pytest.raises(UnavailableError):
        await checker.check(service.actor, question())


async def test_a_client_that_hangs_up_leaves_the_others_their_answers(
    checker: Checker, service: Account
) -> None:
    tasks = [asyncio.create_task(checker.check(service.actor, question())) for _ in range(30)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(one, Answer) for one in results[1::2])
    assert isinstance(await checker.check(service.actor, question()), Answer)


async def test_two_processes_number_their_decisions_without_a_gap(
    state: State, checker: Checker, service: Account
) -> None:
    asked = [question() for _ in range(60)]
    both = await asyncio.gather(
        *(one.check(service.actor, each) for each in asked for one in (state.checker, checker))
    )
    numbers = sorted(one.log_index for one in both)
    assert numbers == list(range(numbers[0], numbers[0] + 120))


async def test_a_log_that_went_backwards_is_not_continued(
    checker: Checker, service: Account
) -> None:
    """As after a restore under a running server: a fork must never be signed."""
    await checker.check(service.actor, question())
    recorder: Recorder = checker._recorder
    ahead = merkle.append(recorder._head, [merkle.leaf_hash(b"restored away")])[0]
    recorder._head = ahead
    with pytest.raises(SetupError, match="shorter"):
        await checker.check(service.actor, question())


def asked(principal: UUID, probes: int = 1) -> Asked:
    future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
    return Asked(Actor(principal, "SERVICE"), question(probes=probes), future)


async def test_a_flood_of_one_does_not_make_the_others_wait_for_all_of_it() -> None:
    queue, flood, other = Queue(), uuid4(), uuid4()
    for _ in range(1000):
        queue.put(asked(flood, probes=10))
    queue.put(asked(other))
    batch = queue.take()
    assert other in {one.actor.principal_id for one in batch}
    assert sum(one.probes for one in batch) <= MAX_BATCH_PROBES + 10
    assert len(queue) == 1001 - len(batch)


async def test_each_principal_is_served_in_the_order_it_asked() -> None:
    queue, ids = Queue(), [uuid4() for _ in range(3)]
    put = [asked(ids[at % 3]) for at in range(90)]
    for one in put:
        queue.put(one)
    taken = queue.take()
    for id in ids:
        assert [one for one in taken if one.actor.principal_id == id] == [
            one for one in put if one.actor.principal_id == id
        ]


async def test_a_queue_that_is_full_refuses() -> None:
    queue, principal = Queue(), uuid4()
    for _ in range(MAX_WAITING):
        queue.put(asked(principal))
    with pytest.raises(BusyError):
        queue.put(asked(principal))
    refusal: RegistryError = UnavailableError("x")
    one = asked(uuid4())
    queue.take()
    queue.put(one)
    queue.refuse_all(refusal)
    assert one.answer.exception() is refusal
    assert len(queue) == 0
