"""What an operator does: see what is parked and let it go, see what runs and where."""

import asyncio
import json
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import Annotated
from urllib.parse import quote
from uuid import UUID

import typer
from pydantic import BaseModel

from calloff.client import Answer, Reading
from calloff.commands.output import (
    Connection,
    Json,
    carry_out,
    connected,
    office_time,
    out,
    print_json,
    print_table,
    say_error,
)
from contracts.errors import CallOffError, NotFound
from devstack.errors import ServiceRefused, ServiceUnreachable
from devstack.home import find_home
from devstack.issuer.identities import identity_named
from devstack.issuer.tokens import TokenIssuer
from devstack.keys import Keys
from devstack.names import AUDIT, PRICING, REFERRAL, REGISTRY, SOURCING
from devstack.record import StackRecord

parked = typer.Typer(help="Events that could not be handled, and what waits behind them.", no_args_is_help=True)


class Service(StrEnum):
    REFERRAL = REFERRAL
    SOURCING = SOURCING
    REGISTRY = REGISTRY
    PRICING = PRICING
    AUDIT = AUDIT


class NothingParked(NotFound):
    title = "Nothing is parked"

    def __init__(self) -> None:
        super().__init__("no service has this parked; `calloff parked list` shows what is")


Chosen = Annotated[Service | None, typer.Option("--service", help="One service; otherwise all of them.")]


class ParkedKey(Reading):
    topic: str
    key: str
    because: str
    since: datetime
    waiting: int
    event_id: UUID | None
    event_type: str | None


class ParkedKeys(Reading):
    items: tuple[ParkedKey, ...]


class Released(Reading):
    handled: int
    still_parked: bool


class Discard(BaseModel):
    because: str


class ServiceStatus(BaseModel):
    service: str
    url: str
    pid: int | None
    ready: str


@parked.command("list")
def list_parked(*, service: Chosen = None, as_json: Json = False) -> None:
    """Every key that waits for an operator."""
    found = carry_out(_parked(service))
    if as_json:
        print_json(json.dumps({name: json.loads(answer.body)["items"] for name, answer in found.items()}))
        return
    parked_keys = ((name, key) for name, answer in found.items() for key in answer.as_(ParkedKeys).items)
    lines = [line for name, key in parked_keys for line in _told(name, key)]
    out.print("\n".join(lines) or "Nothing is parked.", markup=False, highlight=False, soft_wrap=True)


def _told(service: str, key: ParkedKey) -> Iterator[str]:
    """What is wrong, and the two commands that end it."""
    yield f"{service}, since {office_time(key.since)}, {key.waiting} waiting: {key.because}"
    yield f"  calloff parked release {key.topic} {key.key}"
    if key.event_id is not None:
        yield f"  calloff parked discard {key.event_id} --because <ticket>"


async def _parked(service: Service | None) -> dict[str, Answer]:
    async with connected() as here:
        return {name: await here.as_("operator").get(here.url(name, "/v1/parked")) for name in _names(service)}


def _names(service: Service | None) -> list[str]:
    return [each.value for each in Service if service in {None, each}]


@parked.command("release")
def release_parked(topic: str, key: str, *, service: Chosen = None, as_json: Json = False) -> None:
    """Handle what waits under a topic and key, in its order, at every service where it is parked."""
    path = f"/v1/parked/{quote(topic, safe='')}/{quote(key, safe='')}/release"
    came = carry_out(_wherever_it_is_parked(path, service))
    released = {name: answer for name, answer in came.items() if isinstance(answer, Answer)}
    if as_json:
        print_json(json.dumps({name: json.loads(answer.body) for name, answer in released.items()}))
    for name, answer in came.items():
        if isinstance(answer, CallOffError):
            say_error(answer, of=name)
        elif not as_json:
            out.print(f"{name}: {_came_of(answer.as_(Released))}", markup=False, highlight=False, soft_wrap=True)
    if len(released) < len(came):
        raise typer.Exit(1)


def _came_of(released: Released) -> str:
    left = "it is parked still: an event failed again" if released.still_parked else "nothing waits any more"
    return f"{released.handled} handled; {left}."


async def _wherever_it_is_parked(path: str, service: Service | None) -> dict[str, Answer | CallOffError]:
    """What each service said that has it; one that cannot be asked keeps nobody from the next. Raises NothingParked."""
    async with connected() as here:
        said = {name: await _answer(here, name, path) for name in _names(service)}
    came = {name: answer for name, answer in said.items() if answer is not None}
    if not came:
        raise NothingParked
    return came


async def _answer(here: Connection, service: str, path: str) -> Answer | CallOffError | None:
    """None where the service has nothing of it parked."""
    try:
        return await here.as_("operator").post(here.url(service, path))
    except (ServiceRefused, ServiceUnreachable) as error:
        return None if isinstance(error, ServiceRefused) and error.status == 404 else error


@parked.command("discard")
def discard_parked(
    event_id: UUID,
    *,
    because: Annotated[str, typer.Option(help="A code or ticket number; no names.")],
    service: Chosen = None,
    as_json: Json = False,
) -> None:
    """Take a failed event out of the line, on record; what waits behind it can then be released."""
    path = f"/v1/parked/events/{event_id}/discard"
    carry_out(_wherever_it_is(path, Discard(because=because), service))
    print_json('{"discarded": true}') if as_json else out.print("It is discarded, on record.")


async def _wherever_it_is(path: str, body: BaseModel, service: Service | None) -> Answer:
    """The person at the keyboard need not know which service has it."""
    async with connected() as here:
        for name in _names(service):
            try:
                return await here.as_("operator").post(here.url(name, path), body)
            except ServiceRefused as refused:
                if refused.status != 404:
                    raise
    raise NothingParked


def status(*, as_json: Json = False) -> None:
    """What runs where, and whether it is ready."""
    found = carry_out(_status())
    if as_json:
        print_json(json.dumps([each.model_dump() for each in found]))
        return
    rows = [(each.service, each.url, each.pid, each.ready) for each in found]
    print_table(("service", "address", "process", "ready"), rows, nothing="Nothing runs.")


async def _status() -> list[ServiceStatus]:
    async with connected() as here:
        return await asyncio.gather(*[_status_of(name, url, here) for name, url in here.record.urls.items()])


async def _status_of(name: str, url: str, here: Connection) -> ServiceStatus:
    try:
        await here.as_("operator").get(f"{url}/readyz")
        ready = "ready"
    except (ServiceRefused, ServiceUnreachable) as error:
        ready = str(error)
    return ServiceStatus(service=name, url=url, pid=here.record.pids.get(name), ready=ready)


def url(service: Service, *, as_json: Json = False) -> None:
    """The address of a service."""
    address = carry_out(_record()).urls[service.value]
    print_json(json.dumps({"url": address})) if as_json else typer.echo(address)


def token(
    *,
    as_: Annotated[
        str, typer.Option("--as", help="council, officer, approver, admin, operator or provider:<id>.")
    ] = "council",
    as_json: Json = False,
) -> None:
    """A bearer token for the stack that runs here."""
    made = carry_out(_token(as_))
    print_json(json.dumps({"access_token": made})) if as_json else typer.echo(made)


async def _token(name: str) -> str:
    home = find_home()
    return TokenIssuer(StackRecord.of(home).issuer, Keys.of(home)).token(identity_named(name))


async def _record() -> StackRecord:
    return StackRecord.of(find_home())
