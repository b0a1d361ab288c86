"""`likeness receipt list`, and a consent receipt shown in words once it is verified."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from api.cli.output import NO, AsJson, Failed, line, pairs, result, table
from api.cli.session import Acting, Owner, identifier, run_as
from api.cli.settings import DataDir
from registry import consent_events, consent_receipts, jws, subjects
from registry.consent_receipts import ConsentReceipt, Issuer, VerifiedReceipt
from registry.errors import InvalidError, NotFoundError
from registry.grants import Grant
from registry.objections import Objection


def list_(
    record: Annotated[str, typer.Argument(help="The id of a grant or of an objection.")],
    *,
    save: Annotated[
        Path | None,
        typer.Option(file_okay=False, help="Put each receipt into a file of this folder, to keep."),
    ] = None,
    owner: Owner = None,
    data_dir: DataDir = None,
    _json: AsJson = False,
) -> None:
    """List the signed receipts of a consent or an objection: one for each thing that became of it.

    They are for the person and who acts for them. A receipt verifies for ever, also offline and
    after everything about the person was erased.

    For example:

        likeness receipt list 0199c2f4-7d1e-7a52-9c3b-6f0f4c1f2a10 --owner anna --save receipts
    """
    record_id = identifier(record, "grant or objection")

    async def work(acting: Acting) -> list[ConsentReceipt]:
        return await _receipts(acting, record_id)

    found = run_as(owner, work, data_dir=data_dir)
    if save is not None:
        save.mkdir(parents=True, exist_ok=True)
        for one in found:
            (save / f"{one.event_id}.jws").write_text(one.token + "\n", encoding="ascii")
    shown = [
        {
            "eventId": str(one.event_id),
            "eventState": one.event_state,
            "at": one.at.isoformat(),
            "document": one.document,
            "token": one.token,
        }
        for one in found
    ]
    result(
        {"receipts": shown},
        lambda: table(
            ("RECEIPT", "WHAT", "AT"),
            [(one["eventId"], one["eventState"], one["at"]) for one in shown],
        ),
    )


async def _receipts(acting: Acting, record_id: UUID) -> list[ConsentReceipt]:
    settings = acting.installation.settings
    issuer = Issuer(settings.issuer, settings.storage_location, acting.installation.keys)
    async with acting.db.reading() as session:
        grant = await session.get(Grant, record_id)
        objection = None if grant else await session.get(Objection, record_id)
        row = grant or objection
        if row is None:
            raise NotFoundError("No such grant or objection.")
        owners = await subjects.owners(session, [row.subject_id])
        consent_events.require_side(acting.actor, owners.get(row.subject_id))
    async with acting.installation.operator.reading() as session:
        ids = [record_id]
        if grant is None:
            found = await consent_events.of_objections(session, ids, issuer=issuer)
        else:
            found = await consent_events.of_grants(session, ids, reader=None, issuer=issuer)
    return found[record_id]


def is_one(token: str) -> bool:
    """Whether a token says that it is a consent receipt."""
    return jws.typ_of(token) == consent_receipts.TYPE


def show_verified(token: str, keys: Mapping[str, Any]) -> None:
    """Verify a receipt and print what it says; Failed with the reason if it does not hold."""
    try:
        verified = consent_receipts.verify(token, keys)
    except InvalidError as error:
        raise Failed(f"The receipt does not hold. {error}", NO, code="DIFFERS") from error
    told = {"holds": True, "kid": verified.kid, "document": verified.document}
    result(told, lambda: _show(verified))


def _show(verified: VerifiedReceipt) -> None:
    document = verified.document
    metadata, said, event = (
        document[name] for name in ("receipt_metadata", "pii_processing", "event")
    )
    term = event["validity_duration"]
    pairs(
        [
            ("Signature", f"holds (key {verified.kid})"),
            ("What", event["event_state"]),
            ("At", event["event_time"]),
            ("By", f"{event['entity_role']} ({event['entity_id']})"),
            ("The record is", event["likeness:record_state"]),
            ("Record", metadata["record_id"]),
            ("Receipt", metadata["receipt_id"]),
            ("Person", metadata["pii_principal_id"]),
            ("Data", _joined(said["pii_information"], "pii_type")),
            ("Uses", _joined(said["processing_methods"], "method")),
            ("Purposes", _joined(said["purposes"], "purpose")),
            ("Territories", ", ".join(said["jurisdiction"])),
            ("Valid", f"{term['from'] or '-'} to {term['until'] or 'no end'}"),
            ("Kept in", ", ".join(said["storage_locations"])),
        ]
    )
    line("")
    for one in document["party_identification"]:
        line(f"{one['party_type']}: {one['party_name']}")
    if (way := said["withdrawal_method"]) is not None:
        line(f"To take it back, {way['cost']}: {way['mutation']} at {way['url']}")


def _joined(entries: list[dict[str, Any]], name: str) -> str:
    return ", ".join(str(one[name]) for one in entries)
