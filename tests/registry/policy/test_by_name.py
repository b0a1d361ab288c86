"""What a name alone says: of public figures what everybody knows, of registered people nothing."""

from dataclasses import replace
from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from registry.policy import disclosure
from registry.policy.decision import Decision
from registry.policy.engine import decide
from registry.policy.facts import Facts, Person, Service, Subject
from registry.policy.question import SEVERITY
from registry.policy.vocabulary import (
    AiUse,
    Band,
    ContentFlag,
    Modality,
    Outcome,
    Registration,
    SubjectClass,
)

from . import worlds
from .build import answer, codes, facts, many_packs, places, seen, strong, subject

DISPARAGING = frozenset({ContentFlag.DISPARAGING})
HERO = frozenset({SubjectClass.HERO_MARTYR, SubjectClass.HISTORICAL})
PUBLIC = frozenset({SubjectClass.PUBLIC_FIGURE})
FILED = Service("service", active=True, filings=frozenset({"PE", "MX"}))


def figure(id: str = "f", **changes: Any) -> Subject:
    plain = Subject(id=id, registration=Registration.VERIFIED, classes=PUBLIC)
    return replace(plain, **changes)


def gone(id: str = "f", **changes: Any) -> Subject:
    dead = {"died": date(2020, 6, 1), "classes": frozenset({SubjectClass.DECEASED})}
    return figure(id, **{**dead, **changes})


def by_name(*figures: Subject, **changes: Any) -> Decision:
    ids = tuple(one.id for one in figures)
    person = Person(name_given=True, figures=ids)
    return answer(*figures, persons=(person,), **{"service": FILED, **changes})


def test_a_living_figure_is_for_review_by_name_alone() -> None:
    told = by_name(figure())
    assert told.outcome is Outcome.REVIEW_REQUIRED
    assert codes(told) == {"NAME_ONLY", "BIOMETRIC_PROOF_REQUIRED", "PUBLIC_FIGURE"}
    quiet = by_name(figure(classes=frozenset({SubjectClass.PERFORMER})))
    assert codes(quiet) == {"NAME_ONLY", "BIOMETRIC_PROOF_REQUIRED"}


def test_a_name_that_is_registered_says_no_more_than_one_that_is_not() -> None:
    for figures in ((), ("f",), ("f", "g")):
        known = [subject(), figure(), figure("g", classes=HERO)]
        told = [
            answer(*known, persons=(Person(name_given=True, name_hit=hit, figures=figures),))
            for hit in (None, "s")
        ]
        assert told[0] == told[1]
        assert told[0].outcome is Outcome.REVIEW_REQUIRED


def test_a_hero_is_not_disparaged_under_their_name() -> None:
    told = by_name(figure(classes=HERO), content=DISPARAGING, **places("PE"))
    assert told.outcome is Outcome.PROHIBITED
    assert "PE_HERO" in codes(told)
    kind = by_name(figure(classes=HERO), **places("PE"))
    assert kind.outcome is Outcome.REVIEW_REQUIRED
    other = by_name(figure(), content=DISPARAGING, **places("PE"))
    assert "PE_HERO" not in codes(other)


def test_what_only_a_grant_would_lift_forbids() -> None:
    singing = {"use": AiUse.SYNTHESIZE_SINGING, **places("PE")}
    assert by_name(gone(), **singing).outcome is Outcome.PROHIBITED
    assert by_name(figure(), **singing).outcome is Outcome.REVIEW_REQUIRED


def test_of_several_of_a_name_only_what_holds_of_all_is_held_against_it() -> None:
    asked: dict[str, Any] = {"content": DISPARAGING, **places("PE")}
    told = by_name(figure(classes=HERO), figure("g"), **asked)
    assert told.outcome is Outcome.REVIEW_REQUIRED
    assert codes(told) == {"NAME_ONLY", "AMBIGUOUS", "BIOMETRIC_PROOF_REQUIRED"}
    both = by_name(figure(classes=HERO), figure("g", classes=HERO), **asked)
    assert both.outcome is Outcome.PROHIBITED
    assert "PE_HERO" in codes(both)


def test_the_dead_are_told_with_what_protects_them_and_permitted_by_no_name() -> None:
    told = by_name(gone(), **places("IS"))
    assert told.outcome is Outcome.REVIEW_REQUIRED
    assert [one.pack for one in told.reasons if one.code == "POST_MORTEM_PROTECTED"] == ["IS"]
    free = by_name(gone(), **places("NO"))
    assert free.outcome is Outcome.REVIEW_REQUIRED
    assert "NO_PROTECTED_TERM" in codes(free)
    undated = by_name(gone(died=None), **places("IS"))
    assert "DEATH_DATE_UNKNOWN" in codes(undated)


def test_the_law_of_where_a_figure_died_or_lives_speaks() -> None:
    told = by_name(gone(domicile_at_death="IT"), **places("NO"))
    assert [one.pack for one in told.reasons if one.code == "POST_MORTEM_PROTECTED"] == ["IT"]
    swap: dict[str, Any] = {"use": AiUse.SWAP_FACE, "modalities": frozenset({Modality.FACE})}
    assert by_name(figure(residence="MX"), **swap, **places("NO")).outcome is Outcome.PROHIBITED
    assert by_name(figure(), **swap, **places("NO")).outcome is Outcome.REVIEW_REQUIRED


def test_a_voice_of_nobody_known_is_whose_name_is_given() -> None:
    unknown = Person((seen(),), name_given=True, figures=("f",))
    told = answer(
        figure(classes=HERO), persons=(unknown,), content=DISPARAGING, service=FILED, **places("PE")
    )
    assert told.outcome is Outcome.PROHIBITED
    plain = answer(figure(), persons=(unknown,))
    assert plain.outcome is Outcome.REVIEW_REQUIRED
    assert codes(plain) == {
        "NAME_ONLY",
        "PUBLIC_FIGURE",
        "NO_MATCH",
        "OWN_LAWFUL_BASIS_NEEDED",
    }


def test_whoever_is_known_again_may_be_called_as_a_figure_is() -> None:
    person = Person((strong(),), name_given=True, name_hit="s", figures=("f",))
    assert answer(subject(), figure(), persons=(person,)).may_proceed
    doubtful = replace(person, sightings=(seen(("s", Band.GREY)),))
    told = answer(subject(), figure(), persons=(doubtful,))
    assert codes(told) == {"GREY_ZONE_MATCH", "NAME_ONLY", "PUBLIC_FIGURE"}


def test_a_figure_that_is_not_told_of_is_for_review() -> None:
    told = answer(persons=(Person(name_given=True, figures=("f",)),))
    assert codes(told) == {"FACTS_INCOMPLETE"}


def test_services_of_every_tier_are_told_of_figures() -> None:
    asked = facts(
        subject(),
        figure(classes=HERO),
        persons=(Person(name_given=True, name_hit="s", figures=("f",)),),
        content=DISPARAGING,
        service=FILED,
        **places("PE"),
    )
    blind = disclosure.blind(asked)
    assert [one.id for one in blind.subjects] == ["f"]
    decision = decide(asked, many_packs())
    told = disclosure.disclose(decision, decide(blind, many_packs()), 0)
    assert told.outcome is Outcome.PROHIBITED
    assert "PE_HERO" in codes(told)


@given(worlds.worlds(), st.integers(1, 2))
def test_a_figure_never_makes_an_answer_milder(world: worlds.World, several: int) -> None:
    before: Facts = world.facts()
    known = [
        replace(world.subject(f"f{at}"), holders=frozenset(), grants=(), objections=(), orders=())
        for at in range(several)
    ]
    ids = tuple(one.id for one in known)
    after = replace(
        before,
        subjects=(*before.subjects, *known),
        persons=tuple(replace(one, figures=ids, name_given=True) for one in before.persons),
    )
    was = decide(before, many_packs())
    now = decide(after, many_packs())
    plain = replace(after, persons=tuple(replace(one, figures=()) for one in after.persons))
    unnamed = decide(plain, many_packs())
    assert SEVERITY[now.outcome] >= SEVERITY[unnamed.outcome] >= SEVERITY[was.outcome]
