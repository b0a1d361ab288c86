"""What a service asks, checked before anything is looked up."""

import base64
import hashlib
from collections.abc import Collection
from dataclasses import asdict, dataclass
from uuid import UUID

from registry import receipts
from registry.encoders.targets import Box
from registry.errors import InvalidError
from registry.policy import territories as known_territories
from registry.policy.facts import Request
from registry.policy.vocabulary import (
    AiUse,
    ContentFlag,
    LegalException,
    Modality,
    ObligationCode,
    Purpose,
)
from registry.subjects import checked_name

MAX_PERSONS = 20
MAX_PROBES = 10
MAX_NONCE_LENGTH = 128
MAX_TERRITORIES = 100
HASH_BYTES = 32
MAX_VECTOR_LENGTH = 2**14
MAX_ENCODER_LENGTH = 100


@dataclass(frozen=True, slots=True)
class Probe:
    """One piece of evidence: the handle of an upload, or what the service computed itself.

    `box` chooses a face of the upload; `vector` is of a modality and encoder, float32.
    """

    media: UUID | None = None
    box: Box | None = None
    image_hash: bytes | None = None
    vector: tuple[Modality, str, bytes] | None = None

    @classmethod
    def from_base64(cls, modality: Modality, encoder: str, text: str) -> "Probe":
        """A vector the service made: little-endian float32."""
        if len(text) > MAX_VECTOR_LENGTH or len(encoder) > MAX_ENCODER_LENGTH:
            raise InvalidError(_VECTOR_FORM, field="base64")
        try:
            raw = base64.b64decode(text, validate=True)
        except ValueError as error:
            raise InvalidError(_VECTOR_FORM, field="base64") from error
        return cls(vector=(modality, encoder, raw))

    @classmethod
    def from_hex(cls, text: str) -> "Probe":
        """A phash-256/1 hash of 64 hexadecimal digits."""
        try:
            value = bytes.fromhex(text)
        except ValueError as error:
            raise InvalidError(_HASH_FORM, field="imageHash") from error
        if len(value) != HASH_BYTES or len(text) != 2 * HASH_BYTES:
            raise InvalidError(_HASH_FORM, field="imageHash")
        return cls(image_hash=value)


_VECTOR_FORM = "A vector is little-endian float32 in base64, and names its encoder."
_HASH_FORM = "A phash-256 hash is 64 hexadecimal digits."


@dataclass(frozen=True, slots=True)
class Person:
    """One person of the request, as the service describes them."""

    probes: tuple[Probe, ...] = ()
    claimed_subject: UUID | None = None
    name: str | None = None
    target: bool = True


@dataclass(frozen=True, slots=True)
class Question:
    """One check. `(service, nonce)` is idempotent."""

    request: Request
    persons: tuple[Person, ...]
    nonce: str | None = None


def ask(
    *,
    use: AiUse,
    purpose: Purpose,
    modalities: Collection[Modality],
    persons: Collection[Person],
    territories: Collection[str] = (),
    content: Collection[ContentFlag] = (),
    commercial: bool = True,
    claimed_exception: LegalException | None = None,
    supported_obligations: Collection[ObligationCode] | None = None,
    include_draft_law: bool = False,
    nonce: str | None = None,
) -> Question:
    """A checked question; InvalidError names the field that does not hold."""
    if not modalities:
        raise InvalidError("Name at least one modality.", field="modalities")
    if len(territories) > MAX_TERRITORIES:
        raise InvalidError(f"At most {MAX_TERRITORIES} territories.", field="territories")
    if nonce is not None and not (0 < len(nonce) <= MAX_NONCE_LENGTH and nonce.isprintable()):
        raise InvalidError(
            f"A nonce has 1 to {MAX_NONCE_LENGTH} printable characters.", field="nonce"
        )
    request = Request(
        use=use,
        purpose=purpose,
        modalities=frozenset(modalities),
        territories=known_territories.check(territories, field="territories"),
        content=frozenset(content),
        commercial=commercial,
        claimed_exception=claimed_exception,
        supported_obligations=None
        if supported_obligations is None
        else frozenset(supported_obligations),
        include_draft_law=include_draft_law,
    )
    return Question(request=request, persons=_checked(persons), nonce=nonce)


def _checked(persons: Collection[Person]) -> tuple[Person, ...]:
    if not 1 <= len(persons) <= MAX_PERSONS:
        raise InvalidError(f"Name 1 to {MAX_PERSONS} persons.", field="persons")
    for one in persons:
        if len(one.probes) > MAX_PROBES:
            raise InvalidError(f"At most {MAX_PROBES} probes a person.", field="probes")
        if not one.probes and one.claimed_subject is None and one.name is None:
            raise InvalidError(
                "A person needs a probe, a claimed subject or a name.", field="persons"
            )
        if one.name is not None:
            checked_name(one.name)
    return tuple(persons)


def digest(question: Question) -> str:
    """SHA-256 of the question as it was asked, in canonical JSON (RFC 8785); hex."""
    request = question.request
    plain = {
        "use": str(request.use),
        "purpose": str(request.purpose),
        "modalities": sorted(request.modalities),
        "territories": sorted(request.territories),
        "content": sorted(request.content),
        "commercial": request.commercial,
        "claimedException": request.claimed_exception,
        "supportedObligations": None
        if request.supported_obligations is None
        else sorted(request.supported_obligations),
        "includeDraftLaw": request.include_draft_law,
        "persons": [_plain(one) for one in question.persons],
    }
    return receipts.digest(plain)


def _plain(person: Person) -> dict[str, object]:
    return {
        "claimedSubject": None if person.claimed_subject is None else str(person.claimed_subject),
        "name": person.name,
        "target": person.target,
        "probes": [
            {
                "media": None if probe.media is None else str(probe.media),
                "imageHash": None if probe.image_hash is None else probe.image_hash.hex(),
                **_plain_choice(probe),
            }
            for probe in person.probes
        ],
    }


def _plain_choice(probe: Probe) -> dict[str, object]:
    """A box or a vector, where there is one; so that questions without keep their digests."""
    chosen: dict[str, object] = {}
    if probe.box is not None:
        chosen["box"] = asdict(probe.box)
    if probe.vector is not None:
        modality, encoder, raw = probe.vector
        digest = hashlib.sha256(raw).hexdigest()
        chosen["vector"] = {"modality": str(modality), "encoder": encoder, "sha256": digest}
    return chosen
