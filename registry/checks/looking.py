"""What there is to search in the probes of a question: hashes of pictures, faces, voices.

Which faces count: the one in a box, else every face but those that another person of the question,
who is no target, points out with a box.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import numpy as np

from registry.checks.galleries import Galleries, Near, Query
from registry.checks.questions import Person, Probe, Question
from registry.checks.uploads import Uploads
from registry.encoder_set import EncoderSet
from registry.encoders.identity import Condition
from registry.encoders.targets import FaceTarget, VoiceTarget, choose
from registry.errors import InvalidError, NotFoundError, TooLargeError
from registry.matching.index import Hit
from registry.matching.vectors import unit
from registry.policy.vocabulary import Modality
from registry.probes import EXPIRED, Opened

MAX_QUERIES: Final = 256  # faces and voices of one check


@dataclass(frozen=True, slots=True)
class Look:
    """One face or voice of a probe: what to search for it, or why it cannot be."""

    modality: Modality
    queries: tuple[Query, ...] = ()
    usable: bool = True
    searched: bool = True
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Seen:
    """A probe ready to be searched.

    `hashes`: of a picture, plain and mirrored; `picture`: whether it is one, `legible` whether it
    can be known again. `faces`: how many of it are looked at; None where none was looked for.
    `identity`: equal for the same content of which the same faces are looked at.
    """

    looks: tuple[Look, ...] = ()
    hashes: tuple[bytes, ...] = ()
    picture: bool = False
    legible: bool = True
    faces: int | None = None
    boxed: bool = False
    media_sha256: str | None = None
    identity: str | None = None

    @property
    def ruled_as(self) -> dict[Modality, str]:
        """What rulings call what is looked at here, by modality."""
        if self.identity is None:
            return {}
        modalities = {look.modality for look in self.looks}
        if self.picture:
            modalities.add(Modality.FACE)
        return {one: f"{self.identity}/{one}" for one in modalities}

    @property
    def queries(self) -> list[Query]:
        """Everything to search of faces and voices."""
        return [query for look in self.looks for query in look.queries]


@dataclass(frozen=True, slots=True)
class Found:
    """What the arrays hold near one probe.

    `distances`: the least of each picture's, in bits; `near`: the templates near to each query of
    each look.
    """

    distances: Mapping[UUID, int]
    near: tuple[tuple[tuple[Near, ...], ...], ...] = ()

    @classmethod
    def of(
        cls, seen: Seen, hits: Sequence[Sequence[Hit]], near: Sequence[Sequence[Near]]
    ) -> "Found":
        """The better of the plain and the mirrored comparison, and the rest look by look."""
        distances: dict[UUID, int] = {}
        for one in hits:
            for hit in one:
                known = distances.get(hit.id)
                if known is None or hit.distance_bits < known:
                    distances[hit.id] = hit.distance_bits
        rest = iter(near)
        looks = tuple(tuple(tuple(next(rest)) for _ in look.queries) for look in seen.looks)
        return cls(distances, looks)

    @property
    def templates(self) -> set[UUID]:
        """Every template that is near to some query."""
        return {one.score.id for look in self.near for query in look for one in query}


def see(
    question: Question, principal_id: UUID, uploads: Uploads, people: Galleries
) -> list[list[Seen]]:
    """What there is to search, by person and probe.

    Raises NotFoundError for a handle that is not the caller's, or gone; InvalidError for a box
    without a face, or a vector that no encoder makes; TooLargeError for too many faces.
    """
    reader = _Reader(question, principal_id, uploads, people)
    seen = [[reader.read(person, probe) for probe in person.probes] for person in question.persons]
    if sum(len(probe.queries) for person in seen for probe in person) > MAX_QUERIES:
        raise TooLargeError(
            f"One check may compare {MAX_QUERIES} faces and voices. Ask about fewer at a time, or"
            " choose the faces with boxes.",
            field="probes",
        )
    return seen


class _Reader:
    """Reads the probes of one question."""

    def __init__(
        self, question: Question, principal_id: UUID, uploads: Uploads, people: Galleries
    ) -> None:
        self._question = question
        self._principal_id = principal_id
        self._uploads = uploads
        self._people = people

    def read(self, person: Person, probe: Probe) -> Seen:
        """One probe of one person."""
        if probe.image_hash is not None:
            identity = f"hash:{probe.image_hash.hex()}"
            return Seen(hashes=(probe.image_hash,), picture=True, identity=identity)
        if probe.vector is not None:
            _, encoder, raw = probe.vector
            identity = f"vector:{encoder}:{hashlib.sha256(raw).hexdigest()}"
            return Seen(looks=(self._given(person, probe),), identity=identity)
        upload = self._upload(probe)
        looks: list[Look] = []
        faces, identity = None, f"media:{upload.media_sha256}"
        if self._wants(Modality.FACE) and upload.kind != "audio":
            chosen = self._faces(person, probe, upload)
            looks.extend(self._face(one, person) for one in chosen)
            faces = len(chosen) if upload.faces_searched else None
            identity += _chosen(chosen, upload)
            looks.extend(_nobody(upload, Modality.FACE, len(chosen)))
        if self._wants(Modality.VOICE) and upload.kind != "image":
            looks.extend(self._voice(one, person) for one in upload.voices)
            looks.extend(_nobody(upload, Modality.VOICE, len(upload.voices)))
        return Seen(
            looks=tuple(looks),
            hashes=upload.hashes if upload.usable else (),
            picture=upload.kind == "image",
            legible=upload.usable,
            faces=faces,
            boxed=probe.box is not None,
            media_sha256=upload.media_sha256,
            identity=identity,
        )

    def _wants(self, modality: Modality) -> bool:
        """Whether a face or voice can answer what is asked."""
        return not {modality, Modality.NAME}.isdisjoint(self._question.request.modalities)

    def _upload(self, probe: Probe) -> Opened:
        upload = None
        if probe.media is not None:
            upload = self._uploads.get((self._principal_id, probe.media))
        if upload is None:
            raise NotFoundError(EXPIRED, field="handle")
        return upload

    def _faces(self, person: Person, probe: Probe, upload: Opened) -> list[FaceTarget]:
        """The face in the box; without one, every face that is not pointed out as a bystander's."""
        if probe.box is not None or not person.target:
            return choose(upload.faces, probe.box)
        bystanders = [
            face
            for other in self._question.persons
            if not other.target
            for theirs in other.probes
            if theirs.media == probe.media and theirs.box is not None
            for face in choose(upload.faces, theirs.box)
        ]
        return [face for face in upload.faces if face not in bystanders]

    def _face(self, face: FaceTarget, person: Person) -> Look:
        vectors = {(encoder, Condition.PHOTO): raw for encoder, raw in face.vectors.items()}
        return self._look(Modality.FACE, vectors, face.trouble, person)

    def _voice(self, voice: VoiceTarget, person: Person) -> Look:
        own = {key: raw for key, raw in voice.vectors.items() if key[1] is voice.condition}
        return self._look(Modality.VOICE, own, voice.trouble, person)

    def _look(
        self,
        modality: Modality,
        vectors: Mapping[tuple[str, Condition], bytes],
        trouble: str | None,
        person: Person,
    ) -> Look:
        encoders = self._people.encoders
        queries = tuple(
            Query(encoder, condition, raw, person.claimed_subject)
            for (encoder, condition), raw in vectors.items()
            if encoder in encoders.by_id
        )
        return Look(
            modality=modality,
            queries=queries,
            usable=trouble is None,
            searched=trouble is not None or bool(queries),
            complete=self._people.is_complete(modality)
            and (trouble is not None or any(encoders.is_active(one.encoder) for one in queries)),
        )

    def _given(self, person: Person, probe: Probe) -> Look:
        """A vector that the caller made."""
        assert probe.vector is not None  # noqa: S101 - the caller looked
        modality, encoder, raw = probe.vector
        condition = Condition.PHOTO if modality is Modality.FACE else Condition.WIDE
        known = vector_of(modality, encoder, raw, self._people.encoders)
        return self._look(modality, {(encoder, condition): known}, None, person)


def _nobody(upload: Opened, modality: Modality, found: int) -> list[Look]:
    """What to say of media in which nothing was found to compare."""
    searched = upload.faces_searched if modality is Modality.FACE else upload.voices_searched
    if not searched:
        return [Look(modality, searched=False)]
    # Of a still picture without a face the picture itself may yet say whom it shows.
    if found or (modality is Modality.FACE and upload.kind == "image"):
        return []
    return [Look(modality, usable=False)]


def vector_of(modality: Modality, encoder: str, raw: bytes, encoders: EncoderSet) -> bytes:
    """A vector that a caller made, of unit length; InvalidError for what no encoder makes."""
    known = encoders.by_id.get(encoder)
    if known is None or known.modality is not modality:
        in_use = sorted(one.id for one in encoders.by_id.values() if one.modality is modality)
        raise InvalidError(
            f"No encoder of that name is in use for {modality}: {', '.join(in_use)}.",
            field="encoder",
        )
    if len(raw) != 4 * known.dimensions:
        raise InvalidError(
            f"A vector of {encoder} is {known.dimensions} little-endian float32 in base64.",
            field="base64",
        )
    return unit(np.frombuffer(raw, "<f4"), known.dimensions).astype("<f4").tobytes()


def _chosen(faces: Sequence[FaceTarget], upload: Opened) -> str:
    """Which faces are looked at, where it is not all of them."""
    if len(faces) == len(upload.faces):
        return ""
    return "@" + ";".join(sorted(str(face.box) for face in faces))
