"""What tests of enrolment need: a person on record, vectors, and judges that say what is wanted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

import numpy as np
import numpy.typing as npt

from api.state import State
from registry import enrolment, subjects, templates
from registry.database import Database, new_id
from registry.encoders.identity import FACE, FACE_DIMENSIONS, VOICE, VOICE_DIMENSIONS, Condition
from registry.policy.vocabulary import Modality
from registry.samples import Judgement, Own, Sample, Vectors, Verdict
from tests.conftest import Account, Accounts

DAILY = 100
_random = np.random.default_rng()


def unit(dimensions: int = FACE_DIMENSIONS) -> npt.NDArray[np.float32]:
    """A vector unlike any other."""
    vector = _random.standard_normal(dimensions)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def face(vector: npt.NDArray[np.float32] | None = None) -> dict[tuple[str, Condition], bytes]:
    """What an encoder makes of a photograph."""
    return {(FACE, Condition.PHOTO): (unit() if vector is None else vector).tobytes()}


def voice() -> dict[tuple[str, Condition], bytes]:
    """What an encoder makes of a recording that is to be enrolled."""
    return {
        (VOICE, one): unit(VOICE_DIMENSIONS).tobytes()
        for one in (Condition.WIDE, Condition.TELEPHONE)
    }


@dataclass
class Judge:
    """Says the same of every sample, and remembers what it was shown."""

    verdict: Verdict = Verdict.JOIN
    near: frozenset[UUID] = frozenset()
    established: frozenset[UUID] = frozenset()
    asked: list[tuple[UUID, Modality, Vectors, Own]] = field(default_factory=list)

    async def __call__(
        self, subject_id: UUID, modality: Modality, vectors: Vectors, own: Own
    ) -> Judgement:
        self.asked.append((subject_id, modality, vectors, own))
        return Judgement(self.verdict, self.near, self.established)


@dataclass(frozen=True)
class Person:
    """A subject, its owner, and the registry as that owner sees it."""

    state: State
    account: Account
    subject: UUID
    ial: int

    @property
    def db(self) -> Database:
        return self.state.db.acting_for(self.account.actor)

    async def enrol(
        self,
        vectors: Mapping[tuple[str, Condition], bytes] | None = None,
        *,
        judge: Judge | None = None,
        verdict: Verdict = Verdict.JOIN,
        daily: int = DAILY,
    ) -> Sample:
        vectors = face() if vectors is None else vectors
        is_face = Condition.PHOTO in {condition for _, condition in vectors}
        async with self.db.writing() as session:
            enrolled = await enrolment.enrol(
                session,
                sample_id=new_id(),
                subject_id=self.subject,
                modality=Modality.FACE if is_face else Modality.VOICE,
                vectors=vectors,
                enrolled_by=self.account.id,
                ial=self.ial,
                judge=judge or Judge(verdict),
                daily=daily,
                keys=self.state.keys,
            )
            return enrolled.sample

    async def retire(self, sample: Sample) -> Sample:
        async with self.db.writing() as session:
            return await enrolment.retire(
                session,
                sample_id=sample.id,
                actor_id=self.account.id,
                keys=self.state.keys,
            )

    async def own(self) -> Own:
        """Its templates, opened."""
        async with self.db.reading() as session:
            return await templates.own(session, self.subject, keys=self.state.keys)

    async def live(self) -> list[templates.Template]:
        async with self.db.reading() as session:
            return await templates.live(session, self.subject)


async def person(state: State, accounts: Accounts, *, ial: int = 2) -> Person:
    """Somebody on record with an account of their own."""
    account = await accounts.open(ial=ial)
    return await another(state, account, ial=ial)


async def another(state: State, account: Account, *, ial: int = 2) -> Person:
    """Somebody more on this account's record."""
    subject = new_id()
    async with state.db.acting_for(account.actor).writing() as session:
        await subjects.register(
            session,
            subject_id=subject,
            owner_id=account.id,
            profile=subjects.Profile("Ada Lovelace"),
            verified=ial >= 2,
            keys=state.keys,
        )
    return Person(state, account, subject, ial)
