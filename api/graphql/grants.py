"""Consent grants in the schema: proposed, signed, revoked; never edited."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from api.graphql import once
from api.graphql.challenges import SpokenStatementInput, hear
from api.graphql.consent_receipts import ConsentReceipt, of_grant
from api.graphql.context import Info
from api.graphql.errors import Problem
from api.graphql.grant_terms import ProposeGrantInput, terms_of
from api.graphql.paging import DEFAULT_PAGE, Connection, after, connection, identifier
from api.graphql.permissions import requires
from api.graphql.scopes import scope_of
from api.graphql.subjects import Subject, behind
from registry import assurance, consent_receipts, grants, signing, subjects
from registry.policy.hands import Missing
from registry.policy.pack_words import HolderDecision
from registry.policy.vocabulary import (
    AiUse,
    ContentFlag,
    GrantorRole,
    GrantState,
    Modality,
    ObligationCode,
    Purpose,
)
from registry.principals import Scope


@strawberry.type(description="Signatures that a consent needs: in any of these roles.")
class MissingSignature:
    """Signatures that a consent needs."""

    any_of: list[GrantorRole]
    holders: list[strawberry.ID] = strawberry.field(
        description="Of these holders of the rights of the dead (their representations)."
    )
    decision: HolderDecision | None = strawberry.field(
        description="How many of the holders; null where the role alone is asked for."
    )
    territories: list[str] = strawberry.field(
        description="Whose law asks for it. ZZ stands for every territory without a pack."
    )

    @classmethod
    def of(cls, missing: Missing) -> "MissingSignature":
        """The same in the schema."""
        return cls(
            any_of=sorted(missing.asked.any_of),
            holders=[strawberry.ID(one) for one in sorted(missing.asked.holders)],
            decision=missing.asked.decision,
            territories=sorted(missing.territories),
        )


@strawberry.type(description="One consent, as it was given. A null dimension means all of it.")
class Grant:
    """One consent, as it was given."""

    id: strawberry.ID
    modalities: list[Modality] | None
    uses: list[AiUse] | None
    purposes: list[Purpose] | None
    territories: list[str] | None
    grantees: list[strawberry.ID] | None
    content_allowed: list[ContentFlag]
    commercial: bool
    starts_at: datetime
    ends_at: datetime | None
    max_uses: int | None
    written: bool
    separate: bool
    exclusive: bool
    obligations: list[ObligationCode]
    notice_version: str | None
    notice_language: str | None
    created_at: datetime

    @strawberry.field(
        graphql_type=Subject | None,
        description="Whose consent it is, if yours; with `subjects:read`.",
    )
    @staticmethod
    async def subject(grant: strawberry.Parent[grants.Grant], info: Info) -> subjects.Record | None:
        """Whose consent it is, if yours."""
        return await behind(info, grant.subject_id)

    @strawberry.field(description="Where it stands now.")
    @staticmethod
    async def state(grant: strawberry.Parent[grants.Grant], info: Info) -> GrantState:
        """Where it stands now."""
        return await info.context.grant_states.load(grant.id) or GrantState.PENDING

    @strawberry.field(description="When it took, or takes, effect; null while signatures miss.")
    @staticmethod
    async def effective_at(grant: strawberry.Parent[grants.Grant], info: Info) -> datetime | None:
        """When it took, or takes, effect."""
        return await info.context.grants_effective.load(grant.id)

    @strawberry.field(
        description=(
            "Whose signatures it still needs, by the law of each territory it covers. A consent for"
            " everywhere is in force where none is missing. Null if the person is not yours."
        )
    )
    @staticmethod
    async def missing_signatures(
        grant: strawberry.Parent[grants.Grant], info: Info
    ) -> list[MissingSignature] | None:
        """Whose signatures it still needs."""
        hands = await info.context.hands.load(grant.id)
        return None if hands is None else [MissingSignature.of(one) for one in hands.missing]

    @strawberry.field(
        graphql_type=list[ConsentReceipt],
        extensions=[requires(Scope.GRANTS_READ)],
        description="A signed receipt of each event, oldest first: for the person, who acts for"
        " them, and the services it is given to.",
    )
    @staticmethod
    async def receipts(
        grant: strawberry.Parent[grants.Grant], info: Info
    ) -> list[consent_receipts.ConsentReceipt]:
        """A signed receipt of each event, oldest first."""
        return await of_grant(grant, info)


@strawberry.type(description="The consent is on record; it permits nothing until it is signed.")
class GrantProposed:
    """The consent is on record; it permits nothing until it is signed."""

    grant: grants.Grant = strawberry.field(graphql_type=Grant)


@strawberry.type(description="The consent is signed, and counts once all who must have signed.")
class GrantSigned:
    """The consent is signed."""

    grant: grants.Grant = strawberry.field(graphql_type=Grant)


@strawberry.type(description="The consent has ended.")
class GrantRevoked:
    """The consent has ended."""

    grant: grants.Grant = strawberry.field(graphql_type=Grant)


ProposeGrantResult = Annotated[GrantProposed | Problem, strawberry.union("ProposeGrantResult")]
SignGrantResult = Annotated[GrantSigned | Problem, strawberry.union("SignGrantResult")]
RevokeGrantResult = Annotated[GrantRevoked | Problem, strawberry.union("RevokeGrantResult")]


@strawberry.type
class GrantQuery:
    """Query fields about grants."""

    @strawberry.field(
        graphql_type=Connection[Grant],
        extensions=[requires(Scope.GRANTS_READ)],
        description="Consents of your subjects, and those given to you, oldest first.",
    )
    async def grants(
        self,
        info: Info,
        subject_id: strawberry.ID | None = None,
        state: GrantState | None = None,
        first: int = DEFAULT_PAGE,
        after_: Annotated[str | None, strawberry.argument(name="after")] = None,
    ) -> Connection[Grant]:
        """Consents of your subjects, and those given to you, oldest first."""
        async with info.context.db.reading() as session:
            page = await grants.page(
                session,
                subject_id=None if subject_id is None else identifier(subject_id, "subject"),
                state=state,
                first=first,
                after=after(after_),
            )
        return connection(page, lambda grant: grant.id)


@strawberry.type
class GrantMutation:
    """Mutation fields about grants. Each is one transaction, committed before it answers."""

    @strawberry.mutation(
        extensions=[requires(Scope.GRANTS_WRITE)],
        description="Put a consent of your subject on record. It is PENDING until it is signed.",
    )
    async def propose_grant(self, info: Info, input: ProposeGrantInput) -> ProposeGrantResult:
        """Put a consent of your subject on record."""
        subject_id = identifier(input.subject_id, "subject", "subjectId")
        scope, terms = scope_of(input.scope), terms_of(input)
        actor_id = info.context.caller.actor.principal_id
        async with info.context.db.writing() as session:
            grant_id, new = await once.claim(
                info,
                session,
                "proposeGrant",
                input,
                scope=vars(input.scope),
                notice=None if input.notice is None else vars(input.notice),
            )
            if new:
                await grants.propose(
                    session,
                    grant_id=grant_id,
                    subject_id=subject_id,
                    proposed_by=actor_id,
                    scope=scope,
                    terms=terms,
                )
            grant = await grants.mine(session, grant_id)
        return GrantProposed(grant=grant)

    @strawberry.mutation(
        extensions=[requires(Scope.GRANTS_WRITE)],
        description=(
            "Sign a consent: as the person, if you keep their record, or in the role in which you"
            " are verified to act for them. Needs identity assurance IAL2. A statement is the"
            " recording of a phrase that `beginSigning` gave; a refused one leaves it unsigned."
        ),
    )
    async def sign_grant(
        self,
        info: Info,
        id: strawberry.ID,
        role: GrantorRole = GrantorRole.SELF,
        statement: SpokenStatementInput | None = None,
    ) -> SignGrantResult:
        """Sign a consent, as the person or in the role in which you act for them."""
        context, grant_id, heard = info.context, identifier(id, "grant"), None
        if statement is not None:
            assurance.require_assured(await context.ial())  # before anything is compared
        async with context.db.writing() as session:
            if statement is not None:
                grant = await grants.mine(session, grant_id)
                heard = await hear(session, context, grant, statement)
            if heard is None or heard.is_accepted:
                grant = await signing.sign(
                    session,
                    grant_id=grant_id,
                    actor=context.caller.actor,
                    role=role,
                    ial=context.caller.ial,  # attestations are weighed for this very grant
                    law=context.law,
                )
        if heard is not None:
            heard.require()  # only now: the refusal is on record
        return GrantSigned(grant=grant)

    @strawberry.mutation(
        extensions=[requires(Scope.GRANTS_WRITE)],
        description="End a consent now: no check that starts after this answer is permitted by it.",
    )
    async def revoke_grant(
        self, info: Info, id: strawberry.ID, reason: str | None = None
    ) -> RevokeGrantResult:
        """End a consent now."""
        grant_id: UUID = identifier(id, "grant")
        async with info.context.db.writing() as session:
            grant = await grants.revoke(
                session,
                grant_id=grant_id,
                actor_id=info.context.caller.actor.principal_id,
                reason=reason,
            )
        return GrantRevoked(grant=grant)
