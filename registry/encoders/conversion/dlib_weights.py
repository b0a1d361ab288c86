"""dlib's own file of the ResNet that describes faces, read as data.

The format is that of dlib/serialize.h: an integer is a control byte (its low four bits are the
length, the highest the sign) and so many bytes, little-endian; a number is two integers, mantissa
and exponent; a tensor is its version, four sizes and raw float32.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from registry.errors import SetupError

FILE_BYTES = 64 * 2**20
LAYERS = 512
CHANNELS = 4096
MOST_EXPONENT = 1100  # of a double; dlib writes 32,000 and more for what is not finite

INTEGER_BYTES = 8
LENGTH, NEGATIVE, UNUSED = 0x0F, 0x80, 0x70  # bits of an integer's control byte

_TENSOR_VERSION, _ALIAS_VERSION = 2, 1
_NAME_BYTES = 64

Array = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Input:
    """What is subtracted from each channel, and the side in pixels of the square picture."""

    mean: tuple[float, float, float]
    side: int


@dataclass(frozen=True, slots=True)
class Convolution:
    """`weights` is (filters, channels, height, width), `bias` (filters,)."""

    weights: Array
    bias: Array
    stride: int
    padding: int


@dataclass(frozen=True, slots=True)
class Affine:
    """`gain` and `offset` of each channel: what is left of a batch normalisation."""

    gain: Array
    offset: Array


@dataclass(frozen=True, slots=True)
class Relu:
    """Nothing below zero."""


@dataclass(frozen=True, slots=True)
class Pool:
    """The largest or the mean of each window; side 0 stands for the whole picture."""

    largest: bool
    side: int
    stride: int


@dataclass(frozen=True, slots=True)
class AddPrevious:
    """The sum with what went into the block, both padded with zeros to the larger size."""


@dataclass(frozen=True, slots=True)
class Dense:
    """`weights` is (inputs, outputs)."""

    weights: Array


Layer = Input | Convolution | Affine | Relu | Pool | AddPrevious | Dense


def resnet(data: bytes) -> list[Layer]:
    """The layers of `dlib_face_recognition_resnet_model_v1.dat`, from the input to the output.

    Raises SetupError for any other network, and for files damaged, cut off or above 64 MiB.
    """
    try:
        return _Resnet(bounded(data)).layers()
    except (ValueError, OverflowError) as error:
        raise SetupError(f"The face model is damaged, or no ResNet of dlib: {error}.") from error


def bounded(data: bytes) -> bytes:
    """The data. Raises ValueError where there is too much of it."""
    if len(data) > FILE_BYTES:
        raise ValueError(f"it has more than {FILE_BYTES // 2**20} MiB")
    return data


def require(condition: bool, complaint: str) -> None:
    """Raise ValueError with the complaint unless the condition holds."""
    if not condition:
        raise ValueError(complaint)


class _Resnet:
    """Reads the file from its start; every method takes what it names."""

    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)
        self._position = 0

    def layers(self) -> list[Layer]:
        """All layers, and nothing behind them."""
        require(self._integer() == 1 and self._name() == "loss_metric_2", "it has another loss")
        self._numbers(2)  # margin and distance threshold of its training
        self._versions()
        layers: list[Layer] = [self._input()]
        while not isinstance(layers[-1], Dense):
            require(len(layers) < LAYERS, f"it has more than {LAYERS} layers")
            layers.append(self._layer())
            self._training_state(first=len(layers) == 2)  # noqa: PLR2004 - the input is before it
        require(self._position == len(self._data), "something follows the network")
        return layers

    def _versions(self) -> None:
        """Each layer's version, all before the first layer: the outermost opens first."""
        for _ in range(4 * LAYERS):
            if bytes(self._data[self._position : self._position + 1]) != b"\1" or (
                self._data[self._position + 1 : self._position + 2].tobytes() not in b"\1\2\3"
            ):
                return
            self._integer()
        raise ValueError(f"it has more than {LAYERS} layers")

    def _input(self) -> Input:
        require(self._name() == "input_rgb_image_sized", "it has another input")
        red, green, blue = self._numbers(3)
        height, width = self._integer(), self._integer()
        require(height == width and 1 <= height <= CHANNELS, "its input is no square")
        return Input((red, green, blue), height)

    def _layer(self) -> Layer:
        readers: dict[str, Callable[[], Layer]] = {
            "con_4": self._convolution,
            "affine_": self._affine,
            "relu_": Relu,
            "add_prev_": AddPrevious,
            "max_pool_2": partial(self._pool, largest=True),
            "avg_pool_2": partial(self._pool, largest=False),
            "fc_2": self._dense,
        }
        name = self._name()
        require(name in readers, f"it has a layer {name!r}")
        return readers[name]()

    def _convolution(self) -> Convolution:
        values = self._tensor().ravel()
        filters, height, width, *strides = (self._integer() for _ in range(5))
        pads = self._integer(), self._integer()
        weights, bias = self._alias(), self._alias()
        self._numbers(4)  # learning rates
        require(len({*strides}) == 1 and len({*pads}) == 1, "a convolution is not square")
        stride, padding = strides[0], pads[0]
        require(1 <= stride <= height and 0 <= padding < height, "a convolution skips pixels")
        size = math.prod(weights)
        sound = weights[0] == filters and weights[2:] == (height, width)
        sound = sound and math.prod(bias) == filters and len(values) == size + filters
        require(sound, "a convolution's sizes do not fit one another")
        return Convolution(values[:size].reshape(weights), values[size:], stride, padding)

    def _affine(self) -> Affine:
        values = self._tensor().ravel()
        gain, offset = self._alias(), self._alias()
        self._integer()  # by channel or not; the sizes say so as well
        half = len(values) // 2
        sound = math.prod(gain) == math.prod(offset) == half and len(values) == 2 * half
        require(sound, "an affine layer's sizes do not fit one another")
        return Affine(values[:half], values[half:])

    def _pool(self, *, largest: bool) -> Pool:
        height, width, *strides = (self._integer() for _ in range(4))
        padding = self._integer(), self._integer()
        require(height == width and strides[0] == strides[1], "a pool is not square")
        require(padding == (0, 0), "a pool is padded")
        require(0 <= height <= CHANNELS and 1 <= strides[0] <= max(height, 1), "a pool is odd")
        return Pool(largest, height, strides[0])

    def _dense(self) -> Dense:
        outputs, inputs = self._integer(), self._integer()
        values = self._tensor()
        weights, bias = self._alias(), self._alias()
        self._integer()  # with or without a bias; the sizes say so as well
        self._numbers(4)  # learning rates
        sound = values.size == inputs * outputs == math.prod(weights) and math.prod(bias) == 0
        require(sound, "the last layer's sizes do not fit one another")
        return Dense(values.reshape(inputs, outputs))

    def _training_state(self, *, first: bool) -> None:
        """Three flags and three tensors that only training fills; the first layer has a count."""
        flags = bytes(self._take(3))
        require(set(flags) <= {*b"01"}, "a layer's flags are none")
        require(all(self._tensor().size == 0 for _ in range(3)), "it was saved while it trained")
        if first:
            self._integer()

    def _take(self, size: int) -> memoryview:
        require(0 <= size <= len(self._data) - self._position, "it is cut off")
        taken = self._data[self._position : self._position + size]
        self._position += size
        return taken

    def _integer(self) -> int:
        (control,) = self._take(1)
        length = control & LENGTH
        sound = 1 <= length <= INTEGER_BYTES and not control & UNUSED
        require(sound, "an integer has no sound length")
        value = int.from_bytes(self._take(length), "little")
        return -value if control & NEGATIVE else value

    def _numbers(self, count: int) -> list[float]:
        pairs = [(self._integer(), self._integer()) for _ in range(count)]
        require(all(abs(one) <= MOST_EXPONENT for _, one in pairs), "a number is not finite")
        return [math.ldexp(mantissa, exponent) for mantissa, exponent in pairs]

    def _name(self) -> str:
        size = self._integer()
        require(size <= _NAME_BYTES, "a name is too long")
        return bytes(self._take(size)).decode("ascii")

    def _tensor(self) -> Array:
        require(self._integer() == _TENSOR_VERSION, "a tensor has another version")
        # A layer's parameters are one long row: only the bytes that are left bound it.
        shape = [self._integer() for _ in range(4)]
        require(all(0 <= one <= FILE_BYTES for one in shape), "a size is out of bounds")
        values = np.frombuffer(self._take(4 * math.prod(shape)), "<f4").reshape(shape)
        require(bool(np.isfinite(values).all()), "a weight is not finite")
        return values.astype(np.float32)

    def _alias(self) -> tuple[int, int, int, int]:
        require(self._integer() == _ALIAS_VERSION, "a part of a tensor has another version")
        a, b, c, d = (self._integer() for _ in range(4))
        require(all(0 <= one <= CHANNELS for one in (a, b, c, d)), "a size is out of bounds")
        return a, b, c, d
