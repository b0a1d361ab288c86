"""The networks of the face encoder as ONNX graphs, written from their weights.

All take pictures as they are held in memory: float32 (batch, height, width, 3), RGB, 0 to 255.
"""

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from registry.encoders.conversion.dlib_weights import (
    AddPrevious,
    Affine,
    Convolution,
    Dense,
    Input,
    Layer,
    Pool,
    Relu,
)
from registry.errors import SetupError

OPSET = 17
IR_VERSION = 8
INPUT = "input"
EMBEDDING = "embedding"
PROBABILITY = "probability"
BOX = "box"
LANDMARKS = "landmarks"

Array = npt.NDArray[np.float32]
Weights = Mapping[str, Array]

# Zhang et al., "Joint Face Detection and Alignment using Multi-task Cascaded CNNs" (2016), as
# trained for facenet-pytorch: the layers in order, then the name of each output's last layer.
_WINDOWS = ("conv1", "prelu1", "pool3", "conv2", "prelu2", "pool3", "conv3", "prelu3")
_CASCADE: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
    "pnet": (
        ("conv1", "prelu1", "pool2", "conv2", "prelu2", "conv3", "prelu3"),
        {PROBABILITY: "conv4_1", BOX: "conv4_2"},
    ),
    "rnet": (
        (*_WINDOWS, "flatten", "dense4", "prelu4"),
        {PROBABILITY: "dense5_1", BOX: "dense5_2"},
    ),
    "onet": (
        (*_WINDOWS, "pool2", "conv4", "prelu4", "flatten", "dense5", "prelu5"),
        {PROBABILITY: "dense6_1", BOX: "dense6_2", LANDMARKS: "dense6_3"},
    ),
}
_SIDES: dict[str, int | str] = {"pnet": "side", "rnet": 24, "onet": 48}


class Graph:
    """Nodes and weights as they are added; each has the name of its one output."""

    def __init__(self) -> None:
        """Raises SetupError where the package `onnx` is not installed."""
        try:
            self._onnx: Any = importlib.import_module("onnx")
        except ImportError as error:
            raise SetupError(
                "onnx is needed to convert models. Run: pip install 'likeness-registry[models]'"
            ) from error
        self._nodes: list[Any] = []
        self._weights: list[Any] = []

    def constant(self, values: npt.ArrayLike) -> str:
        """Weights, in their own precision."""
        name = f"w{len(self._weights)}"
        made = self._onnx.numpy_helper.from_array(np.ascontiguousarray(values), name)
        self._weights.append(made)
        return name

    def add(self, operation: str, *inputs: str, output: str | None = None, **more: object) -> str:
        """One operation of ONNX with its attributes."""
        name = output or f"t{len(self._nodes)}"
        self._nodes.append(self._onnx.helper.make_node(operation, inputs, [name], **more))
        return name

    def model(
        self, name: str, shape: Sequence[int | str], outputs: Mapping[str, Sequence[int | str]]
    ) -> bytes:
        """The file, checked. Raises SetupError for a graph that is not sound."""
        helper = self._onnx.helper
        number = self._onnx.TensorProto.FLOAT
        graph = helper.make_graph(
            self._nodes,
            name,
            [helper.make_tensor_value_info(INPUT, number, shape)],
            [helper.make_tensor_value_info(one, number, of) for one, of in outputs.items()],
            self._weights,
        )
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION
        )
        try:
            self._onnx.checker.check_model(model, full_check=True)
        except Exception as error:  # its checker and its shape inference raise classes of their own
            raise SetupError(f"The weights of {name} do not fit one another.") from error
        data: bytes = model.SerializeToString()
        return data


def mtcnn(name: str, weights: Weights) -> bytes:
    """One net of the detector: "pnet", "rnet" or "onet".

    `probability` (batch, 2) of no face and of a face, `box` (batch, 4) corrections in sides of the
    window, and of onet `landmarks` (batch, 10), five x and five y; for pnet each with two more
    axes, rows and columns of windows. Raises SetupError where weights are missing or do not fit.
    """
    graph = Graph()
    layers, ends = _CASCADE[name]
    x = _scaled(graph, (127.5, 127.5, 127.5), 1 / 128)
    try:
        for layer in layers:
            x = _cascade_layer(graph, layer, weights, x)
        for output, layer in ends.items():
            softmax = output == PROBABILITY
            end = _linear(graph, layer, weights, x, None if softmax else output)
            if softmax:
                graph.add("Softmax", end, output=output, axis=1)
    except (KeyError, IndexError) as error:
        raise SetupError(f"The checkpoint lacks weights of {name}: {error}.") from error
    side = _SIDES[name]
    sizes = {PROBABILITY: 2, BOX: 4, LANDMARKS: 10}
    grid = ("rows", "columns") if name == "pnet" else ()
    shape = ("batch", "height", "width", 3) if name == "pnet" else ("batch", side, side, 3)
    return graph.model(name, shape, {one: ("batch", sizes[one], *grid) for one in ends})


def _scaled(graph: Graph, mean: tuple[float, float, float], scale: float) -> str:
    """The picture, less its mean, scaled, as (batch, 3, height, width)."""
    centred = graph.add("Sub", INPUT, graph.constant(np.array(mean, np.float32)))
    scaled = graph.add("Mul", centred, graph.constant(np.float32(scale)))
    return graph.add("Transpose", scaled, perm=[0, 3, 1, 2])


def _cascade_layer(graph: Graph, layer: str, weights: Weights, x: str) -> str:
    if layer.startswith("pool"):
        side = int(layer.removeprefix("pool"))
        return graph.add("MaxPool", x, kernel_shape=[side] * 2, strides=[2, 2], ceil_mode=1)
    if layer == "flatten":  # columns before rows, as the weights were first trained
        return graph.add("Flatten", graph.add("Transpose", x, perm=[0, 3, 2, 1]))
    if layer.startswith("prelu"):
        slope = weights[f"{layer}.weight"]
        after_dense = f"dense{layer.removeprefix('prelu')}.weight" in weights
        return graph.add("PRelu", x, graph.constant(slope if after_dense else slope[:, None, None]))
    return _linear(graph, layer, weights, x, None)


def _linear(graph: Graph, layer: str, weights: Weights, x: str, output: str | None) -> str:
    matrix, bias = (
        graph.constant(weights[f"{layer}.weight"]),
        graph.constant(weights[f"{layer}.bias"]),
    )
    if layer.startswith("conv"):
        return graph.add("Conv", x, matrix, bias, output=output)
    return graph.add("Gemm", x, matrix, bias, output=output, transB=1)


@dataclass(frozen=True, slots=True)
class _Maps:
    """Feature maps: the name that holds them, their side and how many they are."""

    name: str
    side: int
    channels: int


def dlib_resnet(layers: Sequence[Layer]) -> bytes:
    """The face descriptor: `embedding` (batch, 128), not of unit length.

    Affine layers are folded into the convolutions before them. He et al., "Deep Residual Learning
    for Image Recognition" (2016), in the variant of dlib's dnn_face_recognition_ex.cpp. Raises
    SetupError for layers in another order.
    """
    try:
        return _Resnet(layers).model()
    except (IndexError, ValueError) as error:
        raise SetupError(f"The face model's layers are not those of a ResNet: {error}.") from error


class _Resnet:
    """Walks along the layers, with the maps so far and those that the block began with."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        first = layers[0]
        if not isinstance(first, Input):
            raise ValueError("it begins with another layer than an input")  # noqa: TRY004
        self._layers = layers
        self._side = first.side
        self._graph = Graph()
        # dlib/dnn/input.h: pixels are divided by 256, not 255
        self._x = _Maps(_scaled(self._graph, first.mean, 1 / 256), first.side, 3)
        self._skip: _Maps | None = None
        self._outputs = 0

    def model(self) -> bytes:
        """The whole network, serialised."""
        for index in range(1, len(self._layers)):
            self._follow(index, self._layers[index])
        shape = ("batch", self._side, self._side, 3)
        return self._graph.model("dlib-resnet", shape, {EMBEDDING: ("batch", self._outputs)})

    def _follow(self, index: int, layer: Layer) -> None:
        match layer:
            case Convolution():
                self._convolve(layer, self._layers[index + 1], self._begins_block(index))
            case Relu():
                self._x = _Maps(self._graph.add("Relu", self._x.name), *self._sizes)
            case Pool(largest=True):
                self._x = self._pooled("MaxPool", layer, self._x)
            case Pool(side=0):
                mean = self._graph.add("ReduceMean", self._x.name, axes=[2, 3], keepdims=0)
                self._x = _Maps(mean, 1, self._x.channels)
            case Pool() if self._skip is not None:  # a block that halves its maps pools its input
                self._skip = self._pooled("AveragePool", layer, self._skip)
            case AddPrevious() if self._skip is not None:
                self._add(self._skip)
            case Dense(weights):
                matrix = self._graph.constant(weights)
                self._graph.add("MatMul", self._x.name, matrix, output=EMBEDDING)
                self._outputs = weights.shape[1]
            case Affine():  # folded into the convolution before it
                pass
            case _:
                raise ValueError(f"{type(layer).__name__} at {index}")

    def _begins_block(self, index: int) -> bool:
        """A block begins after the first pool, and after the sum and ReLU that end another."""
        before, earlier = self._layers[index - 1], self._layers[max(index - 2, 0)]
        return isinstance(before, Pool) or isinstance(earlier, AddPrevious)

    def _convolve(self, layer: Convolution, affine: Layer, begins_block: bool) -> None:
        if not isinstance(affine, Affine):
            raise ValueError("a convolution without its affine layer")  # noqa: TRY004
        if begins_block:
            self._skip = self._x
        weights = layer.weights * affine.gain[:, None, None, None]
        name = self._graph.add(
            "Conv",
            self._x.name,
            self._graph.constant(weights),
            self._graph.constant(layer.bias * affine.gain + affine.offset),
            strides=[layer.stride] * 2,
            pads=[layer.padding] * 4,
        )
        side = (self._x.side + 2 * layer.padding - weights.shape[2]) // layer.stride + 1
        self._x = _Maps(name, side, len(weights))

    @property
    def _sizes(self) -> tuple[int, int]:
        return self._x.side, self._x.channels

    def _pooled(self, operation: str, layer: Pool, maps: _Maps) -> _Maps:
        window, strides = [layer.side] * 2, [layer.stride] * 2
        name = self._graph.add(operation, maps.name, kernel_shape=window, strides=strides)
        return _Maps(name, (maps.side - layer.side) // layer.stride + 1, maps.channels)

    def _add(self, skip: _Maps) -> None:
        side, channels = max(self._x.side, skip.side), max(self._x.channels, skip.channels)
        sum_ = self._graph.add(
            "Add", self._padded(self._x, side, channels), self._padded(skip, side, channels)
        )
        self._x, self._skip = _Maps(sum_, side, channels), None

    def _padded(self, maps: _Maps, side: int, channels: int) -> str:
        if (maps.side, maps.channels) == (side, channels):
            return maps.name
        rows, more = side - maps.side, channels - maps.channels
        pads = self._graph.constant(np.array([0, 0, 0, 0, 0, more, rows, rows], np.int64))
        return self._graph.add("Pad", maps.name, pads)
