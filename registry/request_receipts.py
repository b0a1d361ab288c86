"""Receipts of refusals: that somebody was asked for a consent, and said no."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select

from registry import services, subjects
from registry.consent_events import refused, role_of
from registry.consent_receipts import ConsentReceipt, Issuer, Matter, Party
from registry.consent_requests import ConsentRequest, ConsentRequestEvent, RequestEventKind
from registry.database import ReadSession
from registry.scopes import scope_in


async def of_requests(
    session: ReadSession, ids: Collection[UUID], *, issuer: Issuer
) -> dict[UUID, list[ConsentReceipt]]:
    """The receipts of each request that was refused, for whoever sees the person who refused.

    The service that asked sees nobody, and gets none.
    """
    rows = await session.scalars(select(ConsentRequest).where(ConsentRequest.id.in_(ids)))
    asked = {one.id: one for one in rows}
    said = await session.scalars(
        select(ConsentRequestEvent)
        .where(
            ConsentRequestEvent.request_id.in_(ids),
            ConsentRequestEvent.kind == RequestEventKind.REFUSED,
        )
        .order_by(ConsentRequestEvent.at, ConsentRequestEvent.id)
    )
    answers = list(said)
    owners = await subjects.owners(session, {one.subject_id for one in answers})
    names = await services.names(session, {one.service_id for one in asked.values()})
    found: dict[UUID, list[ConsentReceipt]] = {one: [] for one in ids}
    for one in answers:
        if one.subject_id in owners and one.request_id in asked:
            request = asked[one.request_id]
            receipt = refused(
                _matter(request, one.subject_id, names),
                event_id=one.id,
                at=one.at,
                by=one.actor_id,
                role=role_of(one.actor_id, owners[one.subject_id]),
                issuer=issuer,
            )
            found[request.id].append(receipt)
    return found


def _matter(request: ConsentRequest, subject_id: UUID, names: dict[UUID, str]) -> Matter:
    asking = Party(request.service_id, names.get(request.service_id, ""))
    return Matter(
        record_id=request.id,
        subject_id=subject_id,
        scope=scope_in(request),
        parties=(asking,),
        withdrawal=None,
        ends_at=request.ends_at,
        notice=request.terms.notice,
    )
