"""Registers the invented market once for each database; a second start sends no request."""

from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict, ValidationError

from calloff.client import ApiClient
from devstack.config import StackConfig
from devstack.databases import read_cluster_id
from devstack.home import FRAMEWORK_FILES, Home, write_private
from devstack.json_lines import JsonLinesWriter
from devstack.names import PRICING, RECEIVERS, REGISTRY
from devstack.screen import Screen
from simulator import SEED
from simulator.market import build_market
from simulator.providers import EndpointSecret, EndpointSecrets
from simulator.registration import MarketRegistrar


class SeedMarker(BaseModel):
    """The content of `seeded.json`: the registered seed, its database and the address of the providers' systems."""

    model_config = ConfigDict(frozen=True)

    database: str
    seed: int
    receivers: str


async def seed_market(config: StackConfig, client: ApiClient, screen: Screen) -> None:
    """Register the market if it is missing; only the endpoints if the providers' systems have another address."""
    home = config.home
    marker = SeedMarker(
        database=await read_cluster_id(config.postgres), seed=SEED, receivers=config.addresses.get_url(RECEIVERS)
    )
    previous = _load_marker(home)
    if previous == marker:
        return
    market = build_market(seed=SEED)
    secrets = EndpointSecrets(home)
    log = JsonLinesWriter[EndpointSecret](home.endpoint_secrets, private=True)
    with screen.show_step(f"Register of {len(market.providers)} invented providers") as step:
        register = MarketRegistrar(
            client,
            config.addresses.get_url(REGISTRY),
            config.addresses.get_url(PRICING),
            receivers_url=marker.receivers,
            secrets=log,
            is_known=lambda provider_id: secrets.get_secret(provider_id) is not None,
            progress=step.set_progress,
        )
        if previous is not None and (previous.database, previous.seed) == (marker.database, marker.seed):
            await register.move_endpoints(market)
        else:
            definitions = [file.read_bytes() for file in FRAMEWORK_FILES]
            await register.register_market(market, definitions, today=datetime.now(UTC).date())
    log.close()
    write_private(home.seed_marker, marker.model_dump_json())


def _load_marker(home: Home) -> SeedMarker | None:
    """Load the marker; None if it or the endpoint secrets are missing, so that everything is registered again."""
    if not home.endpoint_secrets.exists():
        return None
    try:
        return SeedMarker.model_validate_json(home.seed_marker.read_bytes())
    except (OSError, ValidationError):
        return None
