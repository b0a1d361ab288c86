"""Three people on record, how they look and sound, and what they allow and forbid.

The pictures are of real public people, the voices of nobody; what is said of consent is made up.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from api.cli.demonstration import documents, pictures, sounds
from api.cli.demonstration.accounts import Accounts
from api.cli.demonstration.client import Client, RefusedError
from api.cli.demonstration.media import Media, Upload
from registry.policy.vocabulary import AiUse, ObligationCode, Purpose

_MANY_PICTURES = "the first head of state"
_NAMES = {
    "the astronaut": ("astronaut",),
    _MANY_PICTURES: ("obama", "obama2", "obama3"),
    "the second head of state": ("biden",),
}
_FACELESS = ("chelsea", "coffee", "hubble", "retina", "rocket")
_USES = (
    AiUse.SWAP_FACE,
    AiUse.LIP_SYNC,
    AiUse.REENACT,
    AiUse.GENERATE_IMAGE,
    AiUse.GENERATE_VIDEO,
    AiUse.ALTER_AGE,
)
_VOICE_USES = (AiUse.SYNTHESIZE_SPEECH, AiUse.CONVERT_VOICE, AiUse.CREATE_REPLICA)
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
_ENROLLED = "ENROLLED"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody on record: the pictures registered of them, and something of them that is not.

    `voice`: the synthesiser's name of the voice whose recordings are enrolled.
    """

    id: str
    name: str
    files: Sequence[bytes]
    elsewhere: Media
    voice: str

    @property
    def claimed(self) -> dict[str, str]:
        """The person of a check of whom a service says that it is this one."""
        return {"claimedSubject": self.id}


@dataclass(frozen=True, slots=True)
class Terms:
    """What a grant is for; `not_*` is what it is not for, `objected` what they object to."""

    uses: Sequence[AiUse]
    voice_use: AiUse
    purposes: Sequence[Purpose]
    territories: Sequence[str]
    not_use: AiUse
    not_purpose: Purpose
    not_territory: str
    objected: Purpose


@dataclass(frozen=True, slots=True)
class Stranger:
    """Somebody whom no record knows."""

    name: str
    picture: bytes
    voice: str


@dataclass(frozen=True, slots=True)
class Cast:
    """Who plays which part in this run, and the grants that were signed."""

    licensor: Person  # gave the studio a grant that stays, and objects to one purpose
    limited: Person  # a voice; gave one grant for a single use, and one that is withdrawn later
    objector: Person  # gave a grant, and objects later
    stranger: Stranger
    faceless: Sequence[bytes]  # three pictures without a face
    terms: Terms
    once: Purpose  # the purpose of the single use
    for_now: Purpose  # the purpose of the grant that is withdrawn
    revocable_grant: str
    sentences: Sequence[str]  # what is said in no enrolled recording


def assemble(
    agency: Client, accounts: Accounts, photos: Mapping[str, bytes], rng: random.Random
) -> Cast:
    """Register the people, their pictures and voices, and sign their grants, as the agency."""
    faces = _parts(rng)
    voices = rng.sample(sounds.VOICES, 4)
    *sentences, first, second = rng.sample(sounds.SENTENCES, len(sounds.SENTENCES))
    on_record = _Registrar(agency, photos, (first, second), sentences[0], rng)
    licensor = on_record.person(faces[0], voices[0], seen=_NAMES[faces[0]])
    objector = on_record.person(faces[1], voices[1], seen=_NAMES[faces[1]])
    limited = on_record.person("somebody known by voice alone", voices[2], seen=())
    terms = _terms(rng)
    once, for_now = rng.sample(_PURPOSES, 2)
    grant = _Granting(agency, accounts, terms, rng)
    grant.sign(licensor, ["FACE", "VOICE"], terms.purposes)
    grant.sign(limited, ["VOICE"], [once], max_uses=1)
    revocable = grant.sign(limited, ["VOICE"], [for_now])
    grant.sign(objector, ["FACE"], None)
    scope = {"modalities": ["FACE"], "purposes": [terms.objected]}
    agency.ask(documents.FILE_OBJECTION, input={"subjectId": licensor.id, "scope": scope})
    return Cast(
        licensor=licensor,
        limited=limited,
        objector=objector,
        stranger=Stranger(faces[2], photos[_NAMES[faces[2]][0]], voices[3]),
        faceless=[photos[one] for one in rng.sample(_FACELESS, 3)],
        terms=terms,
        once=once,
        for_now=for_now,
        revocable_grant=revocable,
        sentences=sentences,
    )


def _parts(rng: random.Random) -> list[str]:
    """Licensor, objector, stranger. Whoever is seen in several photographs is on record."""
    names = rng.sample(list(_NAMES), len(_NAMES))
    if names[-1] == _MANY_PICTURES:
        at = rng.randrange(2)
        names[at], names[-1] = names[-1], names[at]
    return names


def _terms(rng: random.Random) -> Terms:
    *uses, not_use = rng.sample(_USES, 4)
    *purposes, not_purpose, objected = rng.sample(_PURPOSES, 4)
    *territories, not_territory = rng.sample(_TERRITORIES, 4)
    return Terms(
        uses=uses,
        voice_use=rng.choice(_VOICE_USES),
        purposes=purposes,
        territories=territories,
        not_use=not_use,
        not_purpose=not_purpose,
        not_territory=not_territory,
        objected=objected,
    )


@dataclass(frozen=True, slots=True)
class _Registrar:
    """Puts people on record: their pictures as such, and samples of face and voice."""

    agency: Client
    photos: Mapping[str, bytes]
    enrolled: Sequence[str]  # what is said in the recordings that are enrolled
    another: str
    rng: random.Random

    def person(self, name: str, voice: str, *, seen: Sequence[str]) -> Person:
        """Register somebody; one of several photographs is kept back, to recognise them in."""
        given = {"name": name, "birthDate": "1970-01-01"}  # made up; of age is what matters
        subject = self.agency.ask(documents.REGISTER_SUBJECT, input=given)["subject"]["id"]
        names = self.rng.sample(seen, len(seen))
        kept_back = names.pop() if len(names) > 1 else None
        files = [self.photos[one] for one in names]
        uploads = [self.agency.upload(one) for one in files]
        for upload in uploads:
            asset = {"subjectIds": [subject], "source": {"media": upload.handle}}
            self.agency.ask(documents.REGISTER_ASSET, input=asset)
            self._enrol(subject, upload)
        for sentence in self.enrolled:
            self._enrol(subject, self.agency.upload(sounds.said(voice, sentence).data))
        if kept_back is not None:
            elsewhere = pictures.original(self.photos[kept_back], "another")
        elif files:
            elsewhere = pictures.cut_out(files[0], uploads[0].boxes[0], self.rng)
        else:
            elsewhere = sounds.said(voice, self.another)
        return Person(subject, name, files, elsewhere, voice)

    def _enrol(self, subject: str, upload: Upload) -> None:
        told = self.agency.enroll(subject, upload)
        if told.outcome != _ENROLLED:
            raise RefusedError(f"A sample is {told.outcome}. {told.sentence}")


@dataclass(frozen=True, slots=True)
class _Granting:
    """Proposes and signs grants to the studio."""

    agency: Client
    accounts: Accounts
    terms: Terms
    rng: random.Random

    def sign(
        self,
        person: Person,
        modalities: Sequence[str],
        purposes: Sequence[Purpose] | None,
        *,
        max_uses: int | None = None,
    ) -> str:
        """The id of a signed grant."""
        duties = [ObligationCode.ATTRIBUTE, ObligationCode.NOTIFY_SUBJECT]
        proposal = {
            "subjectId": person.id,
            "grantees": [str(self.accounts.studio.id)],
            "scope": {
                "modalities": modalities,
                "uses": [*self.terms.uses, self.terms.voice_use],
                "purposes": purposes,
                "territories": self.terms.territories,
            },
            "endsAt": (datetime.now(UTC) + _TERM * self.rng.randint(1, 2)).isoformat(),
            "maxUses": max_uses,
            "written": True,
            "separate": True,
            "obligations": self.rng.sample(duties, 1),
        }
        grant: str = self.agency.ask(documents.PROPOSE_GRANT, input=proposal)["grant"]["id"]
        self.agency.ask(documents.SIGN_GRANT, id=grant)
        return grant


def a_picture_of(person: Person, rng: random.Random) -> bytes:
    """One of the person's registered files."""
    return rng.choice(person.files)


def a_hash_of(person: Person, rng: random.Random) -> bytes:
    """The hash of one of them."""
    return pictures.hash_of(a_picture_of(person, rng))
