"""Committed schemas match the classes, and published schemas stay readable."""

from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from contracts import schemas
from contracts.compatibility import find_breakages
from contracts.schemas import (
    PUBLISHED,
    find_outdated_files,
    find_unpublished_schemas,
    generate_schemas,
    main,
    read_schemas,
)


def test_the_committed_schemas_match_the_classes() -> None:
    assert find_outdated_files() == [], "run `python -m contracts.schemas` and commit the result"


def test_the_classes_are_compatible_with_the_published_schemas() -> None:
    broken = find_breakages(read_schemas(PUBLISHED), generate_schemas())
    assert not broken, "\n" + "\n".join(map(str, broken))


def test_all_schemas_are_published() -> None:
    assert find_unpublished_schemas() == [], "run `python -m contracts.schemas --publish` and commit the result"


@pytest.mark.parametrize("name", generate_schemas())
def test_a_schema_is_a_json_schema(name: str) -> None:
    Draft202012Validator.check_schema(dict(generate_schemas()[name]))


@pytest.fixture
def temporary_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty repository for the command."""
    for name, place in {"REPOSITORY": ".", "SCHEMAS": "schemas", "PUBLISHED": "published"}.items():
        monkeypatch.setattr(schemas, name, tmp_path / place)
    return tmp_path


def test_the_command_writes_checks_and_publishes(temporary_repository: Path) -> None:
    assert main(["--check"]) == 1
    assert main([]) == 0
    assert main(["--publish"]) == 0
    assert main(["--check"]) == 0
    assert len(list((temporary_repository / "published").glob("*.json"))) == len(generate_schemas())


def test_the_command_deletes_the_schema_of_a_removed_event(temporary_repository: Path) -> None:
    main([])
    (temporary_repository / "schemas" / "Gone.v1.json").write_text("{}")
    assert main([]) == 0
    assert not (temporary_repository / "schemas" / "Gone.v1.json").exists()


def test_publishing_refuses_a_breaking_change_and_writes_nothing(
    temporary_repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["--publish"])
    published = temporary_repository / "published" / "OfferAccepted.v1.json"
    older = published.read_text().replace('"provider_id"', '"supplier_id"')
    published.write_text(older)
    assert main(["--publish"]) == 1
    assert "OfferAccepted.v1.json supplier_id: removed or renamed" in capsys.readouterr().err
    assert published.read_text() == older
