"""What packs other than ZZ bring: forms, filings, bars, duties, exceptions."""

from dataclasses import replace
from datetime import UTC, date, datetime

from registry.policy.decision import Decision
from registry.policy.facts import (
    Service,
)
from registry.policy.vocabulary import (
    AiUse,
    ContentFlag,
    GrantorRole,
    LegalException,
    ObligationCode,
    Outcome,
    Purpose,
    ReasonAction,
    SubjectClass,
)

from .build import (
    answer,
    codes,
    grant,
    places,
    subject,
)


def parameters(decision: Decision) -> dict[ObligationCode, tuple[tuple[str, str], ...]]:
    return {one.code: one.parameters for one in decision.obligations}


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
