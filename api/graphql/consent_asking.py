"""What a service says in the schema when it asks for consent."""

from datetime import datetime
from typing import Any

import strawberry

import api.graphql.vocabulary  # noqa: F401  # registers the enums before any type uses them
from api.graphql.digests import digest_of
from api.graphql.paging import identifier
from api.graphql.scopes import ScopeInput, scope_of
from registry.consent_asking import Asked, PrivacyNotice
from registry.database import checked_time
from registry.errors import InvalidError
from registry.grant_terms import Terms
from registry.policy.vocabulary import ContentFlag, ObligationCode


@strawberry.input(description="What the grant is to say beside its scope; it is for this service.")
class ConsentTermsInput:
    """What the grant is to say beside its scope."""

    ends_at: datetime | None = None
    content_allowed: list[ContentFlag] = strawberry.field(default_factory=list)
    commercial: bool = True
    max_uses: int | None = None
    written: bool = False
    separate: bool = False
    represented: bool = False
    replaces_performance: bool = False
    obligations: list[ObligationCode] = strawberry.field(default_factory=list)
    terms_sha256: str | None = strawberry.field(
        default=None, description="SHA-256 of the document to be signed, base64."
    )


@strawberry.input(description="The privacy notice that you show to whom you ask.")
class ConsentNoticeInput:
    """The privacy notice that you show to whom you ask."""

    version: str
    language: str = strawberry.field(description="For example en or zh-Hans.")
    sha256: str = strawberry.field(description="SHA-256 of its text, base64.")
    url: str | None = strawberry.field(default=None, description="Where it can be read: https.")


@strawberry.input(description="A request for consent. Whom it reaches, you are not told.")
class RequestConsentInput:
    """A request for consent."""

    scope: ScopeInput
    notice: ConsentNoticeInput
    terms: ConsentTermsInput = strawberry.field(default_factory=ConsentTermsInput)
    subject_id: strawberry.ID | None = strawberry.field(
        default=None, description="Whom you ask, if you know them. Any id is taken."
    )
    decision_id: strawberry.ID | None = strawberry.field(
        default=None, description="A decision of yours that says REQUEST_CONSENT."
    )
    person: int = strawberry.field(default=0, description="Which person of that decision, from 0.")
    message: str | None = strawberry.field(
        default=None, description="What you write to the person: at most 500 characters."
    )
    expires_at: datetime | None = strawberry.field(
        default=None, description="Left out: in 14 days. At most 90 days ahead."
    )
    idempotency_key: str | None = None


def asked_of(given: RequestConsentInput) -> Asked:
    """The request in the registry's own form; InvalidError for one that cannot be."""
    if given.subject_id is not None and given.decision_id is not None:
        raise InvalidError("Give the subject or the decision, not both.", field="decisionId")
    decision_id = (
        None
        if given.decision_id is None
        else identifier(given.decision_id, "decision", "decisionId")
    )
    terms, notice = given.terms, given.notice
    return Asked(
        scope=scope_of(given.scope),
        terms=Terms(
            grantees=None,  # the service that asks, once it is granted
            ends_at=None if terms.ends_at is None else checked_time(terms.ends_at, "endsAt"),
            content_allowed=frozenset(terms.content_allowed),
            commercial=terms.commercial,
            max_uses=terms.max_uses,
            written=terms.written,
            separate=terms.separate,
            represented=terms.represented,
            replaces_performance=terms.replaces_performance,
            obligations=frozenset(terms.obligations),
            terms_sha256=None
            if terms.terms_sha256 is None
            else digest_of(terms.terms_sha256, "termsSha256"),
        ),
        notice=PrivacyNotice(
            version=notice.version,
            language=notice.language,
            sha256=digest_of(notice.sha256, "notice.sha256"),
            url=notice.url,
        ),
        message=given.message,
        expires_at=given.expires_at,
        named_subject=None
        if given.subject_id is None
        else identifier(given.subject_id, "subject", "subjectId"),
        decision_id=decision_id,
        person=None if decision_id is None else given.person,
    )


def plain(given: RequestConsentInput) -> dict[str, Any]:
    """Its nested inputs, opened."""
    return {name: vars(getattr(given, name)) for name in ("scope", "notice", "terms")}
