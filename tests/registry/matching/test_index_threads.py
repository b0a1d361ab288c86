"""Searches beside a writer: what was added before one began is found, and nothing wrong ever is."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier
from uuid import UUID

import numpy as np
import numpy.typing as npt

from registry.matching.index import HashIndex

BATCH = 150  # several chunks, so that half a batch could be seen
BATCHES = 20
CHUNK_ROWS = 32
ROUNDS = 50
PATIENCE = 60.0  # seconds: a thread that never comes fails the test
RADIUS = 12  # reaches every number below 2**12, so all of them

Hashes = npt.NDArray[np.uint8]


@contextmanager
def racing(count: int) -> Iterator[ThreadPoolExecutor]:
    """Threads that change places often, once all have begun.

    Two that begin at once cannot both install what measures coverage.
    """
    with ThreadPoolExecutor(count) as threads:
        begun = Barrier(count + 1, timeout=PATIENCE)
        for _ in range(count):
            threads.submit(begun.wait)
        begun.wait()
        before = sys.getswitchinterval()
        sys.setswitchinterval(1e-6)
        try:
            yield threads
        finally:
            sys.setswitchinterval(before)


def hash_of(number: int) -> Hashes:
    """A hash that says whose it is: 8 bytes of number, and 24 that agree with every other."""
    return np.frombuffer(number.to_bytes(8, "big") + b"\x5a" * 24, np.uint8)


def batch_of(first: int) -> tuple[list[UUID], Hashes]:
    numbers = range(first, first + BATCH)
    return [UUID(int=number) for number in numbers], np.stack([hash_of(one) for one in numbers])


class Race:
    """One writer that adds and retires, and readers that note how far it was before each search."""

    def __init__(self) -> None:
        self.index = HashIndex(CHUNK_ROWS)
        self.added = 0
        self.retired = 0
        self.start = Barrier(3, timeout=PATIENCE)
        self.done = False

    def write(self) -> None:
        self.start.wait()
        try:
            for batch in range(BATCHES):
                self.index.add(*batch_of(batch * BATCH))
                self.added = (batch + 1) * BATCH
                if batch % 2:
                    self.index.retire(UUID(int=self.retired))
                    self.retired += 1
        finally:
            self.done = True

    def read(self) -> int:
        self.start.wait()
        searches = 0
        while not self.done or searches == 0:
            self.search_once()
            searches += 1
        return searches

    def search_once(self) -> None:
        added, retired = self.added, self.retired
        query = hash_of(0)
        found = self.index.search(np.stack([query, query]), RADIUS)
        for hits in found:
            numbers = {hit.id.int for hit in hits}
            assert len(numbers) == len(hits)
            assert set(range(self.retired + 1, added)) <= numbers
            assert (max(numbers, default=-1) + 1) % BATCH == 0  # whole batches only
            assert all(number >= retired for number in numbers)
            assert all(hit.distance_bits == hit.id.int.bit_count() for hit in hits)
            assert max(numbers, default=-1) < self.added + BATCH

    def last_batch_is_whole(self) -> None:
        hits = self.index.search(hash_of(0)[None, :], RADIUS)[0]
        assert {hit.id.int for hit in hits} == set(range(self.retired, BATCH * BATCHES))


def test_searches_beside_a_writer_lose_nothing_and_find_nothing_wrong() -> None:
    for _ in range(ROUNDS):
        race = Race()
        with racing(3) as threads:
            writer = threads.submit(race.write)
            readers = [threads.submit(race.read) for _ in range(2)]
            writer.result()
            searches = [reader.result() for reader in readers]
        assert min(searches) > 0
        race.last_batch_is_whole()


def test_writers_beside_each_other_add_each_reference_once() -> None:
    for _ in range(ROUNDS):
        index, start = HashIndex(CHUNK_ROWS), Barrier(4, timeout=PATIENCE)
        with racing(4) as threads:
            for delivery in [threads.submit(deliver, index, start) for _ in range(4)]:
                delivery.result()
        hits = index.search(hash_of(0)[None, :], RADIUS)[0]
        assert sorted(hit.id.int for hit in hits) == list(range(BATCHES * BATCH))
        assert len(index) == BATCHES * BATCH


def deliver(index: HashIndex, start: Barrier) -> None:
    start.wait()
    for batch in range(BATCHES):
        index.add(*batch_of(batch * BATCH))
