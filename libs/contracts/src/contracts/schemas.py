"""JSON Schemas, made from the classes: `python -m contracts.schemas` writes them.

`schemas/` holds what the classes say now. `schemas/published/` is what readers rely on: `--publish` adds to it and
refuses what would break them. A schema that never left the repository may be deleted from `published/` by hand and
published anew; one whose events are in anybody's topics may not.
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, cast

from pydantic import TypeAdapter

from contracts.catalogue import CATALOGUE
from contracts.compatibility import Breakage, Schema, find_breakages
from contracts.envelope import Envelope
from contracts.framework import FrameworkDefinition

DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
REPOSITORY: Final = Path(__file__).parents[4]
SCHEMAS: Final = REPOSITORY / "libs" / "contracts" / "schemas"
PUBLISHED: Final = SCHEMAS / "published"


def generate_schemas() -> dict[str, Schema]:
    """What the classes say now, by file name: the envelope, each event as it travels, a definition as it is written."""
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
    """As it travels, for readers: they skip fields that they do not know, so unknown ones are not forbidden here."""
    return {"$schema": DRAFT, **_allow_unknown_fields(adapter.json_schema(mode="serialization"))}


def _allow_unknown_fields(schema: dict[str, object]) -> dict[str, object]:
    return {key: _allow_unknown_fields_in(value) for key, value in schema.items() if key != "additionalProperties"}


def _allow_unknown_fields_in(value: object) -> object:
    if isinstance(value, dict):
        return _allow_unknown_fields(cast("dict[str, object]", value))  # json_schema() makes dicts with str keys only
    return value


def render(schema: Schema) -> str:
    """The file's text: stable, so that a difference in it is a difference in the schema."""
    return json.dumps(schema, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def read_schemas(folder: Path) -> dict[str, Schema]:
    """The schemas that stand in `folder`, by file name."""
    return {path.name: json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))}


def generate_files() -> dict[Path, str]:
    """Everything that is made from the classes and committed, apart from what is published."""
    return {SCHEMAS / name: render(schema) for name, schema in generate_schemas().items()}


def find_outdated_files() -> list[Path]:
    """The generated files that are missing, differ, or belong to an event that is gone."""
    files = generate_files()
    differing = [path for path, text in files.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    return differing + [path for path in SCHEMAS.glob("*.json") if path not in files]


def find_unpublished_schemas() -> list[str]:
    """The schemas that say more than what is published."""
    published = read_schemas(PUBLISHED)
    return [name for name, schema in generate_schemas().items() if published.get(name) != schema]


def write() -> int:
    for path in find_outdated_files():
        path.unlink(missing_ok=True)
    _write_all(generate_files())
    return 0


def check() -> int:
    stale = find_outdated_files()
    for path in stale:
        _print_error(f"{path.relative_to(REPOSITORY)} is not what the classes say; run `python -m contracts.schemas`")
    for name in find_unpublished_schemas():
        _print_error(f"{name} is not published as it is; run `python -m contracts.schemas --publish`")
    return _report(find_breakages(read_schemas(PUBLISHED), generate_schemas())) or int(
        bool(stale or find_unpublished_schemas())
    )


def publish() -> int:
    """Adds the current schemas to what readers rely on; nothing is written if any of them would break a reader."""
    current = generate_schemas()
    refused = _report(find_breakages(read_schemas(PUBLISHED), current))
    if not refused:
        _write_all({PUBLISHED / name: render(schema) for name, schema in current.items()})
    return refused


def _write_all(files: Mapping[Path, str]) -> None:
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _report(broken: tuple[Breakage, ...]) -> int:
    for breakage in broken:
        _print_error(str(breakage))
    return int(bool(broken))


def _print_error(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m contracts.schemas", description=__doc__)
    act = parser.add_mutually_exclusive_group()
    act.add_argument("--check", dest="act", action="store_const", const=check, help="say what is not up to date")
    act.add_argument("--publish", dest="act", action="store_const", const=publish, help="add to what readers rely on")
    parser.set_defaults(act=write)
    chosen: Callable[[], int] = parser.parse_args(arguments).act
    return chosen()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
