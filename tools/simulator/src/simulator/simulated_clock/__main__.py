"""The program behind `calloff clock`. It is separate because it imports the services' clock."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime

import typer

from calloff.client import open_http_session
from calloff.commands.output import JsonOption, out, print_json, run_command
from calloff.connection import StackConnection, connect_to_embedded_stack
from devstack.councils import COUNCILS
from devstack.errors import NotSimulated
from devstack.home import find_home
from devstack.keys import StackKeys
from devstack.names import PRICING, RECEIVERS, SOURCING
from devstack.record import StackRecord
from simulator import SEED
from simulator.officer import Officer
from simulator.simulated_clock.driver import ClockDriver, ClockRun
from simulator.simulated_clock.instants import format_london_time, parse_duration, parse_instant
from simulator.simulated_clock.officer_hours import ScheduledOfficer
from simulator.simulated_clock.service_client import SimulatedProcessClient

app = typer.Typer(
    help="Show and advance the clock of a stack that was started with `--simulated-clock`.", no_args_is_help=True
)


@app.command("show")
def show(*, as_json: JsonOption = False) -> None:
    """Show the time and the next instant at which something is due."""
    now, next_due_at = run_command(_read_clock())
    if as_json:
        print_json(_format_json(now=now, next_due_at=next_due_at))
        return
    then = "nothing is due" if next_due_at is None else f"next: {format_london_time(next_due_at)}"
    out.print(f"It is {format_london_time(now)}; {then}.", markup=False, highlight=False, soft_wrap=True)


@app.command("advance")
def advance(duration: str, *, as_json: JsonOption = False) -> None:
    """Advance the clock by a duration such as 30m, 8h, 5d or 1d12h."""
    _print_run(run_command(_advance(duration)), as_json=as_json)


@app.command("to")
def move_to(instant: str, *, as_json: JsonOption = False) -> None:
    """Advance the clock to an instant in London time, such as 2026-03-06T17:00."""
    _print_run(run_command(_move_to(instant)), as_json=as_json)


def _print_run(run: ClockRun, *, as_json: bool) -> None:
    if as_json:
        print_json(_format_json(now=run.now, steps=run.steps, acts=run.acts, seconds=run.seconds))
        return
    out.print(f"{run}\n{format_london_time(run.now)}", markup=False, highlight=False, soft_wrap=True)


def _format_json(**values: datetime | float | None) -> str:
    return json.dumps({name: each.isoformat() if isinstance(each, datetime) else each for name, each in values.items()})


async def _read_clock() -> tuple[datetime, datetime | None]:
    async with _open_driver() as driver:
        return driver.now, driver.next_due_at


async def _advance(duration: str) -> ClockRun:
    length = parse_duration(duration)
    async with _open_driver() as driver:
        return await driver.advance(length)


async def _move_to(instant: str) -> ClockRun:
    at = parse_instant(instant)
    async with _open_driver() as driver:
        return await driver.advance_to(at)


@asynccontextmanager
async def _open_driver() -> AsyncGenerator[ClockDriver]:
    """Open a started driver of the running stack. Raises NotRunning, NotSimulated."""
    home = find_home()
    record = StackRecord.load(home)
    if not record.simulated:
        raise NotSimulated("the stack runs on real time; start it with `calloff up --simulated-clock`")
    async with open_http_session() as session:
        key = StackKeys.load(home).simulation
        urls = {**record.urls, RECEIVERS: record.receivers}
        services = [SimulatedProcessClient(name, url, key=key, session=session) for name, url in urls.items()]
        latest = max([(await each.read_activity()).now for each in services])
        connection = connect_to_embedded_stack(home, record, session)
        officers = [_create_officer(council, connection, start=latest) for council in COUNCILS]
        driver = ClockDriver(services, officers, seed=SEED)
        await driver.start()
        yield driver


def _create_officer(council: str, stack: StackConnection, *, start: datetime) -> ScheduledOfficer:
    officer = Officer(
        stack.create_client(f"{council}/officer"),
        stack.create_client(f"{council}/second-officer"),
        stack.urls[SOURCING],
        stack.urls[PRICING],
        seed=SEED,
    )
    return ScheduledOfficer(officer.process_work_list, council=council, start=start)


if __name__ == "__main__":
    app(prog_name="calloff clock")
