"""The program behind `calloff demo`: simulates some days of brokerage, judges them and exits."""

import asyncio
from typing import Annotated

import typer

from calloff.commands.output import err, out, run_command
from devstack.errors import Interrupted
from devstack.home import create_home_for
from devstack.interrupts import handle_interrupts
from devstack.screen import create_screen
from simulator.demo.days import Days
from simulator.demo.report import build_tables, render_summary
from simulator.demo.run import SEED, USUAL_DAYS, DemoOptions, DemoResult, run_demo


def run(
    *,
    referrals: Annotated[
        int, typer.Option(min=1, help="How many referrals Essex posts; the other councils post fewer.")
    ] = 320,
    days: Annotated[
        int, typer.Option(min=1, max=14, help="How many days are simulated, from the Wednesday before Easter on.")
    ] = USUAL_DAYS,
    seed: Annotated[int, typer.Option(help="Seed of the simulated behaviour.")] = SEED,
) -> None:
    """Simulate some days of brokerage, check every rule, and print the result as one line of JSON."""
    result = run_command(_run(DemoOptions(referrals, Days(days), seed)))
    for table in build_tables(result):
        out.print(table)
    for violation in result.verdict.violations:
        err.print(f"Violation: {violation}", markup=False, highlight=False, soft_wrap=True)
    typer.echo(render_summary(result))
    if result.verdict.violations or not result.verdict.chains_verified:
        raise typer.Exit(1)


async def _run(options: DemoOptions) -> DemoResult:
    task = asyncio.ensure_future(run_demo(create_home_for("demo"), options, screen := create_screen(err)))
    handle_interrupts(task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        raise Interrupted("the demonstration was interrupted; everything that was started has been stopped") from None
    finally:
        screen.close()


if __name__ == "__main__":
    typer.run(run)
