"""`calloff demo` as a program of its own: plays some days of brokerage, judges them, and ends by itself."""

import asyncio
from typing import Annotated

import typer

from calloff.commands.output import carry_out, err, out
from devstack.errors import Interrupted
from devstack.home import home_for
from devstack.interrupts import listen
from devstack.screen import screen_for
from simulator.demo.days import Days
from simulator.demo.play import SEED, Ending, Wish, play
from simulator.demo.report import last_line, tables


def demonstrate(
    *,
    referrals: Annotated[int, typer.Option(min=1, help="How many referrals the council posts.")] = 320,
    days: Annotated[int, typer.Option(min=1, max=14, help="How many days are played, from a Thursday on.")] = 5,
    seed: Annotated[int, typer.Option(help="Another one tells another story.")] = SEED,
) -> None:
    """Play some days of brokerage on a simulated clock, judge all that happened, and say it in one line of JSON."""
    ending = carry_out(_played(Wish(referrals, Days(days), seed)))
    for table in tables(ending):
        out.print(table)
    for violation in ending.verdict.violations:
        err.print(f"Violation: {violation}", markup=False, highlight=False, soft_wrap=True)
    typer.echo(last_line(ending))
    if ending.verdict.violations or not ending.verdict.chains_verified:
        raise typer.Exit(1)


async def _played(wish: Wish) -> Ending:
    playing = asyncio.ensure_future(play(home_for("demo"), wish, screen := screen_for(err)))
    listen(playing.cancel)
    try:
        return await playing
    except asyncio.CancelledError:
        raise Interrupted("the demonstration was given up; everything that was started is ended") from None
    finally:
        screen.close()


if __name__ == "__main__":
    typer.run(demonstrate)
