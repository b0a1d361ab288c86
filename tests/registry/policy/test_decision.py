"""Rules that decision cases cannot say: holds, grants, duties, facts that are broken."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from registry.policy.engine import decide
from registry.policy.facts import (
    Facts,
    Person,
    Service,
    identifier,
)
from registry.policy.pack import Pack
from registry.policy.packs import assemble
from registry.policy.vocabulary import (
    GrantorRole,
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
    facts,
    grant,
    many_packs,
    objection,
    packs,
    seen,
    strong,
    subject,
)


# ---------- how long an answer holds
def test_a_permission_holds_ten_minutes() -> None:
    assert answer().valid_until == AT + timedelta(minutes=10)


def test_a_permission_does_not_outlive_its_grant() -> None:
    ends = AT + timedelta(minutes=3)
    assert answer(subject(grants=(grant(ends_at=ends),))).valid_until == ends


def test_refusals_hold_a_minute_and_doubts_not_at_all() -> None:
    assert answer(subject(grants=())).valid_until == AT + timedelta(seconds=60)
    assert answer(subject(objections=(objection(),))).valid_until == AT + timedelta(seconds=60)
    suspended = answer(service=Service("service", active=False))
    assert suspended.valid_until == AT + timedelta(seconds=60)
    assert answer(persons=(Person((seen(),)),)).valid_until == AT
    assert answer(persons=(Person(),)).valid_until == AT


# ---------- the choice of a grant
def test_the_grant_whose_duties_can_be_kept_is_relied_on() -> None:
    heavy = grant(id="a", obligations=frozenset({ObligationCode.COMPENSATE}))
    light = grant(id="b", uses_left=3)
    free = grant(id="c", ends_at=AT + timedelta(days=1))
    supported = frozenset(ObligationCode) - {ObligationCode.COMPENSATE}
    both = answer(subject(grants=(heavy, light)), supported_obligations=supported)
    assert [one.grant for one in both.reasons] == ["b"]
    uncounted = answer(subject(grants=(light, free)))
    assert [one.grant for one in uncounted.reasons] == ["c"]


def test_a_covering_grant_outweighs_a_withdrawn_one() -> None:
    withdrawn = grant(id="old", state=GrantState.REVOKED, revoked_at=AT)
    assert answer(subject(grants=(withdrawn, grant()))).may_proceed


def test_a_guardians_yes_does_not_outlast_the_childs_no() -> None:
    named = grant(
        grantor_roles=frozenset({GrantorRole.GUARDIAN}),
        starts_at=AT - timedelta(days=1),
        acknowledges_objections=frozenset("o"),
    )
    child = subject(born=date(2012, 1, 1), grants=(named,), objections=(objection(),))
    assert answer(child).outcome is Outcome.PROHIBITED
    guardians = objection(filed_by_role=GrantorRole.GUARDIAN)
    assert answer(replace(child, objections=(guardians,))).may_proceed


def test_no_grant_is_for_an_unspecified_purpose_alone() -> None:
    vague = grant(purposes=frozenset({Purpose.UNSPECIFIED}))
    decision = answer(subject(grants=(vague,)), purpose=Purpose.UNSPECIFIED)
    assert codes(decision) == {"PURPOSE_NOT_GRANTED"}


def test_rejected_grants_are_as_none() -> None:
    rejected = grant(state=GrantState.REJECTED)
    assert "NO_GRANT" in codes(answer(subject(grants=(rejected,))))


def test_ten_years_to_the_day_are_not_too_long() -> None:
    starts = datetime(2024, 2, 29, tzinfo=UTC)
    exact = grant(starts_at=starts, ends_at=datetime(2034, 2, 28, tzinfo=UTC))
    over = grant(starts_at=starts, ends_at=datetime(2034, 3, 1, tzinfo=UTC))
    assert answer(subject(grants=(exact,))).may_proceed
    assert codes(answer(subject(grants=(over,)))) == {"TERM_TOO_LONG"}


def test_a_guardians_grant_ends_with_childhood() -> None:
    guardian = grant(grantor_roles=frozenset({GrantorRole.GUARDIAN}))
    young = subject(born=date(2008, 11, 23), grants=(guardian,))
    assert answer(young).may_proceed
    grown = replace(young, born=date(2008, 11, 22))
    assert codes(answer(grown)) == {"AUTHORITY_MISSING"}


def test_a_minor_by_flag_needs_a_guardian_whatever_the_date_of_birth() -> None:
    flagged = subject(classes=frozenset({SubjectClass.MINOR}))
    assert codes(answer(flagged)) == {"AUTHORITY_MISSING"}


# ---------- refusals of what does not hang together
@pytest.mark.parametrize(
    "broken",
    [
        facts(persons=()),
        facts(persons=(Person((strong(),), target=False),)),
        facts(modalities=frozenset()),
        facts(persons=(Person((strong("stranger"),)),)),
        facts(subject(), subject()),
        facts(at=AT.replace(tzinfo=None)),
        facts(content=frozenset({"NEW_FLAG"})),
        facts(use="NEW_USE"),
        facts(territories=frozenset({"XX"})),
        facts(claimed_exception="NEW_EXCEPTION"),
        facts(persons=(Person((seen(("s", "NEW_BAND")),)),)),  # type: ignore[arg-type]  # on purpose
        facts(subject(registration="NEW_STATE")),
        facts(subject(classes=frozenset({"NEW_CLASS"}))),
        facts(subject(grants=(grant(starts_at=None),))),
        replace(facts(), persons=7),  # type: ignore[arg-type]  # on purpose
    ],
)
def test_what_is_missing_or_unknown_is_a_refusal(broken: Facts) -> None:
    decision = decide(broken, many_packs())
    assert decision.outcome is Outcome.REVIEW_REQUIRED
    assert codes(decision) == {"FACTS_INCOMPLETE"}
    assert not decision.obligations


def test_an_unknown_state_of_a_grant_or_objection_is_no_permission() -> None:
    assert not answer(subject(grants=(grant(state="NEW"),))).may_proceed
    assert not answer(subject(objections=(objection(state="NEW"),))).may_proceed


def test_facts_are_looked_up_by_id() -> None:
    assert facts().subject("s") == subject()
    assert facts().subject("t") is None
    assert identifier(UUID(int=1)) == "00000000-0000-0000-0000-000000000001"


def test_a_suspended_service_is_refused_for_every_person() -> None:
    persons = (Person((strong(),)), Person((strong(),)))
    decision = answer(persons=persons, service=Service("service", active=False))
    assert [one.outcome for one in decision.persons] == [Outcome.PROHIBITED] * 2


def test_a_floor_without_majority_shuts_the_gate() -> None:
    """The loader refuses such a floor; were it made otherwise, nothing would be permitted."""
    whole = assemble(packs().packs)
    broken = replace(whole, packs={"ZZ": whole.floor.model_copy(update={"minors": None})})
    assert codes(decide(facts(), broken)) == {"FACTS_INCOMPLETE"}


def test_a_floor_that_does_not_say_who_consents_permits_nothing() -> None:
    whole = assemble(packs().packs)
    silent: Pack = whole.floor.model_copy(
        update={"consent": whole.floor.consent.model_copy(update={"by": ()})}
    )
    assert codes(decide(facts(), replace(whole, packs={"ZZ": silent}))) == {"AUTHORITY_MISSING"}


# ---------- duties
def test_duties_are_as_asked_else_as_registered_else_none() -> None:
    every = frozenset(ObligationCode)
    able = Service("service", active=True, supported_obligations=every)
    assert answer(service=able, supported_obligations=None).may_proceed
    for decision in (
        answer(supported_obligations=None),
        answer(service=able, supported_obligations=frozenset()),
    ):
        assert decision.outcome is Outcome.REVIEW_REQUIRED
        found = next(one for one in decision.reasons if one.code == "OBLIGATION_UNSUPPORTED")
        assert found.action is ReasonAction.DECLARE_OBLIGATION
        assert "LABEL_EXPLICIT" in found.message
        assert decision.obligations
        assert decision.basis is None


def test_missing_duties_are_told_before_consent_is_asked_for() -> None:
    decision = answer(subject(grants=()), supported_obligations=frozenset())
    assert decision.outcome is Outcome.CONSENT_REQUIRED
    assert "OBLIGATION_UNSUPPORTED" in codes(decision)
