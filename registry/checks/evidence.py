"""From a question and what was found to the facts a decision is made of."""

from collections.abc import Sequence
from uuid import UUID

from registry.checks import sightings
from registry.checks.galleries import Galleries
from registry.checks.looking import Found, Seen
from registry.checks.questions import Person, Question
from registry.checks.snapshot import Snapshot
from registry.keys import Keys
from registry.policy import facts


def gather(
    question: Question,
    *,
    service_id: UUID,
    seen: Sequence[Sequence[Seen]],
    found: Sequence[Sequence[Found]],
    snapshot: Snapshot,
    people: Galleries,
    keys: Keys,
) -> facts.Facts:
    """The facts of one question. `seen` and `found` follow its persons and their probes."""
    persons = tuple(
        _person(person, seen[at], found[at], snapshot=snapshot, people=people, keys=keys)
        for at, person in enumerate(question.persons)
    )
    about = {
        candidate.subject_id
        for person in persons
        for sighting in person.sightings
        for candidate in sighting.candidates
    }
    about |= {one.claimed_subject for one in persons if one.claimed_subject is not None}
    about |= {one.name_hit for one in persons if one.name_hit is not None}
    known = [snapshot.subjects.get(UUID(one)) for one in sorted(about)]
    figures = {
        one.id: one for person in question.persons for one in _figures(person.name, snapshot, keys)
    }
    return facts.Facts(
        at=snapshot.at,
        request=question.request,
        service=snapshot.services[service_id],
        persons=persons,
        subjects=(*(one for one in known if one is not None), *figures.values()),
        circumstances=snapshot.circumstances,
    )


def _person(
    person: Person,
    seen: Sequence[Seen],
    found: Sequence[Found],
    *,
    snapshot: Snapshot,
    people: Galleries,
    keys: Keys,
) -> facts.Person:
    shown = tuple(
        sighting
        for number, probe in enumerate(seen)
        for sighting in sightings.of_probe(
            number,
            probe,
            found[number],
            claimed=person.claimed_subject,
            snapshot=snapshot,
            people=people,
        )
    )
    return facts.Person(
        sightings=shown,
        claimed_subject=None
        if person.claimed_subject is None
        else facts.identifier(person.claimed_subject),
        name_given=person.name is not None,
        name_hit=_named(person.name, shown, snapshot, keys),
        figures=tuple(one.id for one in _figures(person.name, snapshot, keys)),
        target=person.target,
    )


def _figures(name: str | None, snapshot: Snapshot, keys: Keys) -> tuple[facts.Subject, ...]:
    """The public figures of exactly this name."""
    return () if name is None else snapshot.figures.get(keys.blind_index(name), ())


def _named(
    name: str | None, shown: Sequence[facts.Sighting], snapshot: Snapshot, keys: Keys
) -> str | None:
    """Who is so called; of several, the one who is also seen."""
    if name is None:
        return None
    named = set(map(facts.identifier, snapshot.named.get(keys.blind_index(name), ())))
    seen = {one.subject_id for sighting in shown for one in sighting.candidates}
    return min(named & seen or named, default=None)
