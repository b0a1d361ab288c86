"""What a photograph, a recording or a video costs from upload to decision, and the encoders alone.

    python bench/media_cost.py --n 10

A real server with real models (`likeness models install`). Each file is uploaded and checked, one
at a time, in rounds over all of them; the first rounds are left out. CPU is that of the API
process, of its media workers and of PostgreSQL, each by its own clock, without the client's;
medians over the rounds. Then the encoders alone, in this process with one thread as in a worker:
from decoded pixels or samples to the vectors. No figure fails it; it says which target is missed.
Exits with 1 if a face or voice is not found where there is one, or found where there is none.
"""

import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"  # before numpy is imported

import asyncio  # noqa: E402

import cpu  # noqa: E402
import numpy as np  # noqa: E402
from asking import Client, asked  # noqa: E402
from filling import fill  # noqa: E402
from media import Item, items  # noqa: E402
from stage import REPOSITORY, Api, Stage  # noqa: E402
from telling import Progress, parser_of, percentile, sized, table, verdict  # noqa: E402

from registry.encoders import picture, sound  # noqa: E402
from registry.encoders.contents import Readers  # noqa: E402
from registry.encoders.models import Models  # noqa: E402
from registry.encoders.sniffing import SNIFF_BYTES, sniff  # noqa: E402

PEOPLE = 1000
# Wall time says little on a busy machine, and is not what is measured.
PATIENT = {"MEDIA_SECONDS": "60", "REQUEST_SECONDS": "120"}
WARM = 2
WORKER_MIB = 700.0
# CPU milliseconds: of an item from upload to decision; of encoders alone, of a photograph and of a
# second of sound.
TARGETS = {
    "12 MP JPEG with a face": 250.0,
    "5 s of voice, WAV": 250.0,
    "5 s of voice, MP3": 250.0,
}
PICTURE_MS, SECOND_MS = 80.0, 35.0

Row = tuple[object, ...]


def main() -> int:
    parser = parser_of(__doc__)
    parser.add_argument("--n", type=int, help="rounds  [default: 10]")
    for name in ("models", "packages"):
        folder = REPOSITORY / ".likeness" / name
        parser.add_argument(f"--{name}", type=Path, default=folder, help=f"folder of the {name}")
    given = sized(parser, n=10, quick=2, long=50)
    models = given.models.resolve()
    if missing := Models.open(models).missing:
        parser.error(" ".join(missing.values()))
    files = items(given.packages, np.random.default_rng(given.seed))
    with Stage() as stage:
        fill(stage, people=PEOPLE, per_person=1, faces_per_person=1, seed=given.seed)
        api = stage.api(settings={"MODELS_DIR": str(models), **PATIENT})
        work = _Work(stage, api, files)
        asyncio.run(work.run(given.n))
        workers = max((cpu.peak_mib(pid) for pid in work.peaks), default=0.0)
        memory = (cpu.resident_mib(api.pid), cpu.peak_mib(api.pid))
    work.progress.end()
    missed = _print_items(files, work)
    missed += _print_encoders(files, models, given.n)
    print(
        f"memory: media workers {workers:.0f} MiB at most, of"
        f" {len(work.peaks)}; API process {memory[0]:.0f} MiB at the end, {memory[1]:.0f} at most"
    )
    if workers > WORKER_MIB:
        missed.append(f"worker {workers:.0f} MiB (<= {WORKER_MIB:.0f})")
    for complaint in sorted(set(work.wrong)):
        print(complaint)
    told = "all targets met" if not missed else "MISSED: " + "; ".join(missed)
    return verdict(holds=not work.wrong, text=f"{len(work.wrong)} files misread; {told}")


class _Work:
    """Uploads and checks, and what each took of whose CPU."""

    def __init__(self, stage: Stage, api: Api, files: Sequence[Item]) -> None:
        self.stage, self.api, self.files = stage, api, files
        # By file: seconds of (API, workers, PostgreSQL), and of wall.
        self.taken: dict[str, list[tuple[float, float, float]]] = {one.name: [] for one in files}
        self.walls: dict[str, list[float]] = {one.name: [] for one in files}
        self.peaks: set[int] = set()
        self.wrong: list[str] = []
        self.outcomes: dict[str, str] = {}
        self.progress = Progress("rounds", 0)

    async def run(self, rounds: int) -> None:
        self.progress = Progress("files", (rounds + WARM) * len(self.files))
        async with Client(self.api, self.stage.service) as client:
            for number in range(-WARM, rounds):
                for one in self.files:
                    before, began = self._now(), time.monotonic()
                    await self._decide(client, one)
                    wall, after = time.monotonic() - began, self._now()
                    if number >= 0:
                        spent = [end - start for start, end in zip(before, after, strict=True)]
                        self.taken[one.name].append((spent[0], spent[1], spent[2]))
                        self.walls[one.name].append(wall)
                    self.progress.step()

    def _now(self) -> tuple[float, float, float]:
        postmaster = self.stage.postgres.pid
        assert postmaster is not None
        workers = cpu.descendants(self.api.pid)
        self.peaks.update(workers)
        return (
            cpu.exact_seconds([self.api.pid]),
            cpu.exact_seconds(workers),
            cpu.exact_seconds([postmaster, *cpu.descendants(postmaster)]),
        )

    async def _decide(self, client: Client, one: Item) -> None:
        found = await client.upload(one.data)
        for kind, expected in (("faces", one.faces), ("voices", one.voices)):
            if expected is not None and len(found[kind]) != expected:
                self.wrong.append(f"{one.name}: {len(found[kind])} {kind}, not {expected}")
        if not found["facesSearched" if found["kind"] == "image" else "voicesSearched"]:
            self.wrong.append(f"{one.name}: nothing was searched")
        modality = "VOICE" if found["kind"] == "audio" else "FACE"
        decision = await client.check(
            asked({"media": {"handle": found["handle"]}}, modalities=[modality])
        )
        self.outcomes[one.name] = f"{len(found['faces'])}/{len(found['voices'])}"
        assert decision["outcome"] in {"UNKNOWN", "REVIEW_REQUIRED"}, decision


def _print_items(files: Sequence[Item], work: _Work) -> list[str]:
    """The table; the targets missed."""
    rows: list[Row] = []
    missed = []
    for one in files:
        taken = work.taken[one.name]
        api, workers, postgres = (
            statistics.median(part) * 1000 for part in zip(*taken, strict=True)
        )
        together = statistics.median([sum(each) for each in taken]) * 1000
        least = min(sum(each) for each in taken) * 1000
        target = TARGETS.get(one.name)
        if target is not None and together > target:
            missed.append(f"{one.name} {together:.0f} CPU ms (<= {target:.0f})")
        rows.append(
            (
                *(one.name, f"{len(one.data) / 2**20:.2f}", work.outcomes[one.name]),
                *(f"{figure:.1f}" for figure in (api, workers, postgres, together, least)),
                f"{percentile(work.walls[one.name], 0.5) * 1000:.0f}",
                "" if target is None else f"<= {target:.0f}",
            )
        )
    heads = ("CPU ms, upload to decision", "MiB", "faces/voices", "API", "workers", "PostgreSQL")
    table((*heads, "together", "least", "wall p50 ms", "target"), rows)
    return missed


def _print_encoders(files: Sequence[Item], models: Path, rounds: int) -> list[str]:
    """What the encoders take of it, by themselves; the targets missed."""
    readers = Readers.open(models, None)
    assert readers.faces is not None
    assert readers.voices is not None
    rows: list[Row] = []
    missed = []
    for one in files:
        media_type = sniff(one.data[:SNIFF_BYTES]) or ""
        if media_type.startswith("image/"):
            shown = np.asarray(picture.read(one.data, media_type).image)
            decode = _median(lambda one=one, kind=media_type: picture.read(one.data, kind), rounds)
            encode = _median(lambda shown=shown: readers.faces.read(shown), rounds)
            target, each = PICTURE_MS if one.faces else None, encode
        elif media_type.startswith("audio/"):
            pcm = sound.decode(one.data, media_type)
            decode = _median(lambda one=one, kind=media_type: sound.decode(one.data, kind), rounds)
            encode = _median(lambda pcm=pcm: readers.voices.read(pcm, enrolling=False), rounds)
            target, each = SECOND_MS, encode / one.seconds
        else:
            continue
        if target is not None and each > target:
            missed.append(f"encoder, {one.name}: {each:.1f} CPU ms (<= {target:.0f})")
        a_second = f"{each:.1f}" if one.seconds else ""
        limit = "" if target is None else f"<= {target:.0f}"
        rows.append((one.name, f"{decode:.1f}", f"{encode:.1f}", a_second, limit))
    table(("CPU ms, alone", "decode", "encode", "a second", "target"), rows)
    return missed


def _median(work: Callable[[], object], rounds: int) -> float:
    work()
    taken = []
    for _ in range(rounds):
        began = time.process_time()
        work()
        taken.append((time.process_time() - began) * 1000)
    return statistics.median(taken)


if __name__ == "__main__":
    sys.exit(main())
