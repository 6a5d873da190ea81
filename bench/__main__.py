"""`make bench`: every figure of the design that is built; a table for people, and a last line of JSON."""

import os
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Annotated, Final, TypeVar

import typer
import uvloop
from rich.console import Console

from bench import chains, latency, recovery, relay, report, scale, timers, webhooks
from bench.costs import at_rest
from bench.figures import Measured
from bench.load import Load
from bench.report import Outcome
from bench.scene import Scene, a_scene
from calloff.commands.output import say_error
from contracts.errors import CallOffError
from devstack.home import home_for
from devstack.screen import screen_for

ResultT = TypeVar("ResultT")
Measure = Callable[[Scene, float], Awaitable[Measured]]

MEASUREMENTS: Final[Mapping[str, Measure]] = {
    "latency": latency.measure,
    "relay": relay.measure,
    "webhooks": webhooks.measure,
    "timers": timers.measure,
    "chains": chains.measure,
    "recovery": recovery.measure,
}
"""In this order: what is killed comes last."""
_people: Final = Console(stderr=True, width=None if sys.stderr.isatty() else 180)
"""A file is as wide as the table."""


def bench(
    *,
    only: Annotated[str, typer.Option(help=f"Some of {', '.join(MEASUREMENTS)}, with commas between.")] = "",
    at_scale: Annotated[
        str, typer.Option("--scale", help="Latency and chains with so many thousand packages, with commas between.")
    ] = "",
    share: Annotated[float, typer.Option(min=0.001, max=1, help="Of the usual counts: a trial, no figures.")] = 1.0,
) -> None:
    """Measure Call-off from outside, and say it in one line of JSON."""
    if at_scale:
        _tell_of_scale([int(each) for each in at_scale.split(",")], share)
        return
    names = [name for name in only.split(",") if name] or list(MEASUREMENTS)
    if unknown := set(names) - set(MEASUREMENTS):
        raise typer.BadParameter(f"no such measurement: {', '.join(sorted(unknown))}")
    _tell_of_figures(names, share)


def _tell_of_figures(names: Sequence[str], share: float) -> None:
    async def measured(scene: Scene) -> list[Outcome]:
        return [await _outcome(scene, name, share) for name in MEASUREMENTS if name in names]

    load, outcomes = Load.now(), uvloop.run(_on_a_scene(measured))
    _people.print(report.table(outcomes, load))
    typer.echo(report.last_line(outcomes))
    if report.failed(outcomes):
        raise typer.Exit(1)


def _tell_of_scale(thousands: Sequence[int], share: float) -> None:
    async def measured(scene: Scene) -> list[scale.Size]:
        return await scale.measure(scene, thousands, share)

    load = Load.now()
    try:
        sizes = uvloop.run(_on_a_scene(measured))
    except CallOffError as error:
        say_error(error)
        raise typer.Exit(1) from None
    _people.print(scale.table(sizes, load), scale.verdict(sizes), sep="\n")
    typer.echo(scale.last_line(sizes))


async def _on_a_scene(measure: Callable[[Scene], Awaitable[ResultT]]) -> ResultT:
    screen = screen_for(_people)
    async with AsyncExitStack() as held:
        held.callback(screen.close)
        return await measure(await held.enter_async_context(a_scene(home_for("bench"), screen)))


async def _outcome(scene: Scene, name: str, share: float) -> Outcome:
    """On a stack at rest. A measurement that fails leaves the others their chance."""
    await at_rest(scene.stage)
    load = os.getloadavg()[0]
    with scene.screen.step(name.capitalize()):
        try:
            return Outcome(name, load, await MEASUREMENTS[name](scene, share))
        except (CallOffError, OSError) as error:
            return Outcome(name, load, None, str(error))


if __name__ == "__main__":
    typer.run(bench)
