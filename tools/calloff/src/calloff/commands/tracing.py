"""What the services tell of their work: a package's bursts as waterfalls, and the newest numbers of each service."""

import json
from dataclasses import asdict
from typing import Annotated, Final
from uuid import UUID

import typer

from calloff.commands.output import Json, out, print_json, print_table, say_error
from contracts.errors import CallOffError
from devstack.errors import NothingTraced
from devstack.home import Home, find_home
from devstack.telemetry.archive import numbers_of, spans_about
from devstack.telemetry.bursts import Burst, bursts_of
from devstack.telemetry.spans import Number
from devstack.telemetry.waterfall import drawn

MOST_SPANS: Final = 2_000
NARROWEST: Final = 72


def trace(package_id: UUID, *, as_json: Json = False) -> None:
    """How a package was worked on: each burst as a waterfall, with who took how long, and what failed."""
    try:
        bursts = _bursts(find_home(), str(package_id))
    except CallOffError as error:
        say_error(error)
        raise typer.Exit(1) from None
    if as_json:
        print_json(json.dumps({"package_id": str(package_id), "bursts": [_told(burst) for burst in bursts]}))
        return
    for line in drawn(bursts, width=max(out.width, NARROWEST)):
        out.print(line, crop=False, soft_wrap=True)


def _bursts(home: Home, package_id: str) -> list[Burst]:
    """Raises NothingTraced, with the reason that is likeliest."""
    if not home.telemetry.exists():
        raise NothingTraced(
            f"no traces are kept in {home.folder}: `make run` keeps them, unless OTEL_EXPORTER_OTLP_ENDPOINT sends "
            "them elsewhere"
        )
    found = spans_about(home.telemetry, package_id, most=MOST_SPANS)
    if not found:
        raise NothingTraced(
            f"no trace of package {package_id} is kept in {home.folder}; it came some seconds ago at most, or a week "
            "ago, or was never worked on here"
        )
    return bursts_of(found)


def _told(burst: Burst) -> dict[str, object]:
    return {
        "number": burst.number,
        "trace_id": burst.trace_id,
        "began_ns": burst.began,
        "took_ns": burst.ended - burst.began,
        "spans": [{**asdict(line.span), "depth": line.depth} for line in burst.lines],
    }


def metrics(
    like: Annotated[str, typer.Argument(help="Only those with this in their names.")] = "", *, as_json: Json = False
) -> None:
    """The newest numbers that the services have told."""
    home = find_home()
    numbers = numbers_of(home.telemetry) if home.telemetry.exists() else []
    found = [each for each in numbers if like in each.name]
    if as_json:
        print_json(json.dumps([{**asdict(each), "labels": dict(each.labels)} for each in found]))
        return
    rows = [(each.name.removeprefix("calloff_"), each.service, _labels(each), _value(each)) for each in found]
    print_table(("metric", "service", "of", "value"), rows, nothing="No numbers have been told here yet.")


def _labels(number: Number) -> str:
    return ", ".join(value for _, value in number.labels)


def _value(number: Number) -> str:
    if number.count is None:
        return f"{number.value:g}"
    mean = number.value / number.count if number.count else 0
    return f"{number.count} times, {mean:.3g} on average"
