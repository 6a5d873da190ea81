"""Registers the invented markets once for each database; a second start sends no request."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict, ValidationError

from calloff.client import ApiClient
from devstack.config import StackConfig
from devstack.councils import COUNCILS
from devstack.databases import read_cluster_id
from devstack.home import Home, write_private
from devstack.issuer.identities import make_client_id
from devstack.json_lines import JsonLinesWriter
from devstack.names import PRICING, RECEIVERS, REGISTRY
from devstack.screen import Screen
from simulator import SEED
from simulator.councils import MARKET_BUILDERS
from simulator.providers import EndpointSecret, EndpointSecrets
from simulator.registration import MarketRegistrar


class SeedMarker(BaseModel):
    """The content of `seeded.json`: the registered seed, its database and the address of the providers' systems."""

    model_config = ConfigDict(frozen=True)

    database: str
    seed: int
    receivers: str
    councils: tuple[str, ...] = ()


async def seed_markets(
    config: StackConfig, councils: Sequence[str], create_client: Callable[[str], ApiClient], screen: Screen
) -> None:
    """Register the councils' markets if they are missing; only endpoints if the providers' systems have moved.

    `create_client` returns the client of an identity. Two officers of each council register its market: the second one
    approves what the first one proposes.
    """
    home = config.home
    marker = SeedMarker(
        database=await read_cluster_id(config.postgres),
        seed=SEED,
        receivers=config.addresses.get_url(RECEIVERS),
        councils=tuple(councils),
    )
    previous = _load_marker(home)
    if previous == marker:
        return
    is_registered = previous is not None and marker == previous.model_copy(update={"receivers": marker.receivers})
    for council in councils:
        await _seed_market(config, council, create_client, screen, is_registered=is_registered)
    write_private(home.seed_marker, marker.model_dump_json())


async def _seed_market(
    config: StackConfig, council: str, create_client: Callable[[str], ApiClient], screen: Screen, *, is_registered: bool
) -> None:
    home, market = config.home, MARKET_BUILDERS[council](seed=SEED)
    secrets = EndpointSecrets(home)
    log = JsonLinesWriter[EndpointSecret](home.endpoint_secrets, private=True)
    with screen.show_step(f"Register of {len(market.providers)} providers of {council}") as step:
        register = MarketRegistrar(
            create_client(make_client_id(council, "admin")),
            config.addresses.get_url(REGISTRY),
            config.addresses.get_url(PRICING),
            second_client=create_client(make_client_id(council, "second-admin")),
            receivers_url=config.addresses.get_url(RECEIVERS),
            secrets=log,
            is_known=lambda provider_id: secrets.get_secret(provider_id) is not None,
            progress=step.set_progress,
        )
        if is_registered:
            await register.move_endpoints(market)
        else:
            definitions = [file.read_bytes() for file in COUNCILS[council]]
            await register.register_market(market, definitions, today=datetime.now(UTC).date())
    log.close()


def _load_marker(home: Home) -> SeedMarker | None:
    """Load the marker; None if it or the endpoint secrets are missing, so that everything is registered again."""
    if not home.endpoint_secrets.exists():
        return None
    try:
        return SeedMarker.model_validate_json(home.seed_marker.read_bytes())
    except (OSError, ValidationError):
        return None
