"""The transparency log in the schema: anyone with a token can hold the registry to its word."""

import base64
from datetime import datetime

import strawberry

from api.graphql.context import Info
from registry.errors import NotFoundError
from registry.log import entries


@strawberry.type(description="A tree head this registry signed.")
class Checkpoint:
    """A tree head this registry signed."""

    size: int
    note: str = strawberry.field(description="The signed note (C2SP tlog-checkpoint).")
    at: datetime

    @strawberry.field(description="Root of the Merkle tree, base64.")
    @staticmethod
    def root(checkpoint: strawberry.Parent[entries.LogCheckpoint]) -> str:
        """Root of the Merkle tree, base64."""
        return base64.b64encode(checkpoint.root).decode()


@strawberry.type(description="A Merkle proof (RFC 9162).")
class Proof:
    """A Merkle proof (RFC 9162)."""

    hashes: list[str] = strawberry.field(description="Node hashes in order, base64.")


def _proof(hashes: list[bytes]) -> Proof:
    return Proof(hashes=[base64.b64encode(one).decode() for one in hashes])


@strawberry.type
class LogQuery:
    """Query fields about the log."""

    @strawberry.field(graphql_type=Checkpoint, description="The newest signed tree head.")
    async def checkpoint(self, info: Info) -> entries.LogCheckpoint:
        """The newest signed tree head."""
        async with info.context.db.reading() as session:
            newest = await entries.latest(session)
        if newest is None:
            raise NotFoundError("The log is empty: no decision was made yet.")
        return newest

    @strawberry.field(description="Proof that a leaf is in the tree of that size.")
    async def inclusion_proof(self, info: Info, index: int, tree_size: int) -> Proof:
        """Proof that a leaf is in the tree of that size."""
        async with info.context.db.reading() as session:
            return _proof(await entries.inclusion_proof(session, index=index, tree_size=tree_size))

    @strawberry.field(description="Proof that the first tree is a prefix of the second.")
    async def consistency_proof(self, info: Info, first: int, second: int) -> Proof:
        """Proof that the first tree is a prefix of the second."""
        async with info.context.db.reading() as session:
            return _proof(await entries.consistency_proof(session, first=first, second=second))
