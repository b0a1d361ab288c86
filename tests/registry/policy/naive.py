"""A second reading of the decision rules, slow and flat, to compare the engine with.

Written from the text of the rules, sharing only the packs' data and the list of what lies in what.
"""

from registry.policy.facts import Facts, Person, Sighting, Subject
from registry.policy.packs import PackSet
from registry.policy.vocabulary import Band, Modality, Outcome

from .naive_ground import NEAR, Ground

ORDER = ["PERMITTED", "UNKNOWN", "CONSENT_REQUIRED", "REVIEW_REQUIRED", "PROHIBITED"]


def naive(facts: Facts, packs: PackSet) -> Outcome:
    return Outcome(Naive(facts, packs).decide())


class Naive(Ground):
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
        for probe in {one.probe for one in mine}:
            results += self.one_probe(person, modality, [o for o in mine if o.probe == probe])
        return results

    def one_probe(  # noqa: C901  # flat on purpose
        self, person: Person, modality: Modality, mine: list[Sighting]
    ) -> list[tuple[str, set[str]]]:
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
            forbidden = [self.known(i, modality, wrong=wrong, sure=True)[0] for i in other]
            results += [("PROHIBITED", set()) for one in forbidden if one == "PROHIBITED"]
        faces = [one for one in mine if not one.asset]
        left = {i for i in pictured if "FACE" not in (self.subject(i).enrolled or ())}
        agree = []
        for one in faces:
            maybe = {c.subject_id for c in one.candidates if NEAR[c.band] >= 1}
            agrees = one.modality == "FACE" and one.usable and one.searched
            if agrees and maybe and not maybe - pictured:
                agree.append(id(one))
                left -= maybe
            else:
                left -= {c.subject_id for c in one.candidates if NEAR[c.band] >= 2}
        spare = len(left)
        for one in faces:
            near = [c for c in one.candidates if NEAR[c.band] >= 1]
            fine = one.usable and one.searched and one.complete
            if id(one) in agree:
                continue
            if not near and fine and one.modality != "VOICE" and spare > 0:
                spare -= 1
                continue
            results.append(self.single(one, person, modality))
        claimed = person.claimed_subject is not None
        nobody: tuple[str, set[str]] = ("PROHIBITED" if claimed else self.open("UNKNOWN"), set())
        for one in mine:
            blank = all(NEAR[c.band] < 1 for c in one.candidates) and one.modality != "VOICE"
            if not faces and blank and one.usable and one.searched and one.complete:
                faceless = one.faces == 0 and modality != "BODY"
                results.append((self.open(), set()) if faceless else nobody)
        return results or [nobody]

    def answers(self, one: Sighting, modality: Modality) -> bool:
        if modality == "NAME":
            return True
        return modality in ("FACE", "BODY") if one.asset else one.modality == modality

    def other_name(self, person: Person, modality: Modality, who: str) -> bool:
        return modality == "NAME" and person.name_given and person.name_hit != who

    def single(self, one: Sighting, person: Person, modality: Modality) -> tuple[str, set[str]]:
        near = {c.subject_id for c in one.candidates if NEAR[c.band] >= 1}
        match = {c.subject_id for c in one.candidates if NEAR[c.band] >= 2}
        fine = one.usable and one.searched
        claim = person.claimed_subject
        if not near and fine:
            known = [s for s in self.facts.subjects if s.id == claim and s.enrolled is not None]
            if any(one.modality not in (s.enrolled or ()) for s in known) or not one.complete:
                fine = False
        wrong = claim is not None and ((fine and claim not in near) or bool(match - {claim}))
        if not fine or (near and not match):
            return self.unsure(match, modality, wrong=wrong), set()
        if len(match) > 1 or (match and not one.clear_runner_up):
            return self.unsure(match, modality, wrong=wrong), set()
        if match and self.other_name(person, modality, min(match)):
            called, _ = self.known(min(match), modality, wrong=wrong, sure=True)
            unsure = self.unsure(match, modality, wrong=wrong)
            return ("PROHIBITED" if called == "PROHIBITED" else unsure), set()
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
        if not gone and one.residence is not None:
            speaking.update(self.pulled(one.residence, "SUBJECT_RESIDENCE"))
        barring = {**speaking, "ZZ": self.zz}
        if self.barred([one], barring, cure="none") or wrong:
            return "PROHIBITED", set()
        if any(self.in_scope(order, modality) for order in one.orders):
            return "PROHIBITED", set()
        terms = [t for pack in speaking.values() for t in self.terms(one, pack)] if gone else []
        running, unclear = "yes" in terms, any(t != "yes" for t in terms)
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
        doubtful = doubtful or (gone and not one.death_assured)
        emitted: set[str] = {
            duty.code
            for pack in speaking.values()
            for duty in self.law(pack.emits)
            if pack.id in self.packs or not duty.binds_service
        }
        if gone and not running and not unclear and not curable:
            shaky = doubtful or one.registration != "VERIFIED"
            return ("REVIEW_REQUIRED" if shaky else "PERMITTED"), emitted
        if good:
            supported = self.request.supported_obligations
            if supported is None:
                supported = self.facts.service.supported_obligations or frozenset()
            lightest = min(good, key=lambda g: len(g.obligations - supported))
            owed = {*emitted, *lightest.obligations}
            return ("REVIEW_REQUIRED" if doubtful else "PERMITTED"), owed
        if curable:
            return "PROHIBITED", set()
        fitting = [lack for lack in lacks.values() if lack is not None and "scope" not in lack]
        if any("withdrawn" in lack for lack in fitting):
            return ("REVIEW_REQUIRED" if excepted else "PROHIBITED"), set()
        if any(lack and lack <= {"suspended", "holders"} for lack in fitting):
            return "REVIEW_REQUIRED", set()
        if unclear or excepted:
            return "REVIEW_REQUIRED", set()
        return "CONSENT_REQUIRED", set()
