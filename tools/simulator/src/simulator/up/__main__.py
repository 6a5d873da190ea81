"""The program behind `calloff up`. It is separate because it imports the servers' clients, which takes seconds."""

import asyncio
import re
from datetime import datetime
from typing import Annotated

import typer

from calloff.commands.output import JsonOption, err, out, print_json, run_command
from devstack.errors import InvalidTime
from devstack.home import find_home
from devstack.interrupts import handle_interrupts
from devstack.replicas import MAX_REPLICAS
from devstack.screen import create_screen
from simulator.simulated_clock.instants import START, parse_instant
from simulator.up.up import Summary, UpOptions, run_stack

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}


def _parse_seconds(length: str | None) -> float | None:
    """Parse `90s`, `5m`, `1h` or a number of seconds."""
    if length is None:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", length)
    if found is None:
        message = "not a duration; write for example 90s, 5m or 1h"
        raise typer.BadParameter(message)
    return float(found[1]) * _UNITS[found[2]]


def _parse_start(text: str | None, *, simulated: bool) -> datetime | None:
    """Parse the start of the simulated clock; None for real time."""
    if text is not None and not simulated:
        message = "a start needs --simulated-clock"
        raise typer.BadParameter(message)
    try:
        return (START if text is None else parse_instant(text)) if simulated else None
    except InvalidTime as error:
        raise typer.BadParameter(str(error)) from None


def bring_up(
    start: Annotated[str | None, typer.Argument(help="Where a simulated clock starts: 2026-03-02T08:00.")] = None,
    *,
    stay: Annotated[str | None, typer.Option("--for", help="Stop after 90s, 5m or 1h.")] = None,
    referrals: Annotated[int, typer.Option(min=0, help="How many referrals to post.")] = 120,
    rate: Annotated[float, typer.Option(min=0.01, help="Referrals a second.")] = 2.0,
    simulated_clock: Annotated[bool, typer.Option(help="Time stands still until `calloff clock` moves it.")] = False,
    fresh: Annotated[bool, typer.Option(help="Delete databases, events and logs of earlier runs.")] = False,
    free_ports: Annotated[bool, typer.Option(help="Listen on any free ports, not from 8100 on.")] = False,
    replicas: Annotated[
        int, typer.Option(min=1, max=MAX_REPLICAS, help="Processes of each service, behind one address.")
    ] = 1,
    as_json: JsonOption = False,
) -> None:
    """Start the stack with simulated providers and referrals; Ctrl-C stops it."""
    start_at = _parse_start(start, simulated=simulated_clock)
    if simulated_clock and replicas > 1:
        message = "a simulated clock needs one process of each service; leave out --replicas or --simulated-clock"
        raise typer.BadParameter(message)
    options = UpOptions(
        _parse_seconds(stay), referrals, rate, fresh, free_ports, simulated_from=start_at, replicas=replicas
    )
    summary = run_command(_run_until_stopped(options))
    if as_json:
        print_json(summary.model_dump_json())
        return
    out.print(_format_summary(summary), markup=False, highlight=False, soft_wrap=True)


async def _run_until_stopped(options: UpOptions) -> Summary:
    stop = asyncio.Event()
    handle_interrupts(stop.set)
    return await run_stack(find_home(), options, create_screen(err), stop=stop)


def _format_summary(summary: Summary) -> str:
    packages = ", ".join(f"{count} {place}" for place, count in summary.packages.items() if count)
    lines = [
        f"Posted {summary.posted} referrals ({summary.refused} refused).",
        f"Webhooks: {summary.webhooks} ({summary.webhooks_unverified} not verified).",
        f"Declined: {summary.declines}. Calls: {summary.calls}. Restarts: {summary.restarts}.",
        f"Packages, including those of earlier runs: {packages or 'none'}.",
    ]
    if summary.referral_to_webhook_ms_p50 is not None and summary.referral_to_webhook_ms_p95 is not None:
        p50, p95 = summary.referral_to_webhook_ms_p50, summary.referral_to_webhook_ms_p95
        lines.append(f"From referral to first webhook: {p50:.0f} ms (median), {p95:.0f} ms (95th percentile).")
    return "\n".join(lines)


app = typer.Typer(add_completion=False, pretty_exceptions_show_locals=False)
app.command()(bring_up)

if __name__ == "__main__":
    app(prog_name="calloff up")
