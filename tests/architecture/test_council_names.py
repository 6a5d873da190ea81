"""No line of services and libraries names a council: councils are data, under `frameworks/`."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
FOLDERS: Final = ("libs", "services")
COUNCILS: Final = re.compile("essex|oxfordshire|leicestershire|devon", re.IGNORECASE)
GENERATED: Final = frozenset({"__pycache__", ".pytest_cache", ".ruff_cache", "build", "dist"})


def test_no_line_of_services_and_libraries_names_a_council() -> None:
    found = [line for folder in FOLDERS for line in list_lines_with_councils(ROOT / folder)]
    assert found == [], "write contracts.examples.COUNCIL, or move what is about one council to frameworks/ or tests/"


@pytest.mark.parametrize("name", ["Essex", "test_oxfordshire.py", "LEICESTERSHIRE", "devon-like"])
def test_a_council_is_found_in_a_line_and_in_a_file_name(tmp_path: Path, name: str) -> None:
    (tmp_path / "rules.py").write_text(f"first = 1\nsecond = '{name}'\n")
    assert list(list_lines_with_councils(tmp_path)) == [f"rules.py:2: second = '{name}'"]
    (tmp_path / "rules.py").rename(tmp_path / name)
    assert f"{name}: the name of the file" in list(list_lines_with_councils(tmp_path))


def test_files_that_are_no_text_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "index.bin").write_bytes(b"\xff\xfeessex")
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "rules.txt").write_text("essex")
    assert list(list_lines_with_councils(tmp_path)) == []


def list_lines_with_councils(folder: Path) -> Iterator[str]:
    """Yields `path:line: text` for each line under `folder` that names a council, and the files named after one."""
    for path in sorted(folder.rglob("*")):
        place = path.relative_to(folder)
        if not path.is_file() or GENERATED.intersection(place.parts) or place.suffix == ".pyc":
            continue
        if COUNCILS.search(str(place)):
            yield f"{place}: the name of the file"
        yield from (f"{place}:{number}: {line.strip()}" for number, line in _list_lines(path) if COUNCILS.search(line))


def _list_lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return
    yield from enumerate(text.splitlines(), start=1)
