"""`calloff demo` as a program of its own: plays some days of brokerage, judges them, and ends by itself."""

import asyncio
from typing import Annotated

import typer

from calloff.commands.output import err, out, run_command
from devstack.errors import Interrupted
from devstack.home import create_home_for
from devstack.interrupts import handle_interrupts
from devstack.screen import create_screen
from simulator.demo.days import Days
from simulator.demo.report import last_line, tables
from simulator.demo.run import SEED, Ending, Wish, play


def demonstrate(
    *,
    referrals: Annotated[int, typer.Option(min=1, help="How many referrals the council posts.")] = 320,
    days: Annotated[int, typer.Option(min=1, max=14, help="How many days are played, from a Thursday on.")] = 5,
    seed: Annotated[int, typer.Option(help="Another one tells another story.")] = SEED,
) -> None:
    """Play some days of brokerage on a simulated clock, judge all that happened, and say it in one line of JSON."""
    ending = run_command(_played(Wish(referrals, Days(days), seed)))
    for table in tables(ending):
        out.print(table)
    for violation in ending.verdict.violations:
        err.print(f"Violation: {violation}", markup=False, highlight=False, soft_wrap=True)
    typer.echo(last_line(ending))
    if ending.verdict.violations or not ending.verdict.chains_verified:
        raise typer.Exit(1)


async def _played(wish: Wish) -> Ending:
    playing = asyncio.ensure_future(play(create_home_for("demo"), wish, screen := create_screen(err)))
    handle_interrupts(playing.cancel)
    try:
        return await playing
    except asyncio.CancelledError:
        raise Interrupted("the demonstration was given up; everything that was started is ended") from None
    finally:
        screen.close()


if __name__ == "__main__":
    typer.run(demonstrate)
