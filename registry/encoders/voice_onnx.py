"""Encoders of speakers as ONNX files, and what an operator says about one of his own.

Only configuration: what the network is fed with, and how. Nothing of it is code.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final, Protocol, Self

import kaldi_native_fbank
import numpy as np
import numpy.typing as npt
import onnxruntime

from registry.encoders.entry import ID, SHA256, Entry, read_model
from registry.encoders.identity import VOICE
from registry.encoders.onnx_session import open_session
from registry.errors import SetupError

RATE: Final = 16_000
LEAST_SAMPLES: Final = RATE // 10
DIMENSIONS: Final = 16, 4096
_INT16: Final = 32768  # what some networks want samples in [-1, 1] multiplied by

Samples = npt.NDArray[np.float32]


class VoiceEncoder(Protocol):
    """What turns speech into vectors that are near for one speaker and far for two."""

    @property
    def id(self) -> str:
        """Name and version, which templates are stored with."""
        ...

    @property
    def dimensions(self) -> int:
        """Of a vector."""
        ...

    def encode(self, windows: Sequence[Samples]) -> Samples:
        """Float32 (windows, dimensions), rows of unit length, of speech at 16 kHz in [-1, 1].

        A row is zero where the window has none, being silent, say.
        """
        ...


@dataclass(frozen=True, slots=True)
class FrontEnd:
    """What a network is fed with: `raw` samples, or logarithms of Kaldi's Mel filter banks.

    `scale` is what samples in [-1, 1] are multiplied by; `layout` is batch, time, features.
    """

    kind: str = "kaldi-fbank"
    n_mels: int = 80
    window: str = "povey"
    scale: float = 1.0
    cmn: bool = True
    layout: str = "BTF"

    def features(self, pcm: Samples) -> Samples:
        """Float32 (1, samples) for `raw`, else (1, frames, bins) or (1, bins, frames)."""
        scaled = pcm if self.scale == 1.0 else pcm * np.float32(self.scale)
        if self.kind == "raw":
            return np.ascontiguousarray(scaled[None], np.float32)
        options = kaldi_native_fbank.FbankOptions()
        options.frame_opts.dither = 0.0
        options.frame_opts.samp_freq = RATE
        options.frame_opts.window_type = self.window
        options.mel_opts.num_bins = self.n_mels
        bank = kaldi_native_fbank.OnlineFbank(options)
        bank.accept_waveform(RATE, np.ascontiguousarray(scaled, np.float32))
        bank.input_finished()
        frames = np.stack([bank.get_frame(at) for at in range(bank.num_frames_ready)])
        if self.cmn:
            frames = frames - frames.mean(axis=0)
        return np.ascontiguousarray((frames if self.layout == "BTF" else frames.T)[None])


@dataclass(frozen=True, slots=True)
class Partials:
    """Windows of so many seconds, so many a second, each encoded, their mean taken."""

    seconds: float
    rate: float

    def of(self, pcm: Samples) -> list[Samples]:
        """The windows; what is shorter than one is repeated until it fills one."""
        length, step = round(self.seconds * RATE), max(round(RATE / self.rate), 1)
        if len(pcm) < length:
            return [np.resize(pcm, length)]
        return [pcm[at : at + length] for at in range(0, len(pcm) - length + 1, step)]


@dataclass(frozen=True, slots=True)
class VoiceEncoderConfig:
    """One entry of the operator's file. `windowing` None: a window is encoded whole.

    `calibration` is a file that `likeness calibrate` wrote; without it the encoder is not used.
    `input` and `output` are names in the network, its first where they are left out.
    """

    id: str
    model: Path
    sha256: str
    dimensions: int
    licence: str
    source: str
    front_end: FrontEnd = FrontEnd()
    windowing: Partials | None = None
    input: str | None = None
    output: str | None = None
    calibration: Path | None = None

    @classmethod
    def from_mapping(cls, entry: Mapping[str, object], where: str) -> Self:
        """Read one entry; `where` names file and place. Raises SetupError that says what is wrong.

        Keys are the fields; `front_end` is a mapping of its fields; `windowing` is `whole` or
        {partials: {seconds, rate}}.
        """
        read = Entry(entry, where, {one.name for one in fields(cls)})
        identity = read.matching("id", ID, "a name and a version, like acme-voice/1")
        if identity == VOICE:
            raise read.wrong("id", f"another than {VOICE}, which is built in")
        return cls(
            id=identity,
            model=Path(read.text("model")),
            sha256=read.matching("sha256", SHA256, "64 hexadecimal digits"),
            dimensions=read.whole("dimensions", *DIMENSIONS),
            licence=read.text("licence"),
            source=read.text("source"),
            front_end=_front_end(read.nested("front_end", {one.name for one in fields(FrontEnd)})),
            windowing=_windowing(read),
            input=read.optional_text("input"),
            output=read.optional_text("output"),
            calibration=read.optional_path("calibration"),
        )


def _front_end(read: Entry) -> FrontEnd:
    default = FrontEnd()
    scale = read.value("scale")
    if scale is not None and (isinstance(scale, bool) or scale not in {1, _INT16}):
        raise read.wrong("scale", f"1 or {_INT16}")
    return FrontEnd(
        kind=read.one_of("kind", ("kaldi-fbank", "raw"), default.kind),
        n_mels=read.whole("n_mels", 8, 256, default.n_mels),
        window=read.one_of("window", ("povey", "hamming"), default.window),
        scale=float(_INT16) if scale == _INT16 else default.scale,
        cmn=read.flag("cmn", default=default.cmn),
        layout=read.one_of("layout", ("BTF", "BFT"), default.layout),
    )


def _windowing(read: Entry) -> Partials | None:
    if read.value("windowing") in (None, "whole"):
        return None
    known = {one.name for one in fields(Partials)}
    inner = read.nested("windowing", {"partials"}).nested("partials", known)
    return Partials(inner.number("seconds", 0.2, 30.0), inner.number("rate", 0.1, 20.0))


class OnnxVoiceEncoder:
    """A network that was configured. Raises SetupError where it does not do what was said of it."""

    def __init__(self, config: VoiceEncoderConfig, model: bytes | None = None) -> None:
        """`model`: the bytes of its file, where they have been read and checked already."""
        self.id = config.id
        self.dimensions = config.dimensions
        self._config = config
        checked = read_model(config) if model is None else model
        self._session: onnxruntime.InferenceSession = open_session(
            checked, f"The encoder {config.id}"
        )
        try:
            self._input = config.input or self._session.get_inputs()[0].name
            self._output = config.output or self._session.get_outputs()[0].name
            tried = self._raw(np.sin(np.arange(3 * RATE, dtype=np.float32)) * np.float32(0.1))
        except Exception as error:  # onnxruntime's errors have no class of their own
            raise SetupError(
                f"The encoder {config.id} does not run ({config.model}): {_first_line(error)}. "
                "Check its front_end, windowing, input and output."
            ) from error
        if len(tried) != config.dimensions:
            raise SetupError(
                f"The encoder {config.id} gives {len(tried)} dimensions, not {config.dimensions}."
            )

    def encode(self, windows: Sequence[Samples]) -> Samples:
        """As VoiceEncoder says."""
        found = np.zeros((len(windows), self.dimensions), np.float32)
        for row, window in zip(found, windows, strict=True):
            if len(window) >= LEAST_SAMPLES:
                row[:] = unit(self._raw(window))
        return found

    def _raw(self, pcm: Samples) -> Samples:
        config = self._config
        parts = [pcm] if config.windowing is None else config.windowing.of(pcm)
        vectors = [
            self._session.run([self._output], {self._input: config.front_end.features(part)})[0]
            for part in parts
        ]
        if len(vectors) == 1:
            return np.asarray(vectors[0], np.float32).reshape(-1)
        mean: Samples = np.mean([unit(one.reshape(-1)) for one in vectors], axis=0)
        return mean


def unit(vector: Samples) -> Samples:
    """The vector at unit length; zeros where it has no direction, or is not of numbers."""
    length = float(np.linalg.norm(vector.astype(np.float64)))
    if not np.isfinite(length) or length < 1e-6:  # noqa: PLR2004 - rounding errors have none
        return np.zeros_like(vector, np.float32)
    return (vector / length).astype(np.float32)


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0][:200].rstrip(".")
