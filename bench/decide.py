"""What one decision costs: the pure function, with 20 grants in China, the EU and California.

    python bench/decide.py

CPU microseconds of `decide`, the median of rounds: nobody matched; one of 20 grants covers; all 20
cover; a dead person with two heirs. Beside it: finding out what else was consulted, and explaining.
At most 150 are wanted; it never fails: it tells. `--profile` prints where the time goes.
"""

import argparse
import cProfile
import pstats
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime

from telling import table

from registry.policy.consulted import consulted
from registry.policy.engine import decide
from registry.policy.facts import (
    Candidate,
    Facts,
    Grant,
    Holder,
    Person,
    Request,
    Service,
    Sighting,
    Subject,
)
from registry.policy.packs import PackSet
from registry.policy.shelf import load_packs
from registry.policy.trace import explain
from registry.policy.vocabulary import (
    AiUse,
    Band,
    GrantorRole,
    GrantState,
    Modality,
    ObligationCode,
    Purpose,
    Registration,
)

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
PLACES = frozenset({"CN", "EU", "US-CA"})  # California's pack extends that of the United States
HEIRS = frozenset({GrantorRole.RIGHTS_HOLDER})
GRANTS = 20


def grant(number: int, *, covers: bool, roles: frozenset[GrantorRole]) -> Grant:
    return Grant(
        id=f"g{number}",
        grantees=frozenset({"service"}),
        state=GrantState.ACTIVE,
        starts_at=datetime(2026, 1, 1, tzinfo=UTC),
        ends_at=datetime(2028, 1, 1, tzinfo=UTC),
        revoked_at=None,
        modalities=frozenset({Modality.VOICE}),
        uses=frozenset({AiUse.SYNTHESIZE_SPEECH}),
        purposes=frozenset({Purpose.AUDIOBOOK if covers else Purpose.GAMES}),
        territories=PLACES,
        grantor_roles=roles,
        signed_by=frozenset({"h"}),
        written=True,
        separate=True,
    )


def facts(*, covering: int, matched: bool = True, dead: bool = False) -> Facts:
    roles = HEIRS if dead else frozenset({GrantorRole.SELF})
    person = Subject(
        id="s",
        registration=Registration.VERIFIED,
        born=date(1950, 1, 1),
        died=date(2022, 6, 1) if dead else None,
        relatives_living=True if dead else None,
        holders=frozenset({Holder("h"), Holder("i")}) if dead else frozenset(),
        grants=tuple(grant(one, covers=one < covering, roles=roles) for one in range(GRANTS)),
    )
    near = (Candidate("s", Band.STRONG),) if matched else ()
    return Facts(
        at=AT,
        request=Request(
            use=AiUse.SYNTHESIZE_SPEECH,
            purpose=Purpose.AUDIOBOOK,
            modalities=frozenset({Modality.VOICE}),
            territories=PLACES,
            supported_obligations=frozenset(ObligationCode),
        ),
        service=Service("service", active=True, tier=2, filings=frozenset({"CN"})),
        persons=(Person((Sighting(Modality.VOICE, near),)),),
        subjects=(person,),
    )


def cost(work: Callable[[], object], rounds: int, times: int) -> float:
    for _ in range(times):
        work()
    found = []
    for _ in range(rounds):
        began = time.process_time()
        for _ in range(times):
            work()
        found.append((time.process_time() - began) / times * 1e6)
    return statistics.median(found)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a smoke run")
    parser.add_argument("--long", action="store_true", help="as usual")
    parser.add_argument("--profile", action="store_true", help="print where the time goes")
    given = parser.parse_args()
    packs = load_packs()
    asked = {
        "nobody matched": facts(covering=1, matched=False),
        "one of 20 grants covers": facts(covering=1),
        "all 20 grants cover": facts(covering=GRANTS),
        "dead, two heirs, 20 grants": facts(covering=GRANTS, dead=True),
        "one covers, lives in Germany": _at_home(facts(covering=1)),
    }
    if given.profile:
        return _profile(asked, packs)
    rounds, times = (3, 50) if given.quick else (15, 400)
    rows = []
    for name, one in asked.items():
        outcome = decide(one, packs).outcome
        spent = [
            cost(lambda work=work, one=one: work(one, packs), rounds, times)
            for work in (decide, consulted, explain)
        ]
        rows.append([name, str(outcome), *(f"{each:.0f}" for each in spent)])
    print("CPU microseconds, medians; 3 territories and the packs that speak there")
    table(["facts", "outcome", "decide", "consulted", "explain"], rows)
    return 0


def _profile(asked: dict[str, Facts], packs: PackSet) -> int:
    for name, one in asked.items():
        print(f"== {name}: 1,000 decisions")
        profile = cProfile.Profile()
        with profile:
            for _ in range(1000):
                decide(one, packs)
        pstats.Stats(profile).strip_dirs().sort_stats("tottime").print_stats(12)
    return 0


def _at_home(known: Facts) -> Facts:
    return replace(known, subjects=(replace(known.subjects[0], residence="DE"),))


if __name__ == "__main__":
    raise SystemExit(main())
