"""Intake: what somebody without an account hands in at once, from a page.

A case, a record of the person, what shows them, and their no are one transaction: either all of it
is on record when the answer goes out, or nothing is. Sent twice, it is one.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Final
from uuid import UUID

import orjson

from registry import (
    assets,
    cases,
    complaints,
    enrolment,
    idempotency,
    objections,
    principals,
    samples,
    subjects,
)
from registry.cases import ContactKind
from registry.database import WriteSession, new_id
from registry.errors import InvalidError
from registry.grant_terms import Notice
from registry.keys import Keys
from registry.misuse import Misuse
from registry.policy.vocabulary import Modality
from registry.principals import OPERATOR_ID
from registry.probes import Opened
from registry.samples import Judge, Vectors
from registry.scopes import Scope, columns
from registry.subjects import NAMELESS, Profile

_OPERATION: Final = "intake"


@dataclass(frozen=True, slots=True)
class Shown:
    """What shows the person: samples to compare with, and hashes of pictures by their encoder."""

    samples: Sequence[tuple[Modality, Vectors]] = ()
    pictures: Sequence[tuple[str, bytes]] = ()

    def __bool__(self) -> bool:
        return bool(self.samples or self.pictures)


@dataclass(frozen=True, slots=True)
class Handed:
    """What somebody hands in. `name` None: they are known by what shows them, or by links."""

    scope: Scope
    notice: Notice
    name: str | None = None
    aliases: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    born: date | None = None
    shown: Shown = Shown()
    contact: tuple[ContactKind, str] | None = None
    report: "Report | None" = None


@dataclass(frozen=True, slots=True)
class Report:
    """A misuse that is reported with it, and what was made of a file that shows it."""

    misuse: Misuse
    seen: Opened | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """What is on record now. `new` False: it was sent before, and the case has this PIN now."""

    number: str
    principal_id: UUID
    subject_id: UUID
    new: bool


async def take(
    session: WriteSession,
    handed: Handed,
    *,
    key: str,
    pin_hash: str,
    judge: Judge,
    daily: int,
    keys: Keys,
) -> Taken:
    """Open a case and put everything on record. `key`: what tells one sending from another.

    Needs the operator's session: whoever hands it in has no account yet.
    """
    # Somebody else at the same device, who goes back and writes another form, has another case.
    sent = f"{key}:{keys.request_digest(_said(handed)).hex()}"
    subject_id, new = await idempotency.claim(
        session, principal_id=OPERATOR_ID, operation=_OPERATION, key=sent, request={}, keys=keys
    )
    if not new:
        return await _again(session, subject_id, pin_hash)
    if handed.name is None and not handed.links and not handed.shown:
        raise InvalidError(NOTHING, field="name")
    number = await cases.open_case(session, pin_hash=pin_hash)
    account = await principals.by_handle(session, number)
    assert account is not None  # noqa: S101  # it was opened a line above
    if handed.contact is not None:
        kind, contact = handed.contact
        await cases.add_contact(
            session, principal_id=account.id, kind=kind, contact=contact, keys=keys
        )
    await subjects.register(
        session,
        subject_id=subject_id,
        owner_id=account.id,
        profile=Profile(
            name=handed.name or NAMELESS,
            aliases=handed.aliases,
            birth_date=handed.born,
            links=handed.links,
        ),
        verified=False,
        keys=keys,
    )
    await add(
        session,
        handed.shown,
        subject_id=subject_id,
        owner_id=account.id,
        judge=judge,
        daily=daily,
        keys=keys,
    )
    await objections.file(
        session,
        objection_id=new_id(),
        subject_id=subject_id,
        filed_by=account.id,
        ial=cases.IAL,
        scope=handed.scope,
        notice=handed.notice,
    )
    if handed.report is not None:
        await complaints.file(
            session,
            complaint_id=new_id(),
            subject_id=subject_id,
            filed_by=account.id,
            misuse=handed.report.misuse,
            notice=handed.notice,
            shown=handed.report.seen,
            keys=keys,
        )
    return Taken(number, account.id, subject_id, new=True)


def _said(handed: Handed) -> bytes:
    """All that was handed in, the same bytes in every process."""
    return orjson.dumps(
        {
            "scope": columns(handed.scope),
            "person": [handed.name, handed.aliases, handed.links, handed.born, handed.contact],
            "samples": [samples.packed(one).hex() for _, one in handed.shown.samples],
            "pictures": [one.hex() for _, one in handed.shown.pictures],
            "misuse": None if handed.report is None else asdict(handed.report.misuse),
        }
    )


NOTHING: Final = (
    "Give a photo, a recording, a name or a link: something by which the registry knows you."
)


async def _again(session: WriteSession, subject_id: UUID, pin_hash: str) -> Taken:
    """What was handed in before, under another PIN: the first was perhaps never seen."""
    subject = await subjects.mine(session, subject_id)
    account = await principals.get(session, subject.owner_id)
    await cases.change_pin(session, principal_id=account.id, pin_hash=pin_hash, keep=None)
    return Taken(account.handle, account.id, subject_id, new=False)


async def add(
    session: WriteSession,
    shown: Shown,
    *,
    subject_id: UUID,
    owner_id: UUID,
    judge: Judge,
    daily: int,
    keys: Keys,
) -> None:
    """Put more of what shows a person on record: the next check everywhere finds it."""
    for modality, vectors in shown.samples:
        await enrolment.enrol(
            session,
            sample_id=new_id(),
            subject_id=subject_id,
            modality=modality,
            vectors=vectors,
            enrolled_by=owner_id,
            ial=cases.IAL,
            judge=judge,
            daily=daily,
            keys=keys,
        )
    for encoder, image_hash in shown.pictures:
        await assets.register(
            session,
            asset_id=new_id(),
            owner_id=owner_id,
            subject_ids=[subject_id],
            encoder=encoder,
            image_hash=image_hash,
            keys=keys,
        )
