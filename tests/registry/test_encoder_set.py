"""Encoders in use: read from one file, faults named; replaced without blinding anybody."""

import hashlib
import json
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import yaml

from api.state import State
from registry import calibrations, encoder_status
from registry.checks.checker import Checker
from registry.checks.questions import Person, Probe, Question
from registry.checks.record import Evidence
from registry.database import Database
from registry.decisions import Answer
from registry.encoder_set import EncoderSet
from registry.encoders.configuration import OwnEncoders
from registry.encoders.identity import FACE, VOICE, Condition
from registry.errors import SetupError
from registry.installation import Installation, check_pool
from registry.policy.facts import Request
from registry.policy.shelf import load_packs
from registry.policy.vocabulary import AiUse, Modality, Purpose
from tests import acts
from tests.conftest import Account, Execute
from tests.registry.checks.test_people import Stage
from tests.registry.enrolling import face, unit

OWN = "acme-face/1"
MODEL = b"not run here"


def calibration(folder: Path, encoder: str, **changes: Any) -> str:
    """The shipped face calibration under another encoder's name."""
    shipped = Path(calibrations.__file__).parent / "matching/calibrations/dlib-resnet-1.json"
    document = {**json.loads(shipped.read_text()), "encoder": encoder, **changes}
    file = folder / f"{encoder.replace('/', '-')}.json"
    file.write_text(json.dumps(document))
    return file.name


def entry(folder: Path, **changes: Any) -> dict[str, Any]:
    (folder / "acme.onnx").write_bytes(MODEL)
    plain = {
        "id": OWN,
        "model": "acme.onnx",
        "sha256": hashlib.sha256(MODEL).hexdigest(),
        "dimensions": 128,
        "size": 112,
        "template": "arcface",
        "licence": "ours",
        "source": "trained by us",
        "calibration": calibration(folder, OWN),
    }
    return {**plain, **changes}


def written(folder: Path, **document: Any) -> Path:
    file = folder / "encoders.yaml"
    file.write_text(yaml.safe_dump(document))
    return file


def test_without_a_file_the_built_in_encoders_are_in_use() -> None:
    encoders = EncoderSet.load()
    assert encoders.active == {Modality.FACE: FACE, Modality.VOICE: VOICE}
    assert set(encoders.by_id) == {FACE, VOICE}
    assert all(one.shipped for one in encoders.by_id.values())
    assert OwnEncoders.load(None) == OwnEncoders()


def test_an_encoder_of_one_s_own_takes_over_and_the_built_in_one_runs_beside_it(
    tmp_path: Path,
) -> None:
    file = written(tmp_path, faces=[entry(tmp_path)], active={"face": OWN})
    encoders = EncoderSet.load(file)
    assert set(encoders.by_id) == {FACE, VOICE, OWN}
    assert encoders.is_active(OWN)
    assert not encoders.is_active(FACE)
    assert not encoders.is_active("unheard-of/1")
    assert OwnEncoders.load(file).faces[0].model == tmp_path / "acme.onnx"


def test_a_built_in_encoder_may_be_calibrated_on_one_s_own_people(tmp_path: Path) -> None:
    file = written(tmp_path, calibrations={FACE: calibration(tmp_path, FACE)})
    encoders = EncoderSet.load(file)
    assert not encoders.by_id[FACE].shipped
    assert encoders.by_id[VOICE].shipped


def faults(folder: Path) -> dict[str, tuple[dict[str, Any], str]]:
    wrong = calibration(folder, "other/1")
    return {
        "an unknown key": ({"face": []}, "keys active, calibrations, faces, voices"),
        "no list": ({"faces": {}}, "faces is a list"),
        "no mapping in it": ({"faces": ["x"]}, "faces is a list"),
        "an unknown key of an entry": ({"faces": [entry(folder, colour="RGB")]}, "faces.0.colour"),
        "the id of a built-in one": ({"faces": [entry(folder, id=FACE)]}, "faces.0.id"),
        "an id twice": ({"faces": [entry(folder)] * 2}, "two face encoders have the same id"),
        "an active one that is not there": ({"active": {"face": "x/1"}}, "no encoder x/1"),
        "an active one of no kind": ({"active": {"body": FACE}}, "for face, voice or both"),
        "no calibration": ({"faces": [entry(folder, calibration=None)]}, "has no calibration"),
        "another's calibration": (
            {"faces": [entry(folder, calibration=wrong)]},
            "calibrates other/1",
        ),
        "a calibration that is not there": (
            {"faces": [entry(folder, calibration="gone.json")]},
            "gone.json",
        ),
        "a calibration of no built-in one": ({"calibrations": {OWN: wrong}}, "names a file for"),
        "another's for a built-in one": ({"calibrations": {FACE: wrong}}, "calibrates other/1"),
    }


@pytest.mark.parametrize(
    "fault",
    [
        "an unknown key",
        "no list",
        "no mapping in it",
        "an unknown key of an entry",
        "the id of a built-in one",
        "an id twice",
        "an active one that is not there",
        "an active one of no kind",
        "no calibration",
        "another's calibration",
        "a calibration that is not there",
        "a calibration of no built-in one",
        "another's for a built-in one",
    ],
)
def test_a_fault_is_one_line_that_names_its_place(fault: str, tmp_path: Path) -> None:
    document, place = faults(tmp_path)[fault]
    with pytest.raises(SetupError, match=place) as refusal:
        EncoderSet.load(written(tmp_path, **document))
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("content", [b"[1, 2]", b"\xff\xfe", b"a: [", None])
def test_a_file_that_is_none_is_refused(content: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "encoders.yaml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SetupError, match=r"encoders\.yaml"):
        EncoderSet.load(file)


@pytest.fixture
async def replacing(state: State, urls: tuple[str, str], tmp_path: Path) -> AsyncGenerator[Checker]:
    """A checker of a process in which another face encoder has become the active one."""
    installation = Installation(state.settings, state.keys, state.db, *urls)
    pool = await check_pool(installation)
    file = written(tmp_path, faces=[entry(tmp_path)], active={"face": OWN})
    checker = Checker(
        pool,
        packs=load_packs(),
        encoders=EncoderSet.load(file),
        evidence=Evidence(state.settings.issuer, state.settings.log_origin, state.keys),
    )
    await checker.start()
    yield checker
    await checker.stop()
    await pool.close()


def question(encoder: str, vector: bytes) -> Question:
    request = Request(AiUse.GENERATE_IMAGE, Purpose.FILM_TV, frozenset({Modality.FACE}))
    return Question(request, (Person((Probe(vector=(Modality.FACE, encoder, vector)),)),))


async def asked(
    checker: Checker, service: Account, encoder: str, vector: bytes
) -> tuple[str, set[str]]:
    answer = await checker.check(service.actor, question(encoder, vector))
    assert isinstance(answer, Answer)
    return str(answer.outcome), {one.code for one in answer.reasons}


async def test_while_somebody_is_known_to_the_old_encoder_alone_a_miss_is_review(
    state: State, execute: Execute, owner: Account, service: Account, operator: Database,
    replacing: Checker,
) -> None:  # fmt: skip
    stage = Stage(state, execute, owner, service)
    vector, stranger = unit(), unit().tobytes()
    subject = await stage.somebody(vector)
    await stage.objection(subject)
    assert (await asked(replacing, service, FACE, vector.tobytes()))[0] == "PROHIBITED"
    miss = await asked(replacing, service, OWN, stranger)
    assert miss == ("REVIEW_REQUIRED", {"ENCODER_CHANGING"})
    async with operator.reading() as session:
        known = await encoder_status.status(session, replacing.encoders)
    of = {one.encoder: one for one in known}
    assert of[FACE].only >= 1
    assert not of[FACE].active
    assert of[OWN].active
    assert of[OWN].only == 0


async def test_who_is_enrolled_anew_is_not_known_to_the_old_encoder_alone(
    state: State, execute: Execute, owner: Account, service: Account, replacing: Checker
) -> None:
    stage = Stage(state, execute, owner, service)
    subject = await acts.subject(execute, owner)
    old, new = unit(), unit()
    await stage.enrol(subject, face(old))
    await asked(replacing, service, OWN, new.tobytes())
    assert UUID(subject) in replacing.references.people.only_elsewhere()
    both = face(old) | {(OWN, Condition.PHOTO): new.tobytes()}
    await stage.enrol(subject, both)
    await asked(replacing, service, OWN, unit().tobytes())
    assert UUID(subject) not in replacing.references.people.only_elsewhere()
