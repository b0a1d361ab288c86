"""The server with one promise broken on purpose, to see a measurement find it.

    python bench/broken.py KEEP_SUBJECTS,KEEP_REFERENCES serve ...

KEEP_SUBJECTS    what a check read of a subject (grants, objections) is believed for a second: the
                 cache that somebody will want to add one day.
KEEP_REFERENCES  pictures and templates are caught up with once a second, and one that was live
                 counts for a second more.
WATERMARK        references are caught up with by the highest transaction seen, as serial ids are:
                 what commits out of order is lost.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import asyncpg

from registry.checks import snapshot, state
from registry.policy import facts

SECONDS = 1.0


def keep_subjects() -> None:
    """Remember what was read of each subject."""
    read, known = state._subject, dict[str, tuple[float, facts.Subject]]()  # noqa: SLF001  # the break

    def kept(row: dict[str, Any], *rest: Any) -> facts.Subject:
        until, subject = known.get(row["id"], (0.0, None))
        if subject is None or until < time.monotonic():
            subject = read(row, *rest)
            known[row["id"]] = (time.monotonic() + SECONDS, subject)
        return subject

    state._subject = kept  # noqa: SLF001  # the break


def keep_references() -> None:
    """Catch up now and then, and remember what was live."""
    take, live = snapshot.take, dict[UUID, tuple[float, UUID]]()
    caught_up = 0.0

    async def kept(
        connection: asyncpg.Connection, wanted: snapshot.Wanted, *, since: str, **rest: Any
    ) -> snapshot.Snapshot:
        nonlocal caught_up
        known, at = await take(connection, wanted, since=since, **rest), time.monotonic()
        for one, subject in known.subject_of.items():
            live[one] = (at + SECONDS, subject)
        still = {
            one: live[one][1]
            for one in (*wanted.references, *wanted.templates)
            if one in live and live[one][0] > at
        }
        known = replace(known, subject_of=still)
        if at - caught_up > SECONDS:
            caught_up = at
            return known
        return replace(known, new_references=[], new_templates=[], snapshot=since)

    snapshot.take = kept


def watermark() -> None:
    """Ask only for what began after the last look."""
    first, since = "pg_snapshot_xmin($1", "pg_snapshot_xmax($1"
    assert snapshot.STATEMENT.count(first) == 2  # of pictures, of templates
    snapshot.STATEMENT = snapshot.STATEMENT.replace(first, since)


BREAKS: dict[str, Callable[[], None]] = {
    "KEEP_SUBJECTS": keep_subjects,
    "KEEP_REFERENCES": keep_references,
    "WATERMARK": watermark,
}

if __name__ == "__main__":
    for name in sys.argv.pop(1).split(","):
        BREAKS[name]()
    from api.cli.main import run

    run()
