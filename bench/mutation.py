"""How many small changes of the decision rules do the tests notice? Mutation testing of the policy.

    python bench/mutation.py                 all of registry/policy (half an hour)
    python bench/mutation.py --module rules  one file (a minute)

mutmut changes one thing at a time (a comparison, a number, a word, an argument) and runs the tests
of tests/registry/policy that reach it. Prints how many changes each file survived, and exits with
1 if the tests notice fewer than 90 of 100. `--show` prints the changes nobody noticed.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from telling import table

ROOT = Path(__file__).resolve().parent.parent
WANTED = 90.0
# How mutmut says in its files what became of a change; anything else stopped the tests too.
SURVIVED, NO_TEST, SKIPPED = 0, 33, 34
EXAMPLES = "100"  # of each law; always the same ones, see tests/registry/policy/conftest.py


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--module", help="one file of registry/policy, without .py")
    parser.add_argument("--show", action="store_true", help="print what nobody noticed")
    parser.add_argument("--quick", action="store_true", help="one small file")
    parser.add_argument("--long", action="store_true", help="as usual: all files")
    given = parser.parse_args()
    module = given.module or ("terms" if given.quick else None)
    if module is not None and not (ROOT / "registry" / "policy" / f"{module}.py").is_file():
        parser.error(f"no file {module}.py in registry/policy")
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        tree = Path(folder) / "tree"
        _copy(tree)
        _mutate(tree, module)
        found = _results(tree, module)
        if given.show:
            _show(tree, found)
        return _tell(found)


def _copy(tree: Path) -> None:
    """The files under version control, as they are: mutmut writes beside them."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"],  # noqa: S607  # as on any developer's machine
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    for name in listed.split("\0"):
        if name and (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tree / name)


def _mutate(tree: Path, module: str | None) -> None:
    wanted = [f"registry.policy.{module}.*"] if module else []
    command = [sys.executable, "-m", "mutmut", "run", "--max-children", str(os.cpu_count() or 1)]
    environment = {**os.environ, "POLICY_EXAMPLES": EXAMPLES, "PYTHONPATH": str(tree)}
    ended = subprocess.run(  # noqa: S603  # this Python, on its own tool
        [*command, *wanted],
        cwd=tree,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        text=True,
    )
    if not any((tree / "mutants").rglob("*.meta")):
        print(ended.stdout[-2000:])
        raise SystemExit("mutmut did not run.")


def _results(tree: Path, module: str | None) -> dict[str, dict[str, int]]:
    """By file: each change and its exit code. Refuses a run that left some untried."""
    found = {}
    for path in sorted((tree / "mutants" / "registry" / "policy").glob("*.py.meta")):
        name = path.name.removesuffix(".py.meta")
        codes = json.loads(path.read_text())["exit_code_by_key"]
        run = {key: code for key, code in codes.items() if code != SKIPPED}
        if run and module in {None, name}:
            found[name] = run
    untried = [key for run in found.values() for key, code in run.items() if code is None]
    if untried:
        raise SystemExit(f"mutmut stopped: {len(untried):,} changes were not tried.")
    return found


def _show(tree: Path, found: dict[str, dict[str, int]]) -> None:
    for codes in found.values():
        for key in [key for key, code in codes.items() if code in {SURVIVED, NO_TEST}]:
            command = [sys.executable, "-m", "mutmut", "show", key]
            shown = subprocess.run(  # noqa: S603  # this Python, on its own tool
                command, cwd=tree, capture_output=True, check=False, text=True
            )
            changed = [line for line in shown.stdout.splitlines() if line[:1] in {"-", "+"}]
            print(key, *changed[2:], sep="\n")


def _tell(found: dict[str, dict[str, int]]) -> int:
    rows, changes, noticed = [], 0, 0
    for name, codes in found.items():
        counted = Counter(codes.values())
        missed = counted[SURVIVED] + counted[NO_TEST]
        rows.append([name, str(len(codes)), str(missed), f"{_share(codes, missed):.1f} %"])
        changes += len(codes)
        noticed += len(codes) - missed
    share = 100.0 * noticed / changes if changes else 0.0
    table(["file", "changes", "not noticed", "noticed"], rows)
    print(
        f"{noticed:,} of {changes:,} changes are noticed: {share:.1f} % (at least {WANTED:.0f} %)"
    )
    return 0 if share >= WANTED else 1


def _share(codes: dict[str, int], missed: int) -> float:
    return 100.0 * (len(codes) - missed) / len(codes)


if __name__ == "__main__":
    raise SystemExit(main())
