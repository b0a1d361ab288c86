"""The tensors of a PyTorch checkpoint, read as data: torch is not needed, and no pickle is trusted.

Both file formats of `torch.save`: the old one (pickles, then raw storages) and the zip archive of
torch >= 1.6. Of pickle only the operations and the few names that a state_dict consists of are let
through, and of the tensors only those that lie within their storage.
"""

import io
import math
import pickle
import pickletools
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from registry.errors import SetupError

FILE_BYTES = 256 * 2**20
ELEMENTS = 64 * 2**20
TENSORS = 4096
MOST_DIMENSIONS = 8

_ZIP_MAGIC = b"PK\x03\x04"
_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C  # torch/serialization.py: MAGIC_NUMBER
_LEGACY_PROTOCOL = 1001
# What a storage holds; integers (`num_batches_tracked`) are counters, no weights.
_FLOATS = {"FloatStorage": "<f4", "HalfStorage": "<f2", "DoubleStorage": "<f8"}
_INTEGERS = {"LongStorage": "<i8", "IntStorage": "<i4", "ByteStorage": "|u1", "BoolStorage": "|u1"}
_KINDS = _FLOATS | _INTEGERS
# Protocol 2 as torch writes it. Nothing here makes an object other than through `find_class`.
_OPERATIONS = {
    *("PROTO", "STOP", "MARK", "GLOBAL", "REDUCE", "BUILD", "BINPERSID"),
    *("BINPUT", "LONG_BINPUT", "BINGET", "LONG_BINGET"),
    *("EMPTY_DICT", "EMPTY_LIST", "EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3"),
    *("APPEND", "APPENDS", "SETITEM", "SETITEMS"),
    *("BINUNICODE", "BININT", "BININT1", "BININT2", "LONG1", "NONE", "NEWTRUE", "NEWFALSE"),
}


class _Storage(NamedTuple):
    """Where numbers lie: a key of the file, and what they are."""

    kind: str
    key: str


class _View(NamedTuple):
    """A tensor as the pickle describes it: offset and strides count elements."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def size(self) -> int:
        """How many numbers it shows."""
        return math.prod(self.shape)


def load(data: bytes) -> dict[str, npt.NDArray[np.float32]]:
    """The floating-point tensors of a checkpoint by name, each contiguous and of its own shape.

    Half and double precision become float32; integer tensors are left out. Raises SetupError for
    anything but a flat state_dict: other names or operations in the pickle, tensors outside their
    storage, files cut off, compressed or above 256 MiB, more than 64 M numbers.
    """
    if len(data) > FILE_BYTES:
        raise SetupError(f"The checkpoint has more than {FILE_BYTES // 2**20} MiB.")
    try:
        views, storages = _zipped(data) if data.startswith(_ZIP_MAGIC) else _legacy(data)
        return _tensors(views, storages)
    except SetupError:
        raise
    except Exception as error:  # a damaged pickle raises anything
        raise SetupError(
            "The checkpoint is damaged, or not a plain state_dict of torch."
        ) from error


def _tensors(
    views: Mapping[str, _View], storages: Callable[[_Storage], npt.NDArray[Any]]
) -> dict[str, npt.NDArray[np.float32]]:
    if len(views) > TENSORS:
        raise SetupError(f"The checkpoint holds more than {TENSORS} tensors.")
    if sum(view.size for view in views.values()) > ELEMENTS:
        raise SetupError(f"The checkpoint holds more than {ELEMENTS // 2**20} Mi numbers.")
    return {
        name: _tensor(name, view, storages(view.storage))
        for name, view in views.items()
        if view.storage.kind in _FLOATS
    }


def _tensor(name: str, view: _View, storage: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """A copy of what the view shows. Raises SetupError where that lies outside the storage."""
    pairs = list(zip(view.shape, view.strides, strict=True))
    last = view.offset + sum((size - 1) * stride for size, stride in pairs)
    if view.size > len(storage) or (view.size and last >= len(storage)):
        raise SetupError(f"Tensor {name} of the checkpoint lies outside its storage.")
    width = storage.itemsize
    shown = np.lib.stride_tricks.as_strided(
        storage[view.offset :], view.shape, [stride * width for stride in view.strides]
    )
    return np.array(shown, dtype=np.float32, order="C")


def _zipped(data: bytes) -> tuple[Mapping[str, _View], Callable[[_Storage], npt.NDArray[Any]]]:
    """The zip format: one folder with `data.pkl`, and each storage as the file `data/KEY`."""
    archive = zipfile.ZipFile(io.BytesIO(data))
    members = {one.filename: one for one in archive.infolist()}
    (root,) = [name.removesuffix("data.pkl") for name in members if name.endswith("/data.pkl")]

    def read(name: str) -> bytes:
        # torch stores uncompressed, so that no member can be larger than the file it came in.
        if members[name].compress_type != zipfile.ZIP_STORED:
            raise SetupError(f"{name} of the checkpoint is compressed; torch writes none so.")
        return archive.read(name)

    def storage(wanted: _Storage) -> npt.NDArray[Any]:
        return np.frombuffer(read(f"{root}data/{wanted.key}"), _KINDS[wanted.kind])

    order = f"{root}byteorder"
    if order in members and read(order) != b"little":
        raise SetupError("The checkpoint was written by a big-endian machine.")
    return _state(_unpickled(io.BytesIO(read(f"{root}data.pkl")))), storage


def _legacy(data: bytes) -> tuple[Mapping[str, _View], Callable[[_Storage], npt.NDArray[Any]]]:
    """The format before torch 1.6: five pickles, then each storage as its length and its bytes."""
    stream = io.BytesIO(data)
    if _unpickled(stream) != _LEGACY_MAGIC or _unpickled(stream) != _LEGACY_PROTOCOL:
        raise SetupError("This is no checkpoint of torch.")
    about = _unpickled(stream)
    if about["little_endian"] is not True:
        raise SetupError("The checkpoint was written by a big-endian machine.")
    views = _state(_unpickled(stream))
    kinds = {view.storage.key: view.storage.kind for view in views.values()}
    read: dict[str, npt.NDArray[Any]] = {}
    for key in _unpickled(stream):
        kind = np.dtype(_KINDS[kinds[key]])
        size = int.from_bytes(_exactly(stream, 8), "little") * kind.itemsize
        read[key] = np.frombuffer(_exactly(stream, size), kind)
    return views, lambda wanted: read[wanted.key]


def _exactly(stream: BinaryIO, size: int) -> bytes:
    found = stream.read(size) if size <= FILE_BYTES else b""
    if len(found) != size:
        raise SetupError("The checkpoint is cut off.")
    return found


def _state(found: object) -> Mapping[str, _View]:
    """The state_dict, and nothing but names and tensors in it."""
    if not isinstance(found, dict) or not all(
        isinstance(name, str) and isinstance(view, _View) for name, view in found.items()
    ):
        raise SetupError("The checkpoint holds something other than named tensors.")
    return found


def _unpickled(stream: BinaryIO) -> Any:
    """One pickle, after a look at each of its operations."""
    start = stream.tell()
    memo = 0
    for operation, argument, _ in pickletools.genops(stream):
        if operation.name not in _OPERATIONS:
            raise SetupError(f"The checkpoint's pickle uses {operation.name}, which is not read.")
        if operation.name.endswith("BINPUT") and argument is not None:
            if argument > memo:  # torch counts up; a slot far away would allocate all before it
                raise SetupError("The checkpoint's pickle numbers its objects out of order.")
            memo = max(memo, argument + 1)
    end = stream.tell()
    stream.seek(start)
    return _Unpickler(io.BytesIO(stream.read(end - start))).load()


class _Unpickler(pickle.Unpickler):
    """Knows four names, none of which does more than hold what it is given."""

    @override
    def find_class(self, module: str, name: str) -> Any:
        """What a name of the pickle stands for. Raises SetupError for one that is not known."""
        if module == "torch" and name in _KINDS:
            return name
        allowed = {
            ("collections", "OrderedDict"): OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
            ("torch._utils", "_rebuild_parameter"): _rebuild_parameter,
        }
        if (module, name) not in allowed:
            raise SetupError(f"The checkpoint's pickle asks for {module}.{name}. It is not read.")
        return allowed[module, name]

    @override
    def persistent_load(self, pid: Any) -> _Storage:
        """A storage by ("storage", kind, key, device, elements, ...)."""
        tag, kind, key, *_ = pid
        if tag != "storage" or kind not in _KINDS or not isinstance(key, str) or "/" in key:
            raise SetupError("The checkpoint's pickle names a storage of an unknown kind.")
        return _Storage(kind, key)


def _rebuild_tensor(
    storage: object, offset: object, shape: object, strides: object, *_: object
) -> _View:
    """torch._utils._rebuild_tensor_v2, without the tensor."""
    if not isinstance(storage, _Storage):
        raise SetupError("A tensor of the checkpoint has no storage.")
    sizes, steps, (start,) = _counts(shape), _counts(strides), _counts((offset,))
    if not len(sizes) == len(steps) <= MOST_DIMENSIONS:
        raise SetupError("A tensor of the checkpoint has no sound shape.")
    return _View(storage, start, sizes, steps)


def _rebuild_parameter(tensor: object, *_: object) -> object:
    """torch._utils._rebuild_parameter: gradients are not wanted here."""
    return tensor


def _counts(values: object) -> tuple[int, ...]:
    if not isinstance(values, tuple) or not all(type(one) is int and one >= 0 for one in values):
        raise SetupError("A tensor of the checkpoint has a size that is no count.")
    return values
