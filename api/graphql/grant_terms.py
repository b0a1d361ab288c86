"""What a client says of a consent it proposes, and the registry's own form of it."""

from datetime import datetime

import strawberry

from api.graphql.digests import digest_of
from api.graphql.paging import identifier
from api.graphql.scopes import ScopeInput
from registry.database import checked_time
from registry.grant_terms import Notice, Terms
from registry.policy.vocabulary import ContentFlag, ObligationCode


@strawberry.input(
    description="The text that the person was shown before they consented, or objected."
)
class NoticeInput:
    """The text that the person was shown before they consented, or objected."""

    version: str
    language: str = strawberry.field(description="A BCP 47 tag, for example en or zh-Hans.")
    sha256: str | None = strawberry.field(default=None, description="Of the text, base64.")


@strawberry.input(description="A consent to put on record for its subject to sign.")
class ProposeGrantInput:
    """A consent to put on record for its subject to sign."""

    subject_id: strawberry.ID
    scope: ScopeInput
    grantees: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Services it is given to; left out: every service."
    )
    starts_at: datetime | None = strawberry.field(default=None, description="Left out: now.")
    ends_at: datetime | None = None
    content_allowed: list[ContentFlag] = strawberry.field(default_factory=list)
    commercial: bool = True
    max_uses: int | None = None
    written: bool = False
    separate: bool = False
    represented: bool = False
    replaces_performance: bool = False
    obligations: list[ObligationCode] = strawberry.field(default_factory=list)
    acknowledges_objections: list[strawberry.ID] = strawberry.field(default_factory=list)
    terms_sha256: str | None = strawberry.field(
        default=None, description="SHA-256 of the signed document, base64."
    )
    exclusive: bool = False
    notice: NoticeInput | None = strawberry.field(
        default=None, description="The text that the person was shown, and in which language."
    )
    idempotency_key: str | None = None


def terms_of(given: ProposeGrantInput) -> Terms:
    """The terms in the registry's own form."""
    return Terms(
        grantees=None
        if given.grantees is None
        else frozenset(identifier(one, "service", "grantees") for one in given.grantees),
        starts_at=_aware(given.starts_at, "startsAt"),
        ends_at=_aware(given.ends_at, "endsAt"),
        content_allowed=frozenset(given.content_allowed),
        commercial=given.commercial,
        max_uses=given.max_uses,
        written=given.written,
        separate=given.separate,
        represented=given.represented,
        replaces_performance=given.replaces_performance,
        obligations=frozenset(given.obligations),
        acknowledges_objections=frozenset(
            identifier(one, "objection", "acknowledgesObjections")
            for one in given.acknowledges_objections
        ),
        terms_sha256=_digest(given.terms_sha256, "termsSha256"),
        exclusive=given.exclusive,
        notice=notice_of(given.notice),
    )


def notice_of(given: NoticeInput | None) -> Notice | None:
    """The text that was shown, in the registry's own form."""
    if given is None:
        return None
    return Notice(given.version, given.language, _digest(given.sha256, "notice"))


def _aware(time: datetime | None, field: str) -> datetime | None:
    return None if time is None else checked_time(time, field)


def _digest(text: str | None, field: str) -> bytes | None:
    return None if text is None else digest_of(text, field)
