"""Uploads of faces that nobody has, so that thousands of different people can be enrolled.

What an encoder would have said of a photograph is kept as `POST /v1/media` keeps it; from there on,
`enrollSample` and all that follows is the product's.
"""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self
from uuid import UUID

from filling import Vectors
from stage import Stage

from registry import probes
from registry.database import Actor, Database
from registry.encoders.identity import FACE, IMAGE_HASH
from registry.encoders.media import MediaEncoding, PictureHash
from registry.encoders.targets import Box, FaceTarget
from registry.installation import opened
from registry.principals import PrincipalKind

_BOX = Box(100, 100, 200, 200)
_TTL_SECONDS = 3600


class Uploads:
    """Makes handles of the stage's owner."""

    def __init__(self, stage: Stage, db: Database) -> None:
        self._stage, self._db, self._keys = stage, db, stage.keys

    @classmethod
    @asynccontextmanager
    async def of(cls, stage: Stage) -> AsyncIterator[Self]:
        """Until the block ends."""
        actor = Actor(stage.owner.id, PrincipalKind.ORGANISATION)
        async with opened(stage.settings, supervise=False) as installation:
            yield cls(stage, installation.operator.acting_for(actor))

    async def photograph(self, face: Vectors) -> UUID:
        """The handle of a picture that shows this face alone."""
        encoding = MediaEncoding(
            kind="image",
            media_type="image/jpeg",
            sha256=secrets.token_bytes(32),
            width=400,
            height=400,
            picture=PictureHash(
                IMAGE_HASH, secrets.token_bytes(32), secrets.token_bytes(32), usable=True
            ),
            faces=(FaceTarget(_BOX, None, None, {FACE: face.astype("<f4").tobytes()}),),
            faces_searched=True,
        )
        async with self._db.writing() as session:
            probe = await probes.keep(
                session,
                principal_id=self._stage.owner.id,
                encoding=encoding,
                ttl_seconds=_TTL_SECONDS,
                keys=self._keys,
            )
        return probe.id
