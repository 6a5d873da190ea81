"""`calloff parked`: lists, releases and discards dead letters.

A key is parked when an event with that key could not be handled; later events with the same key wait behind it.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated
from urllib.parse import quote
from uuid import UUID

import typer
from pydantic import BaseModel

from calloff.client import ApiResponse, ResponseModel
from calloff.commands.output import (
    JsonOption,
    format_office_time,
    print_error,
    print_json,
    print_line,
    run_command,
)
from calloff.commands.stack_status import Service, select_services
from calloff.connection import StackConnection, connect_to_stack
from contracts.errors import CallOffError, NotFound
from devstack.errors import ServiceRefused, ServiceUnreachable

parked = typer.Typer(
    help="Dead letters: events that could not be handled, and the events that wait behind them.", no_args_is_help=True
)

ServiceOption = Annotated[Service | None, typer.Option("--service", help="One service; all of them by default.")]


class NothingParked(NotFound):
    title = "Nothing is parked"

    def __init__(self) -> None:
        super().__init__("no service has parked this; `calloff parked list` shows what is parked")


class ParkedKey(ResponseModel):
    topic: str
    key: str
    because: str
    since: datetime
    waiting: int
    event_id: UUID | None
    event_type: str | None


class ParkedKeys(ResponseModel):
    items: tuple[ParkedKey, ...]


class ReleaseResponse(ResponseModel):
    handled: int
    still_parked: bool


class BulkReleaseRequest(BaseModel):
    because: str | None
    event_type: str | None
    topic: str | None
    limit: int
    skip: int
    dry_run: bool


class ReleasedKey(ResponseModel):
    topic: str
    key: str
    because: str
    handled: int
    still_parked: bool


class BulkReleaseResponse(ResponseModel):
    items: tuple[ReleasedKey, ...]
    remaining: int


class DiscardRequest(BaseModel):
    because: str


@parked.command("list")
def list_parked(*, service: ServiceOption = None, as_json: JsonOption = False) -> None:
    """List every parked key, with the commands that release or discard it."""
    responses = run_command(_fetch_parked(service))
    if as_json:
        print_json(json.dumps({name: json.loads(response.body)["items"] for name, response in responses.items()}))
        return
    keys = ((name, key) for name, response in responses.items() for key in response.parse(ParkedKeys).items)
    lines = [line for name, key in keys for line in _describe_key(name, key)]
    print_line("\n".join(lines) or "Nothing is parked.")


def _describe_key(service: str, key: ParkedKey) -> Iterator[str]:
    yield f"{service}, since {format_office_time(key.since)}, {key.waiting} waiting: {key.because}"
    yield f"  calloff parked release {key.topic} {key.key}"
    if key.event_id is not None:
        yield f"  calloff parked discard {key.event_id} --because <ticket>"


async def _fetch_parked(service: Service | None) -> dict[str, ApiResponse]:
    async with connect_to_stack() as stack:
        client = stack.create_client("operator")
        return {name: await client.get(stack.get_url(name, "/v1/parked")) for name in select_services(service)}


@parked.command("release")
def release_parked(topic: str, key: str, *, service: ServiceOption = None, as_json: JsonOption = False) -> None:
    """Handle the events that wait under a topic and key, in order, at every service where the key is parked."""
    path = f"/v1/parked/{quote(topic, safe='')}/{quote(key, safe='')}/release"
    results = run_command(_release_at_services(path, service))
    responses = {name: result for name, result in results.items() if isinstance(result, ApiResponse)}
    if as_json:
        print_json(json.dumps({name: json.loads(response.body) for name, response in responses.items()}))
    for name, result in results.items():
        if isinstance(result, CallOffError):
            print_error(result, service=name)
        elif not as_json:
            print_line(f"{name}: {_describe_release(result.parse(ReleaseResponse))}")
    if len(responses) < len(results):
        raise typer.Exit(1)


@parked.command("release-all")
def release_all_parked(
    *,
    because: Annotated[str | None, typer.Option(help="The reason, as `calloff parked list` shows it.")] = None,
    event_type: Annotated[str | None, typer.Option(help="The type of the event that failed.")] = None,
    topic: Annotated[str | None, typer.Option(help="The topic of the keys.")] = None,
    limit: Annotated[int, typer.Option(help="Keys of each service, at most 100.", min=1, max=100)] = 20,
    skip: Annotated[int, typer.Option(help="Keys to leave out: those that failed again before.", min=0)] = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list the keys that would be released.")] = False,
    service: ServiceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Release the keys that are parked for one reason, the longest parked first; go on after a key that fails again."""
    request = BulkReleaseRequest(
        because=because, event_type=event_type, topic=topic, limit=limit, skip=skip, dry_run=dry_run
    )
    responses = run_command(_release_matching(request, service))
    if as_json:
        print_json(json.dumps({name: json.loads(response.body) for name, response in responses.items()}))
        return
    lines = [
        line
        for name, response in responses.items()
        for line in _describe_bulk_release(name, response.parse(BulkReleaseResponse), request)
    ]
    print_line("\n".join(lines) or "Nothing that matches is parked.")


async def _release_matching(request: BulkReleaseRequest, service: Service | None) -> dict[str, ApiResponse]:
    async with connect_to_stack() as stack:
        client = stack.create_client("operator")
        return {
            name: await client.post(stack.get_url(name, "/v1/parked/release"), request)
            for name in select_services(service)
        }


def _describe_bulk_release(service: str, release: BulkReleaseResponse, request: BulkReleaseRequest) -> Iterator[str]:
    for key in release.items:
        state = "still parked: an event failed again" if key.still_parked else "released"
        result = f"would be released ({key.because})" if request.dry_run else f"{key.handled} handled, {state}"
        yield f"{service}: {key.topic} {key.key}: {result}"
    failed = 0 if request.dry_run else sum(key.still_parked for key in release.items)
    if release.remaining:
        advice = f" with --skip {request.skip + failed} to leave out those that failed again" if failed else ""
        yield f"{service}: {release.remaining} more keys match; run the command again{advice}"


def _describe_release(release: ReleaseResponse) -> str:
    state = "the key is still parked: an event failed again" if release.still_parked else "no event waits any more"
    return f"{release.handled} handled; {state}."


async def _release_at_services(path: str, service: Service | None) -> dict[str, ApiResponse | CallOffError]:
    """What each service answered that has the key parked; an error of one does not stop the others.

    Raises NothingParked.
    """
    async with connect_to_stack() as stack:
        results = {name: await _release_at_service(stack, name, path) for name in select_services(service)}
    found = {name: result for name, result in results.items() if result is not None}
    if not found:
        raise NothingParked
    return found


async def _release_at_service(stack: StackConnection, service: str, path: str) -> ApiResponse | CallOffError | None:
    """None where the service has not parked the key."""
    try:
        return await stack.create_client("operator").post(stack.get_url(service, path))
    except (ServiceRefused, ServiceUnreachable) as error:
        return None if isinstance(error, ServiceRefused) and error.status == 404 else error


@parked.command("discard")
def discard_parked(
    event_id: UUID,
    *,
    because: Annotated[str, typer.Option(help="A code or ticket number, without names of people.")],
    service: ServiceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Discard a failed event; the audit record keeps it. The events behind it can then be released."""
    path = f"/v1/parked/events/{event_id}/discard"
    run_command(_discard_at_service(path, DiscardRequest(because=because), service))
    print_json('{"discarded": true}') if as_json else print_line("The event is discarded; the discard is on record.")


async def _discard_at_service(path: str, body: BaseModel, service: Service | None) -> ApiResponse:
    """Asks each service until one has the event. Raises NothingParked."""
    async with connect_to_stack() as stack:
        for name in select_services(service):
            try:
                return await stack.create_client("operator").post(stack.get_url(name, path), body)
            except ServiceRefused as refused:
                if refused.status != 404:
                    raise
    raise NothingParked
