"""`calloff rehearse A.yaml --against B.yaml`: the same referrals through two definitions, and what differs."""

import gc
import json
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Final, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from contracts.definition_problems import DefinitionRefused
from contracts.definitions import read_definition
from contracts.errors import CallOffError
from contracts.framework.definition import FrameworkDefinition
from contracts.ids import AreaCode
from simulator.rehearsal.engine import Rehearsal
from simulator.rehearsal.figures import Figures, compute_figures
from simulator.rehearsal.market import build_market, draw_providers
from simulator.rehearsal.referrals import RehearsalReferral, generate_referrals, read_referrals
from simulator.rehearsal.report import draw_charts, list_rows

GENERATED: Final = "generated"
GARBAGE_THRESHOLD: Final = 100_000
"""Objects between collections: nearly all are values without cycles."""
_UNREADABLE: Final = 66
_REFUSED: Final = 1


@dataclass(frozen=True)
class RehearsalTask:
    """What one process runs; definitions travel as JSON."""

    definition: str
    referrals: tuple[str, ...]
    areas: tuple[AreaCode, ...]
    seed: int


def rehearse(  # noqa: PLR0917  options of a command
    file: Annotated[Path, typer.Argument(help="A definition in YAML.", dir_okay=False)],
    against: Annotated[Path, typer.Option(help="The definition to compare it with.", dir_okay=False)],
    referrals: Annotated[str, typer.Option(help="A file of JSON lines, or: generated.")] = GENERATED,
    count: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many referrals to generate.")] = 10_000,
    seed: Annotated[int, typer.Option(help="Draws the referrals, the market and the answers.")] = 1,
    svg: Annotated[Path | None, typer.Option(help="Also write charts to this file.")] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Run referrals through two definitions on the pure engine with an invented market, and compare the results."""
    definitions = (_read(file), _read(against))
    try:
        posted = _get_referrals(referrals, definitions, count=count, seed=seed)
    except CallOffError as error:
        _fail(f"{error.title}: {error}", _REFUSED)
    results = _run_all(definitions, posted, seed)
    if svg is not None:
        svg.write_text(draw_charts(results), encoding="utf-8")
    if as_json:
        typer.echo(json.dumps([each.to_json() for each in results], indent=2, ensure_ascii=False))
        return
    table = Table("", *(f"{each.framework} v{each.version}" for each in results))
    for row in list_rows(results):
        table.add_row(*row)
    Console().print(table)


def _run_all(
    definitions: tuple[FrameworkDefinition, ...], referrals: tuple[RehearsalReferral, ...], seed: int
) -> list[Figures]:
    """Runs the definitions in a process each: they share nothing."""
    areas = tuple(dict.fromkeys(area.code for definition in definitions for area in definition.areas))
    lines = tuple(each.model_dump_json() for each in referrals)
    tasks = [RehearsalTask(each.model_dump_json(), lines, areas, seed) for each in definitions]
    with ProcessPoolExecutor(max_workers=len(tasks)) as pool:
        return list(pool.map(run_task, tasks))


def run_task(task: RehearsalTask) -> Figures:
    """Runs the referrals of a task through its definition."""
    gc.set_threshold(GARBAGE_THRESHOLD)
    definition = FrameworkDefinition.model_validate_json(task.definition)
    referrals = [RehearsalReferral.model_validate_json(line) for line in task.referrals]
    first_day = min(each.requested_at.date() for each in referrals)
    providers = draw_providers(task.areas, seed=task.seed)
    demand = sum((each.weekly_hours for each in referrals), Decimal(0))
    market = build_market(definition, providers, demand=demand, joined_on=first_day - timedelta(days=1))
    results = Rehearsal(market, seed=task.seed).run(referrals)
    return compute_figures(definition.framework, definition.version, results, len(providers))


def _get_referrals(
    source: str, definitions: tuple[FrameworkDefinition, ...], *, count: int, seed: int
) -> tuple[RehearsalReferral, ...]:
    """Returns the referrals of a file, or generated ones from the day on which both definitions hold."""
    if source != GENERATED:
        try:
            return tuple(read_referrals(Path(source)))
        except (OSError, UnicodeDecodeError) as error:
            _fail(f"{source}: {error.strerror if isinstance(error, OSError) else 'is not UTF-8 text'}", _UNREADABLE)
    first_day = _find_monday(max(each.first_day for each in definitions))
    return tuple(generate_referrals(definitions, count=count, seed=seed, first_day=first_day))


def _find_monday(day: date) -> date:
    return day + timedelta(days=-day.weekday() % 7)


def _read(file: Path) -> FrameworkDefinition:
    try:
        return read_definition(file.read_text(encoding="utf-8"), source=file.name)
    except (OSError, UnicodeDecodeError) as error:
        _fail(f"{file}: {error.strerror if isinstance(error, OSError) else 'is not UTF-8 text'}", _UNREADABLE)
    except DefinitionRefused as refusal:
        _fail(str(refusal), _REFUSED)


def _fail(message: str, status: int) -> NoReturn:
    Console(stderr=True).print(message, markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(status)


if __name__ == "__main__":
    typer.run(rehearse)
