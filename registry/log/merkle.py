"""The Merkle tree of the transparency log: roots, proofs and their verification (RFC 9162, 2.1).

Pure. The store keeps each complete subtree once, as a `Node`; what lies on the tree's right edge
changes with its size and is hashed anew. Trees hold fewer than 2**63 leaves, hashes are 32 bytes.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeAlias

from registry.errors import InvalidError, UnavailableError

HASH_BYTES = 32
MAX_SIZE = 2**63 - 1  # a tree size is a signed 64-bit integer in C2SP formats and PostgreSQL
EMPTY_ROOT = sha256(b"").digest()


# Level and index of a complete subtree: its leaves are index << level to (index + 1) << level.
NodeId: TypeAlias = tuple[int, int]
# The same and the subtree's 32-byte hash.
Node: TypeAlias = tuple[int, int, bytes]


@dataclass(frozen=True, slots=True)
class Frontier:
    """The complete subtrees a tree of `size` leaves is made of, largest first: all an append needs.

    Raises InvalidError unless there is one 32-byte hash for each set bit of the size.
    """

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        _check_size(self.size)
        if len(self.hashes) != self.size.bit_count():
            raise InvalidError("The frontier does not fit its tree size.")
        _check_hashes(self.hashes)


def leaf_hash(entry: bytes) -> bytes:
    """The 32-byte hash of a leaf: SHA-256(0x00 || entry)."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The 32-byte hash of an inner node: SHA-256(0x01 || left || right)."""
    return sha256(b"\x01" + left + right).digest()


def append(frontier: Frontier, leaf_hashes: Iterable[bytes]) -> tuple[Frontier, list[Node]]:
    """The frontier after these leaves, and every complete subtree they closed, leaves included.

    The nodes come in the order they arise, a leaf (level 0) before what it closes. Raises
    InvalidError for a hash that is not 32 bytes or a tree that would be too large.
    """
    stack, size, nodes = list(frontier.hashes), frontier.size, list[Node]()
    for leaf in leaf_hashes:
        level, index, value = 0, size, leaf
        nodes.append((level, index, value))
        while index & 1:
            value = node_hash(stack.pop(), value)
            level, index = level + 1, index >> 1
            nodes.append((level, index, value))
        stack.append(value)
        size += 1
    _check_hashes(value for _, _, value in nodes)
    return Frontier(size, tuple(stack)), nodes


def root(frontier: Frontier) -> bytes:
    """The 32-byte Merkle Tree Hash of the whole tree (2.1.1); EMPTY_ROOT when it has no leaf."""
    return _fold(frontier.hashes) if frontier.hashes else EMPTY_ROOT


def frontier_nodes(size: int) -> list[NodeId]:
    """Which stored nodes make the frontier of a tree of this size, largest first."""
    _check_size(size)
    return list(_covering(0, size))


def load_frontier(size: int, nodes: Mapping[NodeId, bytes]) -> Frontier:
    """The frontier of any size the tree ever had, from the nodes `frontier_nodes` names.

    Raises UnavailableError when the store lacks one of them.
    """
    return Frontier(size, tuple(_stored(node, nodes) for node in frontier_nodes(size)))


def inclusion_nodes(index: int, size: int) -> list[NodeId]:
    """Which stored nodes an inclusion proof needs. Raises InvalidError unless index < size."""
    return [node for span in _inclusion_spans(index, size) for node in _covering(*span)]


def inclusion_proof(index: int, size: int, nodes: Mapping[NodeId, bytes]) -> list[bytes]:
    """PATH(index, D[size]) of 2.1.3.1: at most 63 hashes of 32 bytes, from the leaf upward.

    Raises InvalidError unless index < size, UnavailableError when a needed node is missing.
    """
    return [_span_hash(span, nodes) for span in _inclusion_spans(index, size)]


def consistency_nodes(first: int, second: int) -> list[NodeId]:
    """Which stored nodes a consistency proof needs. Raises InvalidError if first > second."""
    return [node for span in _consistency_spans(first, second) for node in _covering(*span)]


def consistency_proof(first: int, second: int, nodes: Mapping[NodeId, bytes]) -> list[bytes]:
    """PROOF(first, D[second]) of 2.1.4.1: at most 64 hashes of 32 bytes.

    None when first is 0 or second. Raises InvalidError if first > second, UnavailableError when a
    needed node is missing.
    """
    return [_span_hash(span, nodes) for span in _consistency_spans(first, second)]


def verify_inclusion(
    *, index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes
) -> None:
    """Return only if the leaf hash is leaf `index` of the tree with this size and root (2.1.3.2).

    Raises InvalidError with the reason otherwise.
    """
    _check_index(index, size)
    _check_hashes([leaf, root, *proof])
    node, last, value = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise InvalidError("The inclusion proof is too long.")
        if node & 1 or node == last:
            value = node_hash(sibling, value)
            while not node & 1:
                node, last = node >> 1, last >> 1
        else:
            value = node_hash(value, sibling)
        node, last = node >> 1, last >> 1
    if last:
        raise InvalidError("The inclusion proof is too short.")
    if value != root:
        raise InvalidError("The inclusion proof leads to another root.")


def verify_consistency(
    *, first: int, second: int, first_root: bytes, second_root: bytes, proof: Sequence[bytes]
) -> None:
    """Return only if the tree of size `first` begins the one of size `second` (2.1.4.2).

    The empty tree begins every tree; its proof is empty. Raises InvalidError with the reason.
    """
    _check_sizes(first, second)
    _check_hashes([first_root, second_root, *proof])
    for size, value in ((first, first_root), (second, second_root)):
        if size == 0 and value != EMPTY_ROOT:
            raise InvalidError("The empty tree has another root.")
    if first in (0, second):
        if proof:
            raise InvalidError("The consistency proof is too long.")
        if first == second and first_root != second_root:
            raise InvalidError("Two roots are given for one tree size.")
        return
    if first & (first - 1) == 0:  # the first tree is complete: the proof leaves its root out
        proof = [first_root, *proof]
    old, new = _roots_of_consistency(first, second, proof)
    if old != first_root:
        raise InvalidError("The consistency proof leads to another first root.")
    if new != second_root:
        raise InvalidError("The consistency proof leads to another second root.")


def _roots_of_consistency(first: int, second: int, proof: Sequence[bytes]) -> tuple[bytes, bytes]:
    """The roots of both trees that this path, begun with a hash common to both, amounts to."""
    if not proof:
        raise InvalidError("The consistency proof is too short.")
    node, last = first - 1, second - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old = new = proof[0]
    for sibling in proof[1:]:
        if last == 0:
            raise InvalidError("The consistency proof is too long.")
        if node & 1 or node == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not node & 1:
                node, last = node >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        node, last = node >> 1, last >> 1
    if last:
        raise InvalidError("The consistency proof is too short.")
    return old, new


def _inclusion_spans(index: int, size: int) -> list[tuple[int, int]]:
    """The leaf ranges [start, end) whose hashes PATH lists, from the leaf upward."""
    _check_index(index, size)
    start, end, spans = 0, size, list[tuple[int, int]]()
    while end - start > 1:
        middle = _split(start, end)
        if index < middle:
            spans.append((middle, end))
            end = middle
        else:
            spans.append((start, middle))
            start = middle
    return spans[::-1]


def _consistency_spans(first: int, second: int) -> list[tuple[int, int]]:
    """The leaf ranges [start, end) whose hashes PROOF lists, in its order."""
    _check_sizes(first, second)
    if first in (0, second):
        return []
    start, end, spans = 0, second, list[tuple[int, int]]()
    while first != end:
        middle = _split(start, end)
        if first <= middle:
            spans.append((middle, end))
            end = middle
        else:
            spans.append((start, middle))
            start = middle
    if start:  # else the remaining subtree is the first tree itself, whose root is known
        spans.append((start, end))
    return spans[::-1]


def _split(start: int, end: int) -> int:
    """Where 2.1.1 divides two or more leaves: after the largest power of two below their number."""
    return start + (1 << (end - start - 1).bit_length() - 1)


def _covering(start: int, end: int) -> Iterator[NodeId]:
    """The complete subtrees of a range that begins where a subtree at least as wide would."""
    while start < end:
        level = (end - start).bit_length() - 1
        yield level, start >> level
        start += 1 << level


def _span_hash(span: tuple[int, int], nodes: Mapping[NodeId, bytes]) -> bytes:
    """The Merkle Tree Hash of a range, from its complete subtrees."""
    return _fold([_stored(node, nodes) for node in _covering(*span)])


def _stored(node: NodeId, nodes: Mapping[NodeId, bytes]) -> bytes:
    if node not in nodes:
        raise UnavailableError(f"The log lacks node {node[1]} of level {node[0]}.")
    return nodes[node]


def _fold(hashes: Sequence[bytes]) -> bytes:
    """One hash of subtrees that stand side by side, largest first."""
    value = hashes[-1]
    for left in hashes[-2::-1]:
        value = node_hash(left, value)
    return value


def _check_size(size: int) -> None:
    if not 0 <= size <= MAX_SIZE:
        raise InvalidError("A tree size is between 0 and 2**63 - 1.")


def _check_sizes(first: int, second: int) -> None:
    _check_size(second)
    if not 0 <= first <= second:
        raise InvalidError("The first tree size is between 0 and the second.")


def _check_index(index: int, size: int) -> None:
    _check_size(size)
    if not 0 <= index < size:
        raise InvalidError("A leaf index is between 0 and the tree size.")


def _check_hashes(hashes: Iterable[bytes]) -> None:
    if any(len(value) != HASH_BYTES for value in hashes):
        raise InvalidError("A hash of the log is 32 bytes.")
