"""A decision as plain JSON, with the names the schema gives its fields."""

from registry.decisions import Answer
from registry.policy.decision import Reason


def decision_as_json(answer: Answer) -> dict[str, object]:
    """What `Decision` shows, whole."""
    return {
        "id": str(answer.id),
        "outcome": answer.outcome,
        "mayProceed": answer.may_proceed,
        "basis": answer.basis,
        "reasons": [_reason(one) for one in answer.reasons],
        "obligations": [
            {
                "code": one.code,
                "source": one.source,
                "parameters": [{"name": name, "value": value} for name, value in one.parameters],
            }
            for one in answer.obligations
        ],
        "persons": [
            {"outcome": one.outcome, "reasons": [_reason(reason) for reason in one.reasons]}
            for one in answer.persons
        ],
        "packs": [{"id": one.id, "version": one.version} for one in answer.packs],
        "decidedAt": answer.decided_at.isoformat(),
        "validUntil": answer.valid_until.isoformat(),
        "token": answer.token,
        "salt": answer.salt,
        "logIndex": answer.log_index,
    }


def _reason(reason: Reason) -> dict[str, object]:
    return {
        "code": reason.code,
        "message": reason.message,
        "action": reason.action,
        "person": reason.person,
        "modality": reason.modality,
        "pack": reason.pack,
        "grant": reason.grant,
    }
