"""`calloff market register`: registers the invented market at an installation, to try it out."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from calloff.client import RetryingApiClient
from calloff.commands.output import JsonOption, err, print_json, print_line, run_command
from calloff.connection import StackConnection, connect_to_stack, find_identity_of_council, get_council
from devstack.councils import COUNCILS
from devstack.json_lines import JsonLinesReader, JsonLinesWriter
from devstack.names import PRICING, REGISTRY
from devstack.screen import create_screen
from simulator import SEED
from simulator.councils import MARKET_BUILDERS
from simulator.market import InventedMarket
from simulator.providers import EndpointSecret
from simulator.registration import MarketRegistrar


@dataclass(frozen=True)
class Endpoints:
    """Where the providers' systems are, and the file that keeps the secrets of their webhooks."""

    receivers_url: str
    secrets_file: Path


def register_market(
    *,
    receivers: Annotated[
        str | None,
        typer.Option(help="Address of simulated providers' systems; without it all providers are telephoned."),
    ] = None,
    secrets: Annotated[
        Path | None, typer.Option(help="The file that gets the webhook secrets; needed with --receivers.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Register a council's invented market: framework, providers, ranked lists, rates. Repeating it changes nothing.

    The council is that of `calloff --council`. A framework is published by two officers: an installation needs the
    council's clients `admin` and `second-admin`.
    """
    if (receivers is None) != (secrets is None):
        message = "give --receivers and --secrets together, or neither"
        raise typer.BadParameter(message)
    endpoints = None if receivers is None or secrets is None else Endpoints(receivers.rstrip("/"), secrets)
    council = get_council()
    if council not in MARKET_BUILDERS:
        message = f"there is no invented market of {council}; choose {', '.join(MARKET_BUILDERS)}"
        raise typer.BadParameter(message)
    market = MARKET_BUILDERS[council](seed=SEED)
    run_command(_register(market, endpoints))
    if as_json:
        print_json(json.dumps({"providers": len(market.providers), "lists": len(market.lists)}))
        return
    print_line(f"{len(market.providers)} invented providers and {len(market.lists)} ranked lists are registered.")


async def _register(market: InventedMarket, endpoints: Endpoints | None) -> None:
    screen = create_screen(err)
    async with connect_to_stack() as stack:
        with screen.show_step(f"Register of {len(market.providers)} invented providers") as step:
            registrar = _create_registrar(stack, endpoints, step.set_progress)
            definitions = [file.read_bytes() for file in COUNCILS[market.council]]
            await registrar.register_market(market, definitions, today=datetime.now(UTC).date())
    screen.close()


def _create_registrar(
    stack: StackConnection, endpoints: Endpoints | None, progress: Callable[[float], None]
) -> MarketRegistrar:
    secrets_file = Path(os.devnull) if endpoints is None else endpoints.secrets_file
    known: set[UUID] = set() if endpoints is None else _load_known_providers(endpoints.secrets_file)
    return MarketRegistrar(
        RetryingApiClient(stack.session, stack.tokens, find_identity_of_council("admin")),
        stack.get_url(REGISTRY, ""),
        stack.get_url(PRICING, ""),
        second_client=RetryingApiClient(stack.session, stack.tokens, find_identity_of_council("second-admin")),
        receivers_url=None if endpoints is None else endpoints.receivers_url,
        secrets=JsonLinesWriter[EndpointSecret](secrets_file, private=True),
        is_known=known.__contains__,
        progress=progress,
    )


def _load_known_providers(secrets_file: Path) -> set[UUID]:
    return {line.provider_id for line in JsonLinesReader(secrets_file, EndpointSecret).read_new()}


if __name__ == "__main__":
    typer.run(register_market)
