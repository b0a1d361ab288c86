"""Many subjects, references and grants at once: COPY of rows sealed with the keys in use."""

import asyncio
import os
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import asyncpg
import numpy as np
import numpy.typing as npt
from stage import Account, Stage

from registry import assets, subjects, templates
from registry.database import new_id
from registry.encoders.identity import FACE, FACE_DIMENSIONS, IMAGE_HASH, Condition
from registry.keys import Keys
from registry.policy.vocabulary import Modality
from registry.subjects import Profile

Hashes = npt.NDArray[np.uint8]
Vectors = npt.NDArray[np.float32]
_PART = 8192
_COLUMNS = {
    "subjects": ("id", "owner_id", "profile"),
    "subject_keys": ("subject_id", "wrapped"),
    "subject_aliases": ("subject_id", "alias_index"),
    "subject_events": ("id", "subject_id", "kind", "actor_id"),
    "assets": ("id", "owner_id", "encoder"),
    "asset_references": ("id", "asset_id", "subject_id", "sealed_hash"),
    "templates": (
        *("id", "subject_id", "modality", "encoder", "condition", "samples", "verified"),
        "sealed_vector",
    ),
    "grants": (
        *("id", "subject_id", "proposed_by", "grantees", "ends_at", "content_allowed"),
        *("commercial", "written", "separate", "represented", "replaces_performance"),
        *("obligations", "acknowledges_objections", "modalities", "uses", "purposes"),
    ),
    "grant_events": ("id", "grant_id", "kind", "role", "ial", "actor_id"),
}


@dataclass(frozen=True, slots=True)
class Person:
    """A subject of the owner, and what seals their rows."""

    id: UUID
    wrapped: bytes
    grant: UUID | None


@dataclass(frozen=True, slots=True)
class Filled:
    """What was put on record: picture i has hash i and shows person `i // per_person`.

    Likewise template i is of face i, of person `i // faces_per_person`, and `samples_of(i)`.
    """

    people: list[Person]
    hashes: Hashes  # (pictures, 32)
    faces: Vectors  # (templates, 128), of length 1


def fill(
    stage: Stage,
    *,
    people: int,
    per_person: int,
    granted: int = 0,
    seed: int = 1,
    faces_per_person: int = 0,
    pictured: int | None = None,
) -> Filled:
    """Verified grown-ups with pictures and templates of their faces.

    The first `granted` allow the service pictures in films; only the first `pictured` have pictures
    (default: everybody).
    """
    keys, rng = stage.keys, np.random.default_rng(seed)
    known = [person(keys) for _ in range(people)]
    known = [Person(one.id, one.wrapped, new_id()) for one in known[:granted]] + known[granted:]
    pictures = (people if pictured is None else pictured) * per_person
    hashes = rng.integers(0, 256, (pictures, 32), np.uint8)
    filled = Filled(known, hashes, faces(people * faces_per_person, rng))
    asyncio.run(_fill(stage, keys, filled, per_person, faces_per_person))
    return filled


def faces(count: int, rng: np.random.Generator) -> Vectors:
    """So many templates; two random ones are near 0, far from what any band takes."""
    values = rng.standard_normal((count, FACE_DIMENSIONS))
    values /= np.linalg.norm(values, axis=1, keepdims=True)
    return values.astype(np.float32)


def samples_of(number: int) -> int:
    """Of how many samples template `number` is said to be the mean: every curve has its turn."""
    return number % 3 + 1


def person(keys: Keys) -> Person:
    """Somebody new, not on record yet."""
    subject_id = new_id()
    return Person(subject_id, keys.wrap_new(subject_id), None)


async def _fill(
    stage: Stage, keys: Keys, filled: Filled, per_person: int, faces_per_person: int
) -> None:
    people, hashes = filled.people, filled.hashes
    connection = await asyncpg.connect(stage.admin_url)
    try:
        for first in range(0, len(people), _PART):
            await insert_people(
                connection, people[first : first + _PART], keys, stage.owner, stage.service
            )
        for first in range(0, len(hashes), _PART):
            part = [
                (people[at // per_person], hashes[at].tobytes())
                for at in range(first, min(first + _PART, len(hashes)))
            ]
            await insert_references(connection, part, keys, stage.owner)
        for first in range(0, len(filled.faces), _PART):
            many = [
                (people[at // faces_per_person], filled.faces[at], samples_of(at))
                for at in range(first, min(first + _PART, len(filled.faces)))
            ]
            await insert_templates(connection, many, keys)
        await connection.execute("vacuum analyze")  # as autovacuum would within minutes
    finally:
        await connection.close()


async def insert_people(
    connection: asyncpg.Connection,
    people: list[Person],
    keys: Keys,
    owner: Account,
    service: Account,
) -> None:
    """Put people on record, verified, with the grants they have."""
    rows: dict[str, list[tuple[object, ...]]] = {name: [] for name in _COLUMNS}
    ends_at = datetime.now(UTC) + timedelta(days=365)
    for one in people:
        name = f"Person {one.id.hex[-12:]}"
        profile = subjects.seal_profile(
            Profile(name, (), date(1980, 1, 1)), subject_id=one.id, wrapped=one.wrapped, keys=keys
        )
        rows["subjects"].append((one.id, owner.id, profile))
        rows["subject_keys"].append((one.id, one.wrapped))
        rows["subject_aliases"].append((one.id, keys.blind_index(name)))
        rows["subject_events"].append((new_id(), one.id, "VERIFIED", owner.id))
        if one.grant is None:
            continue
        form = (True, True, True, False, False)  # commercial, written, separate
        scope = (["FACE"], ["GENERATE_IMAGE"], ["FILM_TV"])
        rows["grants"].append(
            (one.grant, one.id, owner.id, [service.id], ends_at, [], *form, [], [], *scope)
        )
        rows["grant_events"] += [
            (new_id(), one.grant, "SIGNED", "SELF", 2, owner.id),
            (new_id(), one.grant, "ACTIVATED", None, None, owner.id),
        ]
    await _copy(connection, rows)


async def insert_references(
    connection: asyncpg.Connection,
    references: list[tuple[Person, bytes]],
    keys: Keys,
    owner: Account,
) -> None:
    """Put pictures on record: whom each shows, and its hash."""
    rows: dict[str, list[tuple[object, ...]]] = {"assets": [], "asset_references": []}
    for shown, image_hash in references:
        asset_id, reference_id = new_id(), new_id()
        sealed = keys.open_key(shown.id, shown.wrapped).seal(
            image_hash, context=assets.hash_context(reference_id)
        )
        rows["assets"].append((asset_id, owner.id, IMAGE_HASH))
        rows["asset_references"].append((reference_id, asset_id, shown.id, sealed))
    await _copy(connection, rows)


async def insert_templates(
    connection: asyncpg.Connection, faces: list[tuple[Person, Vectors, int]], keys: Keys
) -> None:
    """Put templates on record: whose face, the vector, and of how many samples."""
    records: list[tuple[object, ...]] = []
    for shown, vector, samples in faces:
        template_id = new_id()
        sealed = keys.open_key(shown.id, shown.wrapped).seal(
            vector.astype("<f4").tobytes(), context=templates.vector_context(template_id)
        )
        kind = (Modality.FACE, FACE, Condition.PHOTO)
        records.append((template_id, shown.id, *kind, samples, True, sealed))
    await _copy(connection, {"templates": records})


async def _copy(connection: asyncpg.Connection, rows: dict[str, list[tuple[object, ...]]]) -> None:
    for table, records in rows.items():
        await connection.copy_records_to_table(table, records=records, columns=_COLUMNS[table])


def neighbour(image_hash: Hashes, distance_bits: int, rng: np.random.Generator) -> str:
    """Hex of the hash with exactly so many of its bits turned over."""
    bits = np.zeros(image_hash.size * 8, np.uint8)
    bits[rng.choice(bits.size, distance_bits, replace=False)] = 1
    return (image_hash ^ np.packbits(bits)).tobytes().hex()


def face_near(face: Vectors, cosine: float, rng: np.random.Generator) -> Vectors:
    """A unit vector at this cosine, to 0.0000001, from the face."""
    exact = face.astype(np.float64)
    exact /= np.linalg.norm(exact)
    aside = rng.standard_normal(len(face))
    aside -= (aside @ exact) * exact
    aside /= np.linalg.norm(aside)
    return (cosine * exact + np.sqrt(1 - cosine**2) * aside).astype(np.float32)


def stranger() -> str:
    """Hex of a hash unlike any other: two random ones differ in about 128 bits."""
    return os.urandom(32).hex()
