"""Rules that decision cases cannot say: times, holds, duties, other packs, broken facts."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from registry.policy import disclosure, reasons
from registry.policy.decision import Decision
from registry.policy.engine import decide
from registry.policy.facts import (
    Facts,
    Order,
    Person,
    Service,
    Sighting,
    Subject,
    identifier,
)
from registry.policy.pack import Pack
from registry.policy.packs import assemble
from registry.policy.vocabulary import (
    AiUse,
    Band,
    Basis,
    ContentFlag,
    GrantorRole,
    GrantState,
    LegalException,
    Modality,
    ObligationCode,
    Outcome,
    Purpose,
    ReasonAction,
    Registration,
    SubjectClass,
)

from .build import (
    AT,
    answer,
    codes,
    dead,
    facts,
    grant,
    heirs_grant,
    many_packs,
    objection,
    packs,
    seen,
    strong,
    subject,
)


def places(*codes: str) -> dict[str, Any]:
    return {"territories": frozenset(codes)}


def parameters(decision: Decision) -> dict[ObligationCode, tuple[tuple[str, str], ...]]:
    return {one.code: one.parameters for one in decision.obligations}


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


# ---------- packs other than the floor
def test_each_pack_is_read_with_its_own_majority() -> None:
    guardian = grant(grantor_roles=frozenset({GrantorRole.GUARDIAN, GrantorRole.SELF}))
    nineteen = subject(born=date(2007, 1, 1), grants=(guardian,))
    assert answer(nineteen, **places("TH")).may_proceed
    alone = replace(nineteen, grants=(grant(),))
    assert codes(answer(alone, **places("TH"))) == {"AUTHORITY_MISSING"}
    assert answer(alone, **places("NO")).may_proceed


def test_the_stricter_of_two_parameters_holds() -> None:
    owed = parameters(answer(**places("IS", "NO")))
    assert owed[ObligationCode.KEEP_LOG] == (("months", "12"),)
    assert owed[ObligationCode.REPORT_USAGE] == (("deadline_hours", "24"),)


def test_duties_say_where_they_come_from() -> None:
    owed = grant(obligations=frozenset({ObligationCode.KEEP_LOG}))
    decision = answer(subject(grants=(owed,)), **places("IS", "NO"))
    assert {one.code: one.source for one in decision.obligations} == {
        ObligationCode.KEEP_LOG: "IS, NO, grant:g",
        ObligationCode.REPORT_USAGE: "IS, NO",
    }


def test_replaced_performances_need_counsel_where_the_law_says_so() -> None:
    replaced = grant(replaces_performance=True)
    assert codes(answer(subject(grants=(replaced,)), **places("IS"))) == {"FORM_NOT_MET"}
    advised = grant(replaces_performance=True, represented=True)
    assert answer(subject(grants=(advised,)), **places("IS")).may_proceed


def test_a_filing_duty_is_met_by_a_filing() -> None:
    assert codes(answer(**places("PE"))) == {"PE_UNFILED"}
    filed = Service("service", active=True, filings=frozenset({"PE"}))
    assert answer(service=filed, **places("PE")).may_proceed


def test_a_bar_counts_from_its_day() -> None:
    filed = Service("service", active=True, filings=frozenset({"PE"}))
    later = datetime(2030, 1, 1, tzinfo=UTC)
    assert "PE_LATER" in codes(answer(service=filed, at=later, **places("PE")))


def test_a_bar_for_some_people_needs_them() -> None:
    hero = subject(classes=frozenset({SubjectClass.HERO_MARTYR}))
    filed = Service("service", active=True, filings=frozenset({"PE"}))
    asked = {"service": filed, "content": frozenset({ContentFlag.DISPARAGING}), **places("PE")}
    decision = answer(hero, **asked)
    assert (decision.outcome, codes(decision)) == (Outcome.PROHIBITED, {"PE_HERO"})
    assert "PE_HERO" not in codes(answer(**asked))


def test_a_bar_whose_condition_lies_elsewhere_asks_for_a_person() -> None:
    decision = answer(purpose=Purpose.POLITICAL, **places("NZ"))
    assert decision.outcome is Outcome.REVIEW_REQUIRED
    found = next(one for one in decision.reasons if one.code == "NZ_ELECTION")
    assert (found.action, found.pack) == (ReasonAction.HUMAN_REVIEW, "NZ")


def test_draft_bars_count_only_if_asked() -> None:
    asked = {"use": AiUse.SWAP_FACE, **places("SE")}
    assert "SE_DRAFT" not in codes(answer(**asked))
    assert "SE_DRAFT" in codes(answer(**asked, include_draft_law=True))


def test_an_exception_must_be_known_in_every_territory() -> None:
    def claimed(one: LegalException, *named: str) -> Decision:
        return answer(subject(grants=()), claimed_exception=one, **places(*named))

    assert claimed(LegalException.STATE_DUTY, "IS").outcome is Outcome.REVIEW_REQUIRED
    both = claimed(LegalException.STATE_DUTY, "IS", "NO")
    assert both.outcome is Outcome.CONSENT_REQUIRED
    assert "EXCEPTION_NOT_RECOGNISED" in codes(both)
    advisory = claimed(LegalException.NEWS_REPORTING, "IS")
    assert advisory.outcome is Outcome.CONSENT_REQUIRED
    inherited = claimed(LegalException.PARODY_SATIRE, "IT")
    assert inherited.outcome is Outcome.REVIEW_REQUIRED


# ---------- the dead
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
    dying = subject(died=tomorrow, holders=frozenset("h"))
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


# ---------- who it is
def test_an_order_bites_before_the_identity_is_clear() -> None:
    ordered = subject(orders=(Order("r"),))
    both = Person((seen(("s", Band.MATCH), ("t", Band.MATCH)),))
    decision = answer(ordered, subject(id="t"), persons=(both,))
    assert codes(decision) == {"ORDER"}


def test_a_poor_probe_of_someone_else_is_still_a_mismatch() -> None:
    person = Person((strong(usable=False),), claimed_subject="t")
    assert codes(answer(persons=(person,))) == {"CLAIMED_SUBJECT_MISMATCH"}


def face(*who: tuple[str, Band], **changes: Any) -> Sighting:
    return seen(*who, modality=Modality.FACE, **changes)


FACE = frozenset({Modality.FACE})


def test_a_picture_names_as_many_unknown_faces_as_it_shows_people() -> None:
    picture = face(("s", Band.MATCH), asset=True)
    assert answer(persons=(Person((picture, face())),), modalities=FACE).may_proceed
    two = answer(persons=(Person((picture, face(), face())),), modalities=FACE)
    assert two.outcome is Outcome.UNKNOWN
    known = face(("s", Band.STRONG))
    third = answer(persons=(Person((picture, known, face())),), modalities=FACE)
    assert third.outcome is Outcome.UNKNOWN


def test_a_picture_that_could_not_be_searched_is_a_doubt() -> None:
    broken = face(("s", Band.MATCH), asset=True, searched=False)
    decision = answer(persons=(Person((broken,)),), modalities=FACE)
    assert decision.outcome is Outcome.REVIEW_REQUIRED
    assert "MATCHER_UNAVAILABLE" in codes(decision)


def test_a_picture_near_another_is_a_doubt() -> None:
    picture = face(("s", Band.MATCH), ("t", Band.GREY), asset=True)
    decision = answer(subject(), subject(id="t"), persons=(Person((picture,)),), modalities=FACE)
    assert codes(decision) == {"GREY_ZONE_MATCH", "GRANT", "ASSET_MATCH"}


def test_the_name_of_another_than_the_pictured_is_a_doubt() -> None:
    person = Person((face(("s", Band.MATCH), asset=True),), name_given=True, name_hit="t")
    decision = answer(persons=(person,), modalities=frozenset({Modality.NAME}))
    assert codes(decision) == {"NAME_CONFLICT"}


def test_a_new_picture_of_a_claimed_person_proves_nothing() -> None:
    person = Person((face(asset=True),), claimed_subject="s")
    decision = answer(persons=(person,), modalities=FACE)
    assert codes(decision) == {"CLAIMED_SUBJECT_MISMATCH"}


def test_a_bystander_is_told_apart_from_a_target() -> None:
    objector = subject(id="t", objections=(objection(),))
    persons = (Person((strong(),)), Person((strong("t"),), target=False))
    decision = answer(subject(), objector, persons=persons)
    assert decision.outcome is Outcome.REVIEW_REQUIRED
    assert [(one.code, one.person) for one in decision.reasons] == [
        ("NON_TARGET_PERSON", 1),
        ("GRANT", 0),
    ]
    assert [one.outcome for one in decision.persons] == [Outcome.PERMITTED, Outcome.PROHIBITED]


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


# ---------- what less trusted services see
def shown(one: Facts, tier: int = 0) -> Decision:
    decision = decide(one, many_packs())
    return disclosure.disclose(decision, decide(disclosure.blind(one), many_packs()), tier)


def test_a_permission_is_shown_to_everyone() -> None:
    assert shown(facts()).may_proceed


def test_objector_stranger_and_ungranted_look_the_same() -> None:
    worlds = [
        facts(subject(objections=(objection(),))),
        facts(subject(grants=())),
        facts(persons=(Person((seen(),)),)),
        facts(persons=(Person((seen(("s", Band.GREY)),), claimed_subject="s", name_hit="s"),)),
        facts(subject(registration=Registration.DISPUTED)),
    ]
    answers = [shown(one) for one in worlds]
    assert {one.outcome for one in answers} == {Outcome.NOT_CLEARED}
    assert [reason.action for reason in answers[0].reasons] == [ReasonAction.REQUEST_CONSENT]
    assert all(one == answers[0] for one in answers)
    assert len({shown(one, tier=2).outcome for one in worlds}) > 1


def test_what_the_probe_alone_says_is_shown() -> None:
    poor = facts(persons=(Person((strong(usable=False),)),))
    assert codes(shown(poor)) == {"PROBE_QUALITY_LOW"}
    sexual = facts(content=frozenset({ContentFlag.SEXUAL}))
    assert codes(shown(sexual)) >= {"SEXUAL_NO_CONSENT"}


def test_missing_duties_are_told_to_everyone() -> None:
    told = shown(facts(supported_obligations=frozenset()))
    assert told.outcome is Outcome.NOT_CLEARED
    assert codes(told) == {"NOT_CLEARED", "OBLIGATION_UNSUPPORTED"}


# ---------- the table of reasons
def test_every_reason_has_a_sentence() -> None:
    for code, (message, action) in reasons.REASONS.items():
        assert code.isupper()
        assert message.endswith(".")
        assert action in ReasonAction
    with pytest.raises(KeyError):
        reasons.make("NO_SUCH_CODE")
