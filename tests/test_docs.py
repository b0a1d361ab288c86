"""What the documentation names exists: files, headings, code, commands, options and settings.

Each check is a function from a page to its faults, tried here on pages that have one.
"""

import ast
import re
import shlex
import tomllib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from api.cli.main import COMMANDS, _load
from registry.settings import PREFIX, Settings

ROOT = Path(__file__).parent.parent
PAGES = sorted(
    page
    for pattern in ("*.md", "docs/**/*.md", "bench/*.md")
    for page in ROOT.glob(pattern)
    if page.is_file()
)
DOCKERFILE = ROOT / "docker/Dockerfile"
DECISIONS = ROOT / "docs/decisions"

_LINK = re.compile(r"\[([^\]\[]+)\]\(([^()\s]+)\)")
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
_SETTING = re.compile(rf"{PREFIX}[A-Z][A-Z_]*[A-Z]")
_PATH = re.compile(r"(?:api|registry|tests|bench|docs|migrations|docker)/[\w./-]+\.(?:py|yaml|md)")
_COMMAND = re.compile(r"likeness ([a-z]+)(?: ([a-z]+))?(?= |$)")
_TEST = re.compile(r"test_[a-z]\w+")

Faults = Iterator[str]


def broken_links(page: Path, text: str) -> Faults:
    """Relative links to no file, or to no heading."""
    for _, target in _LINK.findall(_FENCE.sub("", text)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve()
        if (path and not file.exists()) or (
            anchor and anchor not in _anchors(file.read_text(encoding="utf-8") if path else text)
        ):
            yield target


def _anchors(text: str) -> set[str]:
    """The anchors GitHub gives the headings."""
    lines = _FENCE.sub("", text).splitlines()
    headings = [line.lstrip("#").strip().lower() for line in lines if line.startswith("#")]
    return {re.sub(r"[^\w\- ]", "", one).replace(" ", "-") for one in headings}


def missing_names(page: Path, text: str) -> Faults:
    """Links that are named after code which is not in the file they lead to."""
    for label, target in _LINK.findall(text):
        name = label.strip("`")
        if label == name or not target.endswith(".py") or "." in target.partition("#")[2]:
            continue
        file = (page.parent / target).resolve()
        if "/" not in name and (not file.exists() or name not in _defined(file)):
            yield f"{name} in {target}"


@cache
def _defined(file: Path) -> frozenset[str]:
    found = set()
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            found |= {
                f"{node.name}.{one.name}"
                for one in node.body
                if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)
            }
    return frozenset(found)


def unknown_commands(_: Path, text: str) -> Faults:
    """`likeness ...` commands, in code, that the program does not have; and their options."""
    for line in _code_lines(text):
        for found in _COMMAND.finditer(line):
            name, second = found.groups()
            if name not in COMMANDS:
                yield found[0]
                continue
            command = _load(name)
            rest = line[found.end(1) :]
            if hasattr(command, "commands"):
                if second is None:  # the group itself: `likeness grant`
                    continue
                if second not in command.commands:
                    yield found[0]
                    continue
                command, rest = command.commands[second], line[found.end(2) :]
            yield from (f"{name} {one}" for one in _options(rest) if one not in _known(command))


def _known(command: Any) -> set[str]:
    return {"--help", *(option for one in command.params for option in one.opts)}


def _options(rest: str) -> list[str]:
    """The long options of the rest of a command line, up to where another command begins."""
    lexer = shlex.shlex(rest, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words = []
    try:
        for word in lexer:
            if set(word) <= set("();<>|&"):
                break
            words.append(word)
    except ValueError:  # a quotation mark of prose
        words = rest.split()
    return [word.partition("=")[0] for word in words if word.startswith("--")]


def _code_lines(text: str) -> Iterator[str]:
    for language, block in _FENCE.findall(text):
        if language in {"sh", "bash"}:
            yield from block.replace("\\\n", " ").splitlines()
    yield from _CODE.findall(_FENCE.sub("", text))


def unknown_settings(_: Path, text: str) -> Faults:
    """LIKENESS_ names that are no setting."""
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    yield from sorted(set(_SETTING.findall(text)) - known)


def missing_paths(_: Path, text: str) -> Faults:
    """Paths in code spans that lead nowhere."""
    for code in _CODE.findall(_FENCE.sub("", text)):
        if _PATH.fullmatch(code) and not (ROOT / code).exists():
            yield code


def missing_tests(_: Path, text: str) -> Faults:
    """Tests named in code spans that nobody wrote."""
    named = {one for one in _CODE.findall(text) if _TEST.fullmatch(one)}
    yield from sorted(named - _tests())


@cache
def _tests() -> frozenset[str]:
    found = set[str]()
    for file in ROOT.glob("tests/**/*.py"):
        found |= {file.stem} | _defined(file)
    return frozenset(found)


CHECKS = (
    broken_links,
    missing_names,
    unknown_commands,
    unknown_settings,
    missing_paths,
    missing_tests,
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_page_names_only_what_exists(check: Callable[[Path, str], Faults], page: Path) -> None:
    assert list(check(page, page.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (broken_links, "[x](nowhere.md)"),
        (broken_links, "[x](README.md#no-such-heading)"),
        (broken_links, "# Here\n[x](#there)"),
        (missing_names, "[`Checker.guess`](../registry/checks/checker.py)"),
        (missing_names, "[`decide`](../registry/policy/nowhere.py)"),
        (unknown_commands, "`likeness guess`"),
        (unknown_commands, "`likeness grant guess X`"),
        (unknown_commands, "```sh\nlikeness token create \\\n  --guess x\n```"),
        (unknown_commands, "```sh\nX=$(likeness check a.jpg --guess)\n```"),
        (unknown_settings, "set `LIKENESS_GUESS`"),
        (missing_paths, "`registry/guess.py`"),
        (missing_tests, "`test_a_guess_is_right`"),
    ],
)
def test_a_fault_is_found(check: Callable[[Path, str], Faults], text: str) -> None:
    assert list(check(ROOT / "docs/page.md", text))


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (broken_links, "[x](https://example.org/a) [y](README.md#documentation)"),
        (broken_links, "# Here and now\n[x](#here-and-now)"),
        (missing_names, "[`Checker._answer`](../registry/checks/checker.py)"),
        (missing_names, "[test_index](../tests/registry/matching/test_index.py)"),
        (unknown_commands, "`likeness`, `likeness grant`, likeness guess"),
        (unknown_commands, "```sh\nlikeness log proof 3 > p | tail --lines 2\n```"),
        (unknown_settings, "`LIKENESS_` and LIKENESS_* and `LIKENESS_DATA_DIR`"),
        (missing_paths, "`registry/embedded/` and `registry/jws.py`"),
    ],
)
def test_what_is_right_is_left_alone(check: Callable[[Path, str], Faults], text: str) -> None:
    assert list(check(ROOT / "docs/page.md", text)) == []


def test_every_page_is_read() -> None:
    read = {str(page.relative_to(ROOT)) for page in PAGES}
    assert {"README.md", "docs/check-cycle.md", "docs/guides/ai-service.md"} <= read


def test_the_index_of_decisions_is_whole() -> None:
    index = (DECISIONS / "README.md").read_text(encoding="utf-8")
    pages = sorted(page.name for page in DECISIONS.glob("[0-9]*.md"))
    assert [target for _, target in _LINK.findall(index)] == pages


def test_the_container_has_a_python_that_will_do() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    least = project["requires-python"].removeprefix(">=")
    images = re.findall(r"^FROM python:([\d.]+)-slim", _dockerfile(), re.MULTILINE)
    assert len(set(images)) == 1
    assert _numbers(images[0]) >= _numbers(least)


def test_the_container_is_built_of_files_that_exist_and_are_let_in() -> None:
    allowed = (ROOT / "docker/Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    copies = re.findall(r"^COPY (?!--from)(.+)$", _dockerfile(), re.MULTILINE)
    sources = [source for line in copies for source in line.split()[:-1]]
    assert sources
    for source in sources:
        assert (ROOT / source).exists()
        assert f"!{source}" in allowed


def test_the_container_and_its_composition_set_only_settings() -> None:
    composition = ROOT / "docker/compose.yaml"
    for file in (DOCKERFILE, composition):
        assert list(unknown_settings(file, file.read_text(encoding="utf-8"))) == []
    registry = yaml.safe_load(composition.read_text(encoding="utf-8"))["services"]["registry"]
    assert (composition.parent / registry["build"]["context"]).resolve() == ROOT
    assert (ROOT / registry["build"]["dockerfile"]).samefile(DOCKERFILE)
    assert all(one.startswith("127.0.0.1:") for one in registry["ports"])


def _dockerfile() -> str:
    return DOCKERFILE.read_text(encoding="utf-8")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(one) for one in version.split("."))
