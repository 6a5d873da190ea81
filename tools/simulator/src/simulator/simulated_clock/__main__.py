"""`calloff clock` as a program of its own, because it alone of the small commands knows the services' clock."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime

import typer

from calloff.client import open_http_session
from calloff.commands.output import JsonOption, out, print_json, run_command
from calloff.connection import StackConnection
from devstack.errors import NotSimulated
from devstack.home import find_home
from devstack.keys import StackKeys
from devstack.names import PRICING, RECEIVERS, SOURCING
from devstack.record import StackRecord
from simulator import SEED
from simulator.officer import Officer
from simulator.simulated_clock.driver import Driver, Journey
from simulator.simulated_clock.instants import in_london, the_instant, the_length
from simulator.simulated_clock.officer_hours import OfficerAtWork
from simulator.simulated_clock.service_client import OverHttp

app = typer.Typer(help="The time of a stack that was started with `--simulated-clock`.", no_args_is_help=True)


@app.command("show")
def show(*, as_json: JsonOption = False) -> None:
    """What time it is, and when something is to happen next."""
    now, following = run_command(_show())
    if as_json:
        print_json(_json(now=now, next_wake=following))
        return
    then = "nothing is to happen" if following is None else f"next: {in_london(following)}"
    out.print(f"It is {in_london(now)}; {then}.", markup=False, highlight=False, soft_wrap=True)


@app.command("advance")
def advance(duration: str, *, as_json: JsonOption = False) -> None:
    """Let everything of the next 30m, 8h, 5d or 1d12h happen."""
    _say(run_command(_move(duration)), as_json=as_json)


@app.command("to")
def to(instant: str, *, as_json: JsonOption = False) -> None:
    """Let everything happen up to an instant, 2026-03-06T17:00, in London's time."""
    _say(run_command(_move_to(instant)), as_json=as_json)


def _say(journey: Journey, *, as_json: bool) -> None:
    if as_json:
        print_json(_json(now=journey.now, steps=journey.steps, acts=journey.acts, seconds=journey.seconds))
        return
    out.print(f"{journey}\n{in_london(journey.now)}", markup=False, highlight=False, soft_wrap=True)


def _json(**said: datetime | float | None) -> str:
    return json.dumps({name: each.isoformat() if isinstance(each, datetime) else each for name, each in said.items()})


async def _show() -> tuple[datetime, datetime | None]:
    async with _driver() as driver:
        return driver.now, driver.next_wake


async def _move(duration: str) -> Journey:
    length = the_length(duration)
    async with _driver() as driver:
        return await driver.advance(length)


async def _move_to(instant: str) -> Journey:
    at = the_instant(instant)
    async with _driver() as driver:
        return await driver.to(at)


@asynccontextmanager
async def _driver() -> AsyncGenerator[Driver]:
    """A driver of the stack that runs here, which has begun. Raises NotRunning, NotSimulated."""
    home = find_home()
    record = StackRecord.load(home)
    if not record.simulated:
        raise NotSimulated("start with `calloff up --simulated-clock` to have a clock that can be moved")
    async with open_http_session() as session:
        key = StackKeys.load(home).simulation
        places = {**record.urls, RECEIVERS: record.receivers}
        services = [OverHttp(name, url, key=key, session=session) for name, url in places.items()]
        latest = max([(await each.activity()).now for each in services])
        connection = StackConnection(home, record, session)
        officer = Officer(
            connection.create_client("officer"),
            connection.create_client("second-officer"),
            record.urls[SOURCING],
            record.urls[PRICING],
            seed=SEED,
        )
        driver = Driver(services, [OfficerAtWork(officer.work_through_list, begins=latest)], seed=SEED)
        await driver.begin()
        yield driver


if __name__ == "__main__":
    app(prog_name="calloff clock")
