"""Who a person of the request is: what their sightings show, and why that may be unclear.

A permission needs STRONG evidence or a registered picture; a protection needs only MATCH; GREY is
for a person to look at. A picture shows everyone it matches; a face or voice is one person.
"""

from collections.abc import Sequence

from registry.policy.facts import Candidate, Person, Sighting, Subject
from registry.policy.question import Case, Question
from registry.policy.vocabulary import Band, Modality

_MATCH = Band.MATCH.rank
_GREY = Band.GREY.rank


def cases(question: Question, index: int, modality: Modality) -> list[Case]:
    """At least one case: one for each subject a picture shows, one for each face or voice.

    Where nobody is known again, a name that is a public figure's makes one more case.
    """
    person = question.facts.persons[index]
    answering = [one for one in person.sightings if _answers(one, modality)]
    if not answering:
        return [_named(question, index, modality, "BIOMETRIC_PROOF_REQUIRED")]
    found: list[Case] = []
    for probe in sorted({one.probe for one in answering}):
        group = [one for one in answering if one.probe == probe]
        found.extend(_of_probe(question, index, modality, group))
    if person.figures and all(one.subject is None for one in found):
        found.append(_named(question, index, modality))
    return found


def _named(question: Question, index: int, modality: Modality, *also: str) -> Case:
    """What a name alone says. It never tells whether somebody registered is so called."""
    person = question.facts.persons[index]
    figures = tuple(question.subjects[one] for one in person.figures)
    name_only = ("NAME_ONLY",) if person.name_given or figures else ()
    several = ("AMBIGUOUS",) if len(figures) > 1 else ()
    return Case(question, index, modality, doubts=(*name_only, *several, *also), named=figures)


def _of_probe(
    question: Question, index: int, modality: Modality, sightings: Sequence[Sighting]
) -> list[Case]:
    """What one picture or recording shows: itself, if it is registered, and everyone found in it.

    A face of whom the picture is known to show agrees with it. A face nobody knows may be one whom
    it shows, as long as they have no template and no other face is theirs.
    """
    pictures = [one for one in sightings if one.asset]
    found = [case for one in pictures for case in _picture(question, index, modality, one)]
    shown = {case.subject.id: case.subject for case in found if case.subject is not None}
    unseen = {one for one, subject in shown.items() if _has_no_template(subject)}
    strangers = []
    for one in sightings:
        if one.asset:
            continue
        near = {each.subject_id for each in _near(one)}
        if one.modality is Modality.FACE and near and near <= shown.keys() and not _trouble(one):
            unseen -= near
            continue
        case = _one_person(question, index, modality, one)
        if _is_stranger(one):
            strangers.append(case)
            continue
        found.append(case)
        unseen -= {suspect.id for suspect in case.suspects}
    found.extend(strangers[len(unseen) :])
    if len(pictures) == len(sightings):
        found.extend(
            _new_picture(question, index, modality, one) for one in pictures if _is_stranger(one)
        )
    return found or [_nobody(question, index, modality, question.facts.persons[index])]


def _answers(sighting: Sighting, modality: Modality) -> bool:
    """Pictures answer for face and body; a name is that of whoever is seen or heard."""
    if modality is Modality.NAME:
        return True
    if sighting.asset:
        return modality in {Modality.FACE, Modality.BODY}
    return sighting.modality is modality


def _near(sighting: Sighting) -> list[Candidate]:
    return [one for one in sighting.candidates if one.band.rank >= _GREY]


def _is_stranger(sighting: Sighting) -> bool:
    """Whether it is a face or body that was compared well and is near to nobody."""
    seen = sighting.modality is not Modality.VOICE
    return seen and not _trouble(sighting) and sighting.complete and not _near(sighting)


def _has_no_template(subject: Subject) -> bool:
    """Whether the person's face could not have been recognised."""
    return subject.enrolled is None or Modality.FACE not in subject.enrolled


def _nobody(question: Question, index: int, modality: Modality, person: Person) -> Case:
    return Case(question, index, modality, mismatch=person.claimed_subject is not None)


def _new_picture(question: Question, index: int, modality: Modality, sighting: Sighting) -> Case:
    """A picture that nobody registered: it shows nobody known, unless no face was found in it.

    Then there was nothing to compare, and that is no answer to whose face it is.
    """
    if modality is not Modality.BODY and sighting.faces == 0:
        return Case(question, index, modality, doubts=("PROBE_QUALITY_LOW",))
    return _nobody(question, index, modality, question.facts.persons[index])


def _trouble(sighting: Sighting) -> tuple[str, ...]:
    """Codes of why a sighting could not be compared."""
    codes = []
    if not sighting.searched:
        codes.append("MATCHER_UNAVAILABLE")
    if not sighting.usable:
        codes.append("PROBE_QUALITY_LOW")
    return tuple(codes)


def _one_person(question: Question, index: int, modality: Modality, sighting: Sighting) -> Case:
    """A face or voice: one case, for one subject or for none."""
    person = question.facts.persons[index]
    near = _near(sighting)
    matching = [one for one in near if one.band.rank >= _MATCH]
    ids = {one.subject_id for one in matching}
    suspects = tuple(question.subjects[one] for one in sorted(ids))
    trouble = _trouble(sighting) or _unsearched(question, sighting, person)
    claimed = person.claimed_subject
    mismatch = claimed is not None and (
        (not trouble and all(one.subject_id != claimed for one in near)) or bool(ids - {claimed})
    )
    clear = len(suspects) == 1 and sighting.clear_runner_up
    doubts = trouble
    if not trouble and suspects and not clear:
        doubts = ("AMBIGUOUS",)
    elif not trouble and near and not suspects:
        doubts = ("GREY_ZONE_MATCH",)
    elif not trouble and suspects and _other_name(person, modality, suspects[0].id):
        doubts = ("NAME_CONFLICT",)
    return Case(
        question,
        index,
        modality,
        subject=suspects[0] if suspects and not doubts else None,
        suspects=suspects,
        doubts=doubts,
        strong=any(one.band is Band.STRONG for one in matching),
        mismatch=mismatch,
    )


def _unsearched(question: Question, sighting: Sighting, person: Person) -> tuple[str, ...]:
    """Why that nobody is near says nothing: an encoder changes, or the claimed has no template."""
    if _near(sighting):
        return ()
    if not sighting.complete:
        return ("ENCODER_CHANGING",)
    claimed = question.subjects.get(person.claimed_subject or "")
    if claimed is None or claimed.enrolled is None or sighting.modality in claimed.enrolled:
        return ()
    return ("BIOMETRIC_PROOF_REQUIRED",)


def _other_name(person: Person, modality: Modality, subject_id: str) -> bool:
    """Whether a name is to be used, and it is not known to be theirs."""
    return modality is Modality.NAME and person.name_given and person.name_hit != subject_id


def _picture(question: Question, index: int, modality: Modality, sighting: Sighting) -> list[Case]:
    """A registered picture: a case for each subject shown, one for doubt; none if it is new."""
    person = question.facts.persons[index]
    near = _near(sighting)
    matching = {one.subject_id for one in near if one.band.rank >= _MATCH}
    shown = [question.subjects[one] for one in sorted(matching)]
    claimed = person.claimed_subject
    mismatch = claimed is not None and bool(near) and all(one.subject_id != claimed for one in near)
    doubts = _trouble(sighting)
    if any(one.subject_id not in matching for one in near):
        doubts = (*doubts, "GREY_ZONE_MATCH")
    found = [
        Case(
            question,
            index,
            modality,
            subject=subject,
            suspects=(subject,),
            strong=True,
            asset=True,
            mismatch=mismatch,
        )
        for subject in shown
        if not _other_name(person, modality, subject.id)
    ]
    if len(found) < len(shown):
        doubts = (*doubts, "NAME_CONFLICT")
    if doubts:
        found.append(
            Case(
                question,
                index,
                modality,
                suspects=tuple(shown),
                doubts=doubts,
                asset=True,
                mismatch=mismatch,
            )
        )
    return found
