"""Exact search among unit vectors: nothing missed, and what it costs.

    python bench/search_vectors.py --n 100000 --dimensions 128

Plants vectors at cosines from the floor to 1 among random ones and looks each up, alone and in a
batch: one miss and it exits with 1. Then the CPU time of one query, alone and in batches, beside
the plain way in numpy and beside reading every vector once, in turns in one process, medians; and
the memory held. One BLAS thread, as in the product.
"""

import os
import sys
import time
import tracemalloc
from uuid import UUID

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"  # before numpy is imported

import numpy as np  # noqa: E402
import numpy.typing as npt  # noqa: E402
from telling import Progress, parser_of, sized, verdict  # noqa: E402
from timing import Search, medians, print_medians  # noqa: E402

from registry.matching.vectors import VectorIndex  # noqa: E402

Vectors = npt.NDArray[np.float32]

FLOOR, MOST = 0.5, 50
LOAD, BATCH = 8192, 64
WITHIN = 1e-5


def main() -> int:
    parser = parser_of(__doc__)
    parser.add_argument("--n", type=int, help="vectors in the index  [default: 100,000]")
    parser.add_argument("--dimensions", type=int, default=128)
    parser.add_argument("--plants", type=int, default=3200, help="vectors to look up")
    parser.add_argument("--rounds", type=int, default=20, help="measurements of each figure")
    given = sized(parser, n=100_000, quick=20_000, long=1_000_000)
    rng = np.random.default_rng(given.seed)
    rows = _random(given.n, given.dimensions, rng)
    began = time.process_time()
    index = _build(rows)
    print(f"load         {time.process_time() - began:.2f} CPU s in batches of {LOAD:,}")
    plants = min(given.plants, 640 if given.quick else given.plants)
    missed, wrong = _look_up_plants(index, rows, plants, rng)
    print(f"planted      {plants:,} at cosines {FLOOR} to 1: {missed} missed, {wrong} wrong")
    held = _mib_held(rows[:20_000])
    print(f"memory       {held * 5:.0f} MiB for 100,000 references")
    rounds = 3 if given.quick else given.rounds
    ways = _ways(index, rows)
    figures = medians(ways, rounds, lambda size: _random(size, given.dimensions, rng))
    print_medians(figures)
    once = figures["reading them once"][0]
    ratios = {name: [one / once for one in taken] for name, taken in figures.items()}
    single, _, batch = ratios["VectorIndex"]
    return verdict(
        holds=not missed and not wrong,
        text=f"{missed + wrong} of {plants:,} missed or wrong; {figures['VectorIndex'][0]:.1f} CPU"
        f" ms, {single:.1f}x reading them once, {batch:.2f}x in batches of {BATCH}",
    )


def _random(count: int, dimensions: int, rng: np.random.Generator) -> Vectors:
    values = rng.standard_normal((count, dimensions), np.float32)
    values /= np.linalg.norm(values, axis=1, keepdims=True)
    return values


def _build(rows: Vectors) -> VectorIndex:
    index = VectorIndex(rows.shape[1])
    for first in range(0, len(rows), LOAD):
        part = rows[first : first + LOAD]
        ids = [UUID(int=number) for number in range(first, first + len(part))]
        subjects = [UUID(int=one.int // 2) for one in ids]
        index.add(ids, subjects, [1] * len(ids), part)
    return index


def _mib_held(rows: Vectors) -> float:
    """Beyond the chunk's empty rows: what the references of these vectors take."""
    tracemalloc.start()
    index = _build(rows)
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert len(index) == len(rows)
    chunk = 65_536
    of_a_row = rows.shape[1] * 4 + 16 + 16 + 1 + 2 + 8
    return (held - (chunk - len(rows)) * of_a_row) / 2**20


def _look_up_plants(
    index: VectorIndex, rows: Vectors, plants: int, rng: np.random.Generator
) -> tuple[int, int]:
    """How many planted vectors were not found, and how many answers were wrong otherwise."""
    missed = wrong = 0
    progress = Progress("looked up", plants)
    for first in range(0, plants, BATCH):
        targets = rng.integers(len(rows), size=min(BATCH, plants - first))
        cosines = FLOOR + 2 * WITHIN + (1 - FLOOR - 2 * WITHIN) * rng.random(len(targets))
        queries = _neighbours(rows[targets], cosines, rng)
        together = index.search(queries, FLOOR, MOST)
        alone = index.search(queries[:1], FLOOR, MOST)[0]
        wrong += alone != together[0]
        plain = np.flatnonzero(rows @ queries[0] >= FLOOR).tolist()
        wrong += plain != sorted(one.id.int for one in alone)
        for target, cosine, scores in zip(targets, cosines, together, strict=True):
            found = {one.id.int: one.score for one in scores}
            missed += int(target) not in found
            wrong += abs(found.get(int(target), cosine) - cosine) > WITHIN
        progress.step(len(targets))
    progress.end()
    return missed, wrong


def _neighbours(
    rows: Vectors, cosines: npt.NDArray[np.float64], rng: np.random.Generator
) -> Vectors:
    """A unit vector at each cosine to its row."""
    exact = rows.astype(np.float64)
    exact /= np.linalg.norm(exact, axis=1, keepdims=True)
    aside = rng.standard_normal(rows.shape)
    aside -= (aside * exact).sum(axis=1, keepdims=True) * exact
    aside /= np.linalg.norm(aside, axis=1, keepdims=True)
    turned = cosines[:, None] * exact + np.sqrt(1 - cosines[:, None] ** 2) * aside
    return turned.astype(np.float32)


def _ways(index: VectorIndex, rows: Vectors) -> dict[str, Search]:
    flat = rows.reshape(-1)
    return {
        "VectorIndex": lambda queries: index.search(queries, FLOOR, MOST),
        "numpy, plain": lambda queries: [np.flatnonzero(rows @ one >= FLOOR) for one in queries],
        "reading them once": lambda queries: [np.dot(flat, flat) for _ in queries],
    }


if __name__ == "__main__":
    sys.exit(main())
