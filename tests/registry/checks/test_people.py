"""People in checks: whom a face or voice may be, which of them counts, and what it leads to.

The vectors are made up; what real photographs give is tested in tests/api/test_people.py.
"""

import asyncio
import base64
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import httpx2
import numpy as np
import numpy.typing as npt
import pytest

from api.state import State
from registry import enrolment, probes, samples, templates
from registry.database import Database, new_id
from registry.encoders.identity import FACE, VOICE, VOICE_DIMENSIONS, Condition
from registry.encoders.media import MediaEncoding, PictureHash
from registry.encoders.targets import Box, FaceTarget, VoiceTarget
from registry.errors import ConflictError
from registry.matching.calibration import GREY_EVIDENCE, MATCH_EVIDENCE, Calibration
from registry.policy.vocabulary import Modality, Outcome
from registry.principals import OPERATOR_ID, PrincipalKind, Scope
from registry.samples import Sample, SampleState, Vectors, Verdict
from tests import acts
from tests.conftest import Account, Accounts, Execute, Json
from tests.registry.enrolling import face, person, unit

Vector = npt.NDArray[np.float32]
PHOTO = (FACE, Condition.PHOTO)
LEFT, RIGHT = Box(10, 10, 100, 100), Box(300, 10, 100, 100)


def near(vector: Vector, cosine: float) -> Vector:
    """A vector at this cosine from another."""
    other = unit(len(vector)).astype(np.float64)
    other -= (other @ vector) * vector
    other /= np.linalg.norm(other)
    return (cosine * vector + np.sqrt(1 - cosine**2) * other).astype(np.float32)


class Bands:
    """Cosines that fall into each band of the shipped face calibration, single photographs."""

    def __init__(self, calibration: Calibration) -> None:
        curve = next(iter(calibration.tables[Condition.PHOTO].values()))["all"]
        top = curve.top
        self.match = curve.score_of(min(MATCH_EVIDENCE, top)) + 1e-4
        self.grey = curve.score_of(min(GREY_EVIDENCE, top - 1)) + 1e-4
        self.none = self.grey - 0.05
        worst = max(
            group.score_of(3.0)
            for group in next(iter(calibration.tables[Condition.PHOTO].values())).values()
            if group.top >= 3.0
        )
        self.strong = max(worst, self.match) + 1e-4


@pytest.fixture
def bands(state: State) -> Bands:
    return Bands(state.checker.encoders.by_id[FACE].calibration)


class Stage:
    """Enrols people and asks about them as a client would, with vectors made up."""

    def __init__(self, state: State, execute: Execute, owner: Account, service: Account) -> None:
        self.state, self.execute, self.owner, self.service = state, execute, owner, service

    @property
    def db(self) -> Database:
        return self.state.db.acting_for(self.owner.actor)

    async def enrol(self, subject: str, vectors: Vectors, *, ial: int = 2) -> Sample:
        modality = Modality.FACE if PHOTO in vectors else Modality.VOICE
        async with self.db.writing() as session:
            enrolled = await enrolment.enrol(
                session,
                sample_id=new_id(),
                subject_id=UUID(subject),
                modality=modality,
                vectors=vectors,
                enrolled_by=self.owner.id,
                ial=ial,
                judge=self.state.checker.judge,
                daily=1000,
                keys=self.state.keys,
            )
            return enrolled.sample

    async def somebody(self, vector: Vector, **more: Any) -> str:
        """A grown-up with one photograph."""
        subject = await acts.subject(self.execute, self.owner, **more)
        await self.enrol(subject, face(vector))
        return subject

    async def state_of(self, sample: Sample) -> SampleState:
        async with self.db.reading() as session:
            return (await samples.states(session, [sample.id]))[sample.id]

    async def upload(
        self,
        *faces: FaceTarget,
        voices: tuple[VoiceTarget, ...] = (),
        kind: str = "image",
        searched: bool = True,
        picture: bytes | None = None,
    ) -> str:
        """The handle of a file in which this was found."""
        mirrored = unit(8).tobytes()
        encoding = MediaEncoding(
            kind=kind,
            media_type=f"{kind}/x",
            sha256=b"\0" * 32,
            width=1000,
            height=1000,
            picture=PictureHash("phash-256/1", picture or unit(8).tobytes(), mirrored, usable=True)
            if kind == "image"
            else None,
            faces=faces,
            voices=voices,
            faces_searched=searched and kind != "audio",
            voices_searched=searched and kind != "image",
        )
        async with self.state.db.acting_for(self.service.actor).writing() as session:
            probe = await probes.keep(
                session,
                principal_id=self.service.id,
                encoding=encoding,
                ttl_seconds=60,
                keys=self.state.keys,
            )
        return str(probe.id)

    async def ask(self, *persons: Json, **more: Any) -> Json:
        given = acts.question(persons=list(persons), **more)
        return await acts.check(self.execute, self.service, given)

    async def grant(self, subject: str, **more: Any) -> str:
        return await acts.grant(self.execute, self.owner, subject, self.service, **more)

    async def objection(self, subject: str) -> None:
        await self.execute(self.owner, acts.OBJECT, input={"subjectId": subject})


@pytest.fixture
def stage(state: State, execute: Execute, owner: Account, service: Account) -> Stage:
    return Stage(state, execute, owner, service)


def target(vector: Vector | None, box: Box = LEFT, trouble: str | None = None) -> FaceTarget:
    vectors = {} if vector is None else {FACE: vector.tobytes()}
    return FaceTarget(box=box, seconds=None, trouble=trouble, vectors=vectors)


def voice_target(
    vectors: Mapping[tuple[str, Condition], bytes], condition: Condition = Condition.WIDE
) -> VoiceTarget:
    return VoiceTarget(0.0, 5.0, condition, None, vectors)


def by(vector: Vector, kind: str = "faceVector", encoder: str = FACE) -> Json:
    return {kind: {"encoder": encoder, "base64": base64.b64encode(vector.tobytes()).decode()}}


def shown(handle: str, box: Box | None = None) -> Json:
    place = {"x": box.x, "y": box.y, "width": box.width, "height": box.height} if box else None
    return {"media": {"handle": handle, **({"box": place} if place else {})}}


async def test_a_claimed_person_who_is_strong_is_permitted_what_was_granted(
    stage: Stage, bands: Bands
) -> None:
    vector = unit()
    subject = await stage.somebody(vector)
    await stage.grant(subject)
    probe = by(near(vector, bands.strong))
    decision = await stage.ask({"claimedSubject": subject, "probes": [probe]})
    assert (decision["outcome"], acts.codes(decision)) == ("PERMITTED", {"GRANT"})


async def test_without_a_claim_a_match_is_not_sure_enough_to_permit(
    stage: Stage, bands: Bands
) -> None:
    vector = unit()
    subject = await stage.somebody(vector)
    await stage.grant(subject)
    decision = await stage.ask({"probes": [by(near(vector, bands.match))]})
    assert decision["outcome"] == "REVIEW_REQUIRED"
    assert acts.codes(decision) == {"IDENTITY_NOT_STRONG", "GRANT"}


async def test_an_objection_bites_at_match_and_grey_is_for_a_person(
    stage: Stage, bands: Bands
) -> None:
    vector = unit()
    subject = await stage.somebody(vector)
    await stage.objection(subject)
    matching = await stage.ask({"probes": [by(near(vector, bands.match))]})
    assert (matching["outcome"], acts.codes(matching)) == ("PROHIBITED", {"OBJECTION"})
    grey = await stage.ask({"probes": [by(near(vector, bands.grey))]})
    assert (grey["outcome"], acts.codes(grey)) == ("REVIEW_REQUIRED", {"GREY_ZONE_MATCH"})
    stranger = await stage.ask({"probes": [by(near(vector, bands.none))]})
    assert stranger["outcome"] == "UNKNOWN"


async def test_a_claim_never_switches_the_search_off(stage: Stage, bands: Bands) -> None:
    vector, other = unit(), unit()
    claimed, objector = await stage.somebody(vector), await stage.somebody(other)
    await stage.grant(claimed)
    probe = by(near(other, bands.match))
    decision = await stage.ask({"claimedSubject": claimed, "probes": [probe]})
    assert acts.codes(decision) == {"CLAIMED_SUBJECT_MISMATCH"}
    decision = await stage.ask({"claimedSubject": objector, "probes": [by(unit())]})
    assert (decision["outcome"], acts.codes(decision)) == (
        "PROHIBITED",
        {"CLAIMED_SUBJECT_MISMATCH"},
    )


async def test_a_claimed_person_without_a_template_cannot_be_compared(stage: Stage) -> None:
    subject = await acts.subject(stage.execute, stage.owner)
    await stage.grant(subject)
    decision = await stage.ask({"claimedSubject": subject, "probes": [by(unit())]})
    assert acts.codes(decision) == {"BIOMETRIC_PROOF_REQUIRED"}


async def test_somebody_who_may_be_a_child_is_never_strong(stage: Stage) -> None:
    vector = unit()
    subject = await stage.somebody(vector, birthDate=None)
    await stage.grant(subject)
    probe = by(near(vector, 0.9999))
    decision = await stage.ask({"claimedSubject": subject, "probes": [probe]})
    assert decision["outcome"] == "REVIEW_REQUIRED"
    assert "IDENTITY_NOT_STRONG" in acts.codes(decision)


def between(first: Vector, second: Vector, to_first: float, to_second: float) -> Vector:
    """A vector at these cosines from two others."""
    cosine = float(first @ second)
    beta = (to_second - cosine * to_first) / (1 - cosine**2)
    flat = (to_first - beta * cosine) * first.astype(np.float64) + beta * second
    other = unit(len(first)).astype(np.float64)
    for _ in range(2):  # out of the plane of the two
        for one in (first, second - cosine * first):
            other -= (other @ one) / (one @ one) * one
    other *= np.sqrt(1 - flat @ flat) / np.linalg.norm(other)
    return (flat + other).astype(np.float32)


async def test_who_is_near_to_two_people_is_neither_for_sure(stage: Stage, bands: Bands) -> None:
    vector = unit()
    twin = near(vector, bands.grey)
    subject, other = await stage.somebody(vector), await stage.somebody(twin)
    await stage.grant(subject)
    await stage.grant(other)
    both = between(vector, twin, bands.match + 0.01, bands.match + 0.01)
    decision = await stage.ask({"probes": [by(both)]})
    assert acts.codes(decision) == {"AMBIGUOUS"}
    close = between(vector, twin, bands.match + 0.001, bands.match - 0.003)
    decision = await stage.ask({"probes": [by(close)]})
    assert acts.codes(decision) == {"AMBIGUOUS"}
    clear = between(vector, twin, bands.strong, bands.grey - 0.01)
    decision = await stage.ask({"claimedSubject": subject, "probes": [by(clear)]})
    assert decision["outcome"] == "PERMITTED"


async def test_every_face_of_a_picture_counts_and_the_worst_decides(
    stage: Stage, bands: Bands
) -> None:
    mine, theirs = unit(), unit()
    granted, objector = await stage.somebody(mine), await stage.somebody(theirs)
    await stage.grant(granted)
    await stage.objection(objector)
    faces = (
        target(near(mine, bands.strong), LEFT),
        target(near(theirs, bands.match), RIGHT),
    )
    handle = await stage.upload(*faces)
    both = await stage.ask({"probes": [shown(handle)]})
    assert both["outcome"] == "PROHIBITED"
    assert "OBJECTION" in acts.codes(both)
    boxed = await stage.ask({"claimedSubject": granted, "probes": [shown(handle, LEFT)]})
    assert (boxed["outcome"], acts.codes(boxed)) == ("PERMITTED", {"GRANT"})
    wrong = await stage.ask({"claimedSubject": granted, "probes": [shown(handle, RIGHT)]})
    assert acts.codes(wrong) == {"CLAIMED_SUBJECT_MISMATCH"}


async def test_a_bystander_is_pointed_out_with_a_box(stage: Stage, bands: Bands) -> None:
    mine, theirs = unit(), unit()
    granted, passer_by = await stage.somebody(mine), await stage.somebody(theirs)
    await stage.grant(granted)
    handle = await stage.upload(
        target(near(mine, bands.strong), LEFT), target(near(theirs, bands.match), RIGHT)
    )
    persons = [
        {"claimedSubject": granted, "probes": [shown(handle)]},
        {"target": False, "probes": [shown(handle, RIGHT)]},
    ]
    decision = await stage.ask(*persons)
    assert decision["outcome"] == "PERMITTED"
    await stage.objection(passer_by)
    decision = await stage.ask(*persons)
    assert decision["outcome"] == "REVIEW_REQUIRED"
    assert "NON_TARGET_PERSON" in acts.codes(decision)


async def test_a_box_without_a_face_is_refused_with_where_the_faces_are(
    stage: Stage, client: httpx2.AsyncClient
) -> None:
    handle = await stage.upload(target(unit(), LEFT))
    asked = acts.question(persons=[{"probes": [shown(handle, RIGHT)]}])
    response = await client.post("/v1/check", json=asked, headers=stage.service.headers)
    assert response.status_code == 400
    assert response.json()["field"] == "box"
    assert "x 10, y 10" in response.json()["message"]


async def test_what_cannot_be_compared_is_review_and_never_no_match(stage: Stage) -> None:
    for handle, modality, code in (
        (await stage.upload(target(None, trouble="Too small.")), "FACE", "PROBE_QUALITY_LOW"),
        (await stage.upload(), "FACE", "PROBE_QUALITY_LOW"),
        (await stage.upload(searched=False), "FACE", "MATCHER_UNAVAILABLE"),
        (await stage.upload(kind="audio", searched=False), "VOICE", "MATCHER_UNAVAILABLE"),
        (await stage.upload(kind="audio"), "VOICE", "PROBE_QUALITY_LOW"),
        (await stage.upload(kind="video"), "FACE", "PROBE_QUALITY_LOW"),
        (await stage.upload(kind="audio"), "FACE", "BIOMETRIC_PROOF_REQUIRED"),
        (await stage.upload(target(unit())), "VOICE", "BIOMETRIC_PROOF_REQUIRED"),
    ):
        decision = await stage.ask({"probes": [shown(handle)]}, modalities=[modality])
        assert (decision["outcome"], acts.codes(decision)) == ("REVIEW_REQUIRED", {code})


async def test_an_upload_of_an_encoder_that_is_gone_is_not_searched(stage: Stage) -> None:
    gone = FaceTarget(LEFT, None, None, {"other-face/1": unit().tobytes()})
    handle = await stage.upload(gone)
    decision = await stage.ask({"probes": [shown(handle)]})
    assert acts.codes(decision) == {"MATCHER_UNAVAILABLE"}


async def test_a_registered_picture_and_the_face_in_it_agree(stage: Stage, bands: Bands) -> None:
    vector, hash_ = unit(), unit(8).tobytes()
    subject = await stage.somebody(vector)
    await acts.asset(stage.execute, stage.owner, [subject], hash_.hex())
    await stage.grant(subject)
    same = await stage.upload(target(near(vector, bands.grey)), picture=hash_)
    decision = await stage.ask({"probes": [shown(same)]})
    assert (decision["outcome"], acts.codes(decision)) == ("PERMITTED", {"GRANT", "ASSET_MATCH"})
    swapped = await stage.upload(target(unit()), picture=hash_)
    decision = await stage.ask({"probes": [shown(swapped)]})
    assert decision["outcome"] == "UNKNOWN"


async def test_a_voice_is_compared_under_its_own_condition(stage: Stage) -> None:
    wide, narrow = unit(VOICE_DIMENSIONS), unit(VOICE_DIMENSIONS)
    subject = await acts.subject(stage.execute, stage.owner)
    vectors = {
        (VOICE, Condition.WIDE): wide.tobytes(),
        (VOICE, Condition.TELEPHONE): narrow.tobytes(),
    }
    await stage.enrol(subject, vectors)
    await stage.objection(subject)
    phone = {(VOICE, Condition.TELEPHONE): narrow.tobytes()}
    handle = await stage.upload(voices=(voice_target(phone, Condition.TELEPHONE),), kind="audio")
    decision = await stage.ask({"probes": [shown(handle)]}, modalities=["VOICE"])
    assert (decision["outcome"], acts.codes(decision)) == ("PROHIBITED", {"OBJECTION"})
    crossed = {(VOICE, Condition.TELEPHONE): wide.tobytes()}
    handle = await stage.upload(voices=(voice_target(crossed, Condition.TELEPHONE),), kind="audio")
    decision = await stage.ask({"probes": [shown(handle)]}, modalities=["VOICE"])
    assert decision["outcome"] == "UNKNOWN"


async def test_both_speakers_of_a_recording_count(stage: Stage) -> None:
    first, second = unit(VOICE_DIMENSIONS), unit(VOICE_DIMENSIONS)
    objector = await acts.subject(stage.execute, stage.owner)
    await stage.enrol(objector, {(VOICE, Condition.WIDE): second.tobytes()})
    await stage.objection(objector)
    voices = tuple(voice_target({(VOICE, Condition.WIDE): v.tobytes()}) for v in (first, second))
    handle = await stage.upload(voices=voices, kind="audio")
    decision = await stage.ask({"probes": [shown(handle)]}, modalities=["VOICE"])
    assert decision["outcome"] == "PROHIBITED"


async def test_a_sample_or_its_retirement_counts_for_the_next_check(
    stage: Stage, bands: Bands
) -> None:
    vector = unit()
    subject = await acts.subject(stage.execute, stage.owner)
    await stage.objection(subject)
    question = {"probes": [by(near(vector, bands.match))]}
    assert (await stage.ask(question))["outcome"] == "UNKNOWN"
    sample = await stage.enrol(subject, face(vector))
    assert (await stage.ask(question))["outcome"] == "PROHIBITED"
    async with stage.db.writing() as session:
        await enrolment.retire(
            session, sample_id=sample.id, actor_id=stage.owner.id, keys=stage.state.keys
        )
    assert (await stage.ask(question))["outcome"] == "UNKNOWN"


async def test_the_mean_of_several_samples_takes_the_place_of_each(stage: Stage) -> None:
    vector = unit()
    subject = await stage.somebody(near(vector, 0.97))
    for _ in range(4):
        await stage.enrol(subject, face(near(vector, 0.97)))
    async with stage.db.reading() as session:
        own = await templates.own(session, UUID(subject), keys=stage.state.keys)
    mean, count = own[PHOTO]
    assert count == 5
    assert float(np.frombuffer(mean, "<f4") @ vector) > 0.98
    await stage.grant(subject)
    decision = await stage.ask({"claimedSubject": subject, "probes": [by(near(vector, 0.999))]})
    assert decision["outcome"] == "PERMITTED"


async def test_vectors_need_their_own_scope(
    stage: Stage, client: httpx2.AsyncClient, accounts: Accounts
) -> None:
    poor = await accounts.open(
        PrincipalKind.SERVICE, scopes=frozenset(Scope) - {Scope.CHECK_VECTOR}
    )
    asked = acts.question(persons=[{"probes": [by(unit())]}])
    for account, status in ((poor, 403), (stage.service, 200)):
        response = await client.post("/v1/check", json=asked, headers=account.headers)
        assert response.status_code == status
    body = {"query": acts.CHECK, "variables": {"input": asked}}
    response = await client.post("/graphql", json=body, headers=poor.headers)
    assert response.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"


@pytest.mark.parametrize(
    "vector",
    [
        np.zeros(128, np.float32),
        np.full(128, 0.5, np.float32),
        np.full(128, np.nan, np.float32),
        np.full(128, np.inf, np.float32),
        np.ones(127, np.float32),
        np.ones(0, np.float32),
    ],
    ids=["zero", "constant", "NaN", "inf", "short", "empty"],
)
async def test_a_vector_that_no_encoder_makes_is_refused(
    stage: Stage, client: httpx2.AsyncClient, vector: Vector
) -> None:
    asked = acts.question(persons=[{"probes": [by(vector)]}])
    response = await client.post("/v1/check", json=asked, headers=stage.service.headers)
    assert (response.status_code, response.json()["code"]) == (400, "INVALID")


async def test_a_vector_names_an_encoder_that_is_in_use(
    stage: Stage, client: httpx2.AsyncClient
) -> None:
    for probe in (
        by(unit(), encoder="other/1"),
        by(unit(), encoder=VOICE),
        by(unit(), "voiceVector"),
    ):
        asked = acts.question(persons=[{"probes": [probe]}])
        response = await client.post("/v1/check", json=asked, headers=stage.service.headers)
        assert (response.status_code, response.json()["field"]) == (400, "encoder")


async def test_too_many_faces_for_one_check_are_refused(
    stage: Stage, client: httpx2.AsyncClient
) -> None:
    handles = [
        await stage.upload(*(target(unit(), Box(200 * n, 0, 90, 90)) for n in range(60)))
        for _ in range(5)
    ]
    asked = acts.question(persons=[{"probes": [shown(one) for one in handles]}])
    response = await client.post("/v1/check", json=asked, headers=stage.service.headers)
    assert (response.status_code, response.json()["code"]) == (413, "TOO_LARGE")


async def test_a_sample_near_somebody_else_waits_for_a_person(stage: Stage, bands: Bands) -> None:
    vector = unit()
    await stage.somebody(vector)
    impostor = await acts.subject(stage.execute, stage.owner)
    sample = await stage.enrol(impostor, face(near(vector, bands.match)))
    assert await stage.state_of(sample) is SampleState.IN_REVIEW
    async with stage.db.reading() as session:
        assert not await templates.live(session, UUID(impostor))


async def test_a_sample_far_from_its_subject_s_others_waits_for_a_person(stage: Stage) -> None:
    subject = await stage.somebody(unit())
    sample = await stage.enrol(subject, face(unit()))
    assert await stage.state_of(sample) is SampleState.IN_REVIEW


async def test_a_sample_that_matches_more_than_three_others_is_refused(
    stage: Stage, bands: Bands, operator: Database
) -> None:
    centre = unit()
    around: list[str] = []
    for _ in range(4):
        subject = await acts.subject(stage.execute, stage.owner)
        sample = await stage.enrol(subject, face(near(centre, bands.strong)))
        if await stage.state_of(sample) is SampleState.IN_REVIEW:
            async with operator.writing() as session:
                await enrolment.release(
                    session, sample_id=sample.id, actor_id=OPERATOR_ID, keys=stage.state.keys
                )
        around.append(subject)
    wolf = await acts.subject(stage.execute, stage.owner)
    with pytest.raises(ConflictError, match="does not tell its subject from other people"):
        await stage.enrol(wolf, face(centre))
    judge = stage.state.checker.judge
    judged = await judge(UUID(around[0]), Modality.FACE, face(centre), {})
    assert judged.verdict is Verdict.HOLD_NEAR_OTHERS
    assert judged.near == judged.established == {UUID(one) for one in around[1:]}


async def test_the_unverified_are_in_a_gallery_of_their_own(
    stage: Stage, bands: Bands, accounts: Accounts
) -> None:
    people = stage.state.checker.references.people
    anonymous = await person(stage.state, accounts, ial=1)
    vector = unit()
    await stage.ask({"probes": [by(vector)]})
    verified = people.people(FACE, Condition.PHOTO, verified=True)
    others = people.people(FACE, Condition.PHOTO, verified=False)
    await anonymous.enrol(face(vector))
    file = {"subjectId": str(anonymous.subject)}
    await stage.execute(anonymous.account, acts.OBJECT, input=file)
    decision = await stage.ask({"probes": [by(near(vector, bands.match))]})
    assert acts.codes(decision) == {"OBJECTION"}
    assert people.people(FACE, Condition.PHOTO, verified=True) == verified
    assert people.people(FACE, Condition.PHOTO, verified=False) == others + 1


async def test_who_is_enrolled_unverified_makes_a_verified_person_no_less_clear(
    stage: Stage, bands: Bands, accounts: Accounts
) -> None:
    vector = unit()
    subject = await stage.somebody(vector)
    await stage.grant(subject)
    anonymous = await person(stage.state, accounts, ial=1)
    double = near(vector, bands.grey)
    await anonymous.enrol(face(double))
    probe = between(vector, double, bands.strong, bands.match - 0.003)
    decision = await stage.ask({"claimedSubject": subject, "probes": [by(probe)]})
    assert decision["outcome"] == "PERMITTED"


async def test_checks_under_way_see_a_template_that_is_enrolled_meanwhile(
    stage: Stage, bands: Bands
) -> None:
    """Whatever order they come in, after the enrolment has answered nobody is missed."""
    for _ in range(5):
        vector = unit()
        subject = await acts.subject(stage.execute, stage.owner)
        await stage.objection(subject)
        question = {"probes": [by(near(vector, bands.match))]}
        await asyncio.gather(
            stage.enrol(subject, face(vector)), *(stage.ask(question) for _ in range(3))
        )
        assert (await stage.ask(question))["outcome"] == Outcome.PROHIBITED


def voiced(vector: Vector) -> Vectors:
    return {(VOICE, Condition.WIDE): vector.tobytes()}


async def test_somebody_nearer_stands_against_a_claim_though_only_grey(stage: Stage) -> None:
    """A claim is STRONG at a lower score than a search: then others may be nearer."""
    calibration = stage.state.checker.encoders.by_id[VOICE].calibration
    sizes = calibration.tables[Condition.WIDE]
    strong = max(group.score_of(3.0) for group in sizes[1].values() if group.top >= 3.0) + 1e-3
    grey_for_many = sizes[3]["all"].score_of(sizes[3]["all"].top) - 1e-3
    assert grey_for_many > strong, "the shipped curves no longer have such a case"
    claimed, other = unit(VOICE_DIMENSIONS), unit(VOICE_DIMENSIONS)
    subject = await acts.subject(stage.execute, stage.owner)
    await stage.enrol(subject, voiced(claimed))
    scope = {"modalities": ["VOICE"], "uses": ["GENERATE_IMAGE"], "purposes": ["FILM_TV"]}
    await stage.grant(subject, scope=scope)
    asked = {"modalities": ["VOICE"]}
    alone = near(claimed, strong)
    person = {"claimedSubject": subject, "probes": [by(alone, "voiceVector", VOICE)]}
    assert (await stage.ask(person, **asked))["outcome"] == "PERMITTED"
    nearer = await acts.subject(stage.execute, stage.owner)
    for _ in range(3):
        await stage.enrol(nearer, voiced(near(other, 0.97)))
    async with stage.db.reading() as session:
        mean, count = (await templates.own(session, UUID(nearer), keys=stage.state.keys))[
            VOICE, Condition.WIDE
        ]
    assert count == 3
    probe = between(claimed, np.frombuffer(mean, "<f4"), strong, grey_for_many)
    person = {"claimedSubject": subject, "probes": [by(probe, "voiceVector", VOICE)]}
    decision = await stage.ask(person, **asked)
    assert (decision["outcome"], acts.codes(decision)) == ("REVIEW_REQUIRED", {"AMBIGUOUS"})
