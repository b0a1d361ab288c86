"""Who it is: doubts, pictures, bystanders."""

from typing import Any

import pytest

from registry.policy.facts import (
    Order,
    Person,
    Sighting,
)
from registry.policy.vocabulary import (
    Band,
    Modality,
    Outcome,
)

from .build import (
    answer,
    codes,
    objection,
    seen,
    strong,
    subject,
)


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


@pytest.mark.parametrize("asset", [True, False])
@pytest.mark.parametrize("hit", [None, "t"])
def test_a_name_of_somebody_else_takes_no_objection_away(asset: bool, hit: str | None) -> None:
    person = Person((face(("s", Band.MATCH), asset=asset),), name_given=True, name_hit=hit)
    decision = answer(
        subject(grants=(), objections=(objection(),)),
        persons=(person,),
        modalities=frozenset({Modality.NAME}),
    )
    assert decision.outcome is Outcome.PROHIBITED
    assert codes(decision) >= {"OBJECTION", "NAME_CONFLICT"}


def test_a_new_picture_of_a_claimed_person_proves_nothing() -> None:
    person = Person((face(asset=True),), claimed_subject="s")
    decision = answer(persons=(person,), modalities=FACE)
    assert codes(decision) == {"CLAIMED_SUBJECT_MISMATCH"}


def test_a_face_that_is_not_its_subject_s_makes_a_registered_picture_somebody_else_s() -> None:
    picture, stranger = face(("s", Band.MATCH), asset=True), face()
    enrolled = subject(enrolled=FACE)
    decision = answer(enrolled, persons=(Person((picture, stranger)),), modalities=FACE)
    assert decision.outcome is Outcome.UNKNOWN


def test_a_face_that_is_only_near_agrees_with_the_registered_picture_it_is_in() -> None:
    picture, near = face(("s", Band.MATCH), asset=True), face(("s", Band.GREY))
    enrolled = subject(enrolled=FACE)
    assert answer(enrolled, persons=(Person((picture, near)),), modalities=FACE).may_proceed
    elsewhere = Person((picture, face(("s", Band.GREY), probe=1)))
    assert codes(answer(enrolled, persons=(elsewhere,), modalities=FACE)) >= {"GREY_ZONE_MATCH"}


def test_a_registered_picture_excuses_no_face_of_another_probe() -> None:
    person = Person((face(("s", Band.MATCH), asset=True), face(probe=1)))
    assert answer(persons=(person,), modalities=FACE).outcome is Outcome.UNKNOWN


def test_a_picture_without_a_face_is_no_answer_to_whose_face_it_is() -> None:
    person = Person((face(asset=True, faces=0),))
    decision = answer(persons=(person,), modalities=FACE)
    assert decision.outcome is Outcome.REVIEW_REQUIRED
    assert codes(decision) == {"PROBE_QUALITY_LOW"}
    body = answer(persons=(person,), modalities=frozenset({Modality.BODY}))
    assert body.outcome is Outcome.UNKNOWN


def test_a_registered_picture_may_show_no_face() -> None:
    person = Person((face(("s", Band.MATCH), asset=True, faces=0),))
    assert answer(persons=(person,), modalities=FACE).may_proceed


def test_while_an_encoder_changes_a_miss_is_for_a_person_to_look_at() -> None:
    decision = answer(persons=(Person((seen(complete=False),)),))
    assert decision.outcome is Outcome.REVIEW_REQUIRED
    assert codes(decision) == {"ENCODER_CHANGING"}
    assert answer(persons=(Person((strong(complete=False),)),)).may_proceed


def test_a_claimed_person_without_a_template_cannot_be_compared() -> None:
    person = Person((seen(),), claimed_subject="s")
    assert codes(answer(persons=(person,))) == {"CLAIMED_SUBJECT_MISMATCH"}
    decision = answer(subject(enrolled=FACE), persons=(person,))
    assert codes(decision) == {"BIOMETRIC_PROOF_REQUIRED"}
    known = answer(subject(enrolled=frozenset({Modality.VOICE})), persons=(person,))
    assert codes(known) == {"CLAIMED_SUBJECT_MISMATCH"}


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
