"""What 100,000 public figures cost: the import of their list, and the search of a prompt.

    python bench/figures.py

Generates a list with names in Latin, Han, Cyrillic, Arabic and Devanagari letters, imports it with
`likeness import figures`, imports it again, and searches prompts of 2,000 characters in which names
were put at known places. Exits with 1 if a name is not found where it was put, a second import
changes anything, the import takes more than 60 s, or a search more than 5 CPU ms.
"""

import asyncio
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import cpu
import orjson
from stage import REPOSITORY, Stage
from telling import options, percentile, table, verdict

from registry.folding import spelled
from registry.installation import Installation, opened
from registry.prompt_index import PromptIndex
from registry.prompts import MAX_PROMPT
from registry.settings import PREFIX

SECONDS = 60.0
SEARCH_MS = 5.0

SCRIPTS = {
    "Latin": ("aeioubcdfghklmnprstvzéñøü", 4, 9, " "),
    "Han": ("".join(map(chr, range(0x4E00, 0x4F80))), 2, 3, ""),
    "Cyrillic": ("абвгдеёжзиклмнопрстуфхцшэюя", 4, 9, " "),
    "Arabic": ("ابتثجحخدذرزسشصضطظعغفقكلمنهوي", 3, 7, " "),
    "Devanagari": ("कखगघचछजटडतदनपबमयरलवशसह", 3, 6, " "),
}
FILLER = ("a photo of", "请画一张", "нарисуй", "صورة", "तस्वीर", "singing in the rain,", "and")


class Names:
    """Names nobody has twice, each script in turn."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.made: set[str] = set()

    def one(self, script: str) -> str:
        """A name of two words, or of two to six Han characters."""
        letters, least, most, between = SCRIPTS[script]
        while True:
            words = [
                "".join(self.chance.choices(letters, k=self.chance.randint(least, most)))
                for _ in range(2)
            ]
            name = between.join(words)
            way = spelled(name)
            if way is not None and way not in self.made:
                self.made.add(way)
                return name


def listed(file: Path, names: Names, count: int) -> list[str]:
    """Write a list of so many figures; returns a name of each."""
    known = []
    with file.open("wb") as out:
        for at in range(count):
            script = list(SCRIPTS)[at % len(SCRIPTS)]
            name = names.one(script)
            known.append(name)
            row = {
                "id": f"Q{at}",
                "source": "generated",
                "name": name,
                "aliases": [names.one(script)],
                "born": 1900 + at % 100,
                "died": 2001 + at % 20 if at % 3 else None,
                "classes": ["PUBLIC_FIGURE", "PERFORMER"][: 1 + at % 2],
            }
            out.write(orjson.dumps(row) + b"\n")
    return known


def imported(stage: Stage, file: Path) -> tuple[float, dict[str, int]]:
    """Seconds of one import, and what it said."""
    began = time.monotonic()
    command = "from api.cli.main import run; run()"
    arguments = ["import", "figures", str(file), "--json", "--data-dir", str(stage.data_dir)]
    kept = {name: one for name, one in os.environ.items() if not name.startswith(PREFIX)}
    done = subprocess.run(  # noqa: S603  # our own program
        [sys.executable, "-c", command, *arguments],
        cwd=REPOSITORY,
        env=kept,
        capture_output=True,
        check=True,
    )
    told: dict[str, int] = orjson.loads(done.stdout)
    return time.monotonic() - began, told


def prompt(chance: random.Random, known: list[str]) -> tuple[str, list[tuple[int, int, str]]]:
    """A prompt of at most 2,000 characters, and which names are where in it."""
    text, places = "", []
    while True:
        name, words = chance.choice(known), chance.choice(FILLER)
        if len(text) + len(words) + len(name) + 4 > MAX_PROMPT:
            return text, places
        text += f"{words} "
        places.append((len(text), len(text) + len(name), name))
        text += f"{name}, "


async def searched(
    installation: Installation, known: list[str], rounds: int, chance: random.Random
) -> tuple[list[float], list[float], int]:
    """CPU ms of searches alone and with the question whether anything is new; names missed."""
    index = PromptIndex()
    before = cpu.resident_mib(os.getpid())
    began = time.process_time()
    async with installation.operator.reading() as session:
        await index.refresh(session)
    print(
        f"{len(index):,} figures read in {time.process_time() - began:.1f} CPU s;"
        f" the process grew by {cpu.resident_mib(os.getpid()) - before:.0f} MiB"
    )
    alone, whole, missed = [], [], 0
    for _ in range(rounds):
        text, places = prompt(chance, known)
        began = time.process_time()
        index.search(text)
        alone.append((time.process_time() - began) * 1000)
        async with installation.operator.reading() as session:
            began = time.process_time()
            found = await index.find(session, text)
            whole.append((time.process_time() - began) * 1000)
        missed += len(set(places) - {(one.start, one.end, one.name) for one in found})
    return alone, whole, missed


def main() -> int:
    given = options(__doc__, n=100_000, quick=5_000, long=500_000, what="figures")
    names, chance = Names(given.seed), random.Random(given.seed)
    with Stage() as stage:
        file = stage.folder / "list.jsonl"
        known = listed(file, names, given.n)
        first, told = imported(stage, file)
        again, same = imported(stage, file)

        async def search() -> tuple[list[float], list[float], int]:
            async with opened(stage.settings, supervise=False) as installation:
                return await searched(installation, known, 200, chance)

        alone, whole, missed = asyncio.run(search())
    table(
        ("seconds", "first", "again"),
        [("import", first, again)],
    )
    table(
        ("CPU ms of a prompt of 2,000 characters", "median", "99 of 100"),
        [
            ("search", percentile(alone, 0.5), percentile(alone, 0.99)),
            ("and what is new", percentile(whole, 0.5), percentile(whole, 0.99)),
        ],
    )
    kept = (told["added"], same["added"], same["changed"]) == (given.n, 0, 0)
    quick = first <= SECONDS * max(1, given.n / 100_000) and percentile(alone, 0.5) <= SEARCH_MS
    return verdict(
        holds=kept and quick and not missed,
        text=f"{given.n:,} figures in {first:.1f} s, a prompt in {percentile(alone, 0.5):.2f} CPU"
        f" ms, {missed} names missed",
    )


if __name__ == "__main__":
    sys.exit(main())
