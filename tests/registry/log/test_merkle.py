"""The log's tree against the recursive definitions of RFC 9162 and the vectors of CT."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.errors import InvalidError, UnavailableError
from registry.log import merkle

ALL_SIZES = 66
MANY = 1100

# Leaves and roots of the reference implementation of Certificate Transparency.
CT_LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
CT_ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def largest_power_below(n: int) -> int:
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def reference_mth(entries: list[bytes]) -> bytes:
    """MTH, 2.1.1."""
    n = len(entries)
    if n == 0:
        return sha256(b"")
    if n == 1:
        return sha256(b"\x00" + entries[0])
    k = largest_power_below(n)
    return sha256(b"\x01" + reference_mth(entries[:k]) + reference_mth(entries[k:]))


def reference_path(m: int, entries: list[bytes]) -> list[bytes]:
    """PATH, 2.1.3.1."""
    n = len(entries)
    if n == 1:
        return []
    k = largest_power_below(n)
    if m < k:
        return [*reference_path(m, entries[:k]), reference_mth(entries[k:])]
    return [*reference_path(m - k, entries[k:]), reference_mth(entries[:k])]


def reference_subproof(m: int, entries: list[bytes], *, known: bool) -> list[bytes]:
    """SUBPROOF, 2.1.4.1."""
    n = len(entries)
    if m == n:
        return [] if known else [reference_mth(entries)]
    k = largest_power_below(n)
    if m <= k:
        return [*reference_subproof(m, entries[:k], known=known), reference_mth(entries[k:])]
    return [*reference_subproof(m - k, entries[k:], known=False), reference_mth(entries[:k])]


def reference_proof(m: int, entries: list[bytes]) -> list[bytes]:
    """PROOF, 2.1.4.1."""
    return reference_subproof(m, entries, known=True)


def grown(entries: list[bytes]) -> tuple[merkle.Frontier, dict[merkle.NodeId, bytes]]:
    frontier, nodes = merkle.append(
        merkle.Frontier(), [merkle.leaf_hash(entry) for entry in entries]
    )
    return frontier, {(level, index): value for level, index, value in nodes}


def entries_of(size: int) -> list[bytes]:
    return [b"entry %d" % index for index in range(size)]


ENTRIES = entries_of(MANY)
NODES = grown(ENTRIES)[1]
ROOTS = [
    merkle.root(merkle.load_frontier(size, NODES)) for size in range(MANY + 1)
]  # checked against the reference below


def only(needed: list[merkle.NodeId]) -> dict[merkle.NodeId, bytes]:
    """The store as a caller sees it who fetched just what was named."""
    return {node: NODES[node] for node in needed}


def inclusion(index: int, size: int) -> list[bytes]:
    return merkle.inclusion_proof(index, size, only(merkle.inclusion_nodes(index, size)))


def consistency(first: int, second: int) -> list[bytes]:
    return merkle.consistency_proof(first, second, only(merkle.consistency_nodes(first, second)))


def test_the_roots_are_those_of_certificate_transparency() -> None:
    for size, known in enumerate(CT_ROOTS):
        assert merkle.root(grown(CT_LEAVES[:size])[0]).hex() == known
        assert reference_mth(CT_LEAVES[:size]).hex() == known


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    assert merkle.EMPTY_ROOT == sha256(b"") == merkle.root(merkle.Frontier())


def test_the_roots_are_those_of_the_definition() -> None:
    for size in [*range(132), 255, 256, 257, 1000, MANY]:
        assert ROOTS[size] == reference_mth(ENTRIES[:size]), size


def test_growing_in_any_steps_gives_the_same_tree() -> None:
    for step in (1, 2, 3, 7, 64, 100):
        frontier, nodes = merkle.Frontier(), dict[merkle.NodeId, bytes]()
        for start in range(0, 200, step):
            leaves = [merkle.leaf_hash(entry) for entry in ENTRIES[start : min(start + step, 200)]]
            frontier, new = merkle.append(frontier, leaves)
            for level, index, value in new:
                assert (level, index) not in nodes
                nodes[level, index] = value
        assert frontier == merkle.load_frontier(200, NODES)
        assert nodes == {
            (level, index): value
            for (level, index), value in NODES.items()
            if (index + 1) << level <= 200
        }


def test_every_complete_subtree_is_stored_with_its_hash() -> None:
    for (level, index), value in NODES.items():
        if level <= 6:
            assert value == reference_mth(ENTRIES[index << level : (index + 1) << level])
    assert len(NODES) == sum(MANY >> level for level in range(MANY.bit_length()))


def test_appending_nothing_changes_nothing() -> None:
    before = merkle.load_frontier(11, NODES)
    assert merkle.append(before, []) == (before, [])


def test_inclusion_proofs_are_those_of_the_definition_and_verify() -> None:
    for size in [*range(1, ALL_SIZES), 127, 128, 129, 130]:
        for index in range(size):
            proof = inclusion(index, size)
            if size < ALL_SIZES or index % 13 == 0:
                assert proof == reference_path(index, ENTRIES[:size])
            merkle.verify_inclusion(
                index=index,
                size=size,
                leaf=merkle.leaf_hash(ENTRIES[index]),
                proof=proof,
                root=ROOTS[size],
            )


def test_consistency_proofs_are_those_of_the_definition_and_verify() -> None:
    for second in [*range(1, ALL_SIZES), 127, 128, 129, 130]:
        for first in range(1, second + 1):
            proof = consistency(first, second)
            if second < ALL_SIZES or first % 13 == 0:
                assert proof == reference_proof(first, ENTRIES[:second])
            merkle.verify_consistency(
                first=first,
                second=second,
                first_root=ROOTS[first],
                second_root=ROOTS[second],
                proof=proof,
            )


@settings(max_examples=1000, deadline=None)
@given(data=st.data())
def test_proofs_of_larger_trees_verify(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, MANY))
    index = data.draw(st.integers(0, size - 1))
    merkle.verify_inclusion(
        index=index,
        size=size,
        leaf=merkle.leaf_hash(ENTRIES[index]),
        proof=inclusion(index, size),
        root=ROOTS[size],
    )
    merkle.verify_consistency(
        first=index,
        second=size,
        first_root=ROOTS[index],
        second_root=ROOTS[size],
        proof=consistency(index, size),
    )


def flipped(value: bytes, bit: int) -> bytes:
    return (int.from_bytes(value) ^ (1 << bit)).to_bytes(len(value))


def mutations(proof: list[bytes], bit: int) -> list[list[bytes]]:
    """Each hash flipped in a bit, dropped, doubled or swapped; and one more at either end."""
    extra = sha256(b"extra")
    changed = [[extra, *proof], [*proof, extra]]
    for at, value in enumerate(proof):
        changed.append([*proof[:at], flipped(value, bit), *proof[at + 1 :]])
        changed.append([*proof[:at], *proof[at + 1 :]])
        changed.append([*proof[:at], value, value, *proof[at + 1 :]])
    changed += [
        [*proof[:at], proof[at + 1], proof[at], *proof[at + 2 :]] for at in range(len(proof) - 1)
    ]
    return changed


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_changed_inclusion_proof_is_refused(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, MANY))
    index = data.draw(st.integers(0, size - 1))
    bit = data.draw(st.integers(0, 255))
    leaf, proof = merkle.leaf_hash(ENTRIES[index]), inclusion(index, size)

    def verify(leaf: bytes, proof: list[bytes], root: bytes, index: int = index) -> None:
        merkle.verify_inclusion(index=index, size=size, leaf=leaf, proof=proof, root=root)

    for changed in mutations(proof, bit):
        with pytest.raises(InvalidError):
            verify(leaf, changed, ROOTS[size])
    with pytest.raises(InvalidError):
        verify(flipped(leaf, bit), proof, ROOTS[size])
    with pytest.raises(InvalidError):
        verify(leaf, proof, flipped(ROOTS[size], bit))
    for other in {0, size - 1, index ^ 1, index - 1, index + 1} - {index}:
        with pytest.raises(InvalidError):
            verify(leaf, proof, ROOTS[size], other)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_changed_consistency_proof_is_refused(data: st.DataObject) -> None:
    second = data.draw(st.integers(1, MANY))
    first = data.draw(st.integers(1, second))
    bit = data.draw(st.integers(0, 255))
    proof = consistency(first, second)

    def verify(first_root: bytes, second_root: bytes, proof: list[bytes]) -> None:
        merkle.verify_consistency(
            first=first,
            second=second,
            first_root=first_root,
            second_root=second_root,
            proof=proof,
        )

    for changed in mutations(proof, bit):
        with pytest.raises(InvalidError):
            verify(ROOTS[first], ROOTS[second], changed)
    with pytest.raises(InvalidError):
        verify(flipped(ROOTS[first], bit), ROOTS[second], proof)
    with pytest.raises(InvalidError):
        verify(ROOTS[first], flipped(ROOTS[second], bit), proof)


def test_a_rewritten_history_is_not_consistent() -> None:
    rewritten = grown([b"forged", *ENTRIES[1:100]])[1]
    with pytest.raises(InvalidError, match="another first root"):
        merkle.verify_consistency(
            first=60,
            second=100,
            first_root=ROOTS[60],
            second_root=merkle.root(merkle.load_frontier(100, rewritten)),
            proof=merkle.consistency_proof(60, 100, rewritten),
        )


def test_the_empty_tree_begins_every_tree_and_needs_no_proof() -> None:
    assert consistency(0, 5) == consistency(0, 0) == []
    for second in (0, 5):
        merkle.verify_consistency(
            first=0,
            second=second,
            first_root=merkle.EMPTY_ROOT,
            second_root=ROOTS[second],
            proof=[],
        )


@pytest.mark.parametrize(
    ("sizes", "roots", "proof", "reason"),
    [
        ((0, 5), (ROOTS[1], ROOTS[5]), [], "empty tree"),
        ((0, 0), (merkle.EMPTY_ROOT, ROOTS[1]), [], "empty tree"),
        ((0, 5), (merkle.EMPTY_ROOT, ROOTS[5]), [ROOTS[1]], "too long"),
        ((5, 5), (ROOTS[5], ROOTS[5]), [ROOTS[1]], "too long"),
        ((5, 5), (ROOTS[5], ROOTS[6]), [], "one tree size"),
        ((5, 6), (ROOTS[5], ROOTS[6]), [], "too short"),
        ((6, 5), (ROOTS[6], ROOTS[5]), [], "between 0 and the second"),
        ((-1, 5), (ROOTS[1], ROOTS[5]), [], "between 0 and the second"),
        ((5, 2**63), (ROOTS[5], ROOTS[6]), [], "tree size"),
        ((5, 6), (b"", ROOTS[6]), [], "32 bytes"),
        ((5, 6), (ROOTS[5], ROOTS[6]), [b"short"], "32 bytes"),
        ((4, 6), (ROOTS[4], ROOTS[7]), consistency(4, 6), "another second root"),
    ],
)
def test_a_consistency_claim_without_sense_is_refused(
    sizes: tuple[int, int], roots: tuple[bytes, bytes], proof: list[bytes], reason: str
) -> None:
    with pytest.raises(InvalidError, match=reason):
        merkle.verify_consistency(
            first=sizes[0],
            second=sizes[1],
            first_root=roots[0],
            second_root=roots[1],
            proof=proof,
        )


@pytest.mark.parametrize(("index", "size"), [(0, 0), (5, 5), (-1, 5), (0, -1), (0, 2**63)])
def test_a_leaf_outside_the_tree_has_no_proof(index: int, size: int) -> None:
    with pytest.raises(InvalidError):
        merkle.inclusion_nodes(index, size)
    with pytest.raises(InvalidError):
        merkle.inclusion_proof(index, size, NODES)
    with pytest.raises(InvalidError):
        merkle.verify_inclusion(index=index, size=size, leaf=ROOTS[1], proof=[], root=ROOTS[1])


@pytest.mark.parametrize(("first", "second"), [(6, 5), (-1, 5), (0, -1), (1, 2**63)])
def test_sizes_out_of_order_have_no_proof(first: int, second: int) -> None:
    with pytest.raises(InvalidError):
        merkle.consistency_nodes(first, second)


@pytest.mark.parametrize(
    ("size", "hashes"),
    [(3, (ROOTS[1],)), (0, (ROOTS[1],)), (1, (b"short",)), (-1, ()), (2**63, (ROOTS[1],))],
)
def test_a_frontier_that_fits_no_tree_is_refused(size: int, hashes: tuple[bytes, ...]) -> None:
    with pytest.raises(InvalidError):
        merkle.Frontier(size, hashes)


def test_a_leaf_hash_has_32_bytes() -> None:
    for wrong in (b"", b"short", bytes(33)):
        with pytest.raises(InvalidError, match="32 bytes"):
            merkle.append(merkle.Frontier(), [wrong, merkle.leaf_hash(b"")])


def test_the_largest_tree_grows_no_further() -> None:
    full = merkle.Frontier(2**63 - 1, (ROOTS[1],) * 63)
    with pytest.raises(InvalidError, match="tree size"):
        merkle.append(full, [ROOTS[1]])


def test_a_missing_node_makes_the_proof_unavailable() -> None:
    with pytest.raises(UnavailableError, match="lacks node 1 of level 0"):
        merkle.inclusion_proof(0, 2, {})
    with pytest.raises(UnavailableError):
        merkle.consistency_proof(1, 2, {})
    with pytest.raises(UnavailableError):
        merkle.load_frontier(2, {})


def test_a_proof_in_the_largest_tree_has_63_hashes() -> None:
    assert len(merkle.inclusion_nodes(0, 2**62)) == 62
    assert len(merkle.frontier_nodes(2**63 - 1)) == 63
