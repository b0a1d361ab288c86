"""Requests for consent in the schema: a service asks; whoever answers for the person answers."""

import base64
from datetime import datetime
from typing import Annotated

import strawberry

from api.graphql import once
from api.graphql.consent_asking import RequestConsentInput, asked_of, plain
from api.graphql.consent_receipts import ConsentReceipt
from api.graphql.context import Info
from api.graphql.errors import Problem
from api.graphql.grants import Grant
from api.graphql.paging import DEFAULT_PAGE, Connection, after, connection, identifier
from api.graphql.permissions import requires
from registry import consent_answers, consent_asking, consent_receipts, consent_requests, grants
from registry.consent_answers import Answer
from registry.consent_requests import RequestState, Standing
from registry.errors import ForbiddenError
from registry.policy.vocabulary import AiUse, ContentFlag, Modality, ObligationCode, Purpose
from registry.principals import PrincipalKind, Scope

_Parent = strawberry.Parent[consent_requests.ConsentRequest]


@strawberry.type(description="The privacy notice that goes with a request.")
class ConsentNotice:
    """The privacy notice that goes with a request."""

    version: str
    language: str
    sha256: str = strawberry.field(description="SHA-256 of its text, base64.")
    url: str | None


@strawberry.type(description="A service asks for a consent. A null dimension means all of it.")
class ConsentRequest:
    """A service asks for a consent."""

    id: strawberry.ID
    service_id: strawberry.ID
    modalities: list[Modality] | None
    uses: list[AiUse] | None
    purposes: list[Purpose] | None
    territories: list[str] | None
    ends_at: datetime | None
    content_allowed: list[ContentFlag]
    commercial: bool
    max_uses: int | None
    written: bool
    separate: bool
    obligations: list[ObligationCode]
    created_at: datetime
    expires_at: datetime = strawberry.field(description="Until when it can be answered.")

    @strawberry.field(description="Where it stands now. GRANTED only while its grant is ACTIVE.")
    @staticmethod
    async def state(request: _Parent, info: Info) -> RequestState:
        """Where it stands now."""
        return (await _standing(request, info)).state

    @strawberry.field(description="What the service is called.")
    @staticmethod
    async def service_name(request: _Parent, info: Info) -> str:
        """What the service is called."""
        return (await _standing(request, info)).service_name

    @strawberry.field(description="Whom of your subjects it asks. To the service: nobody.")
    @staticmethod
    async def subject_ids(request: _Parent, info: Info) -> list[strawberry.ID]:
        """Whom of your subjects it asks."""
        return [strawberry.ID(str(one)) for one in (await _standing(request, info)).subject_ids]

    @strawberry.field(
        graphql_type=Grant | None, description="The grant of a yes; it counts once it is signed."
    )
    @staticmethod
    async def grant(request: _Parent, info: Info) -> grants.Grant | None:
        """The grant of a yes."""
        grant_id = (await _standing(request, info)).grant_id
        return None if grant_id is None else await info.context.grants.load(grant_id)

    @strawberry.field(
        graphql_type=list[ConsentReceipt],
        description="A signed receipt of each refusal of yours. To the service: none.",
    )
    @staticmethod
    async def receipts(request: _Parent, info: Info) -> list[consent_receipts.ConsentReceipt]:
        """A signed receipt of each refusal of yours."""
        return await info.context.receipts_of_request.load(request.id) or []

    @strawberry.field(
        description="What the service wrote to the person, until they are erased. To the service:"
        " null."
    )
    @staticmethod
    async def message(request: _Parent, info: Info) -> str | None:
        """What the service wrote to the person."""
        return await info.context.request_messages.load(request.id)

    @strawberry.field(description="The privacy notice that goes with it.")
    @staticmethod
    def notice(request: _Parent) -> ConsentNotice:
        """The privacy notice that goes with it."""
        return ConsentNotice(
            version=request.notice_version,
            language=request.notice_language,
            sha256=base64.b64encode(request.notice_sha256).decode(),
            url=request.notice_url,
        )


async def _standing(request: consent_requests.ConsentRequest, info: Info) -> Standing:
    found = await info.context.consent_requests.load(request.id)
    return found or Standing(RequestState.REQUESTED)


@strawberry.input(description="An answer to a request for consent.")
class AnswerConsentRequestInput:
    """An answer to a request for consent."""

    id: strawberry.ID
    answer: Answer
    subject_id: strawberry.ID | None = strawberry.field(
        default=None, description="For whom you answer, if it asks several of your subjects."
    )
    reason: str | None = strawberry.field(
        default=None, description="Why, for the record; the service is not told."
    )


@strawberry.type(description="The request is on record. The link is shown this once.")
class ConsentRequested:
    """The request is on record."""

    request: consent_requests.ConsentRequest = strawberry.field(graphql_type=ConsentRequest)
    link: str | None = strawberry.field(
        description="To hand to the person, if they have no record yet. Null when you repeat it."
    )
    link_token: str | None = strawberry.field(description="The secret at the link's end.")


@strawberry.type(description="The request asks your subject now, and waits for your answer.")
class ConsentRequestClaimed:
    """The request asks your subject now."""

    request: consent_requests.ConsentRequest = strawberry.field(graphql_type=ConsentRequest)


@strawberry.type(description="The answer is on record. A yes counts once its grant is signed.")
class ConsentRequestAnswered:
    """The answer is on record."""

    request: consent_requests.ConsentRequest = strawberry.field(graphql_type=ConsentRequest)


RequestConsentResult = Annotated[
    ConsentRequested | Problem, strawberry.union("RequestConsentResult")
]
ClaimConsentRequestResult = Annotated[
    ConsentRequestClaimed | Problem, strawberry.union("ClaimConsentRequestResult")
]
AnswerConsentRequestResult = Annotated[
    ConsentRequestAnswered | Problem, strawberry.union("AnswerConsentRequestResult")
]


@strawberry.type
class ConsentRequestQuery:
    """Query fields about requests for consent."""

    @strawberry.field(
        graphql_type=ConsentRequest,
        extensions=[requires(Scope.REQUESTS_READ)],
        description="A request that you made, or that asks a subject of yours.",
    )
    async def consent_request(
        self, info: Info, id: strawberry.ID
    ) -> consent_requests.ConsentRequest:
        """A request that you made, or that asks a subject of yours."""
        async with info.context.db.reading() as session:
            return await consent_requests.mine(session, identifier(id, "request"))

    @strawberry.field(
        graphql_type=Connection[ConsentRequest],
        extensions=[requires(Scope.REQUESTS_READ)],
        description="Requests that you made, or that ask subjects of yours, oldest first.",
    )
    async def consent_requests(
        self,
        info: Info,
        first: int = DEFAULT_PAGE,
        after_: Annotated[str | None, strawberry.argument(name="after")] = None,
    ) -> Connection[ConsentRequest]:
        """Requests that you made, or that ask subjects of yours, oldest first."""
        async with info.context.db.reading() as session:
            page = await consent_requests.page(session, first=first, after=after(after_))
        return connection(page, lambda one: one.id)


@strawberry.type
class ConsentRequestMutation:
    """Mutation fields about requests for consent."""

    @strawberry.mutation(
        extensions=[requires(Scope.REQUESTS_WRITE)],
        description=(
            "Ask for a consent, as the service that needs it. If the registry knows whom you mean,"
            " whoever answers for them is told soon; the answer to you is the same if it does not."
        ),
    )
    async def request_consent(self, info: Info, input: RequestConsentInput) -> RequestConsentResult:
        """Ask for a consent, as the service that needs it."""
        actor = info.context.caller.actor
        if actor.kind != PrincipalKind.SERVICE:
            raise ForbiddenError("A service asks for consent, with a token of its own.")
        asked, token = asked_of(input), None
        async with info.context.office.writing() as session:
            request_id, new = await once.claim(
                info, session, "requestConsent", input, **plain(input)
            )
            if new:
                token = await consent_asking.ask(
                    session,
                    request_id=request_id,
                    service_id=actor.principal_id,
                    asked=asked,
                    keys=info.context.state.keys,
                )
            request = await consent_requests.mine(session, request_id)
        link = None if token is None else f"{info.context.state.settings.issuer}/consent/{token}"
        return ConsentRequested(request=request, link=link, link_token=token)

    @strawberry.mutation(
        extensions=[requires(Scope.REQUESTS_WRITE)],
        description="Take the request of a link for a subject of yours. A link works once.",
    )
    async def claim_consent_request(
        self, info: Info, token: str, subject_id: strawberry.ID
    ) -> ClaimConsentRequestResult:
        """Take the request of a link for a subject of yours."""
        actor = info.context.caller.actor
        subject = identifier(subject_id, "subject", "subjectId")
        async with info.context.db.reading() as session:
            await consent_answers.require_answering(session, subject_id=subject, actor=actor)
        async with info.context.office.writing() as session:
            request_id = await consent_asking.claim(
                session, token=token, subject_id=subject, actor=actor
            )
            request = await consent_requests.mine(session, request_id)
        return ConsentRequestClaimed(request=request)

    @strawberry.mutation(
        extensions=[requires(Scope.REQUESTS_WRITE)],
        description=(
            "Answer a request for consent. GRANT puts exactly what was asked on record as a grant,"
            " which counts once you sign it (`signGrant`)."
        ),
    )
    async def answer_consent_request(
        self, info: Info, input: AnswerConsentRequestInput
    ) -> AnswerConsentRequestResult:
        """Answer a request for consent."""
        async with info.context.db.writing() as session:
            request = await consent_answers.answer(
                session,
                request_id=identifier(input.id, "request"),
                answer=input.answer,
                actor=info.context.caller.actor,
                subject_id=None
                if input.subject_id is None
                else identifier(input.subject_id, "subject", "subjectId"),
                reason=input.reason,
            )
        return ConsentRequestAnswered(request=request)
