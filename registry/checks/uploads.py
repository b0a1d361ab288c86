"""Media handles in a check: whose they are, whether they still hold, what was found in them."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import asyncpg

from registry.keys import Keys
from registry.probes import Opened, open_probe

_PROBES = """
select p.principal_id, p.id, p.sealed from unnest($1::uuid[], $2::uuid[]) as asked (principal, id)
join probes p on p.id = asked.id and p.principal_id = asked.principal
where p.expires_at > clock_timestamp()
"""

Uploads = Mapping[tuple[UUID, UUID], Opened]


async def resolve(
    connection: asyncpg.Connection, handles: Sequence[tuple[UUID, UUID]], *, keys: Keys
) -> Uploads:
    """What each (principal, handle) holds; one that is foreign, expired or absent is left out."""
    if not handles:
        return {}
    rows = await connection.fetch(
        _PROBES, [principal for principal, _ in handles], [handle for _, handle in handles]
    )
    return {
        (principal_id, probe_id): open_probe(probe_id, sealed, keys=keys)
        for principal_id, probe_id, sealed in rows
    }
