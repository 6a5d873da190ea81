"""The generated pages under docs/ are up to date and valid."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from schemathesis.specs.openapi.definitions import OPENAPI_31

from devstack.config import SERVICES
from devstack.docs import events_page, openapi


def test_the_committed_openapi_pages_are_up_to_date() -> None:
    assert openapi.find_stale_pages() == [], "run `make docs` and commit what it wrote"


def test_the_committed_page_of_events_is_up_to_date() -> None:
    assert not events_page.is_out_of_date(), "run `make docs` and commit what it wrote"


@pytest.mark.slow
def test_a_missing_page_is_written_and_a_page_of_no_service_is_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openapi, "FOLDER", tmp_path)
    (tmp_path / "gone.json").write_text("{}")
    openapi.write_pages()
    assert {page.stem for page in tmp_path.iterdir()} == {service.name for service in SERVICES}
    assert openapi.find_stale_pages() == []


@pytest.mark.parametrize("page", sorted(openapi.FOLDER.glob("*.json")), ids=lambda page: page.stem)
def test_a_page_is_valid_openapi_without_dangling_references(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
    # jsonschema's own types stop at the schemas it takes.
    Draft202012Validator(OPENAPI_31).validate(document)  # pyright: ignore[reportUnknownMemberType]
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    references = set(re.findall(r': "(#/[^"]*)"', text))
    assert [reference for reference in references if not can_resolve(document, reference)] == []


def can_resolve(document: dict[str, Any], reference: str) -> bool:
    node: Any = document
    for name in reference.removeprefix("#/").split("/"):
        if name not in node:
            return False
        node = node[name]
    return reference.startswith("#/components/")
