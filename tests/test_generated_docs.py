import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES: dict[Path, str] = runpy.run_path(str(ROOT / "docs" / "generate.py"))["pages"]()


@pytest.mark.parametrize("path", PAGES, ids=str)
def test_the_committed_page_is_the_one_the_code_gives(path: Path) -> None:
    committed = (ROOT / path).read_text(encoding="utf-8")
    assert committed == PAGES[path], "Run `make docs`."


def test_every_page_of_a_pack_is_of_one_that_is_shipped() -> None:
    committed = {one.relative_to(ROOT) for one in (ROOT / "docs/packs").glob("*.md")}
    assert committed == {path for path in PAGES if path.parts[:2] == ("docs", "packs")}
