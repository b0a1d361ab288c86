"""A case file's people, consents and refusals, put on record as clients would, over GraphQL.

What the API cannot make, or what only another clock would show, is left out.
"""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np

from api.state import State
from registry import services
from registry.database import Database
from registry.encoders.identity import FACE, FACE_DIMENSIONS, VOICE, VOICE_DIMENSIONS, Condition
from registry.policy.case_facts import distances, facts_of
from registry.policy.case_file import (
    CaseEntry,
    CaseFile,
    GrantEntry,
    HolderEntry,
    ObjectionEntry,
    PersonEntry,
    moment,
)
from registry.policy.cases import differences
from registry.policy.engine import decide
from registry.policy.packs import PackSet
from registry.policy.vocabulary import (
    GrantorRole,
    GrantState,
    ObjectionState,
    Registration,
    SubjectClass,
)
from registry.principals import OPERATOR_ID, PrincipalKind
from tests import acts
from tests.conftest import Account, Accounts, Execute, Json
from tests.registry import enrolling

_FILED = frozenset({ObjectionState.PROVISIONAL, ObjectionState.VERIFIED})
_DERIVED = frozenset({SubjectClass.MINOR, SubjectClass.DECEASED, SubjectClass.PRIVATE})
_ENCODERS = {"FACE": (FACE, "faceVector"), "VOICE": (VOICE, "voiceVector")}
_CONDITIONS = {"FACE": Condition.PHOTO, "VOICE": Condition.WIDE}
_GREATEST_DISTANCE = 4  # bits of the file's pictures that are the same picture

_ASSERT_CLASS = (
    "mutation ($input: AssertClassInput!) { done: assertClass(input: $input) "
    "{ __typename ... on Problem { code message field } } }"
)
_RECORD_DEATH = (
    "mutation ($input: RecordDeathInput!) { done: recordDeath(input: $input) "
    "{ __typename ... on Problem { code message field } } }"
)
_RECORD_RESIDENCE = (
    "mutation ($input: RecordResidenceInput!) { done: recordResidence(input: $input) "
    "{ __typename ... on Problem { code message field } } }"
)
_APPOINT = (
    "mutation ($input: AppointRepresentativeInput!) { done: appointRepresentative(input: $input) "
    "{ __typename ... on Problem { code message field } } }"
)
_SIGN = (
    "mutation ($id: ID!, $role: GrantorRole!) { done: signGrant(id: $id, role: $role) "
    "{ __typename ... on Problem { code message field } } }"
)
_PLACE_ORDER = (
    "mutation ($input: PlaceOrderInput!) { done: placeOrder(input: $input) "
    "{ __typename ... on Problem { code message field } } }"
)
_SET_FILING = (
    "mutation ($input: SetFilingInput!) { done: setFiling(input: $input) "
    "{ __typename ... on Problem { code message field } } }"
)


def moved(file: CaseFile) -> CaseFile:
    """The file as of now: what it dates relative to its `now` is as far from today.

    The dates of the dead stay: laws begin on days of their own. Left out is what cannot be put on
    record from here: grants that are suspended, used up or over, and what is disputed.
    """
    now = datetime.now(UTC)
    ahead = now - file.fixtures.now
    subjects = {
        name: one
        if one.died is not None or one.born is None
        else one.model_copy(update={"born": one.born + timedelta(days=ahead.days)})
        for name, one in file.fixtures.subjects.items()
    }
    grants = [
        one.model_copy(
            update={
                "begins": moment(one.begins) + ahead,
                "until": None if one.until is None else moment(one.until) + ahead,
                "revoked_at": None if one.revoked_at is None else moment(one.revoked_at) + ahead,
            }
        )
        for one in file.fixtures.grants
    ]
    objections = [
        one.model_copy(update={"since": moment(one.since) + ahead})
        for one in file.fixtures.objections
        if one.state in _FILED and one.until is None
    ]
    fixtures = file.fixtures.model_copy(
        update={
            "now": now,
            "subjects": subjects,
            "grants": tuple(one for one in grants if _can_be_made(one, objections, now)),
            "objections": tuple(objections),
        }
    )
    return file.model_copy(update={"fixtures": fixtures})


def _can_be_made(grant: GrantEntry, objections: Sequence[ObjectionEntry], now: datetime) -> bool:
    over = grant.until is not None and moment(grant.until) <= now
    revoked = grant.revoked_at is not None and moment(grant.revoked_at) > now
    known = {one.id for one in objections}
    return (
        grant.state not in {GrantState.SUSPENDED, GrantState.REJECTED, GrantState.EXPIRED}
        and grant.quota_remaining != 0
        and not over
        and not revoked
        and grant.acknowledges_objections <= known
        and GrantorRole.AGENT not in grant.grantor_roles  # without a mandate, nobody's agent signs
    )


def playable(case: CaseEntry, file: CaseFile, packs: PackSet) -> bool:
    """Whether a case can be brought about over the API, and holds on this day."""
    request = case.request
    if request.at is not None or request.matcher == "DOWN" or not request.persons:
        return False
    if not all(_can_be_shown(one, file) for one in request.persons):
        return False
    decision = decide(facts_of(file, request, case.id), packs)
    return not differences(case, decision)


def _can_be_shown(person: PersonEntry, file: CaseFile) -> bool:
    near = [(score.subject, score.score) for scores in person.probe.values() for score in scores]
    thresholds = file.fixtures.thresholds
    for modality, scores in person.probe.items():
        limits = thresholds[modality.value]  # type: ignore[index]  # NAME is never probed
        if any(limits.low <= one.score < (limits.strong or limits.high) for one in scores):
            return False  # bands between have tests of their own, with the calibration's scores
        if sum(one.score >= limits.low for one in scores) > 1:
            return False
    if any(one.distance > _GREATEST_DISTANCE for one in distances(person)):
        return False
    for one, _ in near:
        subject = file.fixtures.subjects[one]
        if subject.registration is not Registration.VERIFIED:
            return False
        if subject.born is not None and subject.died is None and _age(subject.born, file) < 21:
            return False  # nobody is STRONG by the calibration of minors: a person decides
    return not any(quality == "LOW" for quality in person.quality.values())


def _age(born: date, file: CaseFile) -> float:
    return (file.fixtures.now.date() - born).days / 365.25


def _vector(dimensions: int, *, number: int) -> np.ndarray[Any, Any]:
    vector = np.random.default_rng(number).standard_normal(dimensions)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


@dataclass
class Cast:
    """Everybody of one file, on record."""

    file: CaseFile
    state: State
    operator: Database
    accounts: Accounts
    execute: Execute
    owner: Account
    attester: Account
    regulator: Account
    services: dict[str, Account] = field(default_factory=dict)
    subjects: dict[str, str] = field(default_factory=dict)
    grants: dict[str, str] = field(default_factory=dict)
    objections: dict[str, str] = field(default_factory=dict)
    signers: dict[str, Account] = field(default_factory=dict)
    hashes: dict[str, str] = field(default_factory=dict)

    # ------------------------------------------------------------ what is put on record
    async def do(self, account: Account, document: str, **variables: Any) -> None:
        done = (await self.execute(account, document, **variables))["done"]
        assert done["__typename"] != "Problem", done

    async def assemble(self) -> None:
        for name in self.file.fixtures.services:
            await self._service(name)
        for name in self.file.fixtures.subjects:
            await self._subject(name)
        if not isinstance(self.file.fixtures.name_index, dict):
            for named in self.file.fixtures.name_index:  # somebody, whoever it is
                await acts.subject(self.execute, self.owner, name=named)
        for grant in self.file.fixtures.grants:
            if not grant.acknowledges_objections:
                await self._grant(grant)
        for objection in self.file.fixtures.objections:
            await self._objection(objection)
        for grant in self.file.fixtures.grants:
            if grant.acknowledges_objections:
                await self._grant(grant)
        await self._orders()

    async def _orders(self) -> None:
        for order in self.file.fixtures.orders:
            given = {"subjectId": self.subjects[order.subject], "scope": _scope(order)}
            told = {**given, "authority": "District Court", "reference": f"Case {order.id}"}
            await self.do(self.regulator, _PLACE_ORDER, input=told)

    async def _service(self, name: str) -> None:
        entry = self.file.fixtures.services[name]
        account = await self.accounts.open(
            PrincipalKind.SERVICE, tier=2, established_in=entry.establishment
        )
        self.services[name] = account
        for territory, number in entry.filings.items():
            filing = {"territory": territory, "number": number}
            await self.do(account, _SET_FILING, input=filing)
        if entry.state == "SUSPENDED":
            async with self.operator.writing() as session:
                await services.suspend(session, service_id=account.id, actor_id=OPERATOR_ID)

    async def _subject(self, name: str) -> None:
        entry = self.file.fixtures.subjects[name]
        born = None if entry.born is None else entry.born.isoformat()
        names = self.file.fixtures.name_index
        called = (
            [one for one, whose in names.items() if whose == name]
            if isinstance(names, dict)
            else []
        )
        given: Json = {"birthDate": born, "aliases": called}
        subject = await acts.subject(self.execute, self.owner, **given)
        self.subjects[name] = subject
        await self._enrol(name)
        if entry.died is not None:
            death = {
                "subjectId": subject,
                "diedOn": entry.died.isoformat(),
                "domicile": entry.domicile_at_death,
                "relativesLiving": entry.relatives_living,
                "source": "Death certificate",
            }
            witness = self.attester if entry.death_assured else self.owner
            await self.do(witness, _RECORD_DEATH, input=death)
        for one in sorted(entry.classes - _DERIVED):
            asserted = {"subjectId": subject, "class": one, "source": "Encyclopaedia"}
            await self.do(self.attester, _ASSERT_CLASS, input=asserted)
        if entry.residence is not None:
            home = {"subjectId": subject, "territory": entry.residence, "source": "Passport"}
            await self.do(self.attester, _RECORD_RESIDENCE, input=home)
        for holder, known in _holders(entry.holders):
            await self._appoint(name, holder, GrantorRole.RIGHTS_HOLDER, known)

    async def _enrol(self, name: str) -> None:
        number = len(self.subjects)
        person = enrolling.Person(self.state, self.owner, UUID(self.subjects[name]), 2)
        face = _vector(FACE_DIMENSIONS, number=number)
        await person.enrol(enrolling.face(face))
        voice = _vector(VOICE_DIMENSIONS, number=1000 + number).tobytes()
        await person.enrol({(VOICE, one): voice for one in (Condition.WIDE, Condition.TELEPHONE)})
        self.hashes[name] = acts.random_hash()
        await acts.asset(self.execute, self.owner, [self.subjects[name]], self.hashes[name])

    async def _appoint(
        self, name: str, who: str, role: GrantorRole, known: HolderEntry | None = None
    ) -> None:
        account = self.signers.get(who) or await self.accounts.open(PrincipalKind.PERSON)
        self.signers[who] = account
        shares = [
            one.interest
            for one in self.file.fixtures.grants
            if one.subject == name and who in one.signed_by and one.interest is not None
        ]
        appointed = {
            "subjectId": self.subjects[name],
            "principalId": str(account.id),
            "role": role,
            "kinship": known.kinship if known is not None else None,
            "share": known.share if known is not None else (shares or [None])[0],
            "source": "Certificate of inheritance",
        }
        await self.do(self.attester, _APPOINT, input=appointed)

    async def _grant(self, entry: GrantEntry) -> None:
        known = entry.acknowledges_objections
        until = None if entry.until is None else moment(entry.until)
        everybody = "*" in entry.grantee
        given = {
            "subjectId": self.subjects[entry.subject],
            "scope": _scope(entry),
            "grantees": None if everybody else [str(self.services[o].id) for o in entry.grantee],
            "startsAt": None if known else moment(entry.begins).isoformat(),
            "endsAt": None if until is None else until.isoformat(),
            "contentAllowed": sorted(entry.content_allowed),
            "commercial": entry.commercial,
            "maxUses": entry.quota_remaining,
            "written": entry.written,
            "separate": entry.separate,
            "represented": entry.represented,
            "replacesPerformance": entry.replaces_performance,
            "obligations": sorted(entry.obligations),
            "acknowledgesObjections": [self.objections[one] for one in known],
        }
        made = await self.execute(self.owner, acts.PROPOSE, input=given)
        self.grants[entry.id] = made["proposeGrant"]["grant"]["id"]
        if entry.state is not GrantState.PENDING and entry.grantor_ial > 1:
            await self._sign(entry)
        if entry.revoked_at is not None:
            await self.execute(self.owner, acts.REVOKE, id=self.grants[entry.id])

    async def _sign(self, entry: GrantEntry) -> None:
        grant = self.grants[entry.id]
        for role in sorted(entry.grantor_roles):
            if role is GrantorRole.SELF:
                await self.do(self.owner, _SIGN, id=grant, role=role)
            elif role is GrantorRole.RIGHTS_HOLDER:
                for one in sorted(entry.signed_by & self.signers.keys()):
                    await self.do(self.signers[one], _SIGN, id=grant, role=role)
            else:
                guardian = f"{role} of {entry.subject}"
                if guardian not in self.signers:
                    await self._appoint(entry.subject, guardian, role)
                await self.do(self.signers[guardian], _SIGN, id=grant, role=role)

    async def _objection(self, entry: ObjectionEntry) -> None:
        token = await self.accounts.token(
            self.owner.id, ial=1 if entry.state is ObjectionState.PROVISIONAL else 2
        )
        filer = Account(self.owner.id, self.owner.kind, token, self.owner.handle)
        given = {
            "subjectId": self.subjects[entry.subject],
            "scope": _scope(entry),
            "carveOutGrants": [self.grants[one] for one in entry.carve_out_grants],
        }
        made = await self.execute(filer, acts.OBJECT, input=given)
        self.objections[entry.id] = made["fileObjection"]["objection"]["id"]

    # ------------------------------------------------------------ what is asked
    async def ask(self, case: CaseEntry) -> Json:
        request = case.request
        asked: Json = {
            "use": request.use,
            "purpose": request.purpose,
            "modalities": sorted(request.modalities),
            "territories": sorted(request.territories),
            "content": sorted(request.content),
            "commercial": request.commercial,
            "claimedException": request.claimed_exception,
            "supportedObligations": None
            if request.supported is None
            else sorted(request.supported),
            "includeDraftLaw": request.include_draft_law,
            "persons": [self._person(one) for one in request.persons],
        }
        return await acts.check(self.execute, self.services[request.service], asked)

    def _person(self, person: PersonEntry) -> Json:
        asked: Json = {"target": person.target, "name": person.name}
        asked["probes"] = list(self._probes(person))
        best = max(
            (one for scores in person.probe.values() for one in scores),
            key=lambda one: one.score,
            default=None,
        )
        if person.claimed is not None:
            asked["claimedSubject"] = self.subjects[person.claimed]
        elif best is not None and best.score >= 0.6 and person.target:
            asked["claimedSubject"] = self.subjects[best.subject]  # a permission needs STRONG
        return asked

    def _probes(self, person: PersonEntry) -> Iterator[Json]:
        for one in distances(person):
            yield {"imageHash": {"algorithm": "PHASH_256", "hex": self.hashes[one.subject]}}
        for modality, scores in person.probe.items():
            if person.asset is not None and not scores:
                continue
            encoder, kind = _ENCODERS[modality]
            best = max(scores, key=lambda one: one.score, default=None)
            vector = self._vector_of(modality, None if best is None else best.subject)
            if best is not None and best.score < 0.4:
                vector = self._vector_of(modality, None)
            text = base64.b64encode(vector.tobytes()).decode()
            yield {kind: {"encoder": encoder, "base64": text}}

    def _vector_of(self, modality: str, name: str | None) -> np.ndarray[Any, Any]:
        number = 5000 if name is None else list(self.subjects).index(name) + 1
        if modality == "FACE":
            return _vector(FACE_DIMENSIONS, number=number)
        return _vector(VOICE_DIMENSIONS, number=1000 + number)

    def differs(self, case: CaseEntry, decision: Json) -> list[str]:
        """How the answer differs from what the file expects."""
        expect, theirs = case.expect, {made: name for name, made in self.grants.items()}
        codes = acts.codes(decision)
        codes |= {
            f"{one['code']}:{theirs[one['grant']]}"
            for one in decision["reasons"]
            if one["grant"] in theirs
        }
        duties = {one["code"] for one in decision["obligations"]}
        found = [] if decision["outcome"] == expect.outcome else [decision["outcome"]]
        found += [f"no {one}" for one in expect.reasons if one not in codes]
        found += [f"with {one}" for one in expect.reasons_absent if one in codes]
        found += [f"no {one}" for one in expect.obligations if one not in duties]
        return [*found, *sorted(codes)] if found else []


def _holders(entries: Any) -> Iterator[tuple[str, HolderEntry | None]]:
    if isinstance(entries, dict):
        yield from entries.items()
    else:
        for one in sorted(entries):
            yield one, None


def _scope(entry: Any) -> Json:
    dimensions = ("modalities", "uses", "purposes", "territories")
    said = {name: getattr(entry, name) for name in dimensions}
    return {name: None if "*" in values else sorted(values) for name, values in said.items()}
