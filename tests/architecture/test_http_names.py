"""Names that callers use in HTTP are kept: a path, parameter or field disappears only by a deliberate edit.

`http_names.json` lists the names of each service. A name that is removed on purpose is deleted there and mentioned in
CHANGELOG.md; new names are added when they are released.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, cast

import pytest

ROOT: Final = Path(__file__).parents[2]
NAMES: Final[dict[str, list[str]]] = json.loads((Path(__file__).parent / "http_names.json").read_text())


@pytest.mark.parametrize("service", NAMES)
def test_no_path_parameter_or_field_has_disappeared(service: str) -> None:
    document = json.loads((ROOT / "docs" / "openapi" / f"{service}.json").read_text())
    current = {*document["paths"], *_list_names(document)}
    assert sorted(set(NAMES[service]) - current) == []


def test_every_service_has_its_names() -> None:
    assert sorted(NAMES) == sorted(page.stem for page in (ROOT / "docs" / "openapi").glob("*.json"))


def _list_names(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        members = cast("dict[str, Any]", node)  # JSON of any shape
        properties = members.get("properties")
        if isinstance(properties, dict):
            yield from cast("dict[str, object]", properties)
        if isinstance(members.get("in"), str):
            yield str(members.get("name"))
        for value in members.values():
            yield from _list_names(value)
    if isinstance(node, list):
        for value in cast("list[object]", node):
            yield from _list_names(value)
