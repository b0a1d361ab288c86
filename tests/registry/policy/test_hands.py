"""Whose signatures a grant still needs: by the law of each territory it covers."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from registry.policy.facts import Grant, Subject
from registry.policy.hands import Asked, Hands, hands
from registry.policy.pack import Pack
from registry.policy.packs import PackSet, assemble
from registry.policy.shelf import load_packs
from registry.policy.vocabulary import GrantorRole
from tests.registry.policy.build import AT, dead, grant, heirs_grant, packs, subject

SELF, GUARDIAN, AGENT = GrantorRole.SELF, GrantorRole.GUARDIAN, GrantorRole.AGENT
HEIRS = frozenset({GrantorRole.RIGHTS_HOLDER, GrantorRole.ESTATE_REPRESENTATIVE})
SHIPPED = load_packs(None)
CHILD = {"born": date(2011, 1, 1)}  # fifteen


def given(*roles: GrantorRole, **changes: Any) -> Grant:
    return grant(grantor_roles=frozenset(roles), **changes)


def found(whom: Subject, one: Grant, law: PackSet = SHIPPED) -> Hands:
    return hands(whom, one, law, AT)


def test_a_grown_up_signs_alone_anywhere() -> None:
    assert found(subject(), given(SELF)) == Hands((), complete=True)
    lacking = found(subject(), given())
    assert lacking.complete is False
    assert {one.asked for one in lacking.missing} == {Asked(frozenset({SELF}))}
    assert lacking.missing[0].territories == frozenset(SHIPPED.packs)


def test_an_agent_signs_for_a_grown_up_within_a_mandate_only() -> None:
    assert not found(subject(), given(AGENT)).complete
    assert found(subject(), given(AGENT, mandated=True)).complete
    assert not found(subject(**CHILD), given(AGENT, mandated=True)).complete
    assert not found(dead(), given(AGENT, mandated=True, signed_by=frozenset())).complete


@pytest.mark.parametrize(
    ("territories", "complete"),
    [(None, True), ({"001"}, True), ({"CN"}, False), ({"DE"}, True), ({"CN", "DE"}, False)],
)
def test_everywhere_is_enough_somewhere_and_what_is_named_all_of_it(
    territories: set[str] | None, complete: bool
) -> None:
    named = None if territories is None else frozenset(territories)
    lacking = found(subject(**CHILD), given(GUARDIAN, territories=named))
    assert lacking.complete is complete
    if named != {"DE"}:
        [missing] = lacking.missing
        assert (missing.asked, missing.territories) == (Asked(frozenset({SELF})), {"CN"})
    assert found(subject(**CHILD), given(GUARDIAN, SELF, territories=named)).missing == ()


def test_of_the_dead_the_holders_who_have_not_signed_are_named() -> None:
    lacking = found(dead(), heirs_grant(signed_by=frozenset()), packs())
    assert (lacking.complete, len(lacking.missing)) == (False, 1)
    [missing] = lacking.missing
    assert (missing.asked.any_of, missing.asked.holders) == (HEIRS, set("hi"))
    assert found(dead(), heirs_grant(), packs()).complete


def test_where_no_law_says_who_may_sign_nobody_can() -> None:
    whole = assemble(packs().packs)
    floor: Pack = whole.floor
    silent = floor.model_copy(update={"consent": floor.consent.model_copy(update={"by": ()})})
    lacking = found(subject(), given(SELF), replace(whole, packs={"ZZ": silent}))
    assert lacking.complete is False
    assert [one.asked for one in lacking.missing] == [Asked(frozenset())]


def test_what_was_said_of_earlier_signatures_changes_nothing() -> None:
    incomplete = given(SELF, complete=False)
    assert found(subject(grants=(incomplete,)), incomplete).complete
