"""Three people on record, their pictures, and what they allow and forbid.

The pictures are of real public people; what is said of their consent is made up for this run.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from api.cli.demonstration import documents, pictures
from api.cli.demonstration.accounts import Accounts
from api.cli.demonstration.client import Client
from registry.policy.vocabulary import AiUse, ObligationCode, Purpose

_NAMES = {
    "the astronaut": ("astronaut",),
    "the first head of state": ("obama", "obama2", "obama3"),
    "the second head of state": ("biden",),
}
_STRANGERS = ("camera", "chelsea", "coffee", "hubble", "retina", "rocket")
_USES = (
    AiUse.SWAP_FACE,
    AiUse.LIP_SYNC,
    AiUse.REENACT,
    AiUse.GENERATE_IMAGE,
    AiUse.GENERATE_VIDEO,
    AiUse.ALTER_AGE,
)
_PURPOSES = (
    Purpose.FILM_TV,
    Purpose.GAMES,
    Purpose.ADVERTISING,
    Purpose.EDUCATION,
    Purpose.LOCALIZATION_DUBBING,
    Purpose.ARCHIVAL,
)
_TERRITORIES = ("AU", "BR", "CA", "CH", "CL", "KE", "MX", "NO", "NZ", "ZA")
_TERM = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody on record, and the files of their registered pictures."""

    id: str
    name: str
    files: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Terms:
    """What a grant is for; `not_*` is what it is not for."""

    uses: Sequence[AiUse]
    purposes: Sequence[Purpose]
    territories: Sequence[str]
    not_use: AiUse
    not_purpose: Purpose
    not_territory: str


@dataclass(frozen=True, slots=True)
class Cast:
    """Who plays which part in this run, and the grants that were signed."""

    licensor: Person  # gave the studio a grant that stays
    limited: Person  # gave one grant for a single use, and one that is withdrawn later
    objector: Person  # gave a grant, and objects later
    strangers: Sequence[bytes]  # three pictures that are on no record
    terms: Terms
    once: Purpose  # the purpose of the single use
    for_now: Purpose  # the purpose of the grant that is withdrawn
    revocable_grant: str


def assemble(
    agency: Client, accounts: Accounts, photos: Mapping[str, bytes], rng: random.Random
) -> Cast:
    """Register the people and their pictures, and sign their grants, as the agency."""
    names = rng.sample(list(_NAMES), len(_NAMES))
    people = [_register(agency, name, [photos[one] for one in _NAMES[name]]) for name in names]
    licensor, limited, objector = people
    terms = _terms(rng)
    once, for_now = rng.sample(_PURPOSES, 2)
    _grant(agency, accounts, licensor, terms, rng, purposes=terms.purposes)
    _grant(agency, accounts, limited, terms, rng, purposes=[once], max_uses=1)
    revocable = _grant(agency, accounts, limited, terms, rng, purposes=[for_now])
    _grant(agency, accounts, objector, terms, rng, purposes=None)
    return Cast(
        licensor=licensor,
        limited=limited,
        objector=objector,
        strangers=[photos[one] for one in rng.sample(_STRANGERS, 3)],
        terms=terms,
        once=once,
        for_now=for_now,
        revocable_grant=revocable,
    )


def _terms(rng: random.Random) -> Terms:
    *uses, not_use = rng.sample(_USES, 4)
    *purposes, not_purpose = rng.sample(_PURPOSES, 3)
    *territories, not_territory = rng.sample(_TERRITORIES, 4)
    return Terms(uses, purposes, territories, not_use, not_purpose, not_territory)


def _register(agency: Client, name: str, files: Sequence[bytes]) -> Person:
    given = {"name": name, "birthDate": "1970-01-01"}  # made up; of age is what matters
    subject = agency.ask(documents.REGISTER_SUBJECT, input=given)["subject"]["id"]
    for data in files:
        source = {"media": agency.upload(data)}
        agency.ask(documents.REGISTER_ASSET, input={"subjectIds": [subject], "source": source})
    return Person(subject, name, files)


def _grant(
    agency: Client,
    accounts: Accounts,
    person: Person,
    terms: Terms,
    rng: random.Random,
    *,
    purposes: Sequence[Purpose] | None,
    max_uses: int | None = None,
) -> str:
    """The id of a signed grant to the studio."""
    proposal = {
        "subjectId": person.id,
        "grantees": [str(accounts.studio.id)],
        "scope": {
            "modalities": ["FACE"],
            "uses": terms.uses,
            "purposes": purposes,
            "territories": terms.territories,
        },
        "endsAt": (datetime.now(UTC) + _TERM * rng.randint(1, 5)).isoformat(),
        "maxUses": max_uses,
        "written": True,
        "separate": True,
        "obligations": rng.sample([ObligationCode.ATTRIBUTE, ObligationCode.NOTIFY_SUBJECT], 1),
    }
    grant: str = agency.ask(documents.PROPOSE_GRANT, input=proposal)["grant"]["id"]
    agency.ask(documents.SIGN_GRANT, id=grant)
    return grant


def a_picture_of(person: Person, rng: random.Random) -> bytes:
    """One of the person's registered files."""
    return rng.choice(person.files)


def a_hash_of(person: Person, rng: random.Random) -> bytes:
    """The hash of one of them."""
    return pictures.hash_of(a_picture_of(person, rng))
