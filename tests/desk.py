"""What tests of the review desk need: people with faces, what is asked of them, reviewers."""

import base64
import secrets
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt

from api.state import State
from registry import doubts, notices, probes
from registry.database import Database, now
from registry.encoders.identity import FACE, Condition
from registry.encoders.media import MediaEncoding, PictureHash
from registry.encoders.targets import Box, FaceTarget
from registry.matching.calibration import GREY_EVIDENCE, MATCH_EVIDENCE
from registry.principals import PrincipalKind
from tests import acts
from tests.conftest import Account, Accounts, Execute, Json
from tests.registry.enrolling import unit

ENROL = """
mutation ($input: EnrollSampleInput!) { enrollSample(input: $input) {
  ... on SampleEnrolled { sample { id state } } ... on Problem { code message field } } }
"""
REVIEWS = """
query ($kind: ReviewKind, $state: ReviewState, $mine: Boolean! = false, $first: Int! = 100,
  $after: String) {
  reviews(kind: $kind, state: $state, mine: $mine, first: $first, after: $after) {
    edges { node { id kind state overdue subjectIds about assignee ruling dueAt createdAt
      papers { statement caseNumber serviceId decisionId probes }
      events { kind ruling actorId reason } } }
    pageInfo { hasNextPage endCursor } } }
"""
TAKE = """
mutation ($id: ID!) { takeReview(id: $id) {
  ... on ReviewTaken { review { id state assignee papers { statement caseNumber probes } } }
  ... on Problem { code message } } }
"""
RELEASE = """
mutation ($id: ID!) { releaseReview(id: $id) {
  ... on ReviewReleased { review { id state assignee } } ... on Problem { code message } } }
"""
DECIDE = """
mutation ($input: DecideReviewInput!) { decideReview(input: $input) {
  ... on ReviewDecided { review { id state ruling } } ... on Problem { code message field } } }
"""
DISPUTE = """
mutation ($input: DisputeDecisionInput!) { disputeDecision(input: $input) {
  ... on DecisionDisputed { reviewId } ... on Problem { code message field } } }
"""
APPEAL = """
mutation ($input: AppealReviewInput!) { appealReview(input: $input) {
  ... on ReviewAppealed { reviewId } ... on Problem { code message field } } }
"""
PHOTO = Condition.PHOTO
Vector = npt.NDArray[np.float32]


def near(vector: Vector, cosine: float) -> Vector:
    """A vector at this cosine from another."""
    other = unit(len(vector)).astype(np.float64)
    other -= (other @ vector) * vector
    other /= np.linalg.norm(other)
    return (cosine * vector + np.sqrt(1 - cosine**2) * other).astype(np.float32)


def by(vector: Vector) -> Json:
    """A probe of this vector."""
    return {"faceVector": {"encoder": FACE, "base64": base64.b64encode(vector.tobytes()).decode()}}


def box(place: int) -> dict[str, int]:
    """Where the face at this place of an upload is."""
    return {"x": 300 * place, "y": 0, "width": 100, "height": 100}


@dataclass(frozen=True)
class Desk:
    """People who enrol, services that ask and reviewers who decide, each over GraphQL."""

    state: State
    execute: Execute
    accounts: Accounts
    operator: Database

    def cosine(self, evidence: str) -> float:
        """A cosine that falls into this band of the shipped face calibration."""
        tables = self.state.checker.encoders.by_id[FACE].calibration.tables
        curve = next(iter(tables[PHOTO].values()))["all"]
        least = {"grey": GREY_EVIDENCE, "match": MATCH_EVIDENCE}[evidence]
        return float(curve.score_of(min(least, curve.top - (evidence == "grey")))) + 1e-4

    async def reviewer(self) -> Account:
        return await self.accounts.open(PrincipalKind.REVIEWER)

    async def upload(self, account: Account, *vectors: Vector, sha256: bytes | None = None) -> str:
        """The handle of a picture of these faces, side by side: see `box`."""
        targets = tuple(
            FaceTarget(
                box=Box(**box(at)), seconds=None, trouble=None, vectors={FACE: one.tobytes()}
            )
            for at, one in enumerate(vectors)
        )
        encoding = MediaEncoding(
            kind="image",
            media_type="image/x",
            sha256=sha256 or secrets.token_bytes(32),
            width=1000,
            height=1000,
            picture=PictureHash(
                "phash-256/1", secrets.token_bytes(32), secrets.token_bytes(32), usable=True
            ),
            faces=targets,
            faces_searched=True,
            voices_searched=True,
            enrolling=True,
        )
        async with self.state.db.acting_for(account.actor).writing() as session:
            probe = await probes.keep(
                session,
                principal_id=account.id,
                encoding=encoding,
                ttl_seconds=600,
                keys=self.state.keys,
            )
        return str(probe.id)

    async def enrol(self, owner: Account, subject: str, vector: Vector, **more: Any) -> Json:
        handle = await self.upload(owner, vector)
        given = {"subjectId": subject, "media": {"handle": handle}, **more}
        answer: Json = (await self.execute(owner, ENROL, input=given))["enrollSample"]
        return answer

    async def somebody(self, owner: Account, vector: Vector) -> str:
        """A grown-up whose face is enrolled."""
        subject = await acts.subject(self.execute, owner)
        made = await self.enrol(owner, subject, vector)
        assert made["sample"]["state"] in {"ENROLLED", "RECEIVED"}, made
        return subject

    async def ask(self, service: Account, *probes: Json, **more: Any) -> Json:
        """A decision about one person."""
        person = {"probes": list(probes), **more}
        return await acts.check(self.execute, service, acts.question(persons=[person]))

    async def look_through(self) -> None:
        """What the upkeep does: bring doubtful matches before the desk."""
        async with self.operator.reading() as session:
            at = await now(session)
        await doubts.look_through(self.operator, self.state.keys, at)

    async def reviews(self, reviewer: Account, *, subject: str, **more: Any) -> list[Json]:
        """The reviews about this subject, oldest first."""
        found, after = [], None
        while True:
            page = (await self.execute(reviewer, REVIEWS, after=after, **more))["reviews"]
            found += [one["node"] for one in page["edges"]]
            if not page["pageInfo"]["hasNextPage"]:
                return [one for one in found if subject in one["subjectIds"]]
            after = page["pageInfo"]["endCursor"]

    async def take(self, reviewer: Account, review: str) -> Json:
        answer: Json = (await self.execute(reviewer, TAKE, id=review))["takeReview"]
        return answer

    async def rule(self, reviewer: Account, review: str, ruling: str, **more: Any) -> Json:
        """Take it, and rule."""
        taken = await self.take(reviewer, review)
        assert "review" in taken, taken
        return await self.decide(reviewer, review, ruling, **more)

    async def decide(self, reviewer: Account, review: str, ruling: str, **more: Any) -> Json:
        given = {"id": review, "ruling": ruling, "reason": "It was looked at.", **more}
        answer: Json = (await self.execute(reviewer, DECIDE, input=given))["decideReview"]
        return answer

    async def notices(self, account: Account) -> list[tuple[str, UUID | None]]:
        """What an account was told."""
        async with self.state.db.acting_for(account.actor).reading() as session:
            found = await notices.page(session, principal_id=account.id, first=100, after=None)
        return [(one.kind, one.about) for one in found.items]
