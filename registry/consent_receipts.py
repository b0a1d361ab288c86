"""Consent receipts: what a person agreed to, refused or took back, signed, for them to keep.

Fields are those of ISO/IEC TS 27560:2023 as the W3C DPV guide to it names them; words that neither
has are ours (`likeness:`). The same event gives the same document, and holds after an erasure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from registry import jws, receipts
from registry.errors import InvalidError
from registry.grant_terms import Notice
from registry.keys import Keys
from registry.policy import dpv
from registry.policy.dpv import ConsentStatus
from registry.policy.vocabulary import GrantorRole, Modality
from registry.scopes import Scope

TYPE: Final = "consent-receipt+jwt"
SCHEMA_VERSION: Final = "ISO/IEC TS 27560:2023; likeness/1"
MAX_BYTES: Final = 2**18  # a hundred services with long names
ALL: Final = "ALL"
ALL_SERVICES: Final = "ALL_SERVICES"
SERVICE: Final = "AI_SERVICE"
REGISTRY: Final = "CONSENT_REGISTRY"
UNDETERMINED: Final = "und"  # BCP 47: no language is on record
SECTIONS: Final = ("receipt_metadata", "pii_processing", "party_identification", "event")


@dataclass(frozen=True, slots=True)
class Party:
    """A service that a consent is given to or asked for."""

    id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class Matter:
    """What is consented to, or forbidden. `parties` None: every service.

    `withdrawal` is the mutation that takes it back; None where there is nothing to take back.
    """

    record_id: UUID
    subject_id: UUID
    scope: Scope
    parties: tuple[Party, ...] | None
    withdrawal: str | None
    consent: bool = True
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    notice: Notice | None = None
    terms: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Happening:
    """One event of a record: who in what role made what of it, and how it stood then.

    `effective_at`: from when it holds, if that is later than what the matter says.
    """

    id: UUID
    at: datetime
    status: ConsentStatus
    entity_id: UUID
    role: str
    record_state: str
    effective_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Issuer:
    """The registry as it signs: its public address, and where it says it keeps data."""

    url: str
    storage_location: str
    keys: Keys = field(repr=False)


@dataclass(frozen=True, slots=True)
class ConsentReceipt:
    """A receipt as it is handed out: `document` is the signed JSON text, `token` the JWS of it."""

    event_id: UUID
    event_state: str
    at: datetime
    document: str
    token: str


@dataclass(frozen=True, slots=True)
class VerifiedReceipt:
    """The document of a receipt whose signature holds, and the key that made it."""

    document: dict[str, Any]
    kid: str


def receipt(
    matter: Matter, happening: Happening, *, reader: UUID | None, issuer: Issuer
) -> ConsentReceipt:
    """The signed receipt of one event. `reader` is a service, or None for the person's side."""
    payload = receipts.jcs(document(matter, happening, reader=reader, issuer=issuer))
    return ConsentReceipt(
        event_id=happening.id,
        event_state=str(happening.status),
        at=happening.at,
        document=payload.decode(),
        token=jws.sign(payload, typ=TYPE, signer=issuer.keys.token_signer, limit=MAX_BYTES),
    )


def document(
    matter: Matter, happening: Happening, *, reader: UUID | None, issuer: Issuer
) -> dict[str, Any]:
    """What the receipt of an event says. It names no person: people are pairwise pseudonyms.

    The person's side of each subject is a reader of its own: who acts for two is not recognised.
    """
    starts = [one for one in (matter.starts_at, happening.effective_at) if one is not None]
    to = matter.subject_id if reader is None else reader
    person = issuer.keys.pseudonym(matter.subject_id, to=to)
    entity = person
    if happening.role != GrantorRole.SELF:
        entity = issuer.keys.pseudonym(happening.entity_id, to=to)
    return {
        "receipt_metadata": {
            "schema_version": SCHEMA_VERSION,
            "record_id": str(matter.record_id),
            "receipt_id": str(happening.id),
            "pii_principal_id": person,
        },
        "pii_processing": _processing(matter, issuer),
        "party_identification": _parties(matter, issuer),
        "event": {
            "event_time": _time(happening.at),
            "validity_duration": {
                "from": _time(max(starts)) if starts else None,
                "until": None if matter.ends_at is None else _time(matter.ends_at),
            },
            "entity_id": entity,
            "entity_role": happening.role,
            "event_type": "EXPLICIT",
            "event_state": str(happening.status),
            "likeness:record_state": happening.record_state,
        },
    }


def verify(token: str, jwks: Mapping[str, Any]) -> VerifiedReceipt:
    """The document that a decision key of this key set signed. Needs nothing but the two.

    Raises InvalidError with the reason if the receipt, or the key set, is not what it should be.
    """
    known = receipts.token_keys(jwks)
    verified = jws.verify(token, typ=TYPE, key_of=known.get, limit=MAX_BYTES)
    for section in SECTIONS:
        if section not in verified.claims:
            raise InvalidError(f"The receipt has no {section}.")
    return VerifiedReceipt(verified.claims, verified.kid)


def _processing(matter: Matter, issuer: Issuer) -> dict[str, Any]:
    scope, ids = matter.scope, _ids(matter)
    territories: Sequence[str] = [ALL] if scope.territories is None else sorted(scope.territories)
    found: dict[str, Any] = {
        "privacy_notice": None
        if matter.notice is None
        else {
            "version": matter.notice.version,
            "sha256": None if matter.notice.sha256 is None else matter.notice.sha256.hex(),
        },
        "language": UNDETERMINED if matter.notice is None else matter.notice.language,
        "purposes": [
            {"purpose": name, "purpose_type": list(types)}
            for name, types in _in_dpv(scope.purposes, dpv.PURPOSES, dpv.ANY_PURPOSE)
        ],
        "processing_methods": [
            {"method": name, "method_type": list(types)}
            for name, types in _in_dpv(scope.uses, dpv.USES, dpv.ANY_USE)
        ],
        "pii_information": [
            {"pii_type": one.type, "special_pii_category": one.special}
            for one in map(dpv.PERSONAL_DATA.__getitem__, sorted(scope.modalities or Modality))
        ],
        "pii_controllers": ids,
        "recipient_third_parties": ids,
        "storage_locations": [issuer.storage_location],
        "retention_period": {
            "templates": "UNTIL_RETIRED_OR_ERASED",
            "record": "UNTIL_ERASED",
        },
        "jurisdiction": territories,
        "withdrawal_method": None
        if matter.withdrawal is None
        else {
            "url": f"{issuer.url}/graphql",
            "mutation": matter.withdrawal,
            "cost": "free of charge",
        },
        "likeness:terms": dict(matter.terms),
    }
    if matter.consent:
        found["lawful_basis"] = "dpv:ExplicitlyExpressedConsent"
    return found


def _in_dpv(
    chosen: frozenset[Any] | None, words: Mapping[Any, tuple[str, ...]], every: tuple[str, ...]
) -> list[tuple[str, tuple[str, ...]]]:
    if chosen is None:
        return [(ALL, every)]
    return [(str(one), words[one]) for one in sorted(chosen)]


def _ids(matter: Matter) -> list[str]:
    if matter.parties is None:
        return [ALL_SERVICES]
    return sorted(str(one.id) for one in matter.parties)


def _parties(matter: Matter, issuer: Issuer) -> list[dict[str, Any]]:
    """Who is named: the registry, and the services. It keeps no postal address of either."""
    contact = {"party_address": None, "party_contact": issuer.url}
    found = [{"party_id": issuer.url, "party_name": issuer.url, "party_type": REGISTRY, **contact}]
    if matter.parties is None:
        named = [(ALL_SERVICES, "Every service of this registry")]
    else:
        named = sorted((str(one.id), one.name) for one in matter.parties)
    found += [
        {"party_id": id, "party_name": name, "party_type": SERVICE, **contact} for id, name in named
    ]
    return found


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()
