"""How long and by whom the dead are protected."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from registry.policy.facts import (
    Service,
    Subject,
)
from registry.policy.vocabulary import (
    AiUse,
    Basis,
    ContentFlag,
    GrantState,
    ObligationCode,
    Outcome,
    Purpose,
    ReasonAction,
    SubjectClass,
)

from .build import (
    AT,
    answer,
    codes,
    dead,
    heirs_grant,
    holders,
    objection,
    places,
    subject,
)


@pytest.mark.parametrize(
    ("named", "person", "expected"),
    [
        ("IS", dead(), "POST_MORTEM_PROTECTED"),
        ("IS", dead(died=date(2016, 11, 22)), "POST_MORTEM_PROTECTED"),
        ("IS", dead(died=date(2016, 11, 21)), "NO_PROTECTED_TERM"),
        ("NO", dead(), "NO_PROTECTED_TERM"),
        ("CL", dead(), "LAW_UNSETTLED"),
        ("PE", dead(relatives_living=True), "POST_MORTEM_PROTECTED"),
        ("PE", dead(relatives_living=False), "NO_PROTECTED_TERM"),
        ("PE", dead(), "RELATIVES_UNKNOWN"),
        ("NZ", dead(), "POST_MORTEM_PROTECTED"),
        ("NZ", dead(died=date(2010, 1, 1)), "RENEWAL_UNKNOWN"),
        ("EU", dead(), "NAME_THE_STATE"),
        ("IT", dead(domicile_at_death="IT"), "POST_MORTEM_PROTECTED"),
        ("IT", dead(domicile_at_death="IT-25"), "POST_MORTEM_PROTECTED"),
        ("IT", dead(domicile_at_death="BR"), "NO_PROTECTED_TERM"),
        ("IT", dead(domicile_at_death="EU"), "DOMICILE_UNKNOWN"),
        ("IT", dead(), "DOMICILE_UNKNOWN"),
        ("IT", dead(domicile_at_death="IT", died=date(1999, 12, 31)), "NO_PROTECTED_TERM"),
        ("NO", dead(domicile_at_death="IT"), "POST_MORTEM_PROTECTED"),
        ("DK", dead(), "NO_PROTECTED_TERM"),
        ("IS", dead(died=None, classes=frozenset({SubjectClass.DECEASED})), "DEATH_DATE_UNKNOWN"),
    ],
)
def test_how_long_the_dead_are_protected(named: str, person: Subject, expected: str) -> None:
    filed = Service("service", active=True, filings=frozenset({"PE"}))
    decision = answer(person, service=filed, **places(named))
    assert expected in codes(decision)
    assert decision.may_proceed is (expected == "NO_PROTECTED_TERM")
    assert decision.basis is (Basis.TERM_EXPIRED if decision.may_proceed else None)


def test_a_draft_term_protects_if_asked() -> None:
    decision = answer(dead(), include_draft_law=True, **places("DK"))
    assert "POST_MORTEM_PROTECTED" in codes(decision)


def test_a_death_dated_tomorrow_counts_today() -> None:
    tomorrow = AT.date() + timedelta(days=1)
    dying = subject(died=tomorrow, holders=holders("h"))
    assert "AUTHORITY_MISSING" in codes(answer(dying, **places("IS")))
    assert answer(replace(dying, died=tomorrow + timedelta(days=1)), **places("IS")).may_proceed


def test_holders_decide_as_the_strictest_pack_says() -> None:
    def signed(*named: str, **changes: Any) -> set[str]:
        return codes(answer(dead(grants=(heirs_grant(**changes),)), **places(*named)))

    assert signed("BR") == {"GRANT"}
    assert signed("IS") == {"CO_HOLDER_MISSING"}
    assert signed("IS", signed_by=frozenset("hi")) == {"GRANT"}
    assert signed("NZ", interest=0.5) == {"CO_HOLDER_MISSING"}
    assert signed("NZ", interest=0.51) == {"GRANT"}
    assert signed("NZ") == {"CO_HOLDER_MISSING"}
    nobody = dead(holders=frozenset(), grants=(heirs_grant(signed_by=frozenset()),))
    assert codes(answer(nobody)) == {"CO_HOLDER_MISSING"}


def test_naming_only_the_union_does_not_spare_the_states_holders() -> None:
    decision = answer(dead(grants=(heirs_grant(),)), **places("EU"))
    assert decision.outcome is Outcome.REVIEW_REQUIRED
    assert "NAME_THE_STATE" in codes(decision)


def test_a_withdrawn_grant_of_the_unprotected_dead_changes_nothing() -> None:
    withdrawn = heirs_grant(state=GrantState.REVOKED)
    assert answer(dead(grants=(withdrawn,)), **places("NO")).may_proceed


def test_duties_of_a_grant_for_the_unprotected_dead_change_nothing() -> None:
    """Found by the laws: without the grant this was permitted, and with it not."""
    owed = heirs_grant(obligations=frozenset({ObligationCode.COMPENSATE}))
    able = frozenset(ObligationCode) - {ObligationCode.COMPENSATE}
    decision = answer(dead(grants=(owed,)), supported_obligations=able, **places("NO"))
    assert decision.basis is Basis.TERM_EXPIRED


def test_sexual_content_of_the_unprotected_dead_needs_a_grant() -> None:
    sexual = frozenset({ContentFlag.SEXUAL})
    asked = {"content": sexual, **places("NO")}
    assert answer(dead(), **asked).outcome is Outcome.PROHIBITED
    allowed = heirs_grant(content_allowed=sexual)
    assert answer(dead(grants=(allowed,)), **asked).basis is Basis.CONSENT


def test_an_objection_where_the_law_is_unsettled_is_for_a_person() -> None:
    decision = answer(dead(objections=(objection(),)), **places("CL"))
    assert decision.outcome is Outcome.REVIEW_REQUIRED
    assert codes(decision) == {"OBJECTION"}


def test_a_dead_persons_unknown_age_matters_where_minors_are_barred() -> None:
    unborn = dead(born=None)
    assert answer(unborn, **places("NO")).may_proceed
    political = answer(unborn, purpose=Purpose.POLITICAL, **places("NO"))
    assert codes(political) >= {"AGE_UNKNOWN"}
    assert not political.may_proceed


def test_a_child_stays_a_child_after_death() -> None:
    child = dead(born=date(2010, 1, 1))
    assert codes(answer(child, purpose=Purpose.POLITICAL, **places("NO"))) == {"MINOR_POLITICAL"}


def test_a_curable_bar_for_the_dead() -> None:
    filed = Service("service", active=True, filings=frozenset({"PE"}))
    gone = dead(relatives_living=False)
    decision = answer(gone, service=filed, use=AiUse.SYNTHESIZE_SINGING, **places("PE"))
    assert decision.outcome is Outcome.PROHIBITED
    assert decision.reasons[0].action is ReasonAction.REQUEST_CONSENT


def test_the_packs_that_spoke_are_named() -> None:
    decision = answer(dead(domicile_at_death="IT"), **places("NO"))
    assert [one.id for one in decision.packs] == ["NO", "ZZ"]
    permitted = answer(dead(domicile_at_death="IT", died=date(1950, 1, 1)), **places("NO"))
    assert permitted.may_proceed
    assert [one.id for one in permitted.packs] == ["EU", "IT", "NO", "ZZ"]
