"""Facts for tests: a covered request about one living adult, from which each test departs."""

from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from registry.policy.decision import Decision
from registry.policy.engine import decide
from registry.policy.facts import (
    Candidate,
    Facts,
    Grant,
    Holder,
    Objection,
    Person,
    Request,
    Service,
    Sighting,
    Subject,
)
from registry.policy.packs import PackSet, assemble
from registry.policy.shelf import SHIPPED, read_folder
from registry.policy.vocabulary import (
    AiUse,
    Band,
    GrantorRole,
    GrantState,
    Modality,
    ObjectionState,
    ObligationCode,
    Purpose,
    Registration,
)

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
TEST_PACKS = Path(__file__).with_name("packs")


@cache
def packs() -> PackSet:
    """ZZ alone."""
    return assemble({"ZZ": read_folder(SHIPPED)["ZZ"]})


@cache
def many_packs() -> PackSet:
    """ZZ and the invented packs of the tests."""
    return assemble({**packs().packs, **read_folder(TEST_PACKS)})


def grant(**changes: Any) -> Grant:
    plain = Grant(
        id="g",
        grantees=frozenset({"service"}),
        state=GrantState.ACTIVE,
        starts_at=datetime(2026, 1, 1, tzinfo=UTC),
        ends_at=datetime(2028, 1, 1, tzinfo=UTC),
        revoked_at=None,
        modalities=None,
        uses=None,
        purposes=None,
        territories=None,
        written=True,
        separate=True,
    )
    return replace(plain, **changes)


def heirs_grant(**changes: Any) -> Grant:
    signed = {"grantor_roles": frozenset({GrantorRole.RIGHTS_HOLDER}), "signed_by": frozenset("h")}
    return grant(**{**signed, **changes})


def objection(**changes: Any) -> Objection:
    plain = Objection(
        id="o",
        state=ObjectionState.VERIFIED,
        since=datetime(2026, 3, 1, tzinfo=UTC),
        modalities=None,
        uses=None,
        purposes=None,
        territories=None,
    )
    return replace(plain, **changes)


def subject(**changes: Any) -> Subject:
    plain = Subject(
        id="s", registration=Registration.VERIFIED, born=date(1980, 1, 1), grants=(grant(),)
    )
    return replace(plain, **changes)


def dead(**changes: Any) -> Subject:
    plain = {"died": date(2020, 6, 1), "holders": holders("h", "i"), "grants": ()}
    return subject(**{**plain, **changes})


def holders(*ids: str) -> frozenset[Holder]:
    return frozenset(map(Holder, ids))


def seen(*who: tuple[str, Band], **changes: Any) -> Sighting:
    plain = Sighting(Modality.VOICE, tuple(Candidate(one, band) for one, band in who))
    return replace(plain, **changes)


def strong(one: str = "s", **changes: Any) -> Sighting:
    return seen((one, Band.STRONG), **changes)


def request(**changes: Any) -> Request:
    plain = Request(
        use=AiUse.SYNTHESIZE_SPEECH,
        purpose=Purpose.AUDIOBOOK,
        modalities=frozenset({Modality.VOICE}),
        supported_obligations=frozenset(ObligationCode),
    )
    return replace(plain, **changes)


def facts(*subjects: Subject, persons: tuple[Person, ...] | None = None, **changes: Any) -> Facts:
    """Facts about these subjects, or a plain one. Changes are to the request, `at` or `service`."""
    at, service = changes.pop("at", AT), changes.pop("service", Service("service", active=True))
    return Facts(
        at=at,
        request=request(**changes),
        service=service,
        persons=(Person((strong(),)),) if persons is None else persons,
        subjects=subjects or (subject(),),
    )


def answer(*subjects: Subject, **changes: Any) -> Decision:
    return decide(facts(*subjects, **changes), many_packs())


def codes(decision: Decision) -> set[str]:
    return {reason.code for reason in decision.reasons}


def places(*named: str) -> dict[str, Any]:
    return {"territories": frozenset(named)}
