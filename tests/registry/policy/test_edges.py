"""Edges: the moment, the age, the share at which an answer turns; and what reasons name."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from registry.policy.decision import Decision, Reason
from registry.policy.engine import decide
from registry.policy.facts import Circumstance, Facts, Grant, Person, Service
from registry.policy.vocabulary import (
    AiUse,
    Band,
    Basis,
    CircumstanceName,
    ContentFlag,
    GrantorRole,
    Modality,
    ObligationCode,
    Outcome,
    Purpose,
    ReasonAction,
)

from .build import (
    AT,
    answer,
    codes,
    dead,
    facts,
    grant,
    heirs_grant,
    holders,
    many_packs,
    objection,
    places,
    seen,
    strong,
    subject,
)

SECOND = timedelta(seconds=1)
SEXUAL = {"content": frozenset({ContentFlag.SEXUAL})}
POLITICAL = {"purpose": Purpose.POLITICAL}


def reason(decision: Decision, code: str) -> Reason:
    return next(one for one in decision.reasons if one.code == code)


def outside(known: Facts, *told: tuple[str, bool]) -> Decision:
    window = CircumstanceName.ELECTION_WINDOW
    return decide(
        replace(known, circumstances=tuple(Circumstance(window, *one) for one in told)),
        many_packs(),
    )


# ---------------------------------------------------------------- what is named


def test_reasons_name_the_person_the_modality_the_pack_and_what_to_do() -> None:
    stranger = Person((seen(("s", Band.GREY)),))
    decision = answer(subject(), persons=(Person((strong(),)), stranger), **SEXUAL)
    told = [one for one in decision.reasons if one.code == "SEXUAL_NO_CONSENT"]
    assert {(one.person, one.modality, one.pack) for one in told} == {
        (0, Modality.VOICE, "ZZ"),
        (1, Modality.VOICE, "ZZ"),
    }
    assert {one.action for one in told} == {ReasonAction.REQUEST_CONSENT}
    assert all(one.message.startswith("Sexual content needs a grant") for one in told)
    grey = reason(decision, "GREY_ZONE_MATCH")
    assert (grey.person, grey.pack, grey.grant) == (1, None, None)
    assert grey.message == "It may be a registered person; this is unsure."
    assert [one.outcome for one in decision.persons] == [Outcome.PROHIBITED] * 2
    assert grey in decision.persons[1].reasons
    assert grey not in decision.persons[0].reasons


def test_a_bar_of_the_request_names_its_pack_and_answers_for_everybody() -> None:
    two = (Person((strong(),)), Person((seen(),)))
    decision = answer(persons=two, content=frozenset({ContentFlag.FRAUD}))
    told = reason(decision, "FRAUD_IMPERSONATION")
    assert (told.pack, told.action, told.person) == ("ZZ", ReasonAction.STOP, None)
    assert [one.outcome for one in decision.persons] == [Outcome.PROHIBITED] * 2
    assert all(one.reasons == decision.reasons for one in decision.persons)


def test_what_is_incomplete_is_told_for_each_person() -> None:
    known = facts(persons=(Person((seen(("nobody", Band.MATCH)),)), Person()))
    decision = decide(known, many_packs())
    assert codes(decision) == {"FACTS_INCOMPLETE"}
    assert [one.outcome for one in decision.persons] == [Outcome.REVIEW_REQUIRED] * 2
    assert all(one.reasons == decision.reasons for one in decision.persons)
    assert decision.valid_until == AT
    broken = decide(replace(known, persons=None), many_packs())  # type: ignore[arg-type]
    assert (broken.persons, codes(broken)) == ((), {"FACTS_INCOMPLETE"})


@pytest.mark.parametrize(
    "told",
    [Circumstance("ELECTION", "MX", True), Circumstance(CircumstanceName.ELECTION_WINDOW, "MX", 1)],  # type: ignore[arg-type]
)
def test_a_circumstance_in_other_words_is_incomplete(told: Circumstance) -> None:
    decision = decide(replace(facts(), circumstances=(told,)), many_packs())
    assert codes(decision) == {"FACTS_INCOMPLETE"}


def test_unclear_terms_name_the_pack_that_says_so() -> None:
    decision = answer(dead(), **places("CL", "IS"))
    assert {(one.code, one.pack) for one in decision.reasons} == {
        ("LAW_UNSETTLED", "CL"),
        ("POST_MORTEM_PROTECTED", "IS"),
    }
    union = dead(grants=(heirs_grant(),))
    assert reason(answer(union, **places("EU")), "NAME_THE_STATE").pack == "EU"


def test_of_the_dead_it_is_said_first_that_they_are_protected() -> None:
    decision = answer(dead(grants=(heirs_grant(purposes=frozenset({Purpose.GAMES})),)))
    told = [one.code for one in decision.reasons]
    assert told == ["POST_MORTEM_PROTECTED", "PURPOSE_NOT_GRANTED"]


def test_duties_that_lack_are_named_and_come_with_no_refusal() -> None:
    decision = answer(supported_obligations=frozenset({ObligationCode.REPORT_USAGE}))
    told = reason(decision, "OBLIGATION_UNSUPPORTED")
    assert told.message.endswith("Missing: LABEL_EXPLICIT, LABEL_MACHINE_READABLE.")
    assert decision.obligations != ()
    refused = answer(subject(grants=()), supported_obligations=frozenset())
    assert (refused.outcome, refused.obligations) == (Outcome.CONSENT_REQUIRED, ())
    assert "OBLIGATION_UNSUPPORTED" in codes(refused)


def test_a_picture_keeps_the_grant_that_permits() -> None:
    soon = AT + timedelta(minutes=3)
    shown = Person((strong(modality=Modality.FACE, asset=True),))
    decision = answer(
        subject(grants=(grant(ends_at=soon, obligations=frozenset({ObligationCode.COMPENSATE})),)),
        persons=(shown,),
        modalities=frozenset({Modality.FACE}),
    )
    assert (decision.basis, decision.valid_until) == (Basis.CONSENT, soon)
    assert {"COMPENSATE", "LABEL_EXPLICIT"} <= {one.code for one in decision.obligations}


# ---------------------------------------------------------------- moments


@pytest.mark.parametrize(
    ("since", "until", "holds"),
    [
        (AT, None, True),
        (AT + SECOND, None, False),
        (AT - SECOND, AT, False),
        (AT - SECOND, AT + SECOND, True),
    ],
)
def test_an_objection_holds_from_its_moment_to_its_end(
    since: datetime, until: datetime | None, holds: bool
) -> None:
    decision = answer(subject(objections=(objection(since=since, until=until),)))
    assert ("OBJECTION" in codes(decision)) is holds


@pytest.mark.parametrize(("later", "stands"), [(0, True), (1, True), (-1, False)])
def test_a_grant_of_the_same_moment_stands_against_the_objection_it_names(
    later: int, stands: bool
) -> None:
    named = frozenset({"o"})
    start = objection().since + later * SECOND
    person = subject(
        grants=(grant(starts_at=start, acknowledges_objections=named),), objections=(objection(),)
    )
    assert answer(person).may_proceed is stands


def test_a_grant_that_nobody_signed_stands_against_nothing() -> None:
    named = frozenset({"o"})
    unsigned = grant(
        starts_at=AT - SECOND, acknowledges_objections=named, grantor_roles=frozenset()
    )
    by_agent = objection(filed_by_role=GrantorRole.AGENT)
    assert codes(answer(subject(grants=(unsigned,), objections=(by_agent,)))) == {"OBJECTION"}


@pytest.mark.parametrize(("left", "permitted"), [(0, False), (1, True)])
def test_the_last_use_is_a_use(left: int, permitted: bool) -> None:
    assert answer(subject(grants=(grant(uses_left=left),))).may_proceed is permitted


@pytest.mark.parametrize(
    ("starts", "ends", "longer"),
    [
        ((2026, 3, 1, 10), (2036, 3, 1, 10), False),
        ((2026, 3, 1, 10), (2036, 3, 1, 11), True),
        ((2026, 3, 1, 10), (2036, 2, 28, 23), False),
        ((2026, 3, 1, 10), (2037, 1, 1, 0), True),
        ((2025, 12, 31, 23), (2035, 1, 1, 0), False),
    ],
)
def test_ten_years_are_ten_years_to_the_second(
    starts: tuple[int, ...], ends: tuple[int, ...], longer: bool
) -> None:
    given = grant(
        starts_at=datetime(*starts, tzinfo=UTC),  # type: ignore[arg-type]
        ends_at=datetime(*ends, tzinfo=UTC),  # type: ignore[arg-type]
    )
    at = datetime(2026, 6, 1, tzinfo=UTC)
    assert ("TERM_TOO_LONG" in codes(answer(subject(grants=(given,)), at=at))) is longer


def test_of_two_grants_the_longer_is_relied_on() -> None:
    ends = [AT + timedelta(days=10), AT + timedelta(days=20)]
    both = tuple(grant(id=f"g{n}", ends_at=end) for n, end in enumerate(ends))
    for order in (both, both[::-1]):
        assert reason(answer(subject(grants=order)), "GRANT").grant == "g1"


# ---------------------------------------------------------------- ages


@pytest.mark.parametrize(
    ("born", "roles", "permitted"),
    [
        (date(2012, 11, 23), {GrantorRole.GUARDIAN}, True),  # 13
        (date(2012, 11, 22), {GrantorRole.GUARDIAN}, False),  # 14 today
        (date(2012, 11, 22), {GrantorRole.GUARDIAN, GrantorRole.SELF}, True),
        (date(2006, 11, 22), {GrantorRole.SELF}, True),  # 20 today: of age there
        (date(2006, 11, 23), {GrantorRole.SELF}, False),
    ],
)
def test_who_signs_turns_on_the_birthday(
    born: date, roles: set[GrantorRole], permitted: bool
) -> None:
    person = subject(born=born, grants=(grant(grantor_roles=frozenset(roles)),))
    assert answer(person, **places("TH")).may_proceed is permitted


@pytest.mark.parametrize(
    ("died", "minor"),
    [(date(2010, 1, 1), True), (date(2018, 1, 2), False), (AT.date(), False)],
)
def test_whoever_died_a_child_stays_one(died: date, minor: bool) -> None:
    person = dead(born=date(2000, 1, 1), died=died)
    assert ("MINOR_SEXUAL" in codes(answer(person, **SEXUAL))) is minor


# ---------------------------------------------------------------- outside the request


def test_an_election_elsewhere_says_nothing_of_here() -> None:
    asked = facts(**places("MX"), **POLITICAL, service=_filed())
    assert outside(asked).outcome is Outcome.REVIEW_REQUIRED
    assert outside(asked, ("NZ", True)).outcome is Outcome.REVIEW_REQUIRED
    assert outside(asked, ("MX", False), ("NZ", True)).outcome is Outcome.PERMITTED
    assert outside(asked, ("MX", False), ("MX", True)).outcome is Outcome.PROHIBITED
    told = reason(outside(asked), "MX_WINDOW")
    assert (told.pack, told.action) == ("MX", ReasonAction.HUMAN_REVIEW)


def _filed() -> Service:
    return Service("service", active=True, filings=frozenset({"MX"}))


def test_what_binds_the_service_does_not_follow_the_person() -> None:
    at_home = subject(residence="MX")
    elsewhere = answer(at_home, **places("NO"))
    assert elsewhere.may_proceed
    assert {"ATTRIBUTE"} <= {one.code for one in elsewhere.obligations}
    assert "DISPLAY_FILING_NUMBER" not in {one.code for one in elsewhere.obligations}
    assert codes(answer(at_home, **places("MX"))) == {"MX_UNFILED"}
    there = answer(at_home, **places("MX"), service=_filed())
    assert {one.code for one in there.obligations} == {"ATTRIBUTE", "DISPLAY_FILING_NUMBER"}
    swapped = answer(subject(residence="MX", grants=()), use=AiUse.SWAP_FACE, **places("NO"))
    assert codes(swapped) == {"MX_SWAP"}


@pytest.mark.parametrize(("year", "owed"), [(2029, False), (2030, True)])
def test_what_begins_later_begins_then(year: int, owed: bool) -> None:
    at = datetime(year, 1, 1, 12, tzinfo=UTC)
    long = grant(ends_at=at + timedelta(days=1), starts_at=at - timedelta(days=9))
    told = answer(subject(grants=(long,)), at=at, **places("MX"), service=_filed())
    assert told.may_proceed
    assert ("NOTIFY_SUBJECT" in {one.code for one in told.obligations}) is owed
    acted = replace(long, replaces_performance=True)
    told = answer(subject(grants=(acted,)), at=at, **places("MX"), service=_filed())
    assert ("FORM_NOT_MET" in codes(told)) is owed
    gone = answer(dead(died=date(2000, 1, 1)), at=at, **places("MX"), service=_filed())
    assert gone.may_proceed is not owed


def test_drafts_bind_if_asked_for() -> None:
    acted: Grant = grant(replaces_performance=True)
    asked: dict[str, Any] = {**places("MX"), "service": _filed()}
    assert answer(subject(grants=(acted,)), **asked).may_proceed
    told = answer(subject(grants=(acted,)), include_draft_law=True, **asked)
    assert codes(told) == {"FORM_NOT_MET"}
    lived = subject(grants=(acted,), residence="MX")
    told = answer(lived, include_draft_law=True, **places("NO"))
    assert codes(told) == {"FORM_NOT_MET"}


def test_a_death_that_nobody_answers_for_permits_nothing() -> None:
    gone = dead(died=date(1900, 1, 1), death_assured=False)
    assert codes(answer(gone, **places("NO"))) == {"DEATH_NOT_VERIFIED", "NO_PROTECTED_TERM"}
    given = dead(death_assured=False, grants=(heirs_grant(),), holders=holders("h"))
    assert codes(answer(given)) == {"DEATH_NOT_VERIFIED", "GRANT"}
    assert answer(replace(given, death_assured=True)).may_proceed
