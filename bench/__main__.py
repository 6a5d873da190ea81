"""`make bench`: runs the measurements, prints a table and a last line of JSON."""

import os
import sys
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import Annotated, Final, TypeVar

import typer
import uvloop
from rich.console import Console

from bench import chains, idle, latency, recovery, relay, replicas, report, scale, timers, webhooks
from bench.calibration import Calibration, CalibrationStart
from bench.costs import wait_until_idle
from bench.environment import BenchEnvironment, start_environment
from bench.figures import Measurement
from bench.load import MachineLoad
from bench.peers import comparison
from bench.report import MeasurementOutcome
from calloff.commands.output import print_error
from contracts.errors import CallOffError
from devstack.home import create_home_for
from devstack.replicas import MAX_REPLICAS
from devstack.screen import create_screen

ResultT = TypeVar("ResultT")
Measure = Callable[[BenchEnvironment, float], Awaitable[Measurement]]

MEASUREMENTS: Final[Mapping[str, Measure]] = {
    "latency": latency.measure,
    "idle": idle.measure,
    "relay": relay.measure,
    "webhooks": webhooks.measure,
    "timers": timers.measure,
    "chains": chains.measure,
    "peers": comparison.measure,
    "recovery": recovery.measure,
}
"""Measurements in order; those that kill processes are last."""
OPTIONAL: Final = frozenset({"peers"})
"""Measurements that run only when they are asked for."""
_console: Final = Console(stderr=True, width=None if sys.stderr.isatty() else 180)
"""Without a terminal the table has its full width."""


def run_bench(
    *,
    only: Annotated[
        str, typer.Option(help=f"Measurements to run, separated by commas: {', '.join(MEASUREMENTS)}.")
    ] = "",
    at_scale: Annotated[
        str,
        typer.Option(
            "--scale", help="Measure latency and chains with these thousands of packages, separated by commas."
        ),
    ] = "",
    peers: Annotated[
        bool, typer.Option("--peers", help="Also run the same chain with procrastinate and FastStream, and compare.")
    ] = False,
    several: Annotated[
        int,
        typer.Option(
            "--replicas",
            min=1,
            max=MAX_REPLICAS,
            help="Measure latency and chains with one process of each service, and with so many.",
        ),
    ] = 1,
    share: Annotated[float, typer.Option(min=0.001, max=1, help="Share of the usual counts, for a trial run.")] = 1.0,
) -> None:
    """Measure Call-off from outside and print the result as one line of JSON."""
    if at_scale:
        _print_scale([int(each) for each in at_scale.split(",")], share)
        return
    if several > 1:
        _print_replicas(several, share)
        return
    names = {name for name in only.split(",") if name} or set(MEASUREMENTS) - OPTIONAL
    if unknown := names - set(MEASUREMENTS):
        raise typer.BadParameter(f"no such measurement: {', '.join(sorted(unknown))}")
    if peers:
        names |= OPTIONAL
    _print_figures(names, share)


def _print_figures(names: Collection[str], share: float) -> None:
    async def measure_all(scene: BenchEnvironment) -> list[MeasurementOutcome]:
        return [await _run_measurement(scene, name, share) for name in MEASUREMENTS if name in names]

    load, outcomes = MachineLoad.measure(), uvloop.run(_run_in_environment(measure_all))
    _console.print(report.build_table(outcomes, load))
    _print_calm(report.list_calibrations(outcomes))
    typer.echo(report.render_last_line(outcomes))
    if report.list_failed(outcomes):
        raise typer.Exit(1)


def _print_scale(thousands: Sequence[int], share: float) -> None:
    async def measure_scale(scene: BenchEnvironment) -> list[scale.SizeFigures]:
        return await scale.measure(scene, thousands, share)

    load = MachineLoad.measure()
    try:
        sizes = uvloop.run(_run_in_environment(measure_scale))
    except CallOffError as error:
        print_error(error)
        raise typer.Exit(1) from None
    _console.print(scale.build_table(sizes, load), scale.describe_slopes(sizes), sep="\n")
    _print_calm({f"{each.packages:,} packages": each.calibration for each in sizes})
    typer.echo(scale.render_last_line(sizes))


def _print_replicas(several: int, share: float) -> None:
    load, figures = MachineLoad.measure(), list[replicas.ReplicaFigures]()

    async def measure(environment: BenchEnvironment, count: int) -> replicas.ReplicaFigures:
        return await replicas.measure(environment, count, share)

    try:
        for count in (1, several):
            figures.append(uvloop.run(_run_in_environment(partial(measure, count=count), replicas=count)))
    except CallOffError as error:
        print_error(error)
        raise typer.Exit(1) from None
    _console.print(replicas.build_table(figures, load), replicas.describe_ratios(figures), sep="\n")
    _print_calm({f"{each.replicas} of each": each.calibration for each in figures})
    typer.echo(replicas.render_last_line(figures))


def _print_calm(calibrations: Mapping[str, Calibration]) -> None:
    _console.print(report.describe_calm(calibrations), highlight=False, soft_wrap=True)


async def _run_in_environment(
    measure: Callable[[BenchEnvironment], Awaitable[ResultT]], *, replicas: int = 1
) -> ResultT:
    screen = create_screen(_console)
    async with AsyncExitStack() as held:
        held.callback(screen.close)
        return await measure(
            await held.enter_async_context(start_environment(create_home_for("bench"), screen, replicas=replicas))
        )


async def _run_measurement(scene: BenchEnvironment, name: str, share: float) -> MeasurementOutcome:
    """Run each measurement on an idle stack. A failed measurement does not stop the others."""
    await wait_until_idle(scene.stack)
    load, before = os.getloadavg()[0], CalibrationStart.measure()
    with scene.screen.show_step(name.capitalize()):
        try:
            measured = await MEASUREMENTS[name](scene, share)
        except (CallOffError, OSError) as error:
            return MeasurementOutcome(name, load, None, str(error))
    await wait_until_idle(scene.stack)
    return MeasurementOutcome(name, load, measured, calibration=before.finish())


if __name__ == "__main__":
    typer.run(run_bench)
