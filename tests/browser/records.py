"""What the registry says of what was done on a page: asked by a service, and read from its rows."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx2
from sqlalchemy import func, or_, select

from registry import erasure, objections, principals, samples, subjects
from registry.cases import Case
from registry.database import Database, new_id
from registry.keys import Keys
from registry.policy.vocabulary import ObjectionState
from registry.principals import OPERATOR_ID
from registry.reviews import Review, ReviewKind
from registry.samples import SampleState
from registry.subjects import Subject, SubjectKey
from tests import acts
from tests.browser.people import Kept
from tests.conftest import Account, Execute, Json
from tests.without_accounts import Visitor

PERSON = "{ subjects { edges { node { id name aliases links birthDate } } } }"
REPORTS = "{ complaints { edges { node { state } } } }"
COMPLAINTS = "{ complaints { edges { node { misuse { statement } } } } }"


@dataclass(frozen=True)
class Records:
    """One service that asks, and the operator who reads."""

    service: Account
    client: httpx2.AsyncClient
    execute: Execute
    operator: Database
    keys: Keys

    async def about(self, media: bytes, **more: Any) -> Json:
        """The decision on a picture or recording."""
        headers = {**self.service.headers, "content-type": "application/octet-stream"}
        answer = await self.client.post("/v1/media", content=media, headers=headers)
        assert answer.status_code == 201, answer.text
        person = {"probes": [{"media": {"handle": answer.json()["handle"]}}]}
        return await self._decided(person, **more)

    async def about_hash(self, hex: str) -> Json:
        """The decision on a picture of which only the hash is sent."""
        return await self._decided(
            {"probes": [{"imageHash": {"algorithm": "PHASH_256", "hex": hex}}]}
        )

    async def _decided(self, person: Json, **more: Any) -> Json:
        return await acts.check(self.execute, self.service, acts.question(persons=[person], **more))

    async def forbids(self, media: bytes, **more: Any) -> bool:
        """Whether somebody objects to what this shows."""
        return _is_no(await self.about(media, **more))

    async def forbids_hash(self, hex: str) -> bool:
        """The same of a hash."""
        return _is_no(await self.about_hash(hex))

    async def cases(self) -> int:
        """How many cases there are."""
        async with self.operator.reading() as session:
            return await session.scalar(select(func.count()).select_from(Case)) or 0

    async def subject(self, number: str) -> Subject:
        """The person of a case."""
        async with self.operator.reading() as session:
            account = await principals.by_handle(session, number)
            assert account is not None
            found = await session.scalars(select(Subject).where(Subject.owner_id == account.id))
            return found.one()

    async def person(self, kept: Kept) -> Json:
        """The person of a case, as whoever has its number and PIN may read."""
        case = await Visitor(self.client, kept.number, kept.pin).account(self.execute)
        [edge] = (await self.execute(case, PERSON))["subjects"]["edges"]
        person: Json = edge["node"]
        return person

    async def samples(self, number: str) -> int:
        """How many photos and recordings of somebody are enrolled."""
        subject = await self.subject(number)
        async with self.operator.reading() as session:
            found = (await samples.by_subject(session, [subject.id])).get(subject.id, [])
            states = await samples.states(session, [one.id for one in found])
        return list(states.values()).count(SampleState.ENROLLED)

    async def names(self) -> set[str]:
        """What the people are called whom the registry still knows."""
        async with self.operator.reading() as session:
            ids = list(await session.scalars(select(SubjectKey.subject_id)))
            return {
                one.name for one in (await subjects.records(session, ids, keys=self.keys)).values()
            }

    async def complaints(self, kept: Kept) -> list[str]:
        """What a case says in its complaints, as its holder may read by any program."""
        case = await Visitor(self.client, kept.number, kept.pin).account(self.execute)
        found = (await self.execute(case, COMPLAINTS))["complaints"]["edges"]
        return [one["node"]["misuse"]["statement"] for one in found]

    async def report_states(self, kept: Kept) -> list[str]:
        """Where the reports of a case stand, as its holder may read by any program."""
        case = await Visitor(self.client, kept.number, kept.pin).account(self.execute)
        found = (await self.execute(case, REPORTS))["complaints"]["edges"]
        return [one["node"]["state"] for one in found]

    async def standing(self, number: str) -> list[ObjectionState]:
        """Where the objections of a case stand, oldest first."""
        subject = await self.subject(number)
        async with self.operator.reading() as session:
            filed = await objections.of_subject(session, subject.id)
            states = await objections.states(session, [one.id for one in filed])
        return [states[one.id] for one in filed]

    async def review(self, kind: ReviewKind, number: str) -> UUID:
        """The newest review of this kind that a case has brought about."""
        async with self.operator.reading() as session:
            account = await principals.by_handle(session, number)
            assert account is not None
            people = select(Subject.id).where(Subject.owner_id == account.id)
            about = or_(
                Review.about == account.id,
                Review.subject_ids.overlap(list(await session.scalars(people))),
            )
            found = await session.scalars(
                select(Review.id).where(Review.kind == kind, about).order_by(Review.id.desc())
            )
            review = found.first()
        assert review is not None
        return review

    async def withdraw(self, kept: Kept) -> None:
        """Take back every objection of a case, as its holder may by any program."""
        case = await Visitor(self.client, kept.number, kept.pin).account(self.execute)
        found = (await self.execute(case, "{ objections { edges { node { id } } } }"))["objections"]
        for edge in found["edges"]:
            await self.execute(case, acts.WITHDRAW, id=edge["node"]["id"])

    async def forget_all(self) -> None:
        """Erase everybody, so that the next journey meets nobody it might know."""
        async with self.operator.writing() as session:
            for subject_id in await session.scalars(select(SubjectKey.subject_id)):
                await erasure.erase(
                    session,
                    erasure_id=new_id(),
                    subject_id=subject_id,
                    actor_id=OPERATOR_ID,
                    keep_blocking=False,
                    keys=self.keys,
                )


def _is_no(decision: Json) -> bool:
    said = "OBJECTION" in acts.codes(decision)
    assert not said or decision["outcome"] == "PROHIBITED", decision
    return said
