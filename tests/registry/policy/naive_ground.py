"""The ground of the naive second reading: packs, terms, grants and refusals, spelled out flat."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import TypeVar

from registry.policy.facts import Facts, Grant, Objection, Order, Subject
from registry.policy.pack import Bar, Pack, Term
from registry.policy.packs import PackSet
from registry.policy.statement import Statement
from registry.policy.territories import enclosing
from registry.policy.vocabulary import Band, Modality

NEAR = {Band.GREY: 1, Band.MATCH: 2, Band.STRONG: 3, Band.NONE: 0}
S = TypeVar("S", bound=Statement)
ROLE = {"AGENT": 0, "ESTATE_REPRESENTATIVE": 1, "RIGHTS_HOLDER": 1, "GUARDIAN": 2, "SELF": 3}


class Ground:
    """Which packs speak, and what they say of a subject and of grants."""

    def __init__(self, facts: Facts, packs: PackSet) -> None:
        self.facts, self.request, self.all = facts, facts.request, packs
        self.zz = packs.packs["ZZ"]
        self.today = facts.at.date()
        self.drafts = facts.request.include_draft_law
        self.packs: dict[str, Pack] = {}
        self.groups: list[dict[str, Pack]] = []
        world = "001" in self.request.territories
        codes = sorted(packs.packs) if world else sorted(self.request.territories)
        self.named = set(codes)
        for code in codes or ["ZZ"]:
            group = self.spread(code, world=world)
            self.groups.append(group)
            self.packs.update(group)
        if not codes:
            self.named = {"ZZ"}
        home = facts.service.establishment
        if home is not None:
            self.packs.update(self.pulled(home, "SERVICE_ESTABLISHMENT"))

    def alive(self, code: str) -> bool:
        return code in self.all.packs and (self.drafts or self.all.packs[code].status != "draft")

    def spread(self, code: str, *, world: bool) -> dict[str, Pack]:
        own = self.all.packs.get(code)
        start = [code]
        if own is None or own.status == "draft":
            start = [code, *enclosing(code), "ZZ"] if not world else [code]
        return self.extended(start)

    def extended(self, start: list[str]) -> dict[str, Pack]:
        found: dict[str, Pack] = {}
        for code in start:
            if self.alive(code):
                found[code] = self.all.packs[code]
                found.update(self.extended(list(found[code].extends)))
        return found

    def pulled(self, code: str, factor: str) -> dict[str, Pack]:
        start = [
            one
            for one in [code, *enclosing(code)]
            if one in self.all.packs and factor in self.all.packs[one].connecting_factors
        ]
        return self.extended(start)

    def law(self, said: Iterable[S]) -> list[S]:
        """What is said and is law on that day."""
        return [
            one
            for one in said
            if (self.drafts or one.status != "draft")
            and not (one.effective is not None and one.effective > self.today)
        ]

    def gone(self, one: Subject) -> bool:
        if one.died is None:
            return "DECEASED" in one.classes or "HISTORICAL" in one.classes
        return one.died <= self.today + timedelta(days=1)

    def years(self, one: Subject, *, at_death: bool) -> int | None:
        if one.born is None:
            return None
        end = self.today
        if at_death and one.died is not None and one.died < end:
            end = one.died
        full = end.year - one.born.year
        return full - 1 if (end.month, end.day) < (one.born.month, one.born.day) else full

    def young(self, one: Subject, pack: Pack) -> bool:
        years = self.years(one, at_death=True)
        minors = pack.minors if pack.minors and self.law([pack.minors]) else self.zz.minors
        assert minors is not None
        return "MINOR" in one.classes or (years is not None and years < minors.majority)

    def ageless(self, one: Subject, speaking: dict[str, Pack], *, gone: bool) -> bool:
        if one.born is not None or "MINOR" in one.classes:
            return False
        touching = [b for p in speaking.values() for b in self.touching(p)]
        return not gone or any(b.who == "MINOR" for b in touching)

    def touching(self, pack: Pack) -> list[Bar]:
        r = self.request
        floor = pack.id == "ZZ"
        return [
            b
            for b in self.law(pack.bars)
            if not (
                (b.content and not b.content & r.content)
                or (b.uses and r.use not in b.uses)
                or (b.purposes and r.purpose not in b.purposes)
                or (b.unfiled and b.unfiled in self.facts.service.filings)
                or (b.binds_service and not floor and pack.id not in self.packs)
            )
        ]

    def effect(self, bar: Bar, pack: Pack) -> str:
        """What a bar leads to; "nothing" while what it turns on is known not to be so."""
        if bar.when is None:
            return bar.effect
        told = [
            one.holds
            for one in self.facts.circumstances
            if (one.name, one.territory) == (bar.when, pack.id)
        ]
        if not told:
            return "review"
        return bar.effect if True in told else "nothing"

    def barred(
        self, who: list[Subject], speaking: dict[str, Pack], *, cure: str, effect: str = "prohibit"
    ) -> bool:
        for pack in speaking.values():
            for bar in self.touching(pack):
                if self.effect(bar, pack) != effect or cure not in ("any", bar.cure):
                    continue
                if bar.who is None:
                    return True
                for one in who:
                    is_one = bar.who in one.classes
                    if bar.who == "MINOR":
                        is_one = self.young(one, pack)
                    elif bar.who == "DECEASED":
                        is_one = self.gone(one)
                    if is_one:
                        return True
        return False

    def terms(self, one: Subject, pack: Pack) -> set[str]:
        """What the pack's terms say beside "no": "yes", "unknown", "name the state"."""
        return {self.term(one, pack, term) for term in self.law(pack.dead.terms)} - {"no"}

    def term(self, one: Subject, pack: Pack, term: Term) -> str:
        only = term
        if term.kind == "none":
            return "no"
        if term.kind == "delegated":
            return "name the state" if pack.id in self.named else "no"
        if term.kind == "while_relatives_living":
            said = {True: "yes", False: "no", None: "unknown"}[one.relatives_living]
        elif one.died is None:
            said = "unknown"
        elif only.died_on_or_after is not None and one.died < only.died_on_or_after:
            said = "no"
        elif term.kind == "unsettled":
            said = "unknown"
        else:
            assert term.years is not None
            over = one.died.year + term.years, one.died.month, one.died.day
            if (one.died.month, one.died.day) == (2, 29):
                leap = over[0] % 4 == 0 and (over[0] % 100 != 0 or over[0] % 400 == 0)
                over = over if leap else (over[0], 3, 1)
            runs = self.today <= date(*over)
            said = "yes" if runs else ("unknown" if term.kind == "renewable" else "no")
        if said == "no" or only.domicile is None or one.domicile_at_death == only.domicile:
            return said
        if one.domicile_at_death is None or one.domicile_at_death in enclosing(only.domicile):
            return "unknown"
        return said if only.domicile in enclosing(one.domicile_at_death) else "no"

    # ------------------------------------------------------------ grants and refusals
    def in_scope(self, no: Objection | Order, modality: Modality) -> bool:
        r = self.request
        return (
            (no.modalities is None or modality in no.modalities)
            and (no.uses is None or r.use in no.uses)
            and (no.purposes is None or r.purpose in no.purposes or r.purpose == "UNSPECIFIED")
            and (
                no.territories is None
                or not r.territories
                or any(
                    a == b or a in enclosing(b) or b in enclosing(a)
                    for a in no.territories
                    for b in r.territories
                )
            )
        )

    def beats(self, grant: Grant, no: Objection) -> bool:
        if grant.id in no.carve_out_grants:
            return True
        return (
            no.id in grant.acknowledges_objections
            and no.since <= grant.starts_at
            and any(ROLE[role] >= ROLE[no.filed_by_role] for role in grant.grantor_roles)
        )

    def lacks(  # noqa: C901, PLR0912  # flat on purpose
        self, g: Grant, one: Subject, modality: Modality, speaking: dict[str, Pack]
    ) -> set[str] | None:
        """What a grant lacks; None for one that was rejected."""
        r, at = self.request, self.facts.at
        if g.state == "REJECTED":
            return {"scope"}
        fits = (
            (g.modalities is None or modality in g.modalities)
            and (g.grantees is None or self.facts.service.id in g.grantees)
            and (g.uses is None or r.use in g.uses)
            and (g.purposes is None or (r.purpose in g.purposes and r.purpose != "UNSPECIFIED"))
            and not r.content - g.content_allowed
            and (g.commercial or not r.commercial)
        )
        if g.territories is not None and "001" not in g.territories:
            fits = fits and bool(r.territories)
            for code in r.territories:
                fits = fits and bool(({code} | enclosing(code)) & g.territories)
        if not fits:
            return {"scope"}
        lack = set()
        if g.state == "REVOKED" or (g.revoked_at is not None and g.revoked_at <= at):
            lack.add("withdrawn")
        elif g.state == "SUSPENDED":
            lack.add("suspended")
        elif g.state != "ACTIVE" or g.grantor_ial < 2 or one.registration != "VERIFIED":
            lack.add("state")
        if g.starts_at > at or (g.ends_at is not None and g.ends_at <= at):
            lack.add("time")
        if g.uses_left is not None and g.uses_left < 1:
            lack.add("count")
        for pack in speaking.values():
            status = self.status(one, pack)
            for form in [f for f in self.law(pack.consent.forms) if f.when in (None, status)]:
                if (form.written == "required" and not g.written) or (
                    form.separate == "required" and not g.separate
                ):
                    lack.add("form")
                advised = g.represented or not g.replaces_performance
                if form.represented_if_performance_replaced == "required" and not advised:
                    lack.add("form")
                if form.max_term_years is not None and (
                    g.ends_at is None
                    or g.ends_at > g.starts_at.replace(year=g.starts_at.year + form.max_term_years)
                ):
                    lack.add("form")
            if not self.signed(g, one, pack):
                lack.add("authority")
            elif self.gone(one) and self.terms(one, pack) and not self.holders(g, one, pack):
                lack.add("holders")
        return lack

    def status(self, one: Subject, pack: Pack) -> str:
        return "dead" if self.gone(one) else "minor" if self.young(one, pack) else "adult"

    def signed(self, g: Grant, one: Subject, pack: Pack) -> bool:
        status = self.status(one, pack)
        years = self.years(one, at_death=False)
        for source in (pack, self.zz):
            rules = [
                rule
                for rule in self.law(source.consent.by)
                if rule.when == status
                and (years is None or rule.age_from is None or rule.age_from <= years)
                and (years is None or rule.age_under is None or years < rule.age_under)
            ]
            if rules:
                return all(
                    bool(rule.any_of & g.grantor_roles)
                    or (bool(rule.all_of) and rule.all_of <= g.grantor_roles)
                    for rule in rules
                )
        return False

    def holders(self, g: Grant, one: Subject, pack: Pack) -> bool:
        ranks = self.law(pack.dead.holders) or list(self.zz.dead.holders)
        ways = {rank.decision.value for rank in ranks}
        asked = blank = {h for h in one.holders if h.kinship is None}
        for rank in ranks:
            of_rank = {h for h in one.holders if h.kinship in rank.any_of}
            if of_rank:
                asked = blank | of_rank
                ways = ways if blank else {rank.decision.value}
                break
        signed = {h for h in asked if h.id in g.signed_by}
        if not signed:
            return False
        if "all" in ways:
            return signed == asked
        if "majority_interest" in ways:
            held = g.interest if g.interest is not None else sum(h.share or 0 for h in signed)
            return held > 0.5
        return True

    def excepted(self) -> bool:
        claimed = self.request.claimed_exception
        return claimed is not None and all(
            any(
                e.claim == claimed and e.effect == "review"
                for pack in group.values()
                for e in self.law(pack.exceptions)
            )
            for group in self.groups
        )
