"""Figures: what a row may say, and that imports add versions and lose none."""

import asyncio
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from api.state import State
from registry import figure_rows, figures
from registry.database import Actor, Database
from registry.errors import ForbiddenError, InvalidError, NotFoundError
from registry.figures import Loaded
from registry.principals import OPERATOR, PrincipalKind
from registry.prompt_index import PromptIndex
from tests.conftest import Account, Accounts

from .listing import by_name, called, load, row, source


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "a\udcffb"}, "name"),
        ({"name": None}, "name"),
        ({"name": 7}, "name"),
        ({"aliases": ["x" * 201]}, "aliases"),
        ({"aliases": [str(one) for one in range(51)]}, "aliases"),
        ({"aliases": 7}, "aliases"),
        ({"aliases": [7]}, "aliases"),
        ({"born": "yesterday"}, "born"),
        ({"born": "1926-02-30"}, "born"),
        ({"born": "0"}, "born"),
        ({"born": True}, "born"),
        ({"born": "2030"}, "born"),
        ({"died": "2026-12-25"}, "died"),
        ({"born": "1990", "died": "1989"}, "died"),
        ({"born": "1990-05-05", "died": "1990-05-04"}, "died"),
        ({"citizenship": "QQ"}, "citizenship"),
        ({"domicile": "QQ", "died": "1990"}, "domicile"),
        ({"domicile": "FR"}, "domicile"),
        ({"classes": []}, "classes"),
        ({"classes": None}, "classes"),
        ({"classes": ["MINOR"]}, "classes"),
        ({"source": ""}, "source"),
        ({"source": "x" * 201}, "source"),
        ({"id": "a\nb"}, "id"),
        ({"fame": "much"}, "fame"),
    ],
)
def test_a_row_that_does_not_hold_says_where(changes: dict[str, Any], column: str) -> None:
    with pytest.raises(InvalidError) as refused:
        row(**changes)
    assert refused.value.field == column


def test_a_row_is_put_into_one_form() -> None:
    made = row(
        name="  Anna   Adams ",
        aliases="A. Adams; Anna Adams ;A. Adams;",
        born=1926,
        died="1996-02-29",
        citizenship="FR",
        domicile="US-CA",
        classes="performer;PUBLIC_FIGURE",
    )
    assert (made.name, made.aliases) == ("Anna Adams", ("A. Adams",))
    assert (made.born, made.died) == ("1926", "1996-02-29")
    assert (made.citizenship, made.domicile) == ("FR", "US-CA")
    assert made.classes == ("PERFORMER", "PUBLIC_FIGURE")
    assert row(born="-551", died="-479").born == "-551"
    assert row(born="1990-05-05", died="1990").died == "1990"
    assert row(domicile="CN", classes=["HISTORICAL"]).domicile == "CN"


def test_a_year_is_its_last_day_and_its_first() -> None:
    assert figure_rows.last_day("1926") == date(1926, 12, 31)
    assert figure_rows.first_day("1926") == date(1926, 1, 1)
    assert figure_rows.last_day("1926-07-03") == figure_rows.first_day("1926-07-03")
    assert figure_rows.last_day("-551") == figure_rows.first_day("-551") == date.min


async def test_a_list_loaded_again_changes_nothing(operator: Database, state: State) -> None:
    rows = [row(id=f"Q{at}", source="twice " + source()) for at in range(3)]
    assert await load(operator, state.keys, *rows) == Loaded(added=3)
    assert await load(operator, state.keys, *rows) == Loaded(unchanged=3)
    assert await load(operator, state.keys) == Loaded()


async def test_a_changed_row_is_a_new_version_and_the_old_one_is_kept(
    operator: Database, state: State
) -> None:
    first = row(aliases=[called()])
    later = replace(first, name=called(), aliases=(), died="2001")
    await load(operator, state.keys, first)
    assert await load(operator, state.keys, later) == Loaded(changed=1)
    assert await by_name(operator, state.keys, first.name) == []
    assert await by_name(operator, state.keys, first.aliases[0]) == []
    [found] = await by_name(operator, state.keys, later.name.upper())
    assert (found.version, found.died) == (2, "2001")
    async with operator.reading() as session:
        kept = await session.scalar(
            text("select count(*) from figures where source = :source"), {"source": first.source}
        )
    assert kept == 2


async def test_a_removed_figure_counts_no_more_until_it_is_imported_again(
    operator: Database, state: State
) -> None:
    one = row()
    await load(operator, state.keys, one)
    key = {"source": one.source, "source_id": one.source_id}
    async with operator.writing() as session:
        await figures.remove(session, **key, actor=OPERATOR, reason="Asked to.")
    assert await by_name(operator, state.keys, one.name) == []
    with pytest.raises(NotFoundError):
        async with operator.writing() as session:
            await figures.remove(session, **key, actor=OPERATOR)
    assert await load(operator, state.keys, one) == Loaded(changed=1)
    [back] = await by_name(operator, state.keys, one.name)
    assert back.version == 2


async def test_several_who_import_at_once_make_no_row_twice(
    operator: Database, state: State
) -> None:
    rows = [row(id=f"Q{at}", source="race " + source()) for at in range(50)]
    done = await asyncio.gather(*(load(operator, state.keys, *rows) for _ in range(4)))
    assert sum(one.added for one in done) == 50
    assert sum(one.unchanged for one in done) == 150


async def test_only_attesters_and_the_operator_import(
    accounts: Accounts, state: State, owner: Account
) -> None:
    attester = await accounts.open(PrincipalKind.ATTESTER)
    async with state.db.acting_for(attester.actor).writing() as session:
        done = await figures.load(session, [row()], actor=attester.actor, keys=state.keys)
    assert done == Loaded(added=1)
    async with state.db.acting_for(owner.actor).writing() as session:
        with pytest.raises(ForbiddenError):
            await figures.load(session, [row()], actor=owner.actor, keys=state.keys)
        with pytest.raises(ForbiddenError):
            await figures.remove(session, source="s", source_id="i", actor=owner.actor)
    pretended = Actor(owner.id, PrincipalKind.OPERATOR)
    with pytest.raises(DBAPIError):  # PostgreSQL holds to it by itself
        async with state.db.acting_for(owner.actor).writing() as session:
            await figures.load(session, [row()], actor=pretended, keys=state.keys)


async def test_history_is_kept(operator: Database, state: State) -> None:
    await load(operator, state.keys, row())
    for table in ("figures", "figure_names"):
        for change in (f"delete from {table}", f"update {table} set {COLUMN[table]} = null"):
            with pytest.raises(DBAPIError):
                async with operator.writing() as session:
                    await session.execute(text(change))


COLUMN = {"figures": "born", "figure_names": "name_key"}


# ---------------------------------------------------------------- the search of prompts


async def spoken(index: PromptIndex, operator: Database, words: str) -> list[str]:
    async with operator.reading() as session:
        return [one.name for one in await index.find(session, words)]


async def test_a_name_is_found_from_its_import_on_and_not_after_its_removal(
    operator: Database, state: State
) -> None:
    index = PromptIndex()
    one = row(aliases=[called("Alias")])
    assert await spoken(index, operator, f"of {one.name}") == []
    await load(operator, state.keys, one)
    assert await spoken(index, operator, f"of {one.name}'s") == [one.name]
    assert await spoken(index, operator, f"of {one.aliases[0]}") == [one.name]
    later = replace(one, name=called(), aliases=())
    await load(operator, state.keys, later)
    assert await spoken(index, operator, f"{one.name} {later.name}") == [later.name]
    async with operator.writing() as session:
        await figures.remove(session, source=one.source, source_id=one.source_id, actor=OPERATOR)
    assert await spoken(index, operator, f"{one.name} {later.name}") == []
    await load(operator, state.keys, one)
    assert await spoken(index, operator, f"{one.name} {later.name}") == [one.name]
    again = PromptIndex()
    assert await spoken(again, operator, f"{one.name} {later.name}") == [one.name]


async def test_a_shorter_name_is_found_where_a_longer_one_was_removed(
    operator: Database, state: State
) -> None:
    index = PromptIndex()
    short = row()
    long = row(name=f"{short.name} Lee")
    await load(operator, state.keys, short, long)
    assert await spoken(index, operator, f"of {long.name}") == [long.name]
    async with operator.writing() as session:
        await figures.remove(session, source=long.source, source_id=long.source_id, actor=OPERATOR)
    assert await spoken(index, operator, f"of {long.name}") == [short.name]


async def test_an_import_that_began_earlier_and_ended_later_is_not_missed(
    operator: Database, state: State
) -> None:
    """Its rows have the older transaction number: the newest number alone would not tell."""
    index, first, second = PromptIndex(), row(), row()
    async with operator.writing() as slow:
        await slow.execute(text("select pg_current_xact_id()"))
        await load(operator, state.keys, second)
        assert await spoken(index, operator, f"{first.name} {second.name}") == [second.name]
        await figures.load(slow, [first], actor=OPERATOR, keys=state.keys)
        assert await spoken(index, operator, f"{first.name} {second.name}") == [second.name]
    names = [first.name, second.name]
    assert await spoken(index, operator, " ".join(names)) == names


async def test_the_search_is_built_anew_once_enough_is_new(
    operator: Database, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registry.prompt_index.MOST_FRESH", 2)
    monkeypatch.setattr("registry.prompt_index._PAGE", 3)
    index = PromptIndex()
    rows = [row() for _ in range(20)]
    await load(operator, state.keys, *rows[:10])
    words = " ".join(one.name for one in rows)
    names = [one.name for one in rows]
    assert await spoken(index, operator, words) == names[:10]
    for at in range(10, 20):
        await load(operator, state.keys, rows[at])
        assert await spoken(index, operator, words) == names[: at + 1]
    if index._building is not None:
        await index._building
    assert await spoken(index, operator, words) == names
    assert len(index) >= 20
    assert len(index._unbuilt) <= 3


async def test_a_build_that_fails_leaves_the_new_names_beside_it(
    operator: Database, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registry.prompt_index.MOST_FRESH", 0)
    index, one = PromptIndex(), row()
    await spoken(index, operator, "x")
    await load(operator, state.keys, one)
    held = index._swap

    def broken(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(index, "_swap", broken)
    assert await spoken(index, operator, one.name) == [one.name]
    if index._building is not None:
        await index._building
    assert index._building is None
    monkeypatch.setattr(index, "_swap", held)
    assert await spoken(index, operator, one.name) == [one.name]


async def test_the_cheap_question_reads_what_is_new_and_nothing_else(
    operator: Database, state: State
) -> None:
    index, one = PromptIndex(), row()
    await load(operator, state.keys, one)
    async with operator.reading() as session:
        await index.refresh(session)
        news, _ = await index._read(session)
    assert not [each for each in news.rows if each[1] == one.name]
