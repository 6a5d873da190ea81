"""`calloff framework check|diff`: a definition's file is judged, explained and compared without a running stack."""

from pathlib import Path
from typing import Annotated, Final

import typer
from pydantic import TypeAdapter

from calloff.commands.output import JsonOption, err, print_json, print_line
from contracts.definition_problems import DefinitionRefused
from contracts.definitions import read_definition
from contracts.framework.definition import FrameworkDefinition
from contracts.review.comparison import compare_definitions, render_comparison
from contracts.review.drawing import draw_svg
from contracts.review.explanation import explain_definition
from contracts.review.road_groups import group_roads

REFUSED: Final = 1
UNREADABLE: Final = 66
"""`EX_NOINPUT` of sysexits.h."""

framework = typer.Typer(help="Framework definitions: check a file, compare two.", no_args_is_help=True)

DefinitionFile = Annotated[Path, typer.Argument(help="A definition in YAML.", dir_okay=False)]


@framework.command("check")
def check_definition(
    file: DefinitionFile,
    svg: Annotated[Path | None, typer.Option(help="Also write the roads as an SVG picture to this file.")] = None,
) -> None:
    """Judge a definition as a whole and explain it stage by stage, as Markdown with a drawing of its roads.

    A definition that is refused is not explained; every problem has its line, reason and remedy.
    """
    definition = _read(file)
    print_line(explain_definition(definition))
    if svg is not None:
        svg.write_text(draw_svg(definition, group_roads(definition)), encoding="utf-8")


@framework.command("diff")
def compare_files(before: DefinitionFile, after: DefinitionFile, *, as_json: JsonOption = False) -> None:
    """Say what changes for whom from one definition to another."""
    one, other = _read(before), _read(after)
    if not as_json:
        print_line(render_comparison(one, other))
        return
    changes = [vars(change) for change in compare_definitions(one, other)]
    print_json(TypeAdapter(list[dict[str, str]]).dump_json(changes))


def _read(file: Path) -> FrameworkDefinition:
    """Reads a definition; one that is refused ends the command with its problems, one a line."""
    try:
        return read_definition(file.read_text(encoding="utf-8"), source=file.name)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8 text; save the file as UTF-8"
        err.print(f"{file}: {reason}", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(UNREADABLE) from None
    except DefinitionRefused as refusal:
        err.print(str(refusal), markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(REFUSED) from None
