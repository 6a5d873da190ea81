"""What is committed is what the classes say, and what was published can still be read."""

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


def test_the_committed_schemas_are_what_the_classes_say() -> None:
    assert find_outdated_files() == [], "run `python -m contracts.schemas` and commit what it wrote"


def test_no_change_breaks_those_who_read_what_was_published() -> None:
    broken = find_breakages(read_schemas(PUBLISHED), generate_schemas())
    assert not broken, "\n" + "\n".join(map(str, broken))


def test_what_readers_may_rely_on_is_published() -> None:
    assert find_unpublished_schemas() == [], "run `python -m contracts.schemas --publish` and commit what it wrote"


@pytest.mark.parametrize("name", generate_schemas())
def test_a_schema_is_a_json_schema(name: str) -> None:
    Draft202012Validator.check_schema(dict(generate_schemas()[name]))


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The command works in a folder of its own."""
    for name, place in {"REPOSITORY": ".", "SCHEMAS": "schemas", "PUBLISHED": "published"}.items():
        monkeypatch.setattr(schemas, name, tmp_path / place)
    return tmp_path


def test_the_command_writes_checks_and_publishes(elsewhere: Path) -> None:
    assert main(["--check"]) == 1
    assert main([]) == 0
    assert main(["--publish"]) == 0
    assert main(["--check"]) == 0
    assert len(list((elsewhere / "published").glob("*.json"))) == len(generate_schemas())


def test_the_command_removes_the_schema_of_an_event_that_is_gone(elsewhere: Path) -> None:
    main([])
    (elsewhere / "schemas" / "Gone.v1.json").write_text("{}")
    assert main([]) == 0
    assert not (elsewhere / "schemas" / "Gone.v1.json").exists()


def test_publishing_refuses_what_would_break_a_reader_and_writes_nothing(
    elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["--publish"])
    published = elsewhere / "published" / "OfferAccepted.v1.json"
    older = published.read_text().replace('"provider_id"', '"supplier_id"')
    published.write_text(older)
    assert main(["--publish"]) == 1
    assert "OfferAccepted.v1.json supplier_id: removed or renamed" in capsys.readouterr().err
    assert published.read_text() == older
