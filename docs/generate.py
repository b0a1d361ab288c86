"""Write what is said twice only once: settings, codes, schemas, packs, decision steps, states.

python docs/generate.py
"""

# ruff: noqa: INP001  # run by its path, never imported

import inspect
import json
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from annotated_types import Ge, Gt, Le
from pydantic.fields import FieldInfo

from api.graphql.schema import printed
from registry import errors
from registry.policy.pack import Pack
from registry.settings import PREFIX, Settings

ROOT: Final = Path(__file__).parent.parent
_NOTE: Final = (
    "<!-- Written by docs/generate.py (`make docs`). Change the code it reads instead. -->"
)


def pages() -> dict[Path, str]:
    """Path below the repository's root and whole text of each generated file."""
    law = runpy.run_path(str(Path(__file__).with_name("law_pages.py")))["pages"](_NOTE)
    states = runpy.run_path(str(Path(__file__).with_name("state_pages.py")))["pages"](_NOTE)
    return {
        **law,
        **states,
        Path("docs/reference/settings.md"): _settings(),
        Path("docs/reference/errors.md"): _errors(),
        Path("api/graphql/schema.graphql"): printed(),
        Path("registry/policy/packs/pack.schema.json"): _pack_schema(),
    }


def _pack_schema() -> str:
    """What an editor holds a pack against while it is written."""
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps({**dialect, **Pack.model_json_schema()}, indent=1) + "\n"


def _settings() -> str:
    rows = "\n".join(
        f"| `{PREFIX}{name.upper()}` | {_default(field)} | {_meaning(field)} |"
        for name, field in Settings.model_fields.items()
    )
    return f"""{_NOTE}

# Settings

Environment variables, read once at start. Each has a default that is safe on a machine of your own.
A name that begins with `{PREFIX}` and is not in this list stops the start, and so does a value that
does not fit: neither is ever ignored.

| name | default | what it changes |
|---|---|---|
{rows}
"""


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    return "not set" if field.default is None else f"`{field.default}`"


def _meaning(field: FieldInfo) -> str:
    limits = ", ".join(_limits(field))
    text = (field.description or "").replace("|", "\\|")
    return f"{text} Allowed: {limits}." if limits else text


def _limits(field: FieldInfo) -> Iterator[str]:
    for limit in field.metadata:
        match limit:
            case Ge():
                yield f"at least {limit.ge}"
            case Gt():
                yield f"more than {limit.gt}"
            case Le():
                yield f"at most {limit.le}"


def _errors() -> str:
    refusals = {
        kind.code: inspect.cleandoc(kind.__doc__ or "").split("\n")[0]
        for _, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, errors.RegistryError) and kind is not errors.RegistryError
    }
    rows = "\n".join(f"| `{code}` | {refusals[code]} |" for code in errors.ProblemCode)
    return f"""{_NOTE}

# Error codes

What went wrong, for a program to branch on. The message beside it is for people, is safe to show
and may change; the code does not. `BUSY` and `UNAVAILABLE` can come with the seconds after
which to ask again. Whatever is absent and whatever is not yours get the same answer.

| code | when |
|---|---|
{rows}

Anything else is a defect of the registry: logged whole, shown as "Internal error.", and nothing
more is told, and no permission was given.
"""


def main() -> None:
    """Write every page, and take away those of packs that are no more."""
    found = pages()
    for one in (ROOT / "docs" / "packs").glob("*.md"):
        if one.relative_to(ROOT) not in found:
            one.unlink()
    for path, text in found.items():
        target = ROOT / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
