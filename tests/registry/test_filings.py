"""How far a filing is proved, and official lists as they are loaded."""

import hashlib
from uuid import uuid4

import pytest
from sqlalchemy import select

from registry import filings
from registry.database import Database, WriteSession
from registry.errors import ForbiddenError, InvalidError
from registry.filings import OTHER, FilingListNumber, FilingStatus, standing_of
from registry.principals import OPERATOR, PrincipalKind
from tests.conftest import Accounts

ISLAND = "IS"  # nobody files there but these tests


async def load(
    session: WriteSession, numbers: list[str], *, territory: str = ISLAND, source: str = "A notice"
) -> filings.FilingList | None:
    return await filings.load_list(
        session,
        territory=territory,
        numbers=numbers,
        source=source,
        sha256=hashlib.sha256("|".join(numbers).encode()).digest(),
        actor=OPERATOR,
    )


@pytest.mark.parametrize(
    ("kind", "revoked", "listed", "list_loaded", "status", "counts"),
    [
        ("ALGORITHM", False, False, False, FilingStatus.FORMAT_OK, True),
        ("ALGORITHM", False, False, True, FilingStatus.FORMAT_OK, False),
        ("ALGORITHM", False, True, True, FilingStatus.LIST_VERIFIED, True),
        (OTHER, False, False, False, FilingStatus.SELF_DECLARED, True),
        (OTHER, False, False, True, FilingStatus.SELF_DECLARED, False),
        (OTHER, False, True, True, FilingStatus.LIST_VERIFIED, True),
        ("ALGORITHM", True, True, True, FilingStatus.REVOKED, False),
        ("ALGORITHM", True, False, False, FilingStatus.REVOKED, False),
        (OTHER, True, False, True, FilingStatus.REVOKED, False),
    ],
)
def test_how_a_filing_stands(
    kind: str, revoked: bool, listed: bool, list_loaded: bool, status: FilingStatus, counts: bool
) -> None:
    standing = standing_of(kind=kind, revoked=revoked, listed=listed, list_loaded=list_loaded)
    assert (standing.status, standing.counts) == (status, counts)


async def test_a_list_is_loaded_once_and_speaks_until_another_does(operator: Database) -> None:
    unlike = uuid4().hex
    first, second = [unlike, f" {unlike} ", f"{unlike}-2", ""], [f"{unlike}-3"]
    async with operator.writing() as session:
        made = await load(session, first)
        assert made is not None
        numbers = await session.scalars(
            select(FilingListNumber.number).where(FilingListNumber.list_id == made.id)
        )
        assert sorted(numbers) == [unlike, f"{unlike}-2"]
        assert await load(session, first) is None
        assert await load(session, second) is not None
        assert await load(session, second) is None
        assert await load(session, first) is not None


async def test_a_long_list_is_loaded_whole(operator: Database) -> None:
    numbers = [f"{uuid4().hex}-{one}" for one in range(5001)]
    async with operator.writing() as session:
        made = await load(session, numbers)
        assert made is not None
        rows = await session.scalars(
            select(FilingListNumber.number).where(FilingListNumber.list_id == made.id)
        )
        assert set(rows) == set(numbers)


@pytest.mark.parametrize(
    ("numbers", "more", "field"),
    [
        ([], {}, "numbers"),
        (["", "  "], {}, "numbers"),
        (["x" * 101], {}, "numbers"),
        (["a\u0007b"], {}, "numbers"),
        (["1"], {"territory": "Narnia"}, "territory"),
        (["1"], {"source": " "}, "source"),
        (["1"], {"source": "x" * 501}, "source"),
    ],
)
async def test_a_list_that_makes_no_sense_is_refused_whole(
    operator: Database, numbers: list[str], more: dict[str, str], field: str
) -> None:
    with pytest.raises(InvalidError) as refused:
        async with operator.writing() as session:
            await load(session, numbers, **more)
    assert refused.value.field == field


async def test_a_list_has_a_bounded_number_of_numbers(
    operator: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filings, "MAX_LISTED", 2)
    with pytest.raises(InvalidError):
        async with operator.writing() as session:
            await load(session, ["1", "2", "3"])


@pytest.mark.parametrize("kind", ["REGULATOR", "AUDITOR", "ATTESTER", "SERVICE"])
async def test_the_operator_alone_loads_lists(
    operator: Database, accounts: Accounts, kind: str
) -> None:
    other = await accounts.open(PrincipalKind(kind))
    with pytest.raises(ForbiddenError):
        async with operator.acting_for(other.actor).writing() as session:
            await filings.load_list(
                session, territory=ISLAND, numbers=["1"], source="x", sha256=b"", actor=other.actor
            )
