"""What a caller is told when something is refused: one body, and one HTTP status for each code.

Anything that is not an expected refusal is a defect: it is logged whole under a random id, and the
caller is shown that id and nothing else.
"""

import logging
import secrets
from dataclasses import dataclass

from registry.away import is_away
from registry.errors import ProblemCode, RegistryError

INTERNAL = "INTERNAL"
INTERNAL_MESSAGE = "Internal error."
RETRY_SECONDS = 1  # when a refusal is for now only and names no better time

_STATUS = {
    ProblemCode.INVALID: 400,
    ProblemCode.NOT_FOUND: 404,
    ProblemCode.CONFLICT: 409,
    ProblemCode.CLAIM_CONFLICT: 409,
    ProblemCode.UNAUTHENTICATED: 401,
    ProblemCode.FORBIDDEN: 403,
    ProblemCode.TOO_LARGE: 413,
    ProblemCode.UNSUPPORTED: 415,
    ProblemCode.MEDIA_UNREADABLE: 422,
    ProblemCode.REJECTED_PRESENTATION_ATTACK: 422,
    ProblemCode.REPLAY_DETECTED: 422,
    ProblemCode.BUSY: 429,
    ProblemCode.UNAVAILABLE: 503,
    ProblemCode.SETUP: 503,
}
_FOR_NOW = frozenset({ProblemCode.BUSY, ProblemCode.UNAVAILABLE})

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Explanation:
    """A refusal in the words, code and status a caller is shown."""

    code: str
    message: str
    status: int
    field: str | None = None
    retry_after: int | None = None
    error_id: str | None = None
    allow: str | None = None  # the methods there are, where another one was used

    def body(self) -> dict[str, str | int]:
        """The JSON body of a plain HTTP answer."""
        members = {
            "code": self.code,
            "message": self.message,
            "field": self.field,
            "retryAfter": self.retry_after,
            "errorId": self.error_id,
        }
        return {name: value for name, value in members.items() if value is not None}

    def headers(self) -> dict[str, str]:
        """The headers its status asks for."""
        headers = {}
        if self.retry_after is not None:
            headers["Retry-After"] = str(self.retry_after)
        if self.status == _STATUS[ProblemCode.UNAUTHENTICATED]:
            headers["WWW-Authenticate"] = "Bearer"
        if self.allow is not None:
            headers["Allow"] = self.allow
        return headers


def status_of(code: ProblemCode) -> int:
    """The HTTP status of a refusal."""
    return _STATUS[code]


def explain(error: BaseException) -> Explanation:
    """What to tell the caller about this error; a defect is logged here, and only here."""
    if isinstance(error, RegistryError):
        waits = RETRY_SECONDS if error.code in _FOR_NOW else None
        return Explanation(
            code=error.code,
            message=str(error),
            status=status_of(error.code),
            field=error.field,
            retry_after=waits if error.retry_after is None else error.retry_after,
        )
    if is_away(error):
        log.warning("Unavailable: %s", type(error).__name__)
        return Explanation(
            code=ProblemCode.UNAVAILABLE,
            message="A part the answer needs is away; ask again.",
            status=status_of(ProblemCode.UNAVAILABLE),
            retry_after=RETRY_SECONDS,
        )
    error_id = secrets.token_hex(8)
    log.error("Internal error %s", error_id, exc_info=error)
    return Explanation(INTERNAL, INTERNAL_MESSAGE, 500, error_id=error_id)
