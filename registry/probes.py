"""Probes: what the encoders made of uploaded media. Bound to who sent it, gone after minutes."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import orjson
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Mapped, mapped_column

from registry.database import Base, ReadSession, WriteSession, new_id, now
from registry.encoders import targets
from registry.encoders.media import MediaEncoding
from registry.encoders.targets import FaceTarget, VoiceTarget
from registry.errors import NotFoundError
from registry.keys import Keys

CONTEXT = b"probe:"


class Probe(Base):
    """One upload's encoder outputs, sealed under the deployment's key."""

    __tablename__ = "probes"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    principal_id: Mapped[UUID]
    sealed: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    expires_at: Mapped[datetime] = mapped_column(index=True)


async def keep(
    session: WriteSession,
    *,
    principal_id: UUID,
    encoding: MediaEncoding,
    ttl_seconds: int,
    keys: Keys,
) -> Probe:
    """Remember an upload for its sender until the time is up."""
    probe_id = new_id()
    picture = encoding.picture
    body = orjson.dumps(
        {
            "kind": encoding.kind,
            "media": encoding.sha256.hex(),
            "encoder": None if picture is None else picture.encoder,
            "hashes": []
            if picture is None
            else [one.hex() for one in (picture.plain, picture.mirrored)],
            "usable": picture is not None and picture.usable,
            "faces_searched": encoding.faces_searched,
            "voices_searched": encoding.voices_searched,
            "enrolling": encoding.enrolling,
            **targets.as_json(encoding.faces, encoding.voices),
        }
    )
    probe = Probe(
        id=probe_id,
        principal_id=principal_id,
        sealed=keys.deployment_key.seal(body, context=CONTEXT + probe_id.bytes),
        expires_at=await now(session) + timedelta(seconds=ttl_seconds),
    )
    session.add(probe)
    await session.flush()  # the handle is only given out for a stored row
    return probe


async def opened(session: ReadSession, handle: UUID, *, keys: Keys) -> "Opened":
    """The caller's own upload, while it lasts."""
    probe = await session.scalar(
        select(Probe).where(Probe.id == handle, Probe.expires_at > func.clock_timestamp())
    )
    if probe is None:
        raise NotFoundError(EXPIRED, field="handle")
    return open_probe(probe.id, probe.sealed, keys=keys)


EXPIRED = "No such media handle, or it has expired: upload the media again."


@dataclass(frozen=True, slots=True)
class Opened:
    """An upload's encoder outputs, as registry.encoders.media.MediaEncoding explains them.

    `hashes`: of a picture, plain and mirrored, by `encoder`; they tell nothing if not `usable`.
    """

    kind: str
    media_sha256: str
    encoder: str | None
    hashes: tuple[bytes, ...]
    usable: bool
    faces: tuple[FaceTarget, ...]
    voices: tuple[VoiceTarget, ...]
    faces_searched: bool
    voices_searched: bool
    enrolling: bool


def as_opened(encoding: MediaEncoding) -> Opened:
    """What a worker just said of a file, where nobody need keep a handle to it."""
    picture = encoding.picture
    return Opened(
        kind=encoding.kind,
        media_sha256=encoding.sha256.hex(),
        encoder=None if picture is None else picture.encoder,
        hashes=() if picture is None else (picture.plain, picture.mirrored),
        usable=picture is not None and picture.usable,
        faces=encoding.faces,
        voices=encoding.voices,
        faces_searched=encoding.faces_searched,
        voices_searched=encoding.voices_searched,
        enrolling=encoding.enrolling,
    )


def open_probe(probe_id: UUID, sealed: bytes, *, keys: Keys) -> Opened:
    """What was sealed under this handle."""
    body = orjson.loads(keys.deployment_key.open(sealed, context=CONTEXT + probe_id.bytes))
    faces, voices = targets.from_json(body)
    return Opened(
        kind=body["kind"],
        media_sha256=body["media"],
        encoder=body["encoder"],
        hashes=tuple(bytes.fromhex(one) for one in body["hashes"]),
        usable=body["usable"],
        faces=faces,
        voices=voices,
        faces_searched=body["faces_searched"],
        voices_searched=body["voices_searched"],
        enrolling=body["enrolling"],
    )


async def forget_expired(session: WriteSession) -> None:
    """Drop what nobody can use any more."""
    await session.execute(delete(Probe).where(Probe.expires_at < func.clock_timestamp()))
