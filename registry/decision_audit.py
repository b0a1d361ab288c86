"""Holding stored decisions against the log: each answer must be the one its leaf commits to."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import func, select

from registry import receipts
from registry.database import ReadSession
from registry.decisions import Answer, Decision, opened
from registry.errors import InvalidError
from registry.keys import Keys
from registry.log.entries import LogLeaf
from registry.policy.vocabulary import Outcome
from registry.sealing import SealError

_BATCH = 1000


async def audit(session: ReadSession, *, keys: Keys, progress: Callable[[int, int], None]) -> int:
    """How many decisions agree with their leaves; InvalidError names the first that does not.

    A decision that is gone, was changed, or stands under another leaf is found; so is an outcome
    column that says permitted where the signed answer does not.
    """
    total = await session.scalar(select(func.count()).select_from(LogLeaf)) or 0
    jwks = keys.jwks()
    checked = 0
    while checked < total:
        rows = await session.execute(
            select(LogLeaf.index, LogLeaf.entry, LogLeaf.decision_id, Decision)
            .join(Decision, Decision.id == LogLeaf.decision_id, isouter=True)
            .where(LogLeaf.index >= checked, LogLeaf.index < checked + _BATCH)
            .order_by(LogLeaf.index)
        )
        for index, entry, decision_id, decision in rows:
            if decision is None:
                raise InvalidError(f"Entry {index}: its decision {decision_id} is missing.")
            _check(index, entry, decision, keys, jwks)
        session.expunge_all()
        checked = min(checked + _BATCH, total)
        progress(checked, total)
    return total


def _check(
    index: int, entry: bytes, decision: Decision, keys: Keys, jwks: Mapping[str, Any]
) -> None:
    name = f"Entry {index}: decision {decision.id}"
    try:
        answer: Answer = opened(decision, keys=keys)
    except (SealError, ValueError) as error:
        raise InvalidError(f"{name} cannot be opened: it was changed.") from error
    claims = receipts.verify_decision(answer.token, jwks).claims
    if receipts.log_entry(claims, bytes.fromhex(answer.salt)) != entry:
        raise InvalidError(f"{name} is not what the log says was decided.")
    place = claims.get("log", {}).get("index")
    if not place == answer.log_index == decision.log_index == index:
        raise InvalidError(f"{name} stands at another place in the log.")
    told = (claims.get("jti"), claims.get("aud"), claims.get("may_proceed"))
    stored = (str(decision.id), str(decision.service_id), decision.outcome == Outcome.PERMITTED)
    if told != stored or answer.may_proceed != claims.get("may_proceed"):
        raise InvalidError(f"{name} was signed as something else than is stored.")
