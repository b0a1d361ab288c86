"""What a complaint says, and what was made of a file it shows: sealed under the person's key.

Erasing the person makes it unreadable for good. The file itself is never kept.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

import orjson

from registry import subjects
from registry.database import ReadSession
from registry.encoders import targets
from registry.encoders.targets import FaceTarget, VoiceTarget
from registry.errors import NotFoundError
from registry.keys import Keys
from registry.misuse import Misuse
from registry.probes import Opened


@dataclass(frozen=True, slots=True)
class Shown:
    """What the encoders made of a file, as `registry.probes.Opened` explains it."""

    encoder: str | None
    hashes: tuple[bytes, ...]
    usable: bool
    faces: tuple[FaceTarget, ...]
    voices: tuple[VoiceTarget, ...]


@dataclass(frozen=True, slots=True)
class Content:
    """A complaint, opened. `shown`: of the file that came with it."""

    misuse: Misuse
    shown: Shown | None


async def sealed(
    session: ReadSession,
    misuse: Misuse,
    *,
    complaint_id: UUID,
    subject_id: UUID,
    shown: Opened | None,
    keys: Keys,
) -> bytes:
    """The complaint, and the encoders' outputs of what was shown, under the subject's key."""
    wrapped = (await subjects.wrapped_keys(session, [subject_id])).get(subject_id)
    if wrapped is None:
        raise NotFoundError("No such subject.", field="subjectId")
    body = orjson.dumps(
        {"misuse": asdict(misuse), "shown": None if shown is None else _outputs(shown)}
    )
    return keys.open_key(subject_id, wrapped).seal(body, context=_context(complaint_id))


def _outputs(shown: Opened) -> dict[str, object]:
    return {
        "encoder": shown.encoder,
        "hashes": [one.hex() for one in shown.hashes],
        "usable": shown.usable,
        **targets.as_json(shown.faces, shown.voices),
    }


async def opened(
    session: ReadSession, rows: Mapping[UUID, tuple[UUID, bytes]], *, keys: Keys
) -> dict[UUID, Content]:
    """What complaints say, by id; none of whose person was erased.

    `rows`: of each the subject and what was sealed.
    """
    wrapped = await subjects.wrapped_keys(session, {subject_id for subject_id, _ in rows.values()})
    found = {}
    for complaint_id, (subject_id, body) in rows.items():
        if subject_id in wrapped:
            key = keys.open_key(subject_id, wrapped[subject_id])
            content = orjson.loads(key.open(body, context=_context(complaint_id)))
            shown = None if content["shown"] is None else _shown(content["shown"])
            found[complaint_id] = Content(Misuse.from_json(content["misuse"]), shown)
    return found


def _shown(body: Mapping[str, Any]) -> Shown:
    faces, voices = targets.from_json(body)
    hashes = tuple(bytes.fromhex(one) for one in body["hashes"])
    return Shown(body["encoder"], hashes, body["usable"], faces, voices)


def _context(complaint_id: UUID) -> bytes:
    return b"complaint:" + complaint_id.bytes
