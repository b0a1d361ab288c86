"""Every word that a page may show has a label of its own, in words and not in capitals."""

import re
from collections.abc import Mapping
from enum import StrEnum

import pytest

from api.web import labels, office_labels
from registry.attestations import AttestationMethod
from registry.complaint_states import ComplaintState
from registry.dockets import Whose
from registry.evidence import EvidenceKind
from registry.filings import FilingStatus
from registry.misuse import ComplaintKind
from registry.notices import NoticeKind
from registry.policy.dpv import ConsentStatus
from registry.policy.vocabulary import (
    AiUse,
    Band,
    Modality,
    ObjectionState,
    ObligationCode,
    Outcome,
    Purpose,
    ReasonAction,
    Registration,
)
from registry.reviews import ReviewEventKind, ReviewKind, ReviewState, Ruling
from registry.samples import SampleState

SHOWN: list[type[StrEnum]] = [
    AiUse,
    AttestationMethod,
    Band,
    ComplaintKind,
    ComplaintState,
    EvidenceKind,
    FilingStatus,
    Modality,
    ObjectionState,
    ObligationCode,
    Outcome,
    Purpose,
    ReasonAction,
    Registration,
    ReviewEventKind,
    ReviewKind,
    ReviewState,
    Ruling,
    SampleState,
    Whose,
]
# Told to accounts that give, hold or represent consents: a case without proof does none of it.
NOT_TOLD_TO_A_CASE = {
    NoticeKind.GRANT_REVOKED,
    NoticeKind.GRANT_SUSPENDED,
    NoticeKind.GRANT_ACTIVE,
    NoticeKind.GRANT_LAPSED,
    NoticeKind.COOLING_OFF,
    NoticeKind.RATIFICATION_REQUESTED,
    NoticeKind.HOLDERS_CALLED,
    NoticeKind.REPRESENTATION_OFFERED,
    NoticeKind.CONSENT_REQUEST_CHANGED,
    NoticeKind.CLAIM_CONFLICT,
}


def own(member: StrEnum) -> str:
    """The label that somebody wrote for it; empty if nobody did."""
    written: list[Mapping[StrEnum, str]] = [
        words
        for words in labels._ALL  # what `of` looks through
        if type(member) is type(next(iter(words)))
    ]
    return next((words[member] for words in written if member in words), "")


@pytest.mark.parametrize("shown", SHOWN, ids=lambda one: one.__name__)
def test_every_member_has_a_label_in_words(shown: type[StrEnum]) -> None:
    for member in shown:
        label = own(member)
        assert label, f"{shown.__name__}.{member} has no label"
        assert label == labels.of(member)
        assert "_" not in label
        assert not label.isupper()


@pytest.mark.parametrize("shown", SHOWN, ids=lambda one: one.__name__)
def test_no_two_members_are_called_the_same(shown: type[StrEnum]) -> None:
    said = [labels.of(one) for one in shown]
    assert len(said) == len(set(said)), said


def test_everything_that_a_case_is_told_is_shown_there() -> None:
    assert set(NoticeKind) - set(labels.NOTICES) == NOT_TOLD_TO_A_CASE


def test_everything_that_becomes_of_an_objection_is_called_something_on_its_receipt() -> None:
    of_objections = {one for one in ConsentStatus if one.name.startswith("OBJECTION_")}
    assert of_objections
    assert set(labels.STATUSES) == of_objections


def test_services_are_told_of_every_use_too() -> None:
    assert office_labels.USES.keys() == labels.USES.keys()
    assert office_labels.SHOWN.keys() == labels.MODALITIES.keys()
    assert not [one for one in office_labels.USES.values() if re.search(r"\b(me|my|mine)\b", one)]


def test_a_word_that_nobody_labelled_shows_itself() -> None:
    class Unknown(StrEnum):
        NEW_WORD = "NEW_WORD"

    assert labels.of(Unknown.NEW_WORD) == "New word"
