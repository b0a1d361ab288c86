"""Exact search among 256-bit hashes: nothing missed, and what it costs.

    python bench/search_hashes.py --rows 100000

Plants neighbours at 0 to 60 bits among random hashes and looks each one up: one miss and it exits
with 1. Then the CPU time of one query, alone and in batches, beside the plain way in numpy (and
faiss, where it is installed), measured in turns in one process, medians; and the memory held.
"""

import argparse
import platform
import sys
import time
import tracemalloc
from importlib.util import find_spec
from uuid import UUID

import numpy as np
import numpy.typing as npt
from timing import Search, medians, print_medians

from registry.matching.bands import GREY_BITS, HASH_BITS
from registry.matching.index import HASH_BYTES, HashIndex

Hashes = npt.NDArray[np.uint8]

LOAD = 8192


def main() -> int:
    arguments = _arguments()
    rng = np.random.default_rng(arguments.seed)
    rows = _random(arguments.rows, rng)
    began = time.process_time()
    index = _build(rows)
    print(f"load         {time.process_time() - began:.2f} CPU s in batches of {LOAD:,}")
    missed, wrong = _look_up_plants(index, rows, arguments.plants, rng)
    planted = f"{arguments.plants:,} at 0 to {GREY_BITS} bits"
    print(f"planted      {planted}: {missed} missed, {wrong} wrong")
    if missed or wrong:
        return 1
    searches = _searches(index, rows)
    _same_answers(index, rows, rng)
    sample = rows[:100_000]
    print(f"memory       {_bytes_held(sample) / 2**20:.1f} MiB for {len(sample):,} references")
    print_medians(medians(searches, arguments.rounds, lambda size: _random(size, rng)))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000, help="references in the index")
    parser.add_argument("--plants", type=int, default=10_000, help="neighbours to look up")
    parser.add_argument("--rounds", type=int, default=20, help="measurements of each figure")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    if min(arguments.rows, arguments.plants, arguments.rounds) < 1:
        parser.error("rows, plants and rounds are at least 1")
    print(
        f"search_hashes: {arguments.rows:,} references, radius {GREY_BITS}, seed {arguments.seed}; "
        f"{platform.machine()}, Python {platform.python_version()}, numpy {np.__version__}"
    )
    return arguments


def _random(count: int, rng: np.random.Generator) -> Hashes:
    return rng.integers(0, 256, (count, HASH_BYTES), np.uint8)


def _build(rows: Hashes) -> HashIndex:
    index = HashIndex()
    for first in range(0, len(rows), LOAD):
        part = rows[first : first + LOAD]
        index.add([UUID(int=number) for number in range(first, first + len(part))], part)
    return index


def _bytes_held(rows: Hashes) -> int:
    tracemalloc.start()
    index = _build(rows)
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert len(index) == len(rows)
    return held


def _look_up_plants(
    index: HashIndex, rows: Hashes, plants: int, rng: np.random.Generator
) -> tuple[int, int]:
    missed = wrong = 0
    shown = time.perf_counter()
    for number in range(plants):
        distance = number % (GREY_BITS + 1)
        target = int(rng.integers(len(rows)))
        hits = index.search(_neighbour(rows[target], distance, rng)[None, :], GREY_BITS)[0]
        found = {hit.id.int: hit.distance_bits for hit in hits}
        missed += target not in found
        wrong += found.get(target, distance) != distance
        if time.perf_counter() - shown > 1:
            shown = time.perf_counter()
            print(
                f"\r  looked up {number + 1:,} of {plants:,}", end="", file=sys.stderr, flush=True
            )
    print("\r" + " " * 40 + "\r", end="", file=sys.stderr, flush=True)
    return missed, wrong


def _neighbour(row: Hashes, distance: int, rng: np.random.Generator) -> Hashes:
    """The hash with exactly `distance` of its bits turned over."""
    bits = np.zeros(HASH_BITS, np.uint8)
    bits[rng.choice(HASH_BITS, distance, replace=False)] = 1
    return row ^ np.packbits(bits)


def _searches(index: HashIndex, rows: Hashes) -> dict[str, Search]:
    words = rows.view(np.uint64)
    searches: dict[str, Search] = {
        "HashIndex": lambda queries: index.search(queries, GREY_BITS),
        "numpy, row by row": lambda queries: [_row_major(words, query) for query in queries],
    }
    if find_spec("faiss") is not None:
        import faiss  # noqa: PLC0415  # measured only where it is installed

        faiss.omp_set_num_threads(1)
        flat = faiss.IndexBinaryFlat(HASH_BITS)
        flat.add(rows)
        # Its radius excludes the edge.
        searches["faiss, flat"] = lambda queries: flat.range_search(queries, GREY_BITS + 1)
    return searches


def _row_major(words: npt.NDArray[np.uint64], query: Hashes) -> npt.NDArray[np.intp]:
    distances = np.bitwise_count(words ^ query.view(np.uint64)).sum(1, dtype=np.uint16)
    return np.flatnonzero(distances <= GREY_BITS)


def _same_answers(index: HashIndex, rows: Hashes, rng: np.random.Generator) -> None:
    """The plain way finds the same rows, also around the edge of the radius."""
    words = rows.view(np.uint64)
    for distance in range(GREY_BITS - 2, GREY_BITS + 3):
        query = _neighbour(rows[int(rng.integers(len(rows)))], distance, rng)
        hits = index.search(query[None, :], GREY_BITS)[0]
        assert sorted(hit.id.int for hit in hits) == _row_major(words, query).tolist()


if __name__ == "__main__":
    sys.exit(main())
