"""The speaker encoder CAM++ as an ONNX graph, written from the arrays of its checkpoint.

Wang et al., "CAM++: A Fast and Efficient Network for Speaker Verification Using Context-Aware
Masking", Interspeech 2023; the layers are those of 3D-Speaker, `speakerlab/models/campplus`. Its
last layer is a batch normalisation without a ReLU, as published.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from registry.encoders.conversion.graphs import EMBEDDING, INPUT, Graph
from registry.errors import SetupError

BINS: Final = 80
BLOCKS: Final = ((12, 1), (24, 2), (16, 2))  # layers, dilation
_EPSILON = 1e-5  # torch's own, of every batch normalisation
_SEGMENT = 100  # frames that share a context mask (section 2.2)
_FLOAT = 1  # onnx.TensorProto.FLOAT

Array = npt.NDArray[np.float32]


def to_onnx(state: Mapping[str, Array]) -> bytes:
    """The model: `input` float32 (batch, frames, 80) to `embedding` float32 (batch, 192).

    The embedding is not of unit length. Raises SetupError where the checkpoint lacks an array, or
    one has another shape than it should.
    """
    try:
        return _Network(state).model()
    except (KeyError, ValueError, IndexError) as error:
        raise SetupError(f"This is no checkpoint of CAM++: {error}.") from error


class _Network:
    """The layers; every method adds some and returns the name of their output."""

    def __init__(self, state: Mapping[str, Array]) -> None:
        self._state = state
        self._graph = Graph()
        self._add = self._graph.add
        self._weight = self._graph.constant

    def model(self) -> bytes:
        """The whole network, serialised."""
        turned = self._add("Transpose", INPUT, perm=[0, 2, 1])
        frames = self._frames(self._add("Unsqueeze", turned, self._ints([1])))
        self._segments(frames)
        for number, (layers, dilation) in enumerate(BLOCKS, 1):
            for layer in range(1, layers + 1):
                name = f"xvector.block{number}.tdnnd{layer}"
                frames = self._add("Concat", frames, self._masked(name, frames, dilation), axis=1)
            name = f"xvector.transit{number}"
            frames = self._norm_relu(f"{name}.nonlinear.batchnorm", frames)
            frames = self._conv(f"{name}.linear", frames)
        frames = self._norm_relu("xvector.out_nonlinear.batchnorm", frames)
        dimensions = self._embed(self._statistics(frames))
        shape = ("batch", "frames", BINS)
        return self._graph.model("campplus", shape, {EMBEDDING: ("batch", dimensions)})

    def _frames(self, spectrogram: str) -> str:
        """The two-dimensional residual head, and the first layer over time, of half its rate."""
        x = self._relu(self._conv("head.conv1", spectrogram, "head.bn1", pads=1))
        for layer in ("head.layer1", "head.layer2"):
            x = self._residual(f"{layer}.0", x, stride=2)
            x = self._residual(f"{layer}.1", x, stride=1)
        x = self._relu(self._conv("head.conv2", x, "head.bn2", pads=1, strides=[2, 1]))
        flat = self._add("Reshape", x, self._ints([0, 32 * BINS // 8, -1]))
        tdnn = "xvector.tdnn"
        return self._relu(
            self._conv(f"{tdnn}.linear", flat, f"{tdnn}.nonlinear.batchnorm", pads=2, strides=[2])
        )

    def _residual(self, name: str, x: str, stride: int) -> str:
        strides = [stride, 1]
        inner = self._relu(self._conv(f"{name}.conv1", x, f"{name}.bn1", pads=1, strides=strides))
        outer = self._conv(f"{name}.conv2", inner, f"{name}.bn2", pads=1)
        if f"{name}.shortcut.0.weight" in self._state:
            x = self._conv(f"{name}.shortcut.0", x, f"{name}.shortcut.1", strides=strides)
        return self._relu(self._add("Add", outer, x))

    def _segments(self, frames: str) -> None:
        """Which segment each frame is in, and the matrix that gives a segment its context.

        A segment's context is its own mean plus the mean of all frames, so frames times that matrix
        is the context of every segment, and a mask is computed once for each instead of each frame.
        """
        count = self._add("Shape", frames, start=2, end=3)
        last = self._add("Squeeze", count, self._ints([0]))
        moment = self._add("Range", self._ints(0), last, self._ints(1))
        self._segment = self._add("Div", moment, self._ints(_SEGMENT))
        segments = self._add(
            "Div", self._add("Add", count, self._ints([_SEGMENT - 1])), self._ints([_SEGMENT])
        )
        member = self._add("OneHot", self._segment, segments, self._floats([0.0, 1.0]))
        size = self._add("ReduceSum", member, self._ints([0]), keepdims=1)
        total = self._add("Cast", count, to=_FLOAT)
        own = self._add("Div", member, size)
        self._context = self._add("Add", own, self._add("Reciprocal", total))

    def _masked(self, name: str, x: str, dilation: int) -> str:
        """One densely connected layer with its context-aware mask: 32 more channels."""
        x = self._norm_relu(f"{name}.nonlinear1.batchnorm", x)
        x = self._relu(self._conv(f"{name}.linear1", x, f"{name}.nonlinear2.batchnorm"))
        cam = f"{name}.cam_layer"
        local = self._conv(f"{cam}.linear_local", x, pads=dilation, dilations=[dilation])
        context = self._add("MatMul", x, self._context)
        narrow = self._relu(self._conv(f"{cam}.linear1", context))
        mask = self._add("Sigmoid", self._conv(f"{cam}.linear2", narrow))
        return self._add("Mul", local, self._add("Gather", mask, self._segment, axis=2))

    def _statistics(self, frames: str) -> str:
        """Mean and unbiased standard deviation over time, one after the other."""
        mean = self._add("ReduceMean", frames, axes=[2], keepdims=1)
        apart = self._add("Sub", frames, mean)
        squares = self._add("ReduceSumSquare", apart, axes=[2], keepdims=1)
        count = self._add("Cast", self._add("Shape", frames, start=2, end=3), to=_FLOAT)
        variance = self._add("Div", squares, self._add("Sub", count, self._floats([1.0])))
        both = self._add("Concat", mean, self._add("Sqrt", variance), axis=1)
        return self._add("Squeeze", both, self._ints([2]))

    def _embed(self, statistics: str) -> int:
        """The last layer, named `embedding`; returns its dimensions."""
        weight, bias = self._folded("xvector.dense.linear", "xvector.dense.nonlinear.batchnorm")
        matrix = self._weight(weight[:, :, 0])
        self._add("Gemm", statistics, matrix, self._weight(bias), output=EMBEDDING, transB=1)
        return len(bias)

    def _conv(self, name: str, x: str, norm: str | None = None, pads: int = 0, **how: Any) -> str:
        """A convolution, with the batch normalisation that follows it folded in."""
        weight, bias = self._folded(name, norm)
        sides = [pads] * (2 * (weight.ndim - 2))
        return self._add("Conv", x, self._weight(weight), self._weight(bias), pads=sides, **how)

    def _folded(self, name: str, norm: str | None) -> tuple[Array, Array]:
        weight = self._state[f"{name}.weight"]
        bias = self._state.get(f"{name}.bias", np.zeros(len(weight), np.float32))
        if norm is None:
            return weight, bias
        scale, shift = self._affine(norm)
        return (
            weight * scale.reshape(-1, *[1] * (weight.ndim - 1)),
            bias * scale + shift,
        )

    def _affine(self, norm: str) -> tuple[Array, Array]:
        """The factor and the summand, by channel, of a batch normalisation in use."""
        mean = self._state[f"{norm}.running_mean"].astype(np.float64)
        spread = np.sqrt(self._state[f"{norm}.running_var"].astype(np.float64) + _EPSILON)
        scale = self._state.get(f"{norm}.weight", np.ones(len(mean), np.float32)) / spread
        shift = self._state.get(f"{norm}.bias", np.zeros(len(mean), np.float32)) - mean * scale
        return scale.astype(np.float32), shift.astype(np.float32)

    def _norm_relu(self, norm: str, x: str) -> str:
        """A normalisation that nothing can be folded into: a factor and a summand by channel."""
        scale, shift = (self._weight(one) for one in self._affine(norm))
        # ONNX normalises by a mean and a variance; zero and one leave the factor and the summand.
        channels = len(self._state[f"{norm}.running_mean"])
        rest = [
            self._weight(one)
            for one in (np.zeros(channels, np.float32), np.ones(channels, np.float32))
        ]
        return self._relu(self._add("BatchNormalization", x, scale, shift, *rest, epsilon=0.0))

    def _relu(self, x: str) -> str:
        return self._add("Relu", x)

    def _ints(self, value: int | list[int]) -> str:
        return self._weight(np.array(value, np.int64))

    def _floats(self, value: list[float]) -> str:
        return self._weight(np.array(value, np.float32))
