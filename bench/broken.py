"""The server with one promise broken on purpose, to see a measurement find it.

    python bench/broken.py KEEP_SUBJECTS serve ...

KEEP_SUBJECTS  what a check read of a subject (grants, objections) is believed for a second: the
               cache that somebody will want to add one day.
WATERMARK      references are caught up with by the highest transaction seen, as serial ids are:
               what commits out of order is lost.
"""

import sys
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from registry.checks import snapshot
from registry.keys import Keys
from registry.policy import facts

SECONDS = 1.0


def keep_subjects() -> None:
    """Remember what was read of each subject."""
    read, known = snapshot._subject, dict[str, tuple[float, facts.Subject]]()  # noqa: SLF001  # the break

    def kept(row: dict[str, Any], at: datetime, keys: Keys) -> facts.Subject:
        until, subject = known.get(row["id"], (0.0, None))
        if subject is None or until < time.monotonic():
            subject = read(row, at, keys)
            known[row["id"]] = (time.monotonic() + SECONDS, subject)
        return subject

    snapshot._subject = kept  # noqa: SLF001  # the break


def watermark() -> None:
    """Ask only for what began after the last look."""
    first, since = "pg_snapshot_xmin($1", "pg_snapshot_xmax($1"
    assert snapshot.STATEMENT.count(first) == 2  # of pictures, of templates
    snapshot.STATEMENT = snapshot.STATEMENT.replace(first, since)


BREAKS: dict[str, Callable[[], None]] = {"KEEP_SUBJECTS": keep_subjects, "WATERMARK": watermark}

if __name__ == "__main__":
    BREAKS[sys.argv.pop(1)]()
    from api.cli.main import run

    run()
