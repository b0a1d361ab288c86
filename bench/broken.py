"""The server with one promise broken on purpose, to see a measurement find it.

    python bench/broken.py KEEP_SUBJECTS serve ...

KEEP_SUBJECTS  what a check read of a subject (grants, objections) is believed for a second: the
               cache that somebody will want to add one day.
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


BREAKS: dict[str, Callable[[], None]] = {"KEEP_SUBJECTS": keep_subjects}

if __name__ == "__main__":
    BREAKS[sys.argv.pop(1)]()
    from api.cli.main import run

    run()
