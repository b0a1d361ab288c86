"""A second reading of the decision rules, slow and flat, to compare the engine with.

Written from the text of the rules, sharing only the packs' data and the list of what lies in what.
"""

from datetime import date, timedelta

from registry.policy.facts import Facts, Grant, Objection, Order, Person, Sighting, Subject
from registry.policy.pack import Pack
from registry.policy.packs import PackSet
from registry.policy.territories import enclosing
from registry.policy.vocabulary import Band, Modality, Outcome

ORDER = ["PERMITTED", "UNKNOWN", "CONSENT_REQUIRED", "REVIEW_REQUIRED", "PROHIBITED"]
NEAR = {Band.GREY: 1, Band.MATCH: 2, Band.STRONG: 3, Band.NONE: 0}
ROLE = {"AGENT": 0, "ESTATE_REPRESENTATIVE": 1, "RIGHTS_HOLDER": 1, "GUARDIAN": 2, "SELF": 3}


def naive(facts: Facts, packs: PackSet) -> Outcome:
    return Outcome(Naive(facts, packs).decide())


class Naive:
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

    # ------------------------------------------------------------ the whole request
    def decide(self) -> str:  # noqa: C901  # flat on purpose
        targets = [person for person in self.facts.persons if person.target]
        known = {one.id for one in self.facts.subjects}
        near = {
            one.subject_id
            for person in self.facts.persons
            for sighting in person.sightings
            for one in sighting.candidates
            if NEAR[one.band] > 0
        }
        if not targets or not self.request.modalities or not near <= known:
            return "REVIEW_REQUIRED"
        if not self.facts.service.active:
            return "PROHIBITED"
        if self.barred([], {**self.packs, "ZZ": self.zz}, cure="none"):
            return "PROHIBITED"
        results, duties = [], set()
        for person in self.facts.persons:
            for modality in self.request.modalities:
                for result, owed in self.judge(person, modality):
                    if person.target:
                        results.append(result)
                        duties |= owed
                    elif result == "PROHIBITED":
                        results.append("REVIEW_REQUIRED")
        worst = max(results, key=ORDER.index)
        supported = self.request.supported_obligations
        if supported is None:
            supported = self.facts.service.supported_obligations or frozenset()
        if worst == "PERMITTED" and not duties <= supported:
            return "REVIEW_REQUIRED"
        return worst

    # ------------------------------------------------------------ who it is
    def judge(self, person: Person, modality: Modality) -> list[tuple[str, set[str]]]:
        mine = [one for one in person.sightings if self.answers(one, modality)]
        if not mine:
            return [(self.open(), set())]
        results: list[tuple[str, set[str]]] = []
        pictured: set[str] = set()
        for one in [one for one in mine if one.asset]:
            who = {c.subject_id for c in one.candidates if NEAR[c.band] >= 2}
            maybe = {c.subject_id for c in one.candidates if NEAR[c.band] >= 1}
            wrong = person.claimed_subject is not None and bool(maybe)
            wrong = wrong and person.claimed_subject not in maybe
            hidden = one.usable and one.searched
            other = {i for i in who if self.other_name(person, modality, i)}
            for i in sorted(who - other):
                pictured.add(i)
                results.append(self.known(i, modality, wrong=wrong, sure=True))
            if maybe - who or not hidden or other:
                results.append((self.unsure(who, modality, wrong=wrong), set()))
        faces = [one for one in mine if not one.asset]
        left = set(pictured)
        for one in faces:
            left -= {c.subject_id for c in one.candidates if NEAR[c.band] >= 2}
        spare = len(left)
        for one in faces:
            near = [c for c in one.candidates if NEAR[c.band] >= 1]
            fine = one.usable and one.searched
            if not near and fine and one.modality != "VOICE" and spare > 0:
                spare -= 1
                continue
            results.append(self.single(one, person, modality))
        if not results:
            claimed = person.claimed_subject is not None
            results.append(("PROHIBITED" if claimed else self.open("UNKNOWN"), set()))
        return results

    def answers(self, one: Sighting, modality: Modality) -> bool:
        if modality == "NAME":
            return True
        return modality in ("FACE", "BODY") if one.asset else one.modality == modality

    def other_name(self, person: Person, modality: Modality, who: str) -> bool:
        return modality == "NAME" and person.name_hit not in (None, who)

    def single(self, one: Sighting, person: Person, modality: Modality) -> tuple[str, set[str]]:
        near = {c.subject_id for c in one.candidates if NEAR[c.band] >= 1}
        match = {c.subject_id for c in one.candidates if NEAR[c.band] >= 2}
        fine = one.usable and one.searched
        claim = person.claimed_subject
        wrong = claim is not None and ((fine and claim not in near) or bool(match - {claim}))
        if not fine or (near and not match):
            return self.unsure(match, modality, wrong=wrong), set()
        if len(match) > 1 or (match and not one.clear_runner_up):
            return self.unsure(match, modality, wrong=wrong), set()
        if match and self.other_name(person, modality, min(match)):
            return self.unsure(match, modality, wrong=wrong), set()
        if match:
            sure = any(c.band == Band.STRONG for c in one.candidates)
            return self.known(min(match), modality, wrong=wrong, sure=sure)
        return ("PROHIBITED" if wrong else self.open("UNKNOWN")), set()

    def open(self, otherwise: str = "REVIEW_REQUIRED") -> str:
        speaking = {**self.packs, "ZZ": self.zz}
        return "PROHIBITED" if self.barred([], speaking, cure="consent") else otherwise

    def unsure(self, match: set[str], modality: Modality, *, wrong: bool) -> str:
        who = [self.subject(one) for one in sorted(match)]
        speaking = {**self.packs, "ZZ": self.zz}
        if wrong or self.barred(who, speaking, cure="none"):
            return "PROHIBITED"
        if any(self.in_scope(order, modality) for one in who for order in one.orders):
            return "PROHIBITED"
        return "PROHIBITED" if self.barred(who, speaking, cure="consent") else "REVIEW_REQUIRED"

    def subject(self, one: str) -> Subject:
        return next(each for each in self.facts.subjects if each.id == one)

    # ------------------------------------------------------------ a known person
    def known(  # noqa: C901, PLR0911, PLR0912  # flat on purpose
        self, who: str, modality: Modality, *, wrong: bool, sure: bool
    ) -> tuple[str, set[str]]:
        one = self.subject(who)
        speaking = dict(self.packs)
        gone = self.gone(one)
        if gone and one.domicile_at_death is not None:
            speaking.update(self.pulled(one.domicile_at_death, "DOMICILE_AT_DEATH"))
        barring = {**speaking, "ZZ": self.zz}
        if self.barred([one], barring, cure="none") or wrong:
            return "PROHIBITED", set()
        if any(self.in_scope(order, modality) for order in one.orders):
            return "PROHIBITED", set()
        terms = [self.term(one, pack) for pack in speaking.values()] if gone else []
        running, unclear = "yes" in terms, any(t not in ("yes", "no") for t in terms)
        noes = [
            o
            for o in one.objections
            if o.state not in ("WITHDRAWN", "LAPSED")
            and o.since <= self.facts.at
            and not (o.until is not None and o.until <= self.facts.at)
            and self.in_scope(o, modality)
        ]
        firm = [o for o in noes if o.state in ("PROVISIONAL", "VERIFIED")]
        lacks = {g.id: self.lacks(g, one, modality, speaking) for g in one.grants}
        good = [g for g in one.grants if not lacks[g.id] and all(self.beats(g, o) for o in firm)]
        curable = self.barred([one], barring, cure="consent")
        excepted = self.excepted()
        if firm and not good:
            if curable:
                return "PROHIBITED", set()
            if (gone and not running) or excepted:
                return "REVIEW_REQUIRED", set()
            return "PROHIBITED", set()
        if one.registration == "DISPUTED" or len(noes) > len(firm):
            return ("PROHIBITED" if curable else "REVIEW_REQUIRED"), set()
        doubtful = not sure or self.ageless(one, barring, gone=gone) or "name the state" in terms
        doubtful = doubtful or self.barred([one], barring, cure="any", effect="review")
        emitted: set[str] = {duty.code for pack in speaking.values() for duty in pack.emits}
        if good:
            supported = self.request.supported_obligations
            if supported is None:
                supported = self.facts.service.supported_obligations or frozenset()
            lightest = min(good, key=lambda g: len(g.obligations - supported))
            owed = {*emitted, *lightest.obligations}
            return ("REVIEW_REQUIRED" if doubtful else "PERMITTED"), owed
        if curable:
            return "PROHIBITED", set()
        if gone and not running and not unclear:
            shaky = doubtful or one.registration != "VERIFIED"
            return ("REVIEW_REQUIRED" if shaky else "PERMITTED"), emitted
        fitting = [lack for lack in lacks.values() if lack is not None and "scope" not in lack]
        if any("withdrawn" in lack for lack in fitting):
            return ("REVIEW_REQUIRED" if excepted else "PROHIBITED"), set()
        if any(lack and lack <= {"suspended", "holders"} for lack in fitting):
            return "REVIEW_REQUIRED", set()
        if unclear or excepted:
            return "REVIEW_REQUIRED", set()
        return "CONSENT_REQUIRED", set()

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
        minors = pack.minors or self.zz.minors
        assert minors is not None
        return "MINOR" in one.classes or (years is not None and years < minors.majority)

    def ageless(self, one: Subject, speaking: dict[str, Pack], *, gone: bool) -> bool:
        if one.born is not None or "MINOR" in one.classes:
            return False
        touching = [b for p in speaking.values() for b in p.bars if self.touches(b)]
        return not gone or any(b.who == "MINOR" for b in touching)

    def touches(self, bar: object) -> bool:
        r, b = self.request, bar
        return not (
            (b.effective and b.effective > self.today)  # type: ignore[attr-defined]
            or (b.content and not b.content & r.content)  # type: ignore[attr-defined]
            or (b.uses and r.use not in b.uses)  # type: ignore[attr-defined]
            or (b.purposes and r.purpose not in b.purposes)  # type: ignore[attr-defined]
            or (b.unfiled and b.unfiled in self.facts.service.filings)  # type: ignore[attr-defined]
        )

    def barred(
        self, who: list[Subject], speaking: dict[str, Pack], *, cure: str, effect: str = "prohibit"
    ) -> bool:
        for pack in speaking.values():
            for bar in pack.bars:
                if bar.effect != effect or cure not in ("any", bar.cure) or not self.touches(bar):
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

    def term(self, one: Subject, pack: Pack) -> str:
        term, only = pack.dead.term, pack.dead.applies_if
        if (term.draft and not self.drafts) or term.kind == "none":
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
            form = pack.consent.form
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
            elif self.gone(one) and self.term(one, pack) != "no" and not self.holders(g, one, pack):
                lack.add("holders")
        return lack

    def signed(self, g: Grant, one: Subject, pack: Pack) -> bool:
        status = "dead" if self.gone(one) else "minor" if self.young(one, pack) else "adult"
        years = self.years(one, at_death=False)
        for source in (pack, self.zz):
            rules = [
                rule
                for rule in source.consent.by
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
        ways = {h.decision.value for h in (pack.dead.holders or self.zz.dead.holders)}
        signed = one.holders & g.signed_by
        if not one.holders:
            return False
        if "all" in ways:
            return signed == one.holders
        if "majority_interest" in ways:
            return (g.interest or 0) > 0.5
        return bool(signed)

    def excepted(self) -> bool:
        claimed = self.request.claimed_exception
        return claimed is not None and all(
            any(
                e.claim == claimed and e.effect == "review"
                for pack in group.values()
                for e in pack.exceptions
            )
            for group in self.groups
        )
