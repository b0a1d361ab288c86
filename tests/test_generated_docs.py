import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES: dict[Path, str] = runpy.run_path(str(ROOT / "docs" / "generate.py"))["pages"]()


@pytest.mark.parametrize("path", PAGES, ids=str)
def test_the_committed_page_is_the_one_the_code_gives(path: Path) -> None:
    committed = (ROOT / path).read_text(encoding="utf-8")
    assert committed == PAGES[path], "Run `make docs`."
