"""A check as it arrives, whichever way: GraphQL and plain HTTP both end here."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from registry.checks.checker import Checker
from registry.checks.questions import Person, Probe, Question, ask
from registry.database import Actor
from registry.decisions import Answer
from registry.encoders.targets import Box
from registry.errors import ForbiddenError, InvalidError, NotFoundError, RegistryError
from registry.policy.vocabulary import (
    AiUse,
    ContentFlag,
    LegalException,
    Modality,
    ObligationCode,
    Purpose,
)
from registry.principals import Scope
from registry.probes import EXPIRED

MAX_QUESTIONS = 256
MAX_PROBES = 1024  # in one request


_CAMEL = ConfigDict(extra="forbid", alias_generator=to_camel, strict=True)


@dataclass(frozen=True, slots=True)
class AskedBox:
    """A rectangle of the picture, in pixels."""

    __pydantic_config__ = _CAMEL
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class AskedMedia:
    """The handle an upload gave, and which of its faces is meant."""

    __pydantic_config__ = _CAMEL
    handle: str
    box: AskedBox | None = None


@dataclass(frozen=True, slots=True)
class AskedHash:
    """A perceptual hash the client made."""

    __pydantic_config__ = _CAMEL
    algorithm: Literal["PHASH_256"]
    hex: str


@dataclass(frozen=True, slots=True)
class AskedVector:
    """What an encoder made on the client's side."""

    __pydantic_config__ = _CAMEL
    encoder: str
    base64: str


@dataclass(frozen=True, slots=True)
class AskedProbe:
    """One piece of evidence: exactly one of its fields."""

    __pydantic_config__ = _CAMEL
    media: AskedMedia | None = None
    image_hash: AskedHash | None = None
    face_vector: AskedVector | None = None
    voice_vector: AskedVector | None = None


@dataclass(frozen=True, slots=True)
class AskedPerson:
    """One person, as the client named them."""

    __pydantic_config__ = _CAMEL
    claimed_subject: str | None = None
    name: str | None = None
    target: bool | None = True
    probes: Sequence[AskedProbe] | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """One check, its words known but nothing looked up. The fields are CheckInput's."""

    __pydantic_config__ = _CAMEL
    use: AiUse
    purpose: Purpose
    modalities: Sequence[Modality]
    persons: Sequence[AskedPerson]
    territories: Sequence[str] | None = None
    content: Sequence[ContentFlag] | None = None
    commercial: bool | None = None
    claimed_exception: LegalException | None = None
    supported_obligations: Sequence[ObligationCode] | None = None
    include_draft_law: bool | None = None
    nonce: str | None = None


_ASKED = TypeAdapter(Asked)


def parse(body: bytes) -> Asked:
    """A check from JSON; InvalidError says where it does not fit."""
    try:
        return _ASKED.validate_json(body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(one) for one in first["loc"])
        raise InvalidError(
            f"{place or 'The body'}: {first['msg']}.", field=place or None
        ) from error


def question_of(asked: Asked) -> Question:
    """The question in the registry's own form; a RegistryError names what does not hold."""
    return ask(
        use=asked.use,
        purpose=asked.purpose,
        modalities=asked.modalities,
        persons=[_person(one) for one in asked.persons],
        territories=asked.territories or (),
        content=asked.content or (),
        commercial=asked.commercial is not False,
        claimed_exception=asked.claimed_exception,
        supported_obligations=asked.supported_obligations,
        include_draft_law=asked.include_draft_law is True,
        nonce=asked.nonce,
    )


def _person(given: AskedPerson) -> Person:
    claimed = None
    if given.claimed_subject is not None:
        try:
            claimed = UUID(given.claimed_subject)
        except ValueError as error:
            raise InvalidError("That is no subject id.", field="claimedSubject") from error
    return Person(
        # The same twice tells nothing new, and would only take time that can be measured.
        probes=tuple(dict.fromkeys(_probe(one) for one in given.probes or ())),
        claimed_subject=claimed,
        name=given.name,
        target=given.target is not False,
    )


def _probe(given: AskedProbe) -> Probe:
    chosen = [given.media, given.image_hash, given.face_vector, given.voice_vector]
    if sum(one is not None for one in chosen) != 1:
        raise InvalidError(
            "A probe is exactly one of media, imageHash, faceVector and voiceVector.",
            field="probes",
        )
    if given.image_hash is not None:
        return Probe.from_hex(given.image_hash.hex)
    if given.face_vector is not None:
        one = given.face_vector
        return Probe.from_base64(Modality.FACE, one.encoder, one.base64)
    if given.voice_vector is not None:
        one = given.voice_vector
        return Probe.from_base64(Modality.VOICE, one.encoder, one.base64)
    return _media(given.media or AskedMedia(""))


def _media(given: AskedMedia) -> Probe:
    box = given.box
    try:
        handle = UUID(given.handle)
    except ValueError as error:
        raise NotFoundError(EXPIRED, field="handle") from error
    return Probe(
        media=handle,
        box=None if box is None else Box.checked(box.x, box.y, box.width, box.height),
    )


def require_vectors(asked: Sequence[Asked], scopes: Collection[Scope]) -> None:
    """ForbiddenError where a check brings vectors and the token does not allow it."""
    brought = any(
        probe.face_vector is not None or probe.voice_vector is not None
        for one in asked
        for person in one.persons
        for probe in person.probes or ()
    )
    if brought and Scope.CHECK_VECTOR not in scopes:
        raise ForbiddenError(f"Vectors need a token with the scope {Scope.CHECK_VECTOR}.")


def probes_of(asked: Sequence[Asked]) -> int:
    """How many probes there are to search."""
    return sum(len(person.probes or ()) for one in asked for person in one.persons)


async def check_all(
    checker: Checker, actor: Actor, asked: Sequence[Asked]
) -> list[Answer | RegistryError]:
    """An answer or a refusal for each, in order; one that cannot be read spoils no other."""
    read: list[Question | RegistryError] = []
    for one in asked:
        try:
            read.append(question_of(one))
        except RegistryError as error:
            read.append(error)
    answers = iter(
        await checker.check_many(actor, [one for one in read if isinstance(one, Question)])
    )
    return [one if isinstance(one, RegistryError) else next(answers) for one in read]
