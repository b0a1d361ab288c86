"""Confirmation: a record is verified once the account that keeps it is shown to be that person.

That is an attestation at IAL2 or better, seen live, whose live capture matches that person.
"""

from sqlalchemy import select

from registry import subjects, templates
from registry.attestations import Attestation
from registry.database import WriteSession
from registry.keys import Keys
from registry.policy.vocabulary import ASSURED_IAL, Registration
from registry.subjects import SubjectEvent, SubjectEventKind


async def confirm(session: WriteSession, attestation: Attestation, *, keys: Keys) -> None:
    """Let a provisional registration be verified by this attestation; done twice, done once.

    Acts on another's record, so as the operator. What is disputed stays so.
    """
    subject_id = attestation.subject_id
    if (
        subject_id is None
        or not attestation.matched
        or not attestation.liveness
        or attestation.level < ASSURED_IAL
    ):
        return
    await templates.alone(session, subject_id)
    subject = await subjects.mine(session, subject_id)
    kinds = await session.scalars(
        select(SubjectEvent.kind)
        .where(SubjectEvent.subject_id == subject_id)
        .order_by(SubjectEvent.at, SubjectEvent.id)
    )
    provisional = subjects.registration_of(list(kinds)) is Registration.PROVISIONAL
    if subject.owner_id != attestation.principal_id or not provisional:
        return
    session.add(
        SubjectEvent(
            subject_id=subject_id,
            kind=SubjectEventKind.VERIFIED,
            actor_id=attestation.attested_by,
            reason=f"Attestation {attestation.id}",
        )
    )
    await session.flush()  # templates say whether their subject is verified
    await templates.derive(session, subject_id, actor_id=attestation.attested_by, keys=keys)
