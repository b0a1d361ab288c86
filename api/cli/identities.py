"""`likeness attest identity` and `revoke`: the operator, at the desk, identifies somebody."""

import asyncio
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from api.cli.enroll import media_workers, read_media
from api.cli.output import USAGE, AsJson, Failed, line, result
from api.cli.session import Acting, account, identifier, run_as
from api.cli.settings import DataDir
from registry import attestations, confirmation, sampling, subjects, templates, verification
from registry.attestations import Attestation, AttestationMethod, Finding
from registry.database import new_id
from registry.encoder_set import EncoderSet
from registry.policy.vocabulary import Modality
from registry.principals import MAX_IAL
from registry.samples import Vectors


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a live capture shows, and what of it matched the person on record."""

    capture: Vectors | None = None
    matched: frozenset[Modality] = frozenset()


def identity(
    holder: Annotated[str, typer.Argument(metavar="ACCOUNT", help="Whom you identified.")],
    *,
    evidence: Annotated[
        Path,
        typer.Option(
            exists=True, dir_okay=False, readable=True, help="Your record of it; it stays here."
        ),
    ],
    expires: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="Within five years.")],
    level: Annotated[int, typer.Option(min=1, max=MAX_IAL, help="Identity assurance level.")] = 2,
    method: Annotated[
        AttestationMethod, typer.Option(help="How.")
    ] = AttestationMethod.DOCUMENT_IN_PERSON,
    live: Annotated[
        bool, typer.Option("--live/--not-live", help="Whether you saw or heard them live.")
    ] = False,
    capture: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, readable=True, help="A photograph or recording you made."
        ),
    ] = None,
    subject: Annotated[
        str | None, typer.Option(help="The person on record to compare it with.")
    ] = None,
    data_dir: DataDir = None,
    _json: AsJson = False,
) -> None:
    """Answer for it that the holder of an account was identified, and how well.

    It holds for every request from now on, until it expires or you revoke it. To sign a grant as
    the person themselves they must have been seen live and, once their face or voice is enrolled,
    a capture must match it.

    For example:

        likeness attest identity anna --live --evidence passport.pdf --expires 2028-12-31

        likeness attest identity anna --live --evidence passport.pdf --expires 2028-12-31
        --capture desk.jpg --subject $SUBJECT
    """
    subject_id = None if subject is None else identifier(subject, "subject")
    if subject is not None and capture is None:
        raise Failed("To compare with somebody on record, give --capture.", USAGE)

    async def work(acting: Acting) -> Attestation:
        principal = await account(acting.installation, holder)
        seen = await _seen(acting, capture, subject_id)
        finding = Finding(
            principal_id=principal.id,
            level=level,
            method=method,
            liveness=live,
            evidence_sha256=hashlib.sha256(evidence.read_bytes()).digest(),
            expires_at=expires.replace(tzinfo=UTC),
            subject_id=subject_id,
            matched=seen.matched,
            capture=seen.capture,
        )
        return await _attest(acting, finding)

    made = run_as(None, work, data_dir=data_dir)
    _show(made, holder)


def _show(made: Attestation, holder: str) -> None:
    what = ", ".join(made.matched).lower() or "nothing"
    compared = "" if made.subject_id is None else f" Of the capture matched: {what}."
    result(
        {"id": str(made.id), "matched": made.matched, "statement": made.statement},
        lambda: line(f"Attestation {made.id}: {holder} is known at IAL{made.level}.{compared}"),
    )


async def _attest(acting: Acting, finding: Finding) -> Attestation:
    installation = acting.installation
    async with acting.db.writing() as session:
        made = await attestations.attest(
            session,
            finding,
            attestation_id=new_id(),
            actor=acting.actor,
            issuer=installation.settings.issuer,
            keys=installation.keys,
        )
        await confirmation.confirm(session, made, keys=installation.keys)
    return made


async def _seen(acting: Acting, capture: Path | None, subject_id: UUID | None) -> _Seen:
    if capture is None:
        return _Seen()
    settings = acting.installation.settings
    data = await asyncio.to_thread(read_media, capture, settings.media_max_bytes)
    async with media_workers(settings) as workers:
        encoding = await workers.encode(data, enrolling=True)
    modality, vectors = sampling.sample_of(encoding, modality=None, box=None)
    if subject_id is None:
        return _Seen(vectors)
    async with acting.db.reading() as session:
        await subjects.mine(session, subject_id)
        own = await templates.own(session, subject_id, keys=acting.installation.keys)
    encoders = EncoderSet.load(settings.encoders_file)
    matches = verification.matches(vectors, own, encoders, modality=modality)
    return _Seen(vectors, frozenset({modality} if matches else ()))


def revoke(
    attestation: Annotated[str, typer.Argument(help="Its id.")],
    *,
    reason: Annotated[str | None, typer.Option(help="Why; kept for ever.")] = None,
    data_dir: DataDir = None,
    _json: AsJson = False,
) -> None:
    """Take an attestation back: the level it gave is gone for every request from now on.

    For example:

        likeness attest revoke 0199c2f5-1b2c-7d3e-8f4a-5b6c7d8e9f0a --reason "forged passport"
    """
    attestation_id = identifier(attestation, "attestation")

    async def work(acting: Acting) -> None:
        async with acting.db.writing() as session:
            await attestations.revoke(
                session, attestation_id=attestation_id, actor=acting.actor, reason=reason
            )

    run_as(None, work, data_dir=data_dir)
    result({"id": str(attestation_id)}, lambda: line(f"Attestation {attestation_id} is revoked."))
