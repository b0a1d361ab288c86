"""The duties of a permission: all that packs and grants demand, the stricter of two values."""

from collections.abc import Callable, Collection, Iterable
from datetime import date

from registry.policy.decision import Obligation
from registry.policy.facts import Grant
from registry.policy.pack import Pack
from registry.policy.pack_words import Parameter
from registry.policy.vocabulary import ObligationCode

# Which of two values of a parameter is stricter: a longer log, a larger label, a shorter deadline.
_STRICTER: dict[Parameter, Callable[[int, int], int]] = {
    Parameter.MONTHS: max,
    Parameter.HEIGHT_PERCENT: max,
    Parameter.SECONDS: max,
    Parameter.DEADLINE_HOURS: min,
    Parameter.DAYS: min,
}


def union(
    packs: Iterable[Pack], grants: Iterable[Grant], *, of_service: Collection[str], today: date
) -> tuple[Obligation, ...]:
    """Each duty once, by code, with its strictest parameters and everything that demands it.

    `of_service`: ids of packs that speak where the service publishes or is established.
    """
    parameters: dict[ObligationCode, dict[Parameter, int]] = {}
    sources: dict[ObligationCode, set[str]] = {}
    for pack in packs:
        for duty in pack.emits:
            if not duty.holds(today) or (duty.binds_service and pack.id not in of_service):
                continue
            sources.setdefault(duty.code, set()).add(pack.id)
            if not duty.parameters:
                continue
            strictest = parameters.setdefault(duty.code, {})
            for name, value in duty.parameters.items():
                strictest[name] = _STRICTER[name](strictest.get(name, value), value)
    for grant in grants:
        for code in grant.obligations:
            sources.setdefault(code, set()).add(f"grant:{grant.id}")
    return tuple(
        Obligation(
            code=code,
            source=", ".join(sorted(sources[code])),
            parameters=_told(parameters[code]) if code in parameters else (),
        )
        for code in sorted(sources)
    )


def _told(parameters: dict[Parameter, int]) -> tuple[tuple[str, str], ...]:
    return tuple((name, str(value)) for name, value in sorted(parameters.items()))


def unsupported(
    obligations: Iterable[Obligation], supported: frozenset[ObligationCode]
) -> tuple[ObligationCode, ...]:
    """Duties the service has not declared it can keep."""
    return tuple(one.code for one in obligations if one.code not in supported)
