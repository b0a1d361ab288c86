"""Every measurement, one after another, and one table at the end.

    python bench/run.py           the usual sizes (minutes)
    python bench/run.py --quick   a smoke run
    python bench/run.py --long    soak
    python bench/run.py races     only this one

Exits with 1 if a promise does not hold.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

from telling import table

BENCH = Path(__file__).resolve().parent
# The measurement and what it takes for the three sizes.
QUICK, USUAL, LONG = ("--quick",), (), ("--long",)
SIZES: dict[str, tuple[str, tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "search_hashes": (
        "search_hashes",
        ("--rows", "20000", "--plants", "500", "--rounds", "3"),
        (),
        ("--rows", "1000000"),
    ),
    "search_vectors": ("search_vectors", QUICK, USUAL, LONG),
    "decide": ("decide", QUICK, USUAL, LONG),
    "figures": ("figures", QUICK, USUAL, LONG),
    "check_cost": ("check_cost", QUICK, USUAL, LONG),
    "check_cost_faces": (
        "check_cost",
        (*QUICK, "--templates", "10000"),
        ("--templates", "100000"),
        (*LONG, "--templates", "100000"),
    ),
    "media_cost": ("media_cost", QUICK, USUAL, LONG),
    "web_pages": ("web_pages", QUICK, USUAL, LONG),
    "planted": ("planted", QUICK, USUAL, LONG),
    "planted_faces": (
        "planted",
        (*QUICK, "--faces"),
        (*USUAL, "--faces"),
        (*LONG, "--faces"),
    ),
    "freshness": ("freshness", QUICK, USUAL, LONG),
    "races": ("races", QUICK, USUAL, LONG),
    "quota": ("quota", QUICK, USUAL, LONG),
    "kills": ("kills", QUICK, USUAL, LONG),
}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    sizes = parser.add_mutually_exclusive_group()
    sizes.add_argument("--quick", action="store_true", help="a smoke run")
    sizes.add_argument("--long", action="store_true", help="many times the usual sizes")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(SIZES))
    given = parser.parse_args()
    if unknown := set(given.names) - SIZES.keys():
        parser.error(f"no measurement {min(unknown)}")
    size = 0 if given.quick else 2 if given.long else 1
    rows, worst = [], 0
    for name in given.names or SIZES:
        print(f"== {name}", flush=True)
        began = time.monotonic()
        program, *sized = SIZES[name]
        code, last = _run(program, sized[size])
        worst = max(worst, code)
        rows.append((name, f"{time.monotonic() - began:.0f} s", "yes" if code == 0 else "NO", last))
    print()
    for name, seconds, holds, last in rows:
        table((f"{name:<16}", f"{holds:>3}", f"{seconds:>6}", last), [])
    return 1 if worst else 0


def _run(program: str, arguments: tuple[str, ...]) -> tuple[int, str]:
    """The exit code and the last line said."""
    command = [sys.executable, str(BENCH / f"{program}.py"), *arguments]
    last = ""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603  # ours
        assert process.stdout is not None
        for line in process.stdout:
            print(f"   {line}", end="", flush=True)
            last = line.strip() or last
    return process.returncode, last


if __name__ == "__main__":
    sys.exit(main())
