"""`calloff up` as a program of its own, because it alone needs the servers' clients, which take seconds to import."""

import asyncio
import re
from datetime import datetime
from typing import Annotated

import typer

from calloff.commands.output import JsonOption, err, out, print_json, run_command
from devstack.errors import InvalidTime
from devstack.home import find_home
from devstack.interrupts import handle_interrupts
from devstack.screen import create_screen
from simulator.simulated_clock.instants import START, the_instant
from simulator.up.up import Summary, Wish, up

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}


def _seconds(length: str | None) -> float | None:
    """`90s`, `5m`, `1h` or a number of seconds."""
    if length is None:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", length)
    if found is None:
        message = "write a length of time such as 90s, 5m or 1h"
        raise typer.BadParameter(message)
    return float(found[1]) * _UNITS[found[2]]


def _start(given: str | None, *, simulated: bool) -> datetime | None:
    """None where time passes by itself."""
    if given is not None and not simulated:
        message = "an instant to start at needs --simulated-clock"
        raise typer.BadParameter(message)
    try:
        return (START if given is None else the_instant(given)) if simulated else None
    except InvalidTime as error:
        raise typer.BadParameter(str(error)) from None


def bring_up(
    start: Annotated[str | None, typer.Argument(help="Where a simulated clock starts: 2026-03-02T08:00.")] = None,
    *,
    stay: Annotated[str | None, typer.Option("--for", help="End by itself after 90s, 5m, 1h.")] = None,
    referrals: Annotated[int, typer.Option(min=0, help="How many referrals to post.")] = 120,
    rate: Annotated[float, typer.Option(min=0.01, help="Referrals a second.")] = 2.0,
    simulated_clock: Annotated[bool, typer.Option(help="Time stands still until `calloff clock` moves it.")] = False,
    fresh: Annotated[bool, typer.Option(help="Forget what earlier runs left: databases, events, logs.")] = False,
    free_ports: Annotated[bool, typer.Option(help="Listen on any free ports, not from 8100 on.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Start everything with invented providers and referrals; Ctrl-C ends it."""
    start_at = _start(start, simulated=simulated_clock)
    wish = Wish(_seconds(stay), referrals, rate, fresh, free_ports, simulated_from=start_at)
    summary = run_command(_until_stopped(wish))
    if as_json:
        print_json(summary.model_dump_json())
        return
    out.print(_last_words(summary), markup=False, highlight=False, soft_wrap=True)


async def _until_stopped(wish: Wish) -> Summary:
    stop = asyncio.Event()
    handle_interrupts(stop.set)
    return await up(find_home(), wish, create_screen(err), stop=stop)


def _last_words(summary: Summary) -> str:
    packages = ", ".join(f"{count} {place}" for place, count in summary.packages.items() if count)
    said = [
        f"Posted {summary.posted} referrals ({summary.refused} refused).",
        f"Webhooks: {summary.webhooks} ({summary.webhooks_unverified} not verified).",
        f"Declined: {summary.declines}. Calls: {summary.calls}. Restarts: {summary.restarts}.",
        f"Packages, those of earlier runs too: {packages or 'none'}.",
    ]
    if summary.referral_to_webhook_ms_p50 is not None and summary.referral_to_webhook_ms_p95 is not None:
        half, most = summary.referral_to_webhook_ms_p50, summary.referral_to_webhook_ms_p95
        said.append(f"From referral to first webhook: half within {half:.0f} ms, 95% within {most:.0f} ms.")
    return "\n".join(said)


app = typer.Typer(add_completion=False, pretty_exceptions_show_locals=False)
app.command()(bring_up)

if __name__ == "__main__":
    app(prog_name="calloff up")
