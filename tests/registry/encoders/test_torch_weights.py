"""Checkpoints are read as data: sound ones exactly, hostile ones not at all."""

import io
import os
import pickle
import struct
import sys
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from registry.encoders.conversion import torch_weights
from registry.encoders.conversion.torch_weights import load
from registry.errors import SetupError

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
NUMBERS = np.arange(12, dtype="<f4")


def rebuild_tensor(*_arguments: object) -> None: ...
def rebuild_parameter(*_arguments: object) -> None: ...


class FloatStorage: ...


class HalfStorage: ...


class DoubleStorage: ...


class LongStorage: ...


class CharStorage: ...


STORAGES = (FloatStorage, HalfStorage, DoubleStorage, LongStorage, CharStorage)


@pytest.fixture(autouse=True)
def torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Just enough of torch for pickle to write its names."""
    package, utilities = ModuleType("torch"), ModuleType("torch._utils")
    for function, name in (
        (rebuild_tensor, "_rebuild_tensor_v2"),
        (rebuild_parameter, "_rebuild_parameter"),
    ):
        monkeypatch.setattr(function, "__module__", "torch._utils")
        monkeypatch.setattr(function, "__qualname__", name)
        monkeypatch.setattr(function, "__name__", name)
        setattr(utilities, name, function)
    for kind in STORAGES:
        monkeypatch.setattr(kind, "__module__", "torch")
        setattr(package, kind.__name__, kind)
    monkeypatch.setitem(sys.modules, "torch", package)
    monkeypatch.setitem(sys.modules, "torch._utils", utilities)


class Stored:
    """Pickled as a reference to a storage of the file."""

    def __init__(self, kind: type, key: object, tag: str = "storage") -> None:
        self.pid = (tag, kind, key, "cpu", 12)


class Call:
    """Pickled as a call of a function."""

    def __init__(self, function: Callable[..., object], *arguments: object) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> Any:
        return self.call


class Pickler(pickle.Pickler):
    def persistent_id(self, obj: object) -> object:
        return obj.pid if isinstance(obj, Stored) else None


def pickled(value: object, protocol: int = 2) -> bytes:
    stream = io.BytesIO()
    Pickler(stream, protocol).dump(value)
    return stream.getvalue()


def tensor(
    shape: object, strides: object, offset: object = 0, *, kind: type = FloatStorage, key: str = "0"
) -> Call:
    hooks: OrderedDict[str, object] = OrderedDict()
    return Call(rebuild_tensor, Stored(kind, key), offset, shape, strides, False, hooks)


def zipped(
    state: object,
    storages: dict[str, bytes] | None = None,
    *,
    compression: int = zipfile.ZIP_STORED,
    more: dict[str, bytes] | None = None,
    protocol: int = 2,
) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", compression) as archive:
        data = state if isinstance(state, bytes) else pickled(state, protocol)
        archive.writestr("archive/data.pkl", data)
        for key, content in (storages or {"0": NUMBERS.tobytes()}).items():
            archive.writestr(f"archive/data/{key}", content)
        for name, content in (more or {}).items():
            archive.writestr(name, content)
    return made.getvalue()


def legacy(
    state: object, storages: dict[str, bytes] | None = None, *, little: bool = True, width: int = 4
) -> bytes:
    about = {"protocol_version": PROTOCOL, "little_endian": little, "type_sizes": {"int": 4}}
    contents = storages or {"0": NUMBERS.tobytes()}
    body = b"".join(map(pickled, (MAGIC, PROTOCOL, about, state, list(contents))))
    for content in contents.values():
        body += struct.pack("<q", len(content) // width) + content
    return body


FORMATS = pytest.mark.parametrize("written", [zipped, legacy], ids=["zip", "legacy"])


@FORMATS
def test_tensors_are_read_by_name_with_their_shape(written: Callable[..., bytes]) -> None:
    state = OrderedDict(a=tensor((3, 4), (4, 1)), b=tensor((2,), (1,), 10), c=tensor((), (), 5))
    found = load(written(state))
    assert {name: one.shape for name, one in found.items()} == {"a": (3, 4), "b": (2,), "c": ()}
    assert all(one.dtype == np.float32 and one.flags.c_contiguous for one in found.values())
    np.testing.assert_array_equal(found["a"], NUMBERS.reshape(3, 4))
    np.testing.assert_array_equal(found["b"], [10, 11])
    assert found["c"] == 5


@FORMATS
def test_strides_are_honoured(written: Callable[..., bytes]) -> None:
    found = load(written({"turned": tensor((4, 3), (1, 4)), "every": tensor((3,), (4,), 2)}))
    np.testing.assert_array_equal(found["turned"], NUMBERS.reshape(3, 4).T)
    np.testing.assert_array_equal(found["every"], [2, 6, 10])


@FORMATS
def test_a_parameter_is_its_tensor(written: Callable[..., bytes]) -> None:
    state = {"a": Call(rebuild_parameter, tensor((12,), (1,)), True, OrderedDict())}
    np.testing.assert_array_equal(load(written(state))["a"], NUMBERS)


def test_metadata_that_torch_attaches_is_ignored() -> None:
    state: Any = OrderedDict(a=tensor((12,), (1,)))
    state._metadata = OrderedDict({"": {"version": 1}})
    assert list(load(legacy(state))) == ["a"]


def test_counters_are_left_out_and_other_precisions_widened() -> None:
    storages = {
        "0": np.array([1.5, -2], "<f2").tobytes(),
        "1": np.array([0.1], "<f8").tobytes(),
        "2": np.array([7], "<i8").tobytes(),
    }
    state = {
        "half": tensor((2,), (1,), kind=HalfStorage),
        "double": tensor((1,), (1,), kind=DoubleStorage, key="1"),
        "num_batches_tracked": tensor((), (), kind=LongStorage, key="2"),
    }
    found = load(zipped(state, storages))
    assert found.keys() == {"half", "double"}
    np.testing.assert_array_equal(found["half"], np.array([1.5, -2], np.float32))
    np.testing.assert_array_equal(found["double"], np.array([0.1], np.float32))


def test_an_empty_tensor_is_empty() -> None:
    assert load(zipped({"a": tensor((0, 4), (4, 1), 12)}))["a"].shape == (0, 4)


@FORMATS
def test_a_pickle_that_runs_a_program_is_refused(written: Callable[..., bytes]) -> None:
    with pytest.raises(SetupError, match=r"\.system"):
        load(written({"a": Call(os.system, "false")}))


@FORMATS
@pytest.mark.parametrize("function", [eval, getattr, np.zeros, zipfile.ZipFile])
def test_a_pickle_that_asks_for_another_name_is_refused(
    written: Callable[..., bytes], function: Callable[..., object]
) -> None:
    with pytest.raises(SetupError, match="It is not read"):
        load(written({"a": Call(function, "1")}))


def test_an_operation_that_no_checkpoint_needs_is_refused() -> None:
    with pytest.raises(SetupError, match="uses FRAME"):
        load(zipped({"a": tensor((2,), (1,))}, protocol=4))
    with pytest.raises(SetupError, match="out of order"):
        load(zipped(b"\x80\x02}r\xff\xff\xff\x7f."))


@FORMATS
@pytest.mark.parametrize(
    ("shape", "strides", "offset"),
    [
        ((13,), (1,), 0),
        ((4,), (4,), 0),
        ((2,), (1,), 11),
        ((2,), (1,), 2**62),
        ((2**40,), (0,), 0),
        ((2**31, 2**31), (0, 0), 0),
    ],
    ids=["too long", "too wide", "past the end", "far away", "repeated", "without end"],
)
def test_a_tensor_outside_its_storage_is_refused(
    written: Callable[..., bytes], shape: object, strides: object, offset: int
) -> None:
    with pytest.raises(SetupError, match=r"outside its storage|Mi numbers"):
        load(written({"a": tensor(shape, strides, offset)}))


@pytest.mark.parametrize(
    ("shape", "strides", "offset"),
    [
        ((-1,), (1,), 0),
        ((2,), (-1,), 5),
        ((2,), (1,), -1),
        ((2,), (1, 1), 0),
        ([2], (1,), 0),
        ((2.0,), (1,), 0),
        ((True,), (1,), 0),
        ((1,) * 9, (1,) * 9, 0),
    ],
)
def test_a_shape_that_is_none_is_refused(shape: object, strides: object, offset: int) -> None:
    with pytest.raises(SetupError):
        load(zipped({"a": tensor(shape, strides, offset)}))


def test_a_storage_of_another_kind_or_place_is_refused() -> None:
    hostile = [
        tensor((2,), (1,), kind=CharStorage),
        Call(rebuild_tensor, "no storage", 0, (2,), (1,)),
        Call(rebuild_tensor, Stored(FloatStorage, "0", "module"), 0, (2,), (1,)),
        Call(rebuild_tensor, Stored(FloatStorage, "../0"), 0, (2,), (1,)),
        Call(rebuild_tensor, Stored(FloatStorage, 0), 0, (2,), (1,)),
        tensor((2,), (1,), key="1"),
    ]
    for one in hostile:
        with pytest.raises(SetupError):
            load(zipped({"a": one}))


@pytest.mark.parametrize("state", [[1], {"a": 1}, {1: tensor((2,), (1,))}, {"a": {"b": 1}}, None])
def test_anything_but_named_tensors_is_refused(state: object) -> None:
    with pytest.raises(SetupError, match="other than named tensors"):
        load(zipped(state))


@FORMATS
def test_a_checkpoint_cut_off_anywhere_is_refused(written: Callable[..., bytes]) -> None:
    whole = written({"a": tensor((3, 4), (4, 1))})
    for size in range(0, len(whole) - 1, 7):
        with pytest.raises(SetupError):
            load(whole[:size])


def test_a_length_beyond_the_file_is_refused() -> None:
    whole = legacy({"a": tensor((12,), (1,))})
    position = len(whole) - NUMBERS.nbytes - 8
    for count in (13, 2**40, 2**63):
        with pytest.raises(SetupError, match="cut off"):
            load(whole[:position] + struct.pack("<Q", count) + whole[position + 8 :])


def test_a_compressed_member_is_refused_unread() -> None:
    bomb = {"0": bytes(10 * 2**20)}
    data = zipped({"a": tensor((2,), (1,))}, bomb, compression=zipfile.ZIP_DEFLATED)
    assert len(data) < 2**17
    with pytest.raises(SetupError, match="compressed"):
        load(data)


def test_bounds_hold_for_the_file_the_tensors_and_their_numbers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = zipped({"a": tensor((12,), (1,)), "b": tensor((12,), (1,))})
    for name, most, message in (
        ("FILE_BYTES", len(data) - 1, "MiB"),
        ("TENSORS", 1, "tensors"),
        ("ELEMENTS", 23, "numbers"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(torch_weights, name, most)
            with pytest.raises(SetupError, match=message):
                load(data)
    assert len(load(data)) == 2


def test_bytes_of_another_order_are_refused() -> None:
    state = {"a": tensor((12,), (1,))}
    with pytest.raises(SetupError, match="big-endian"):
        load(zipped(state, more={"archive/byteorder": b"big"}))
    with pytest.raises(SetupError, match="big-endian"):
        load(legacy(state, little=False))
    assert load(zipped(state, more={"archive/byteorder": b"little"}))


def test_another_file_is_refused() -> None:
    other = pickled(MAGIC) + pickled(1002)
    for data in (b"", b"PK\x03\x04", b"GIF89a", pickled({"a": 1}), other):
        with pytest.raises(SetupError):
            load(data)
