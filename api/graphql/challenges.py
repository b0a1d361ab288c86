"""Challenges in the schema: a phrase to speak, and the recording that answers it."""

from datetime import datetime
from typing import Annotated

import strawberry

from api.graphql.context import Context, Info
from api.graphql.errors import Problem
from api.graphql.paging import identifier
from api.graphql.permissions import requires
from registry import challenges, grants, presentations, probes, sampling
from registry.challenges import Heard, Recording, SpokenOutcome
from registry.database import WriteSession, new_id
from registry.policy.vocabulary import Modality
from registry.presentations import PresentationFault
from registry.principals import Scope


@strawberry.type(description="What to say aloud to consent: words nobody could know before.")
class SigningChallenge:
    """What to say aloud to consent."""

    id: strawberry.ID
    phrase: str
    expires_at: datetime


@strawberry.input(description="A recording of the phrase, spoken by the person who consents.")
class SpokenStatementInput:
    """A recording of the phrase."""

    handle: strawberry.ID = strawberry.field(description="The upload.")
    challenge_id: strawberry.ID
    spoken: str = strawberry.field(description="What you, or your recogniser, heard in it.")


@strawberry.type(description="Speak the phrase, upload the recording, and sign with it.")
class SigningBegun:
    """Speak the phrase, upload the recording, and sign with it."""

    challenge: challenges.Challenge = strawberry.field(graphql_type=SigningChallenge)


BeginSigningResult = Annotated[SigningBegun | Problem, strawberry.union("BeginSigningResult")]


async def hear(
    session: WriteSession, context: Context, grant: grants.Grant, given: SpokenStatementInput
) -> Heard:
    """Use up the challenge; what is refused is on record once the transaction commits."""
    keys, actor_id = context.state.keys, context.caller.actor.principal_id
    handle = identifier(given.handle, "media handle", "handle")
    upload = await probes.opened(session, handle, keys=keys)
    _, vectors = sampling.sample_of(upload, modality=Modality.VOICE, box=None)
    challenge_id = identifier(given.challenge_id, "challenge", "challengeId")
    heard = await challenges.hear(
        session,
        grant,
        Recording(challenge_id, given.spoken, upload.media_sha256, vectors),
        spoken_by=actor_id,
        encoders=context.state.checker.encoders,
        keys=keys,
    )
    if heard.outcome is SpokenOutcome.ANOTHER_VOICE:
        await presentations.refuse(
            session,
            PresentationFault.NOT_THE_SUBJECT,
            refusal_id=new_id(),
            subject_id=grant.subject_id,
            modality=Modality.VOICE,
            about=heard.statement_id,
            presented_by=actor_id,
        )
    return heard


@strawberry.type
class ChallengeMutation:
    """Mutation fields about spoken consent."""

    @strawberry.mutation(
        extensions=[requires(Scope.GRANTS_WRITE)],
        description="Ask for the phrase by which to consent aloud. It holds for ten minutes, once.",
    )
    async def begin_signing(self, info: Info, grant_id: strawberry.ID) -> BeginSigningResult:
        """Ask for the phrase by which to consent aloud."""
        async with info.context.db.writing() as session:
            grant = await grants.mine(session, identifier(grant_id, "grant", "grantId"))
            challenge = await challenges.begin(
                session,
                grant,
                challenge_id=new_id(),
                principal_id=info.context.caller.actor.principal_id,
            )
        return SigningBegun(challenge=challenge)
