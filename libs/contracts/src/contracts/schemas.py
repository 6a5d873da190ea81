"""Generates the JSON Schemas of the events: `python -m contracts.schemas` writes them.

`schemas/` holds the schemas of the current classes. `schemas/published/` holds the schemas on which readers rely:
`--publish` updates them and refuses a change that would break a reader. A schema that was never deployed may be deleted
from `published/` by hand; a schema whose events are in a topic may not.
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Final, cast

from pydantic import TypeAdapter

from contracts.catalogue import CATALOGUE
from contracts.compatibility import Breakage, Schema, find_breakages
from contracts.envelope import Envelope
from contracts.framework.definition import FrameworkDefinition

DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
REPOSITORY: Final = Path(__file__).parents[4]
SCHEMAS: Final = REPOSITORY / "libs" / "contracts" / "schemas"
PUBLISHED: Final = SCHEMAS / "published"


@cache
def generate_schemas() -> dict[str, Schema]:
    """Returns the schemas of the envelope, of every event and of a framework definition, by file name."""
    events = {
        f"{entry.event.__name__}.v{entry.event.version}.json": _generate_reader_schema(TypeAdapter(entry.event))
        for entry in CATALOGUE
    }
    definition = TypeAdapter(FrameworkDefinition).json_schema(mode="validation")
    return {
        "Envelope.v1.json": _generate_reader_schema(TypeAdapter(Envelope)),
        "FrameworkDefinition.v1.json": {"$schema": DRAFT, **definition},
        **events,
    }


def _generate_reader_schema(adapter: TypeAdapter[object]) -> Schema:
    """Returns the schema for readers, which allows unknown fields because readers skip them."""
    return {"$schema": DRAFT, **_allow_unknown_fields(adapter.json_schema(mode="serialization"))}


def _allow_unknown_fields(schema: dict[str, object]) -> dict[str, object]:
    return {key: _allow_unknown_fields_in(value) for key, value in schema.items() if key != "additionalProperties"}


def _allow_unknown_fields_in(value: object) -> object:
    if isinstance(value, dict):
        return _allow_unknown_fields(cast("dict[str, object]", value))  # json_schema() makes dicts with str keys only
    return value


def render_schema(schema: Schema) -> str:
    """Returns the text of the file. Equal schemas have equal texts."""
    return json.dumps(schema, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def read_schemas(folder: Path) -> dict[str, Schema]:
    """Returns the schemas in `folder`, by file name."""
    return {path.name: json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))}


def generate_files() -> dict[Path, str]:
    """Returns the text of every file in `schemas/`, except the published ones, by path."""
    return {SCHEMAS / name: render_schema(schema) for name, schema in generate_schemas().items()}


def find_outdated_files() -> list[Path]:
    """Returns the files that are missing, differ from the classes, or belong to an event that no longer exists."""
    files = generate_files()
    differing = [path for path, text in files.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    return differing + [path for path in SCHEMAS.glob("*.json") if path not in files]


def find_unpublished_schemas() -> list[str]:
    """Returns the names of schemas that differ from their published versions."""
    published = read_schemas(PUBLISHED)
    return [name for name, schema in generate_schemas().items() if published.get(name) != schema]


def write_schemas() -> int:
    """Writes outdated files and deletes obsolete ones. Returns the exit code 0."""
    for path in find_outdated_files():
        path.unlink(missing_ok=True)
    _write_files(generate_files())
    return 0


def check_schemas() -> int:
    """Prints what is outdated, unpublished or incompatible. Returns the exit code: 0 if nothing is, else 1."""
    stale = find_outdated_files()
    for path in stale:
        _print_error(f"{path.relative_to(REPOSITORY)} differs from the classes; run `python -m contracts.schemas`")
    for name in find_unpublished_schemas():
        _print_error(f"{name} differs from the published schema; run `python -m contracts.schemas --publish`")
    return _report_breakages(find_breakages(read_schemas(PUBLISHED), generate_schemas())) or int(
        bool(stale or find_unpublished_schemas())
    )


def publish_schemas() -> int:
    """Publishes the current schemas, or none of them if one would break a reader. Returns the exit code."""
    current = generate_schemas()
    refused = _report_breakages(find_breakages(read_schemas(PUBLISHED), current))
    if not refused:
        _write_files({PUBLISHED / name: render_schema(schema) for name, schema in current.items()})
    return refused


def _write_files(files: Mapping[Path, str]) -> None:
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _report_breakages(broken: tuple[Breakage, ...]) -> int:
    for breakage in broken:
        _print_error(str(breakage))
    return int(bool(broken))


def _print_error(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m contracts.schemas", description=__doc__)
    actions = parser.add_mutually_exclusive_group()
    actions.add_argument(
        "--check", dest="action", action="store_const", const=check_schemas, help="report what is not up to date"
    )
    actions.add_argument(
        "--publish", dest="action", action="store_const", const=publish_schemas, help="publish the current schemas"
    )
    parser.set_defaults(action=write_schemas)
    action: Callable[[], int] = parser.parse_args(arguments).action
    return action()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
