"""An operator's own face model: an ONNX file and a few words on how it wants its faces.

Nothing of it is code, so that a model can be had from whoever may license it to the operator.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from registry.encoders.entry import ID, SHA256, Entry, read_model
from registry.encoders.face_alignment import chip
from registry.encoders.identity import FACE
from registry.encoders.onnx_session import open_session
from registry.errors import SetupError

SIDES = 32, 512
DIMENSIONS = 16, 4096
_POINTS = 5

Points = tuple[tuple[float, float], ...]

# Where the eyes, the nose and the corners of the mouth are in an upright face, in sides of the
# chip: "arcface" as insightface has them (112 pixels), "dlib" as MTCNN has them in dlib's chip.
TEMPLATES: Final[Mapping[str, tuple[int, Points]]] = {
    "arcface": (
        112,
        (
            (38.2946, 51.6963),
            (73.5318, 51.5014),
            (56.0252, 71.7366),
            (41.5493, 92.3655),
            (70.7299, 92.2041),
        ),
    ),
    "dlib": (
        150,
        ((48.78, 47.07), (102.54, 46.23), (74.11, 78.48), (52.65, 105.59), (99.95, 105.02)),
    ),
}


@dataclass(frozen=True, slots=True)
class FaceEncoderConfig:
    """One entry of the operator's file.

    The network is fed with (levels - `mean`) * `scale` of a square chip of `size` pixels in which
    the face's five points lie at `template`. `flip`: the mean of face and mirror image is taken.
    `input` and `output` are names in the network, its first where they are left out. `calibration`
    is a file that `likeness calibrate` wrote; without it the encoder is not used.
    """

    id: str
    model: Path
    sha256: str
    dimensions: int
    licence: str
    source: str
    size: int
    template: Points
    channels: str = "RGB"
    layout: str = "NCHW"
    mean: tuple[float, ...] = (127.5, 127.5, 127.5)
    scale: tuple[float, ...] = (1 / 127.5, 1 / 127.5, 1 / 127.5)
    flip: bool = True
    input: str | None = None
    output: str | None = None
    calibration: Path | None = None

    @classmethod
    def from_mapping(cls, entry: Mapping[str, object], where: str) -> Self:
        """Read one entry; `where` names file and place. Raises SetupError that says what is wrong.

        Keys are the fields; `template` is "arcface", "dlib" or five pairs of pixels of the chip;
        `mean` and `scale` are one number, or three in the order of `channels`.
        """
        read = Entry(entry, where, {one.name for one in fields(cls)})
        identity = read.matching("id", ID, "a name and a version, like acme-face/1")
        if identity == FACE:
            raise read.wrong("id", f"another than {FACE}, which is built in")
        size = read.whole("size", *SIDES)
        given: dict[str, Any] = {
            one: tuple(read.numbers(one, 3, 1e4)) for one in ("mean", "scale") if one in entry
        }
        return cls(
            id=identity,
            model=Path(read.text("model")),
            sha256=read.matching("sha256", SHA256, "64 hexadecimal digits"),
            dimensions=read.whole("dimensions", *DIMENSIONS),
            licence=read.text("licence"),
            source=read.text("source"),
            size=size,
            template=_template(read, size),
            channels=read.one_of("channels", ("RGB", "BGR"), "RGB"),
            layout=read.one_of("layout", ("NCHW", "NHWC"), "NCHW"),
            flip=read.flag("flip", default=True),
            input=read.optional_text("input"),
            output=read.optional_text("output"),
            calibration=read.optional_path("calibration"),
            **given,
        )


def _template(read: Entry, size: int) -> Points:
    value = read.value("template")
    if isinstance(value, str) and value in TEMPLATES:
        side, points = TEMPLATES[value]
        return tuple((x * size / side, y * size / side) for x, y in points)
    if isinstance(value, list) and len(value) == _POINTS:
        pairs = [one for one in value if isinstance(one, list) and _inside(one, size)]
        if len(pairs) == _POINTS and len({tuple(one) for one in pairs}) == _POINTS:
            return tuple((float(x), float(y)) for x, y in pairs)
    raise read.wrong("template", "arcface, dlib, or five different [x, y] within the chip")


def _inside(pair: list[object], size: int) -> bool:
    numbers = [one for one in pair if isinstance(one, int | float) and not isinstance(one, bool)]
    return len(pair) == len(numbers) == 2 and all(0 <= one <= size for one in numbers)  # noqa: PLR2004 - x and y


class OnnxFaceEncoder:
    """A network that was configured."""

    def __init__(self, config: FaceEncoderConfig) -> None:
        """Raises SetupError where the file is another, or does not do what was said of it."""
        self.id = config.id
        self.dimensions = config.dimensions
        self._config = config
        self._template = np.array(config.template, np.float32)
        self._mean, self._scale = np.array(config.mean), np.array(config.scale)
        self._session = open_session(read_model(config), f"The encoder {config.id}")
        self._input = config.input or self._session.get_inputs()[0].name
        self._output = config.output or self._session.get_outputs()[0].name
        self._try()

    def encode(
        self,
        rgb: npt.NDArray[np.uint8],
        face_box: tuple[float, float, float, float],  # noqa: ARG002 - the points say more
        landmarks: npt.NDArray[np.float32],
    ) -> npt.NDArray[np.float32]:
        """As registry.encoders.face.FaceEncoder says."""
        face = chip(rgb, landmarks, self._template, self._config.size)
        if not self._config.flip:
            return self._run(face)
        mean = (self._run(face) + self._run(face[:, ::-1])) / np.float32(2)
        return mean.astype(np.float32)

    def _run(self, face: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        config = self._config
        ordered = face if config.channels == "RGB" else face[..., ::-1]
        levels = (ordered - self._mean) * self._scale
        if config.layout == "NCHW":
            levels = levels.transpose(2, 0, 1)
        fed = {self._input: np.ascontiguousarray(levels[None], np.float32)}
        return np.asarray(self._session.run([self._output], fed)[0], np.float32).reshape(-1)

    def _try(self) -> None:
        """Run it once, before a stranger's picture is at stake."""
        size, where = self._config.size, f"The encoder {self.id}"
        ramp = np.arange(size * size * 3, dtype=np.uint32) % 251
        try:
            found = self._run(ramp.astype(np.uint8).reshape(size, size, 3))
        except Exception as error:  # onnxruntime's classes of errors have no public home
            said = str(error).strip().split("\n", 1)[0][:200].rstrip(".")
            raise SetupError(
                f"{where} does not run: {said}. Check its size, layout, input and output."
            ) from error
        if len(found) != self.dimensions:
            raise SetupError(f"{where} gives {len(found)} dimensions, not {self.dimensions}.")
        if not np.isfinite(found).all():
            raise SetupError(f"{where} gives what are no numbers. Check its mean and scale.")
