"""The rules of STYLE that a machine can check, each beside an example that it must catch."""

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterator
from contextlib import suppress
from fnmatch import fnmatch
from functools import cache
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PRODUCT = ("api/", "registry/")
FILE_LINES = 350
BODY_LINES = 60

Finding = tuple[int, str]
Rule = Callable[[str, str], Iterator[Finding]]


def only_the_database_commits(path: str, source: str) -> Iterator[Finding]:
    """`database.writing()` commits when its block ends, so that one mutation is one transaction."""
    if path == "registry/database.py" or not path.startswith(PRODUCT):
        return
    tree = parsed(source)
    modules = {name.asname or name.name for one in imports(tree) for name in one.names}
    for call, owner in methods(tree, {"commit", "rollback"}):
        if not (isinstance(owner, ast.Name) and owner.id in modules):
            yield call.lineno, "commits or rolls back"


def raw_transactions_have_few_homes(path: str, source: str) -> Iterator[Finding]:
    """Checks and the log speak to PostgreSQL directly; nobody else does."""
    homes = ("registry/database.py", "registry/checks", "registry/log")
    if not path.startswith(PRODUCT) or path.startswith(homes):
        return
    for call, _ in methods(parsed(source), {"transaction"}):
        yield call.lineno, "opens a transaction of its own"


def a_flush_says_why(path: str, source: str) -> Iterator[Finding]:
    """`await session.flush()  # the receipt needs grant.id`."""
    if not path.startswith(PRODUCT):
        return
    explained = {line for line, _ in comments(source)}
    for one in ast.walk(parsed(source)):
        if isinstance(one, ast.Await) and any(methods(one, {"flush"})):
            lines = range(one.lineno, (one.end_lineno or one.lineno) + 1)
            if explained.isdisjoint(lines):
                yield one.lineno, "flushes without a reason"


def only_commands_print(path: str, source: str) -> Iterator[Finding]:
    """A command prints its answer, a bench its figures."""
    if path.startswith(("api/cli/", "bench/")):
        return
    for call in functions(parsed(source), "print"):
        yield call.lineno, "prints"


def nothing_is_loaded_behind_our_back(path: str, source: str) -> Iterator[Finding]:
    """Rows are loaded by queries that take many ids."""
    if path.startswith(PRODUCT):
        tree = parsed(source)
        qualified = (call for call, _ in methods(tree, {"relationship"}))
        for call in chain(functions(tree, "relationship"), qualified):
            yield call.lineno, "declares a relationship"


def a_file_is_one_concept(path: str, source: str) -> Iterator[Finding]:
    """A longer one is probably two concepts."""
    lines = len(source.splitlines())
    if path.startswith(PRODUCT) and lines > FILE_LINES:
        yield lines, f"has {lines} lines"


def a_function_fits_a_screen(path: str, source: str) -> Iterator[Finding]:
    """Without its signature and docstring: a command's options are arguments."""
    if not path.startswith(PRODUCT):
        return
    for one in ast.walk(parsed(source)):
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef):
            body = one.body[1:] if ast.get_docstring(one, clean=False) is not None else one.body
            lines = (one.end_lineno or one.lineno) - body[0].lineno + 1 if body else 0
            if lines > BODY_LINES:
                yield one.lineno, f"{one.name} has {lines} lines"


def a_package_only_describes_itself(path: str, source: str) -> Iterator[Finding]:
    """Import from the module that defines the name."""
    if path.endswith("__init__.py"):
        tree = parsed(source)
        if ast.get_docstring(tree) is None or len(tree.body) != 1:
            yield 1, "holds something other than a docstring"


def what_is_left_open_has_an_issue(_path: str, source: str) -> Iterator[Finding]:
    """`# TODO #12: ...`."""
    for line, comment in comments(source):
        if re.search(r"\b(TODO|FIXME|XXX)\b", comment) and not re.search(r"#\d+", comment):
            yield line, "is left open without an issue's number"


def no_machine_is_named(_path: str, text: str) -> Iterator[Finding]:
    """A path or package index of one machine means nothing on another's."""
    machine = r"/(w[o]rk|f[a]rm)/[a-z.]|/r[o]ot/|/h[o]me/[a-z]|b[a]sh_jobs"
    index = r"https?://[^ \"]*(py[p]i|python[h]osted|npm[j]s|debian\.o[r]g)"
    for number, line in enumerate(text.splitlines(), 1):
        if re.search(f"{machine}|{index}", line):
            yield number, "names a machine's path or a package index"


EVERY_FILE = {no_machine_is_named}
RULES: dict[Rule, tuple[str, str]] = {
    only_the_database_commits: ("registry/grants.py", "await session.commit()"),
    raw_transactions_have_few_homes: ("api/app.py", "connection.transaction()"),
    a_flush_says_why: ("registry/grants.py", "async def f(): await session.flush()"),
    only_commands_print: ("registry/grants.py", "print(1)"),
    nothing_is_loaded_behind_our_back: ("registry/grants.py", "a = orm.relationship('B')"),
    a_file_is_one_concept: ("api/app.py", "a = 1\n" * 351),
    a_function_fits_a_screen: ("api/app.py", "def f():\n '''What.'''\n" + " a = 1\n" * 61),
    a_package_only_describes_itself: ("api/__init__.py", "'''What.'''\nfrom api import app"),
    what_is_left_open_has_an_issue: ("api/app.py", "a = 1  # TO" + "DO later"),
    no_machine_is_named: ("README.md", "cd /ro" + "ot/likeness"),
}
ALLOWED: dict[Rule, tuple[str, str]] = {
    only_the_database_commits: (
        "registry/checks/record.py",
        "from registry import receipts\nreceipts.commit(b'')",
    ),
    raw_transactions_have_few_homes: ("registry/checks/record.py", "connection.transaction()"),
    a_flush_says_why: (
        "registry/grants.py",
        "async def f():\n await session.flush()  # it needs an id\nsys.stdout.flush()",
    ),
    only_commands_print: ("api/cli/serve.py", "print(1)"),
    nothing_is_loaded_behind_our_back: ("registry/grants.py", "relationship = 'PARENT'"),
    a_file_is_one_concept: ("api/app.py", "a = 1\n" * 350),
    a_function_fits_a_screen: ("api/app.py", "def f():\n '''What.\n\n'''\n" + " a = 1\n" * 60),
    a_package_only_describes_itself: ("api/__init__.py", "'''What.'''"),
    what_is_left_open_has_an_issue: ("api/app.py", "a = 1  # TODO #12: later"),
    no_machine_is_named: ("README.md", "cd likeness; make demo"),
}


@cache
def parsed(source: str) -> ast.Module:
    return ast.parse(source)


def imports(tree: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    return (one for one in ast.walk(tree) if isinstance(one, ast.Import | ast.ImportFrom))


def methods(tree: ast.AST, names: set[str]) -> Iterator[tuple[ast.Call, ast.expr]]:
    """Calls of a method with one of these names, and what each is called on."""
    for one in ast.walk(tree):
        match one:
            case ast.Call(func=ast.Attribute(value=owner, attr=attr)) if attr in names:
                yield one, owner


def functions(tree: ast.AST, name: str) -> Iterator[ast.Call]:
    """Calls of a function by its bare name."""
    for one in ast.walk(tree):
        match one:
            case ast.Call(func=ast.Name(id=called)) if called == name:
                yield one


def comments(source: str) -> list[tuple[int, str]]:
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return [(one.start[0], one.string) for one in tokens if one.type == tokenize.COMMENT]


def files() -> Iterator[Path]:
    """Every file of the project: what .gitignore does not name."""
    ignored = [".git"]
    ignored += [one.strip("/") for one in (ROOT / ".gitignore").read_text("utf-8").split()]

    def below(folder: Path) -> Iterator[Path]:
        for path in sorted(folder.iterdir()):
            if any(fnmatch(path.name, pattern) for pattern in ignored):
                continue
            yield from below(path) if path.is_dir() else [path]

    return below(ROOT)


@cache
def texts() -> dict[str, str]:
    found = {}
    for path in files():
        with suppress(UnicodeDecodeError):  # a picture has no rules to keep
            found[path.relative_to(ROOT).as_posix()] = path.read_text(encoding="utf-8")
    return found


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_project_keeps_the_rule(rule: Rule) -> None:
    broken = chain.from_iterable(
        ((f"{path}:{line} {what}") for line, what in rule(path, text))
        for path, text in texts().items()
        if rule in EVERY_FILE or path.endswith(".py")
    )
    assert list(broken) == [], rule.__doc__


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_rule_catches_what_it_forbids(rule: Rule) -> None:
    assert len(list(rule(*RULES[rule]))) == 1


@pytest.mark.parametrize("rule", ALLOWED, ids=lambda rule: rule.__name__)
def test_the_rule_leaves_the_rest_alone(rule: Rule) -> None:
    assert list(rule(*ALLOWED[rule])) == []


def test_the_project_is_read_whole() -> None:
    read = texts().keys()
    assert {"pyproject.toml", ".gitignore", "registry/errors.py", "tests/__init__.py"} <= read
    assert not any(path.startswith((".git/", ".venv/")) for path in read)
