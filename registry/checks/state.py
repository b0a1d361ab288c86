"""Rows of the one statement as facts: people with all that was said of them, and services."""

import logging
from datetime import datetime
from typing import Any
from uuid import UUID

from registry import figure_rows, filings, objections, protections, services, subjects
from registry.encoder_set import EncoderSet
from registry.grant_states import GrantEventKind, Step, state_of
from registry.keys import Keys
from registry.policy import facts
from registry.policy.vocabulary import (
    AiUse,
    ContentFlag,
    GrantorRole,
    Kinship,
    Modality,
    ObligationCode,
    Purpose,
    Registration,
    SubjectClass,
)
from registry.sealing import SealError
from registry.standing import ProtectionKind, Stated, standing

logger = logging.getLogger(__name__)


def subjects_of(
    rows: list[dict[str, Any]], at: datetime, keys: Keys, encoders: EncoderSet
) -> dict[UUID, facts.Subject]:
    """Everybody who can be read; of a candidate who cannot, the engine says FACTS_INCOMPLETE."""
    found = {}
    for row in rows:
        try:
            found[UUID(row["id"])] = _subject(row, at, keys, encoders)
        except (ValueError, KeyError, TypeError, SealError):
            logger.exception("Subject %s cannot be read.", row["id"])
    return found


def _subject(row: dict[str, Any], at: datetime, keys: Keys, encoders: EncoderSet) -> facts.Subject:
    subject_id, wrapped = UUID(row["id"]), bytes.fromhex(row["key"])
    profile = subjects.open_profile(
        bytes.fromhex(row["profile"]), subject_id=subject_id, wrapped=wrapped, keys=keys
    )
    said = standing(_stated(one, subject_id, wrapped, keys) for one in row["protections"])
    return facts.Subject(
        id=row["id"],
        registration=subjects.registration_of(row["events"]),
        classes=said.classes,
        born=profile.birth_date,
        died=said.died,
        death_assured=said.death_assured,
        relatives_living=said.relatives_living,
        holders=frozenset(map(_holder, row["holders"])),
        domicile_at_death=said.domicile,
        residence=said.residence,
        enrolled=frozenset(
            encoders.by_id[encoder].modality
            for encoder, _ in row["templates"]
            if encoders.is_active(encoder)
        ),
        grants=tuple(_grant(one, at) for one in row["grants"]),
        objections=tuple(_objection(one, at) for one in row["objections"]),
        orders=tuple(_order(one) for one in row["orders"]),
    )


def _stated(row: dict[str, Any], subject_id: UUID, wrapped: bytes, keys: Keys) -> Stated:
    body = protections.open_body(
        bytes.fromhex(row["sealed"]),
        protection_id=UUID(row["id"]),
        subject_id=subject_id,
        wrapped=wrapped,
        keys=keys,
    )
    return Stated(ProtectionKind(row["kind"]), row["assured"], body)


def _holder(row: dict[str, Any]) -> facts.Holder:
    kinship = row["kinship"]
    return facts.Holder(row["id"], None if kinship is None else Kinship(kinship), row["share"])


def _grant(row: dict[str, Any], at: datetime) -> facts.Grant:
    events = row["events"]
    ends_at = _time(row["until"])
    # The engine judges the end of the term itself, so that "expired" can be its reason.
    steps = [Step(one["kind"], _time(one["effective"]), one["cause"]) for one in events]
    signed = [one for one in events if one["kind"] == GrantEventKind.SIGNED]
    revoked = [one["at"] for one in events if one["kind"] == GrantEventKind.REVOKED]
    complete = any(one.kind == GrantEventKind.ACTIVATED for one in steps)
    if signed and not complete:
        # So that the engine, which asks for signatures itself, says whose are missing.
        steps.append(Step(GrantEventKind.ACTIVATED))
    state = state_of(steps, ends_at=None, at=at)
    return facts.Grant(
        id=row["id"],
        grantees=_set(str, row["grantees"]),
        state=state,
        starts_at=datetime.fromisoformat(row["from"]),
        ends_at=ends_at,
        revoked_at=datetime.fromisoformat(revoked[0]) if revoked else None,
        modalities=_set(Modality, row["modalities"]),
        uses=_set(AiUse, row["uses"]),
        purposes=_set(Purpose, row["purposes"]),
        territories=_set(str, row["territories"]),
        content_allowed=_set(ContentFlag, row["content"]) or frozenset(),
        commercial=row["commercial"],
        uses_left=None if row["max_uses"] is None else row["max_uses"] - row["used"],
        grantor_roles=frozenset(GrantorRole(one["role"]) for one in signed),
        mandated=any(one["mandated"] for one in signed),
        complete=complete,
        grantor_ial=min((one["ial"] for one in signed), default=0),
        signed_by=frozenset(
            one["representative"] for one in signed if one["representative"] is not None
        ),
        written=row["written"],
        separate=row["separate"],
        represented=row["represented"],
        replaces_performance=row["replaces"],
        obligations=_set(ObligationCode, row["obligations"]) or frozenset(),
        acknowledges_objections=frozenset(row["acknowledges"]),
    )


def _objection(row: dict[str, Any], at: datetime) -> facts.Objection:
    happened = [(one["kind"], datetime.fromisoformat(one["at"])) for one in row["events"]]
    stands = objections.standing_of(happened, at=at)
    return facts.Objection(
        id=row["id"],
        state=stands.state,
        since=datetime.fromisoformat(row["since"]),
        modalities=_set(Modality, row["modalities"]),
        uses=_set(AiUse, row["uses"]),
        purposes=_set(Purpose, row["purposes"]),
        territories=_set(str, row["territories"]),
        filed_by_role=GrantorRole(row["role"]),
        carve_out_grants=frozenset(row["carve_outs"]),
        until=stands.ended_at,
    )


def _order(row: dict[str, Any]) -> facts.Order:
    return facts.Order(
        id=row["id"],
        modalities=_set(Modality, row["modalities"]),
        uses=_set(AiUse, row["uses"]),
        purposes=_set(Purpose, row["purposes"]),
        territories=_set(str, row["territories"]),
    )


def service_of(row: dict[str, Any]) -> facts.Service:
    """A service with its standing and the territories whose filing duty it has met."""
    stands = services.standing_of([(kind, tier) for kind, tier in row["events"]])
    return facts.Service(
        id=row["id"],
        active=stands.active,
        tier=stands.tier,
        filings=frozenset(one["territory"] for one in row["filings"] if _counts(one)),
        establishment=row["established"],
        supported_obligations=_set(ObligationCode, row["obligations"]),
    )


def _counts(row: dict[str, Any]) -> bool:
    return filings.standing_of(
        kind=row["kind"], revoked=False, listed=row["listed"], list_loaded=row["list"]
    ).counts


def figures_of(rows: list[dict[str, Any]], at: datetime) -> dict[bytes, tuple[facts.Subject, ...]]:
    """Public figures by the key of a name they are asked for under, in a fixed order."""
    found: dict[bytes, list[facts.Subject]] = {}
    for row in sorted(rows, key=lambda one: str(one["id"])):
        found.setdefault(bytes.fromhex(row["key"]), []).append(_figure(row, at))
    return {key: tuple(named) for key, named in found.items()}


def _figure(row: dict[str, Any], at: datetime) -> facts.Subject:
    """As a verified person who gave nothing: an office imported them from a named source."""
    classes = {SubjectClass(one) for one in row["classes"]}
    died = row["died"]
    if died is not None:
        classes.add(SubjectClass.DECEASED)
        day = figure_rows.last_day(died)
        died = day if figure_rows.first_day(died) == day else min(day, at.date())
    return facts.Subject(
        id=row["id"],
        registration=Registration.VERIFIED,
        classes=frozenset(classes),
        born=None if row["born"] is None else figure_rows.last_day(row["born"]),
        died=died,
        domicile_at_death=row["domicile"],
        residence=row["citizenship"],
    )


def _set(kind: Any, values: list[str] | None) -> frozenset[Any] | None:
    return None if values is None else frozenset(kind(one) for one in values)


def _time(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)
