"""What a reviewer reads of a complaint in a terminal."""

from datetime import date

import orjson

from api.cli import misuse
from registry.misuse import ComplaintKind, Misuse, SeenMedia

SAID = Misuse(
    kinds=(ComplaintKind.FRAUD, ComplaintKind.OTHER),
    territory="DE",
    statement="It is me.",
    links=("https://a.example/1", "https://a.example/2"),
    place="Example Video",
    seen_on=date(2026, 11, 20),
    media=SeenMedia("video", "ab" * 32),
)
BARE = Misuse(kinds=(ComplaintKind.OTHER,), territory="DE", statement="It is me.")


def test_everything_that_was_said_is_in_a_row_of_its_own() -> None:
    assert misuse.rows(SAID) == [
        ("Misuse", "FRAUD, OTHER"),
        ("Territory", "DE"),
        ("Link", "https://a.example/1"),
        ("Link", "https://a.example/2"),
        ("Seen at", "Example Video"),
        ("Seen on", "2026-11-20"),
        ("File", "video " + "ab" * 32),
    ]
    assert misuse.rows(BARE) == [("Misuse", "OTHER"), ("Territory", "DE")]
    assert misuse.rows(None) == []


def test_programs_are_told_the_same() -> None:
    assert orjson.loads(orjson.dumps(misuse.document(SAID))) == {
        "kinds": ["FRAUD", "OTHER"],
        "territory": "DE",
        "links": ["https://a.example/1", "https://a.example/2"],
        "whereSeen": "Example Video",
        "seenOn": "2026-11-20",
        "media": {"kind": "video", "sha256": "ab" * 32},
    }
    assert misuse.document(None) is None
