"""Scenes of the law: a minor, a dead singer, a historical figure, a service that is not filed."""

from collections.abc import Callable
from typing import Any

from api.cli.demonstration import pictures
from api.cli.demonstration.client import Told
from api.cli.demonstration.protected import Protected
from api.cli.demonstration.scene import Act, Writer, answer
from registry.policy.vocabulary import AiUse, ContentFlag, Purpose

_CONSENT = "CONSENT_REQUIRED"
_GERMANY, _CALIFORNIA, _CHINA = ["DE"], ["US-CA"], ["CN"]


def acts(write: Writer, protected: Protected) -> list[Act]:
    """Each may come at any time."""
    return [
        _minor(write, protected),
        _singer(write, protected),
        _figure(write, protected),
        _unfiled(write, protected),
    ]


def _minor(write: Writer, who: Protected) -> Act:
    """A guardian decides; what harms a child nobody can allow."""
    asked: dict[str, Any] = {
        "person": {"claimedSubject": who.child},
        "use": AiUse.SYNTHESIZE_SPEECH,
        "purpose": Purpose.EDUCATION,
        "territories": ["BR"],
    }
    sexual: dict[str, Any] = {"content": [ContentFlag.SEXUAL]}
    politics: dict[str, Any] = {"purpose": Purpose.POLITICAL}
    return [
        write.heard(
            "A child, and nobody signed", who.child_heard, answer(_CONSENT, "NO_GRANT"), **asked
        ),
        write.heard(
            "A child, and the guardian signed",
            who.child_heard,
            # Children resemble one another: by the calibration of minors nobody is sure enough.
            answer("REVIEW_REQUIRED", "GRANT", "IDENTITY_NOT_STRONG"),
            first=_then(who.guardian_signs),
            **asked,
        ),
        write.heard(
            "A child, for politics",
            who.child_heard,
            answer("PROHIBITED", "MINOR_POLITICAL"),
            **(asked | politics),
        ),
        write.heard(
            "A child, sexual content",
            who.child_heard,
            answer("PROHIBITED", "MINOR_SEXUAL"),
            **(asked | sexual),
        ),
    ]


def _singer(write: Writer, who: Protected) -> Act:
    """How long the dead are protected depends on where."""
    protected = answer(_CONSENT, "POST_MORTEM_PROTECTED", "NO_GRANT")
    asked: dict[str, Any] = {
        "person": {"claimedSubject": who.singer},
        "use": AiUse.SYNTHESIZE_SINGING,
        "purpose": Purpose.MUSIC,
    }
    return [
        write.heard(
            "A dead singer, in Germany",
            who.singer_heard,
            answer("PERMITTED", "NO_PROTECTED_TERM"),
            territories=_GERMANY,
            **asked,
        ),
        write.heard(
            "The same, in California",
            who.singer_heard,
            protected,
            territories=_CALIFORNIA,
            **asked,
        ),
        write.heard(
            "The same, in both",
            who.singer_heard,
            protected,
            territories=[*_GERMANY, *_CALIFORNIA],
            **asked,
        ),
        write.heard(
            "In California, and an heir signed",
            who.singer_heard,
            answer("PERMITTED", "GRANT"),
            first=_then(who.heir_signs),
            territories=_CALIFORNIA,
            **asked,
        ),
    ]


def _figure(write: Writer, who: Protected) -> Act:
    """Nobody owns history any more; the public order stays."""
    media = pictures.recompressed(who.figure_seen, write.rng)
    asked: dict[str, Any] = {"purpose": Purpose.EDUCATION, "territories": _CHINA}
    return [
        write.uploaded(
            "A historical figure, in a museum",
            media,
            answer("PERMITTED", "NO_PROTECTED_TERM", "ASSET_MATCH"),
            use=AiUse.GENERATE_VIDEO,
            **asked,
        ),
        write.uploaded(
            "The same, to disparage a hero",
            media,
            answer("PROHIBITED", "CN_HEROES_MARTYRS"),
            use=AiUse.GENERATE_VIDEO,
            content=[ContentFlag.DISPARAGING],
            **asked,
        ),
        write.uploaded(
            "A persona, and the family objects",
            media,
            answer("REVIEW_REQUIRED", "OBJECTION", "ASSET_MATCH"),
            first=_then(who.family_objects),
            use=AiUse.INTERACTIVE_PERSONA,
            **asked,
        ),
    ]


def _unfiled(write: Writer, who: Protected) -> Act:
    """A service that is not filed may make nothing there, of whomever."""
    media = pictures.original(write.cast.stranger.picture)
    asked: dict[str, Any] = {
        "by": write.clients.rival,
        "territories": _CHINA,
        "use": AiUse.GENERATE_IMAGE,
    }
    return [
        write.uploaded(
            "In China, by a service not filed",
            media,
            answer("PROHIBITED", "CN_UNFILED_SERVICE"),
            **asked,
        ),
        write.uploaded(
            "The same, once it is filed",
            media,
            answer("UNKNOWN", "NO_MATCH", "OWN_LAWFUL_BASIS_NEEDED"),
            first=_then(who.rival_files),
            **asked,
        ),
    ]


def _then(happens: Callable[[], None]) -> Callable[[Told | None], None]:
    return lambda _before: happens()
