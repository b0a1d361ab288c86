"""Refusals a caller can understand and act on. Each class is one code; its message is safe to show.

    RegistryError
    ├── InvalidError        INVALID             the input breaks a rule named in the message
    ├── NotFoundError       NOT_FOUND           absent, or not the caller's: the two look alike
    ├── ConflictError       CONFLICT            it is no longer, or already, so
    ├── ClaimConflictError  CLAIM_CONFLICT      somebody verified is on record with this face
    ├── UnauthenticatedError UNAUTHENTICATED    no token, or one that does not hold
    ├── ForbiddenError      FORBIDDEN           the token lacks a scope
    ├── TooLargeError       TOO_LARGE           over a stated size
    ├── PresentationError   REJECTED_PRESENTATION_ATTACK   this face or voice is not theirs
    ├── ReplayError         REPLAY_DETECTED     a statement that is old, or not what was asked for
    ├── UnsupportedError    UNSUPPORTED         a media type or encoding that is not read here
    ├── MediaError          MEDIA_UNREADABLE    the bytes are not what they claim to be
    ├── BusyError           BUSY                ask again after `retry_after` seconds
    ├── UnavailableError    UNAVAILABLE         a part is away; ask again likewise
    └── SetupError          SETUP               the installation needs its operator

Anything else that is raised is a defect: logged whole, shown as "Internal error."
"""

from enum import StrEnum
from typing import ClassVar


class ProblemCode(StrEnum):
    """What kind of refusal a Problem is; clients may branch on it."""

    INVALID = "INVALID"
    NOT_FOUND = "NOT_FOUND"
    CONFLICT = "CONFLICT"
    CLAIM_CONFLICT = "CLAIM_CONFLICT"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    TOO_LARGE = "TOO_LARGE"
    UNSUPPORTED = "UNSUPPORTED"
    MEDIA_UNREADABLE = "MEDIA_UNREADABLE"
    REJECTED_PRESENTATION_ATTACK = "REJECTED_PRESENTATION_ATTACK"
    REPLAY_DETECTED = "REPLAY_DETECTED"
    BUSY = "BUSY"
    UNAVAILABLE = "UNAVAILABLE"
    SETUP = "SETUP"


class RegistryError(Exception):
    """Parent of every expected refusal."""

    code: ClassVar[ProblemCode]

    def __init__(
        self, message: str, *, field: str | None = None, retry_after: int | None = None
    ) -> None:
        super().__init__(message)
        self.field = field
        self.retry_after = retry_after


class InvalidError(RegistryError):
    """The input breaks a rule."""

    code = ProblemCode.INVALID


class NotFoundError(RegistryError):
    """There is no such thing, or it is not the caller's."""

    code = ProblemCode.NOT_FOUND


class ConflictError(RegistryError):
    """The thing is not in a state that allows this."""

    code = ProblemCode.CONFLICT


class ClaimConflictError(RegistryError):
    """Somebody verified is on record with this face or voice: a person decides whose it is."""

    code = ProblemCode.CLAIM_CONFLICT


class UnauthenticatedError(RegistryError):
    """Who is asking was not proved."""

    code = ProblemCode.UNAUTHENTICATED


class ForbiddenError(RegistryError):
    """Who is asking may not do this."""

    code = ProblemCode.FORBIDDEN


class TooLargeError(RegistryError):
    """More bytes, pixels or items than are read."""

    code = ProblemCode.TOO_LARGE


class UnsupportedError(RegistryError):
    """A media type or encoding that is not read here."""

    code = ProblemCode.UNSUPPORTED


class MediaError(RegistryError):
    """The bytes cannot be read as media."""

    code = ProblemCode.MEDIA_UNREADABLE


class PresentationError(RegistryError):
    """What was shown is not the person it is shown for. One sentence, whatever was noticed."""

    code = ProblemCode.REJECTED_PRESENTATION_ATTACK

    def __init__(self) -> None:
        super().__init__("This face or voice is not accepted for this person.")


class ReplayError(RegistryError):
    """A spoken statement is not a fresh answer to its challenge. One sentence, as above."""

    code = ProblemCode.REPLAY_DETECTED

    def __init__(self) -> None:
        super().__init__("This recording does not answer the challenge: begin again, and speak it.")


class BusyError(RegistryError):
    """Too much at once; nothing was done."""

    code = ProblemCode.BUSY


class UnavailableError(RegistryError):
    """A part the answer needs is away; nothing was done."""

    code = ProblemCode.UNAVAILABLE


class SetupError(RegistryError):
    """The installation cannot start, or go on, until its operator acts."""

    code = ProblemCode.SETUP
