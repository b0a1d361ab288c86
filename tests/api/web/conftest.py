"""What tests of pages stand on: a reader with a browser, and one who has a case already."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from uuid import UUID

import pytest
from sqlalchemy import select
from starlette.types import ASGIApp

from api.runtime import Runtime
from api.state import State
from registry import erasure, principals
from registry.cases import Case
from registry.database import Database, new_id
from registry.objections import Objection
from registry.principals import OPERATOR_ID, PrincipalKind
from registry.settings import Settings
from registry.subjects import Subject, SubjectKey
from tests.api.web.offices import Browser, Browsers, browsing
from tests.api.web.reading import Reader, reading
from tests.conftest import Account, Accounts, Execute, served
from tests.desk import Desk
from tests.registry.enrolling import unit


@pytest.fixture(scope="session")
def app(settings: Settings, runtime: Runtime) -> ASGIApp:
    return served(settings, runtime)


async def forget_everybody(operator: Database, state: State) -> None:
    """Erase whoever objected or reported by a page."""
    async with operator.writing() as session:
        cases = select(Case.principal_id)
        living = select(Subject.id).join(SubjectKey).where(Subject.owner_id.in_(cases))
        for one in list(await session.scalars(living)):
            await erasure.erase(
                session,
                erasure_id=new_id(),
                subject_id=one,
                actor_id=OPERATOR_ID,
                keep_blocking=False,
                keys=state.keys,
            )


@pytest.fixture(autouse=True)
async def strangers(
    request: pytest.FixtureRequest, operator: Database, state: State
) -> AsyncGenerator[None]:
    """There are few photographs of one person: whom a test shows is nobody before and after it."""
    shows = "photos" in request.fixturenames
    if shows:
        await forget_everybody(operator, state)
    yield
    if shows:
        await forget_everybody(operator, state)


@pytest.fixture
async def reader(app: ASGIApp) -> AsyncGenerator[Reader]:
    async with reading(app) as reader:
        yield reader


@pytest.fixture
async def other(app: ASGIApp) -> AsyncGenerator[Reader]:
    """Somebody else, with another browser at another address."""
    async with reading(app) as reader:
        yield reader


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody who objected by name, and is in their case."""

    reader: Reader
    number: str
    pin: str
    name: str


@pytest.fixture
async def holder(reader: Reader) -> Holder:
    number, pin = await reader.object(name="Mara Holder", links="https://mara.example/")
    await reader.open("/case")
    return Holder(reader, number, pin, "Mara Holder")


@dataclass(frozen=True, slots=True)
class Kept:
    """What is on record of a case: its account, its newest person and their newest objection."""

    account: Account
    subject: UUID
    objection: UUID


async def kept(operator: Database, number: str) -> Kept:
    """What is on record under this number."""
    async with operator.reading() as session:
        account = await principals.by_handle(session, number)
        assert account is not None
        subject = (
            await session.scalars(
                select(Subject.id).where(Subject.owner_id == account.id).order_by(Subject.id.desc())
            )
        ).first()
        assert subject is not None
        objection = (
            await session.scalars(
                select(Objection.id)
                .where(Objection.subject_id == subject)
                .order_by(Objection.id.desc())
            )
        ).first()
        assert objection is not None
    return Kept(Account(account.id, PrincipalKind.PERSON, "", number), subject, objection)


@pytest.fixture
async def browsers(app: ASGIApp) -> AsyncGenerator[Browsers]:
    """Opens a browser that nobody used before."""
    async with AsyncExitStack() as stack:

        async def opened() -> Browser:
            return await stack.enter_async_context(browsing(app))

        yield opened


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
    return subject, review["id"]
