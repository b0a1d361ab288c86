"""Assets: registered pictures, kept as a sealed perceptual hash. The picture itself is not kept.

A picture may show several subjects; the hash is sealed once for each, under that subject's key,
so that erasing one person takes nothing from the others.
"""

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Select, func, select, text
from sqlalchemy.orm import Mapped, mapped_column

from registry import subjects
from registry.database import Base, Event, ReadSession, WriteSession, Xid8, new_id
from registry.errors import InvalidError, NotFoundError
from registry.keys import Keys
from registry.sealing import SubjectKey

MAX_SUBJECTS = 20


class AssetEventKind(StrEnum):
    """What may become of an asset."""

    RETIRED = "RETIRED"


class Asset(Base):
    """A registered picture."""

    __tablename__ = "assets"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("principals.id"), index=True)
    encoder: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class AssetReference(Base):
    """One subject a picture shows, with the hash sealed for them. This is what the index holds.

    `xid` is the transaction that wrote the row: a check finds by it what became visible since the
    snapshot its process searched (docs/check-cycle.md).
    """

    __tablename__ = "asset_references"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    asset_id: Mapped[UUID] = mapped_column(ForeignKey("assets.id"), index=True)
    subject_id: Mapped[UUID] = mapped_column(ForeignKey("subjects.id"), index=True)
    sealed_hash: Mapped[bytes]
    xid: Mapped[int] = mapped_column(
        Xid8(), server_default=text("pg_current_xact_id()"), index=True
    )


class AssetEvent(Event):
    """What became of an asset."""

    __tablename__ = "asset_events"

    asset_id: Mapped[UUID] = mapped_column(ForeignKey("assets.id"), index=True)
    kind: Mapped[AssetEventKind]


def hash_context(reference_id: UUID) -> bytes:
    """What a sealed hash is bound to: its own row."""
    return b"asset-hash:" + reference_id.bytes


async def register(
    session: WriteSession,
    *,
    asset_id: UUID,
    owner_id: UUID,
    subject_ids: Collection[UUID],
    encoder: str,
    image_hash: bytes,
    keys: Keys,
) -> Asset:
    """Put a picture of the owner's own subjects on record; the next check everywhere sees it."""
    wanted = list(dict.fromkeys(subject_ids))
    if not 1 <= len(wanted) <= MAX_SUBJECTS:
        raise InvalidError(f"A picture shows 1 to {MAX_SUBJECTS} subjects.", field="subjectIds")
    for subject_id in wanted:
        await subjects.mine(session, subject_id)
    wrapped = await subjects.wrapped_keys(session, wanted)
    if len(wrapped) < len(wanted):
        raise NotFoundError("No such subject.", field="subjectIds")
    asset = Asset(id=asset_id, owner_id=owner_id, encoder=encoder)
    session.add(asset)
    await session.flush()  # the references point at it
    for subject_id in wanted:
        reference_id = new_id()
        key = keys.open_key(subject_id, wrapped[subject_id])
        sealed = key.seal(image_hash, context=hash_context(reference_id))
        session.add(
            AssetReference(
                id=reference_id, asset_id=asset_id, subject_id=subject_id, sealed_hash=sealed
            )
        )
    await session.flush()  # a failure here is this request's, not the commit's
    return asset


async def retire(session: WriteSession, *, asset_id: UUID, actor_id: UUID) -> None:
    """Take a picture out of the search; checks that start afterwards do not match it."""
    await mine(session, asset_id)
    session.add(AssetEvent(asset_id=asset_id, kind=AssetEventKind.RETIRED, actor_id=actor_id))


async def mine(session: ReadSession, asset_id: UUID) -> Asset:
    """The asset, if the caller may see it; absent and not yours look the same."""
    asset = await session.get(Asset, asset_id)
    if asset is None:
        raise NotFoundError("No such asset.")
    return asset


async def showing_only(session: ReadSession, subject_id: UUID) -> list[UUID]:
    """The pictures that count, and show this subject and nobody else."""
    of_them = select(AssetReference.asset_id).where(AssetReference.subject_id == subject_id)
    rows = await session.scalars(
        select(AssetReference.asset_id)
        .where(AssetReference.asset_id.in_(of_them), ~_retired().exists())
        .group_by(AssetReference.asset_id)
        .having(func.count() == 1)
    )
    return list(rows)


async def hashes_of(
    session: ReadSession, subject_id: UUID, *, key: SubjectKey
) -> list[tuple[str, bytes]]:
    """Encoder and hash of every picture of a subject that counts, opened."""
    rows = await session.execute(
        select(Asset.encoder, AssetReference.id, AssetReference.sealed_hash)
        .join(Asset, Asset.id == AssetReference.asset_id)
        .where(AssetReference.subject_id == subject_id, ~_retired().exists())
        .order_by(AssetReference.id)
    )
    return [
        (encoder, key.open(sealed, context=hash_context(reference_id)))
        for encoder, reference_id, sealed in rows
    ]


def _retired() -> Select[UUID]:
    return select(AssetEvent.id).where(
        AssetEvent.asset_id == AssetReference.asset_id, AssetEvent.kind == AssetEventKind.RETIRED
    )


async def subjects_of(session: ReadSession, ids: Collection[UUID]) -> dict[UUID, list[UUID]]:
    """Whom each asset shows."""
    found: dict[UUID, list[UUID]] = {one: [] for one in ids}
    rows = await session.execute(
        select(AssetReference.asset_id, AssetReference.subject_id)
        .where(AssetReference.asset_id.in_(ids))
        .order_by(AssetReference.id)
    )
    for asset_id, subject_id in rows:
        found[asset_id].append(subject_id)
    return found
