"""What less trusted services see, and the sentences of reasons."""

import pytest

from registry.policy import disclosure, reasons
from registry.policy.decision import Decision
from registry.policy.engine import decide
from registry.policy.facts import (
    Facts,
    Person,
)
from registry.policy.vocabulary import (
    Band,
    ContentFlag,
    Outcome,
    ReasonAction,
    Registration,
)

from .build import (
    codes,
    facts,
    many_packs,
    objection,
    seen,
    strong,
    subject,
)


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
