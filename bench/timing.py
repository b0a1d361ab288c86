"""CPU time of one query in several ways, measured in turns in one process, medians."""

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy.typing as npt

Queries = npt.NDArray[Any]
Search = Callable[[Queries], object]

BATCHES = (1, 8, 64)


def medians(
    searches: Mapping[str, Search], rounds: int, queries: Callable[[int], Queries]
) -> dict[str, list[float]]:
    """Median CPU milliseconds a query, for each batch size; `queries` makes so many of them."""
    taken: dict[str, list[list[float]]] = {name: [[] for _ in BATCHES] for name in searches}
    for _ in range(rounds):
        for column, size in enumerate(BATCHES):
            asked = queries(size)
            for name, search in searches.items():
                began = time.process_time()
                search(asked)
                taken[name][column].append((time.process_time() - began) * 1000 / size)
    return {name: [statistics.median(one) for one in columns] for name, columns in taken.items()}


def print_medians(figures: Mapping[str, list[float]]) -> None:
    """One line a way, one column a batch size."""
    print(f"\n{'CPU ms a query':<20}" + "".join(f"{f'batch of {size}':>14}" for size in BATCHES))
    for name, one in figures.items():
        print(f"{name:<20}" + "".join(f"{median:>14.3f}" for median in one))
