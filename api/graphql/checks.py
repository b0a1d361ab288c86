"""The check in the schema: a question goes in, a signed and logged decision comes out."""

from datetime import datetime
from typing import Annotated, Any

import strawberry

from api.graphql.boxes import BoxInput
from api.graphql.context import Info
from api.graphql.errors import Problem, problem
from api.graphql.hashes import HashInput
from api.graphql.paging import identifier
from api.graphql.permissions import requires
from api.questions import (
    MAX_QUESTIONS,
    Asked,
    AskedBox,
    AskedHash,
    AskedMedia,
    AskedPerson,
    AskedProbe,
    AskedVector,
    check_all,
    question_of,
)
from registry import decisions
from registry.decisions import Answer
from registry.errors import InvalidError, NotFoundError, RegistryError
from registry.policy import decision as policy
from registry.policy.vocabulary import (
    AiUse,
    Basis,
    ContentFlag,
    LegalException,
    Modality,
    ObligationCode,
    Outcome,
    Purpose,
    ReasonAction,
)
from registry.principals import Scope


@strawberry.input(description="Uploaded media: the handle that POST /v1/media gave.")
class MediaProbeInput:
    """Uploaded media."""

    handle: strawberry.ID
    box: BoxInput | None = strawberry.field(
        default=None, description="Which face is meant; left out: every face and voice found."
    )


@strawberry.input(description="What an encoder made on your side. Needs the scope check:vector.")
class VectorInput:
    """What an encoder made on your side."""

    encoder: str
    base64: str = strawberry.field(description="Little-endian float32.")


@strawberry.input(one_of=True, description="One piece of evidence of who it is.")
class ProbeInput:
    """One piece of evidence of who it is."""

    media: MediaProbeInput | None = strawberry.UNSET
    image_hash: HashInput | None = strawberry.UNSET
    face_vector: VectorInput | None = strawberry.UNSET
    voice_vector: VectorInput | None = strawberry.UNSET


@strawberry.input(description="One person the request is about.")
class PersonInput:
    """One person the request is about."""

    claimed_subject: strawberry.ID | None = strawberry.field(
        default=None, description="Whom the service believes it is. Never replaces the search."
    )
    name: str | None = None
    target: bool | None = strawberry.field(
        default=True, description="False for a bystander who is not imitated."
    )
    probes: list[ProbeInput] | None = None


@strawberry.input(description="What the service wants to do, with whom, where and what for.")
class CheckInput:
    """What the service wants to do."""

    use: AiUse
    purpose: Purpose
    modalities: list[Modality]
    territories: list[str] | None = strawberry.field(
        default=None, description="Where it is published; 001 means worldwide."
    )
    content: list[ContentFlag] | None = None
    commercial: bool | None = None
    persons: list[PersonInput]
    claimed_exception: LegalException | None = None
    supported_obligations: list[ObligationCode] | None = strawberry.field(
        default=None, description="Duties you can fulfil; left out: as registered."
    )
    include_draft_law: bool | None = None
    nonce: str | None = strawberry.field(
        default=None,
        description="Your own word for this check: asking again gives the same answer.",
    )


@strawberry.type(description="Why, in a code, a sentence and something to do about it.")
class Reason:
    """Why, in a code, a sentence and something to do about it."""

    code: str
    message: str
    action: ReasonAction
    person: int | None
    modality: Modality | None
    pack: str | None
    grant: strawberry.ID | None


@strawberry.type(description="One parameter of a duty.")
class Parameter:
    """One parameter of a duty."""

    name: str
    value: str


@strawberry.type(description="A duty that comes with a permission.")
class Obligation:
    """A duty that comes with a permission."""

    code: ObligationCode
    source: str

    @strawberry.field(description="What exactly is owed.")
    @staticmethod
    def parameters(obligation: strawberry.Parent[policy.Obligation]) -> list[Parameter]:
        """What exactly is owed."""
        return [Parameter(name=name, value=value) for name, value in obligation.parameters]


@strawberry.type(description="The worst that holds for one person of the request.")
class PersonDecision:
    """The worst that holds for one person of the request."""

    outcome: Outcome
    reasons: list[Reason]


@strawberry.type(description="A rule pack that spoke, and which version of it.")
class PackVersion:
    """A rule pack that spoke, and which version of it."""

    id: str
    version: str


@strawberry.type(description="A decision: recorded and logged before you read it.")
class Decision:
    """A decision: recorded and logged before you read it."""

    id: strawberry.ID
    outcome: Outcome
    may_proceed: bool
    basis: Basis | None
    reasons: list[Reason]
    obligations: list[Obligation]
    persons: list[PersonDecision]
    packs: list[PackVersion]
    decided_at: datetime
    valid_until: datetime
    token: str = strawberry.field(description="The decision as a signed JWS (EdDSA, crd+jwt).")
    salt: str = strawberry.field(
        description="Keep it: with it the token proves what was asked, and ties to the log. Hex."
    )
    log_index: int

    @classmethod
    def is_type_of(cls, obj: Any, _info: Any) -> bool:
        """Answers of the registry are shown as this type."""
        return isinstance(obj, (cls, Answer))


CheckResult = Annotated[Decision | Problem, strawberry.union("CheckResult")]


def asked(given: CheckInput) -> Asked:
    """The input in the form that plain HTTP shares."""
    return Asked(
        use=given.use,
        purpose=given.purpose,
        modalities=given.modalities,
        territories=given.territories,
        content=given.content,
        commercial=given.commercial,
        persons=[_person(one) for one in given.persons],
        claimed_exception=given.claimed_exception,
        supported_obligations=given.supported_obligations,
        include_draft_law=given.include_draft_law,
        nonce=given.nonce,
    )


def _person(given: PersonInput) -> AskedPerson:
    return AskedPerson(
        claimed_subject=given.claimed_subject,
        name=given.name,
        target=given.target is not False,
        probes=[_probe(one) for one in given.probes or []],
    )


def _probe(given: ProbeInput) -> AskedProbe:
    return AskedProbe(
        media=_media(given.media) if given.media else None,
        image_hash=AskedHash("PHASH_256", given.image_hash.hex) if given.image_hash else None,
        face_vector=_vector(given.face_vector) if given.face_vector else None,
        voice_vector=_vector(given.voice_vector) if given.voice_vector else None,
    )


def _media(given: MediaProbeInput) -> AskedMedia:
    box = given.box
    drawn = None if box is None else AskedBox(box.x, box.y, box.width, box.height)
    return AskedMedia(given.handle, drawn)


def _vector(given: VectorInput) -> AskedVector:
    return AskedVector(given.encoder, given.base64)


@strawberry.type
class CheckQuery:
    """Query fields that decide."""

    @strawberry.field(
        graphql_type=Decision,
        extensions=[requires(Scope.CHECK)],
        description="Was this use of this person consented? Ask before you generate.",
    )
    async def check_consent(self, info: Info, input: CheckInput) -> Answer:
        """Was this use of this person consented?"""
        context, question = info.context, asked(input)
        context.spend([question])
        return await context.state.checker.check(context.caller.actor, question_of(question))

    @strawberry.field(
        graphql_type=list[CheckResult],
        extensions=[requires(Scope.CHECK)],
        description="Up to 256 checks at once; one that cannot be read is a Problem of its own.",
    )
    async def check_consents(self, info: Info, inputs: list[CheckInput]) -> list[Any]:
        """Up to 256 checks at once."""
        if not 1 <= len(inputs) <= MAX_QUESTIONS:
            raise InvalidError(f"Send 1 to {MAX_QUESTIONS} checks.", field="inputs")
        context, questions = info.context, [asked(one) for one in inputs]
        context.spend(questions)
        results = await check_all(context.state.checker, context.caller.actor, questions)
        return [problem(one) if isinstance(one, RegistryError) else one for one in results]

    @strawberry.field(
        graphql_type=Decision | None,
        extensions=[requires(Scope.CHECK)],
        description="A decision you were given; null otherwise.",
    )
    async def decision(self, info: Info, id: strawberry.ID) -> Answer | None:
        """A decision you were given; null otherwise."""
        context = info.context
        try:
            decision_id = identifier(id, "decision")
        except NotFoundError:
            return None
        async with context.db.reading() as session:
            found = await decisions.get(session, decision_id)
        return None if found is None else decisions.opened(found, keys=context.state.keys)
