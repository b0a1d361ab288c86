"""Generated facts: mostly plausible, near to permissions, sometimes odd.

Drawn from one seed: Hypothesis draws the seed, which is a hundred times faster than every field.
"""

import random
from collections.abc import Sequence
from datetime import date, timedelta
from typing import TypeVar

from hypothesis import strategies as st

from registry.policy.facts import (
    Candidate,
    Circumstance,
    Facts,
    Grant,
    Holder,
    Objection,
    Order,
    Person,
    Request,
    Service,
    Sighting,
    Subject,
)
from registry.policy.vocabulary import (
    AiUse,
    Band,
    CircumstanceName,
    ContentFlag,
    GrantorRole,
    GrantState,
    Kinship,
    LegalException,
    Modality,
    ObjectionState,
    ObligationCode,
    Purpose,
    Registration,
    SubjectClass,
)

from .build import AT

SUBJECTS = ("s0", "s1")
PLACES = (
    "IS",
    "NO",
    "CL",
    "PE",
    "NZ",
    "EU",
    "IT",
    "TH",
    "SE",
    "DK",
    "BR",
    "US-CA",
    "FR",
    "001",
    "MX",
)
PURPOSES = (Purpose.UNSPECIFIED, Purpose.POLITICAL, Purpose.IDENTITY_BYPASS)
DEATHS = (date(2020, 6, 1), date(1980, 2, 29), date(1900, 1, 1), AT.date() + timedelta(days=1))
BANDS: tuple[tuple[Band, ...], ...] = (
    (),
    (Band.MATCH,),
    (Band.GREY,),
    (Band.NONE,),
    *((Band.STRONG, one) for one in Band),
)
NOBODY: frozenset[GrantorRole] = frozenset()
ROLES = (
    *[frozenset({GrantorRole.SELF})] * 4,
    frozenset({GrantorRole.GUARDIAN}),
    frozenset({GrantorRole.GUARDIAN, GrantorRole.SELF}),
    *[frozenset({GrantorRole.RIGHTS_HOLDER})] * 3,
    frozenset({GrantorRole.AGENT}),
    NOBODY,
)

T = TypeVar("T")


class World:
    """A source of facts; the same seed makes the same ones."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311  # reproducible, not secret
        self.calm = self.chance.choice((0.75, 0.95, 0.985))  # how often the common value is taken

    def often(self, common: T, *rare: T, share: float = 0.0) -> T:
        likely = self.chance.random() < max(share, self.calm)
        return common if likely else self.chance.choice(rare)

    def scope(self, *lists: set[T]) -> frozenset[T] | None:
        picked = None if self.chance.random() < self.calm else self.chance.choice(lists)
        return None if picked is None else frozenset(picked)

    def modalities(self) -> frozenset[Modality] | None:
        return self.scope({Modality.VOICE}, {Modality.FACE, Modality.BODY})

    def uses(self) -> frozenset[AiUse] | None:
        return self.scope({AiUse.SYNTHESIZE_SPEECH}, {AiUse.SWAP_FACE})

    def purposes(self) -> frozenset[Purpose] | None:
        return self.scope({Purpose.AUDIOBOOK}, {Purpose.POLITICAL})

    def territories(self) -> frozenset[str] | None:
        return self.scope({"001"}, {"EU", "NO"}, {"US"}, {"IT", "IS", "PE"})

    def grant(self, subject: str, number: int) -> Grant:
        often, pick = self.often, self.chance.choice
        return Grant(
            id=f"{subject}.g{number}",
            grantees=often(None, frozenset({"service"}), frozenset({"other"})),
            state=often(GrantState.ACTIVE, *GrantState),
            starts_at=AT + timedelta(days=often(-400, -30, 1)),
            ends_at=often(AT + timedelta(days=500), None, AT, AT + timedelta(minutes=5)),
            revoked_at=often(None, AT, AT + timedelta(days=1), share=0.9),
            modalities=self.modalities(),
            uses=self.uses(),
            purposes=self.purposes(),
            territories=self.territories(),
            content_allowed=often(frozenset(), frozenset(ContentFlag)),
            commercial=often(True, False),
            uses_left=often(None, 0, 3),
            grantor_roles=pick(ROLES),
            grantor_ial=often(2, 1, share=0.9),
            signed_by=frozenset(pick(("h", "hi", "x"))),
            interest=pick((None, 0.5, 0.6)),
            written=often(True, False, share=0.9),
            separate=often(True, False, share=0.9),
            represented=often(True, False),
            replaces_performance=often(False, True),
            obligations=often(frozenset(), frozenset({ObligationCode.ATTRIBUTE})),
            acknowledges_objections=pick((frozenset(), frozenset({f"{subject}.o0"}))),
        )

    def holder(self, one: str) -> Holder:
        kinship = self.often(None, Kinship.CHILD, Kinship.SIBLING, Kinship.PARENT)
        return Holder(one, kinship, self.chance.choice((None, 0.4, 0.6)))

    def objection(self, subject: str, number: int) -> Objection:
        often = self.often
        return Objection(
            id=f"{subject}.o{number}",
            state=often(ObjectionState.VERIFIED, *ObjectionState),
            since=AT + timedelta(days=often(-100, 1)),
            modalities=self.modalities(),
            uses=self.uses(),
            purposes=self.purposes(),
            territories=self.territories(),
            filed_by_role=often(GrantorRole.SELF, *GrantorRole),
            carve_out_grants=often(frozenset(), frozenset({f"{subject}.g0"})),
            until=often(None, AT, AT + timedelta(days=1)),
        )

    def order(self) -> Order:
        return Order("order", self.modalities(), self.uses(), self.purposes(), self.territories())

    def subject(self, one: str) -> Subject:
        often, pick = self.often, self.chance.choice
        gone = self.chance.random() < 0.4
        adult = date(1890, 1, 1) if gone else date(1990, 1, 1)
        classes = [frozenset({each}) for each in SubjectClass]
        return Subject(
            id=one,
            registration=often(Registration.VERIFIED, *Registration, share=0.85),
            classes=often(frozenset(), *classes),
            born=often(adult, None, date(2010, 1, 1), date(2007, 11, 22)),
            died=pick(DEATHS) if gone else None,
            death_assured=often(True, False, share=0.9),
            relatives_living=pick((None, True, False)),
            holders=frozenset(self.holder(each) for each in often("h", "hi", "")),
            enrolled=pick((None, frozenset(Modality), frozenset(), frozenset({Modality.FACE}))),
            domicile_at_death=pick((None, "IT", "EU", "BR", "IT-25")),
            residence=often(None, "MX", "BR", "IT"),
            grants=tuple(self.grant(one, n) for n in range(often(3, 0, 1, 2))),
            objections=tuple(self.objection(one, n) for n in range(pick((0, 0, 0, 1)))),
            orders=(self.order(),) if self.chance.random() < 0.1 else (),
        )

    def sighting(self, modality: Modality) -> Sighting:
        often = self.often
        bands = often((Band.STRONG,), *BANDS) if self.chance.random() < 0.93 else ()
        first = often(0, 1)
        return Sighting(
            modality,
            tuple(Candidate(SUBJECTS[(first + n) % 2], band) for n, band in enumerate(bands)),
            asset=modality is Modality.FACE and often(False, True),
            usable=often(True, False, share=0.93),
            searched=often(True, False, share=0.93),
            clear_runner_up=often(True, False, share=0.93),
            complete=often(True, False, share=0.93),
            faces=often(None, 0, 1, share=0.8),
            probe=often(0, 1, share=0.9),
        )

    def person(self, wanted: Sequence[Modality], *, target: bool | None = None) -> Person:
        shown = [one for one in wanted if self.chance.random() < 0.9]
        if self.chance.random() < 0.25:
            shown.append(self.chance.choice((Modality.FACE, Modality.VOICE)))
        return Person(
            sightings=tuple(self.sighting(one) for one in shown),
            claimed_subject=self.often(None, *SUBJECTS, "stranger"),
            name_given=self.often(False, True),
            name_hit=self.often(None, *SUBJECTS),
            target=self.often(True, False) if target is None else target,
        )

    def request(self) -> Request:
        often = self.often
        modalities = often({Modality.VOICE}, {Modality.FACE}, {Modality.NAME}, set(Modality), set())
        places = self.chance.sample(PLACES, self.chance.choice((0, 1, 1, 2)))
        duties = frozenset(ObligationCode)
        return Request(
            use=often(AiUse.SYNTHESIZE_SPEECH, AiUse.SWAP_FACE, AiUse.SYNTHESIZE_SINGING),
            purpose=often(Purpose.AUDIOBOOK, *PURPOSES),
            modalities=frozenset(modalities),
            territories=frozenset(places),
            content=often(frozenset(), *(frozenset({one}) for one in ContentFlag)),
            commercial=often(True, False),
            claimed_exception=often(None, *LegalException),
            supported_obligations=often(duties, None, frozenset(), frozenset(sorted(duties)[1:])),
            include_draft_law=often(False, True),
        )

    def circumstances(self) -> tuple[Circumstance, ...]:
        window = CircumstanceName.ELECTION_WINDOW
        told = self.chance.choice(((), (True,), (False,), (False, True)))
        return tuple(Circumstance(window, "MX", one) for one in told)

    def facts(self) -> Facts:
        often = self.often
        request = self.request()
        wanted = sorted(request.modalities - {Modality.NAME}) or [Modality.VOICE]
        service = Service(
            "service",
            active=often(True, False, share=0.95),
            tier=self.chance.choice((0, 1, 2)),
            filings=often(frozenset({"PE", "MX"}), frozenset()),
            establishment=often(None, "PE", "IT", "BR", "MX"),
            supported_obligations=often(frozenset(ObligationCode), None),
        )
        return Facts(
            at=AT,
            request=request,
            service=service,
            persons=tuple(self.person(wanted) for _ in range(often(1, 0, 2))),
            subjects=tuple(self.subject(one) for one in SUBJECTS),
            circumstances=self.circumstances(),
        )


def worlds() -> st.SearchStrategy[World]:
    """A world for each seed."""
    return st.integers(0, 2**64 - 1).map(World)


def facts() -> st.SearchStrategy[Facts]:
    """The first facts of a world."""
    return worlds().map(World.facts)
