"""Which packs a decision was made from: kept with it, so that it can be made again exactly so."""

from registry.policy.decision import PackVersion
from registry.policy.facts import Facts
from registry.policy.packs import PackSet
from registry.policy.question import Question


def consulted(facts: Facts, packs: PackSet) -> tuple[PackVersion, ...]:
    """Every pack that `decide` may look at for these facts, in the version it has here.

    Those of the request, those that a person's residence or domicile pulls in, and the floor. A
    decision on these packs alone is the same. Total: of facts that cannot be read, every pack.
    """
    try:
        reading = packs.for_territories(
            facts.request.territories,
            include_drafts=facts.request.include_draft_law,
            establishment=facts.service.establishment,
        )
        question = Question(facts, packs, reading, {})
        found = {pack.id: pack for pack in reading.packs}
        for subject in facts.subjects:
            found.update((pack.id, pack) for pack in question.packs_for(subject))
    except Exception:  # noqa: BLE001  # as `decide`: whatever broke, something is kept
        return packs.versions(packs.packs.values())
    return packs.versions(found.values())
