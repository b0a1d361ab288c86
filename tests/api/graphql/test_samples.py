"""Samples through the schema: enrolled from uploads, seen as far as one may, taken back."""

import asyncio
import secrets
from typing import Any
from uuid import UUID

import httpx2
import pytest
from strawberry.types import get_object_definition

from api.graphql import samples as samples_schema
from api.state import State
from registry import probes, samples, templates
from registry.database import Database, new_id
from registry.encoders.identity import FACE, Condition
from registry.encoders.media import MediaEncoding
from registry.encoders.targets import Box, FaceTarget, VoiceTarget
from registry.principals import Scope
from registry.samples import Verdict
from tests import acts
from tests.api.graphql.test_registering import counted
from tests.conftest import Account, Accounts, Execute, Json
from tests.registry.enrolling import Judge, unit, voice

ENROL = """
mutation ($input: EnrollSampleInput!) { enrollSample(input: $input) {
  ... on SampleEnrolled { sample { id modality encoders state createdAt } }
  ... on Problem { code message field retryAfter } } }
"""
RETIRE = """
mutation ($id: ID!, $reason: String) { retireSample(id: $id, reason: $reason) {
  ... on SampleRetired { sample { id state } } ... on Problem { code message field } } }
"""
SHOW = "query ($id: ID!) { subject(id: $id) { samples { id modality encoders state } } }"
LEFT, RIGHT = Box(0, 0, 100, 100), Box(200, 0, 100, 100)


def seen(box: Box = LEFT, trouble: str | None = None) -> FaceTarget:
    vectors = {} if trouble else {FACE: unit().tobytes()}
    return FaceTarget(box=box, seconds=None, trouble=trouble, vectors=vectors)


def heard() -> VoiceTarget:
    return VoiceTarget(start=0, end=9, condition=Condition.WIDE, trouble=None, vectors=voice())


class Uploads:
    """Uploads as the encoders leave them, and one after another judged as a test says."""

    def __init__(self, state: State, judge: Judge) -> None:
        self._state = state
        self.judge = judge

    async def keep(self, account: Account, kind: str = "image", **found: Any) -> str:
        if not found:
            found = {"faces": (seen(),)} if kind == "image" else {"voices": (heard(),)}
        found = {"faces_searched": True, "voices_searched": True, "enrolling": True} | found
        encoding = MediaEncoding(
            kind=kind, media_type=f"{kind}/x", sha256=secrets.token_bytes(32), **found
        )
        async with self._state.db.acting_for(account.actor).writing() as session:
            probe = await probes.keep(
                session,
                principal_id=account.id,
                encoding=encoding,
                ttl_seconds=60,
                keys=self._state.keys,
            )
        return str(probe.id)


@pytest.fixture
def uploads(state: State, monkeypatch: pytest.MonkeyPatch) -> Uploads:
    judge = Judge()
    monkeypatch.setattr(state.checker, "judge", judge, raising=False)
    return Uploads(state, judge)


@pytest.fixture
async def subject(execute: Execute, owner: Account) -> str:
    return await acts.subject(execute, owner)


async def enrol(execute: Execute, account: Account, subject: str, handle: str, **more: Any) -> Json:
    media = {"handle": handle, **({"box": more.pop("box")} if "box" in more else {})}
    given = {"subjectId": subject, "media": media, **more}
    answer: Json = (await execute(account, ENROL, input=given))["enrollSample"]
    return answer


async def shown(execute: Execute, account: Account, subject: str) -> list[Json]:
    found: list[Json] = (await execute(account, SHOW, id=subject))["subject"]["samples"]
    return found


async def counts(state: State, account: Account, subject: str) -> dict[Condition, int]:
    """How many samples are in each template."""
    async with state.db.acting_for(account.actor).reading() as session:
        found = await templates.live(session, UUID(subject))
    return {one.condition: one.samples for one in found}


def test_a_plain_field_is_an_attribute_of_what_backs_it() -> None:
    fields = get_object_definition(samples_schema.Sample, strict=True).fields
    plain = {one.python_name for one in fields if one.base_resolver is None}
    assert plain <= set(dir(samples.Sample))


async def test_photographs_and_recordings_are_enrolled_and_count(
    execute: Execute, owner: Account, subject: str, uploads: Uploads, state: State
) -> None:
    made = [
        (await enrol(execute, owner, subject, await uploads.keep(owner, kind)))["sample"]
        for kind in ("image", "image", "audio")
    ]
    assert [one["modality"] for one in made] == ["FACE", "FACE", "VOICE"]
    assert {one["state"] for one in made} == {"ENROLLED"}
    assert made[0]["encoders"] == [FACE]
    assert await counts(state, owner, subject) == {
        Condition.PHOTO: 2, Condition.WIDE: 1, Condition.TELEPHONE: 1,
    }  # fmt: skip
    listed = await shown(execute, owner, subject)
    assert [one["id"] for one in listed] == [one["id"] for one in made]


async def test_the_chosen_face_is_enrolled(
    execute: Execute, owner: Account, subject: str, uploads: Uploads
) -> None:
    faces = (seen(LEFT), seen(RIGHT))
    handle = await uploads.keep(owner, faces=faces)
    box = {"x": 205, "y": 5, "width": 90, "height": 90}
    assert "sample" in await enrol(execute, owner, subject, handle, box=box)
    (_, _, vectors, _) = uploads.judge.asked[-1]
    assert vectors == {(FACE, Condition.PHOTO): faces[1].vectors[FACE]}


@pytest.mark.parametrize(
    ("found", "more", "code", "says"),
    [
        ({"faces": ()}, {}, "MEDIA_UNREADABLE", "No face was found"),
        ({"faces": (seen(), seen(RIGHT))}, {}, "INVALID", "2 faces"),
        ({"faces": (seen(trouble="Too small: 12 px."),)}, {}, "MEDIA_UNREADABLE", "Too small: 12"),
        ({"faces": (seen(),)}, {"modality": "VOICE"}, "INVALID", "no VOICE"),
        ({"faces": (seen(),)}, {"modality": "NAME"}, "INVALID", "FACE or of a VOICE"),
        (
            {"faces": (seen(),)},
            {"box": {"x": 300, "y": 300, "width": 9, "height": 9}},
            "INVALID",
            "No face is in this box",
        ),
        (
            {"faces": (seen(),)},
            {"box": {"x": 0, "y": 0, "width": 0, "height": 9}},
            "INVALID",
            "at least one pixel",
        ),
        ({"faces": (seen(),)}, {"idempotencyKey": ""}, "INVALID", "idempotency"),
        ({"kind": "audio", "voices": ()}, {}, "MEDIA_UNREADABLE", "No voice was found"),
        ({"kind": "audio", "voices": (heard(), heard())}, {}, "INVALID", "2 people speak"),
        ({"kind": "audio", "voices": (heard(),), "enrolling": False}, {}, "INVALID", "enrol"),
        ({"kind": "video", "voices": (heard(),), "faces": (seen(),)}, {}, "INVALID", "FACE or"),
    ],
    ids=range(12),
)
async def test_what_cannot_be_enrolled_is_a_problem(
    execute: Execute,
    owner: Account,
    subject: str,
    uploads: Uploads,
    found: Json,
    more: Json,
    code: str,
    says: str,
) -> None:
    answer = await enrol(execute, owner, subject, await uploads.keep(owner, **found), **more)
    assert answer["code"] == code
    assert says in answer["message"]
    assert await shown(execute, owner, subject) == []


async def test_without_models_the_request_is_answered_unavailable(
    client: httpx2.AsyncClient, owner: Account, subject: str, uploads: Uploads
) -> None:
    handle = await uploads.keep(owner, faces=(), faces_searched=False)
    given = {"subjectId": subject, "media": {"handle": handle}}
    response = await client.post(
        "/graphql", json={"query": ENROL, "variables": {"input": given}}, headers=owner.headers
    )
    assert response.status_code == 503
    assert "the models are not installed" in response.text


async def test_what_is_not_yours_is_as_absent_as_what_never_was(
    client: httpx2.AsyncClient,
    execute: Execute,
    accounts: Accounts,
    owner: Account,
    subject: str,
    uploads: Uploads,
) -> None:
    sample = (await enrol(execute, owner, subject, await uploads.keep(owner)))["sample"]["id"]
    stranger = await accounts.open()
    handle, theirs = await uploads.keep(stranger), await uploads.keep(owner)
    own = await acts.subject(execute, stranger)

    async def body(document: str, **variables: Any) -> bytes:
        response = await client.post(
            "/graphql",
            json={"query": document, "variables": variables},
            headers=stranger.headers,
        )
        assert b"NOT_FOUND" in response.content
        return response.content

    pairs = [
        [body(RETIRE, id=one) for one in (sample, str(new_id()), "nonsense")],
        [
            body(ENROL, input={"subjectId": one, "media": {"handle": handle}})
            for one in (subject, str(new_id()), "nonsense")
        ],
        [
            body(ENROL, input={"subjectId": own, "media": {"handle": one}})
            for one in (theirs, str(new_id()))
        ],
    ]
    for pair in pairs:
        assert len(set(await asyncio.gather(*pair))) == 1
    assert (await execute(stranger, SHOW, id=subject))["subject"] is None
    assert [one["state"] for one in await shown(execute, owner, subject)] == ["ENROLLED"]


async def test_enrolling_and_retiring_need_their_scope(
    client: httpx2.AsyncClient, accounts: Accounts
) -> None:
    reader = await accounts.open(scopes=frozenset({Scope.SUBJECTS_READ}))
    some = str(new_id())
    for document, variables in (
        (ENROL, {"input": {"subjectId": some, "media": {"handle": some}}}),
        (RETIRE, {"id": some}),
    ):
        response = await client.post(
            "/graphql", json={"query": document, "variables": variables}, headers=reader.headers
        )
        assert "FORBIDDEN" in response.text


async def test_a_retried_request_enrols_once(
    execute: Execute, owner: Account, subject: str, uploads: Uploads
) -> None:
    handle, key = await uploads.keep(owner), secrets.token_hex(8)
    twins = await asyncio.gather(
        *(enrol(execute, owner, subject, handle, idempotencyKey=key) for _ in range(5))
    )
    assert len({one["sample"]["id"] for one in twins}) == 1
    assert len(uploads.judge.asked) == 1
    other = await uploads.keep(owner)
    assert (await enrol(execute, owner, subject, other, idempotencyKey=key))["code"] == "CONFLICT"


async def test_two_at_once_both_count(
    execute: Execute, owner: Account, subject: str, uploads: Uploads, state: State
) -> None:
    handles = [await uploads.keep(owner) for _ in range(3)]
    await asyncio.gather(*(enrol(execute, owner, subject, one) for one in handles))
    assert await counts(state, owner, subject) == {Condition.PHOTO: 3}


async def test_a_retired_sample_leaves_the_template(
    execute: Execute, owner: Account, subject: str, uploads: Uploads, state: State
) -> None:
    ids = [
        (await enrol(execute, owner, subject, await uploads.keep(owner)))["sample"]["id"]
        for _ in range(2)
    ]
    gone = (await execute(owner, RETIRE, id=ids[0], reason="not me"))["retireSample"]
    assert gone == {"sample": {"id": ids[0], "state": "RETIRED"}}
    assert await counts(state, owner, subject) == {Condition.PHOTO: 1}
    states = {one["id"]: one["state"] for one in await shown(execute, owner, subject)}
    assert states == {ids[0]: "RETIRED", ids[1]: "ENROLLED"}
    again = (await execute(owner, RETIRE, id=ids[0]))["retireSample"]
    assert again["code"] == "CONFLICT"
    long = (await execute(owner, RETIRE, id=ids[1], reason="x" * 501))["retireSample"]
    assert (long["code"], long["field"]) == ("INVALID", "reason")


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        (Verdict.JOIN, "ENROLLED"),
        (Verdict.HOLD_FAR_FROM_OWN, "IN_REVIEW"),
        (Verdict.HOLD_NEAR_OTHERS, "IN_REVIEW"),
        (Verdict.REFUSE, None),
    ],
)
async def test_at_ial2_an_owner_is_told_what_became_of_a_sample(
    execute: Execute,
    owner: Account,
    subject: str,
    uploads: Uploads,
    verdict: Verdict,
    expected: str | None,
) -> None:
    uploads.judge.verdict = verdict
    answer = await enrol(execute, owner, subject, await uploads.keep(owner))
    if expected is None:
        assert answer["code"] == "CONFLICT"
        assert "Send another one" in answer["message"]
    else:
        assert answer["sample"]["state"] == expected


async def test_below_ial2_nothing_tells_one_verdict_from_another(
    execute: Execute, accounts: Accounts, uploads: Uploads
) -> None:
    weak = await accounts.open(ial=1)
    answers = []
    for verdict in Verdict:
        uploads.judge.verdict = verdict
        subject = await acts.subject(execute, weak)
        made = await enrol(execute, weak, subject, await uploads.keep(weak))
        listed = await shown(execute, weak, subject)
        retired = (await execute(weak, RETIRE, id=made["sample"]["id"]))["retireSample"]
        after = await shown(execute, weak, subject)
        for one in (made["sample"], retired["sample"], *listed, *after):
            del one["id"]
        del made["sample"]["createdAt"]
        answers.append((made, listed, retired, after))
    assert answers[0][0]["sample"]["state"] == "RECEIVED"
    assert answers[0][2]["sample"]["state"] == "RETIRED"
    assert answers == [answers[0]] * len(Verdict)


async def test_below_ial2_a_day_has_a_budget(
    client: httpx2.AsyncClient,
    execute: Execute,
    accounts: Accounts,
    uploads: Uploads,
    state: State,
    operator: Database,
) -> None:
    weak = await accounts.open(ial=1)
    subject = await acts.subject(execute, weak)
    async with operator.writing() as session:
        for _ in range(state.settings.unverified_samples):
            session.add(
                samples.Sample(
                    subject_id=UUID(subject),
                    modality="VOICE",
                    encoders=[],
                    sealed_vectors=b"",
                    enrolled_by=weak.id,
                    ial=1,
                )
            )
    other = await acts.subject(execute, weak)
    given = {"subjectId": other, "media": {"handle": await uploads.keep(weak)}}
    response = await client.post(
        "/graphql", json={"query": ENROL, "variables": {"input": given}}, headers=weak.headers
    )
    assert response.status_code == 429
    assert int(response.headers["retry-after"]) > 0


async def test_samples_of_many_subjects_cost_as_many_statements_as_of_one(
    execute: Execute, owner: Account, uploads: Uploads, state: State
) -> None:
    document = "{ subjects(first: 50) { edges { node { samples { id state } } } } }"
    spent = []
    for _ in range(2):
        for _ in range(3):
            subject = await acts.subject(execute, owner)
            for _ in range(2):
                await enrol(execute, owner, subject, await uploads.keep(owner))
        with counted(state) as statements:
            found = await execute(owner, document)
        shown_now = [len(one["node"]["samples"]) for one in found["subjects"]["edges"]]
        spent.append((shown_now, len(statements)))
    assert [one for one, _ in spent] == [[2] * 3, [2] * 6]
    assert spent[0][1] == spent[1][1]
