"""`calloff status`, `url` and `token`: the services of the stack that runs, their addresses, and tokens for them."""

import asyncio
import json
from enum import StrEnum
from typing import Annotated

import typer
from pydantic import BaseModel

from calloff.commands.output import JsonOption, err, print_json, run_command
from calloff.commands.tables import print_table
from calloff.connection import StackConnection, connect_to_stack, list_exposed_secrets
from devstack.errors import ServiceRefused, ServiceUnreachable
from devstack.names import AUDIT, PRICING, REFERRAL, REGISTRY, SOURCING


class Service(StrEnum):
    REFERRAL = REFERRAL
    SOURCING = SOURCING
    REGISTRY = REGISTRY
    PRICING = PRICING
    AUDIT = AUDIT


class ServiceStatus(BaseModel):
    service: str
    url: str
    pid: int | None
    ready: str


def select_services(service: Service | None) -> list[str]:
    """The name of `service`; the names of all services for None."""
    return [candidate.value for candidate in Service if service in {None, candidate}]


def show_status(*, as_json: JsonOption = False) -> None:
    """Show each service with its address, its process, and whether it is ready."""
    statuses = run_command(_fetch_statuses())
    if as_json:
        print_json(json.dumps([status.model_dump() for status in statuses]))
        return
    if not any(status.pid for status in statuses):  # the processes of another installation are on other machines
        print_table(
            ("service", "address", "ready"), [(each.service, each.url, each.ready) for each in statuses], empty=""
        )
        return
    rows = [(status.service, status.url, status.pid, status.ready) for status in statuses]
    print_table(("service", "address", "process", "ready"), rows, empty="No service is running.")


async def _fetch_statuses() -> list[ServiceStatus]:
    async with connect_to_stack() as stack:
        _warn_about_exposed_secrets(stack)
        processes = [(name, url, f"{url}/readyz") for name, url in stack.urls.items()]
        if stack.replicas:
            processes = [(name, stack.urls[name.partition(" ")[0]], check) for name, check in stack.replicas.items()]
        return await asyncio.gather(*[_fetch_status(stack, name, url, check) for name, url, check in processes])


def _warn_about_exposed_secrets(stack: StackConnection) -> None:
    for file in [] if stack.installation is None else list_exposed_secrets(stack.installation):
        err.print(f"Warning: other users can read {file}; chmod 600 it.", markup=False, highlight=False, soft_wrap=True)


async def _fetch_status(stack: StackConnection, name: str, url: str, check: str) -> ServiceStatus:
    try:
        await stack.create_anonymous_client().get(check)
        ready = "ready"
    except (ServiceRefused, ServiceUnreachable) as error:
        ready = str(error)
    return ServiceStatus(service=name, url=url, pid=stack.pids.get(name), ready=ready)


def show_url(service: Service, *, as_json: JsonOption = False) -> None:
    """Print the address of a service."""
    address = run_command(_find_url(service))
    print_json(json.dumps({"url": address})) if as_json else typer.echo(address)


def issue_token(
    *,
    identity: Annotated[
        str,
        typer.Option(
            "--as",
            help="council, officer, second-officer, admin, second-admin, operator or provider:<id>; "
            "of another council: oxfordshire/officer.",
        ),
    ] = "council",
    as_json: JsonOption = False,
) -> None:
    """Print a bearer token for the services."""
    token = run_command(_issue_token(identity))
    print_json(json.dumps({"access_token": token})) if as_json else typer.echo(token)


async def _issue_token(name: str) -> str:
    async with connect_to_stack() as stack:
        return await stack.fetch_token(name)


async def _find_url(service: Service) -> str:
    async with connect_to_stack() as stack:
        return stack.urls[service.value]
