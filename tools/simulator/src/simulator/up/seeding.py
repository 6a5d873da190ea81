"""Registers the invented market once a database; a second start finds that it is there and asks for nothing."""

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
from simulator.market import invented_market
from simulator.providers import EndpointSecret, EndpointSecrets
from simulator.registration import Register


class Seeded(BaseModel):
    """What `seeded.json` holds: which market is in which database, and where the providers' systems were then."""

    model_config = ConfigDict(frozen=True)

    database: str
    seed: int
    receivers: str


async def seed_market(around: StackConfig, admin: ApiClient, screen: Screen) -> None:
    """Does what is missing: all of it, or the endpoints only when the providers' systems have moved."""
    home = around.home
    wanted = Seeded(
        database=await read_cluster_id(around.postgres), seed=SEED, receivers=around.addresses.get_url(RECEIVERS)
    )
    done = _seeded(home)
    if done == wanted:
        return
    market = invented_market(seed=SEED)
    secrets = EndpointSecrets(home)
    log = JsonLinesWriter[EndpointSecret](home.endpoint_secrets, private=True)
    with screen.show_step(f"Register of {len(market.providers)} invented providers") as step:
        register = Register(
            admin,
            around.addresses.get_url(REGISTRY),
            around.addresses.get_url(PRICING),
            receivers=wanted.receivers,
            secrets=log,
            is_known=lambda provider_id: secrets.of(provider_id) is not None,
            progress=step.set_progress,
        )
        if done is not None and (done.database, done.seed) == (wanted.database, wanted.seed):
            await register.move_endpoints(market)
        else:
            definitions = [file.read_bytes() for file in FRAMEWORK_FILES]
            await register.register(market, definitions, today=datetime.now(UTC).date())
    log.close()
    write_private(home.seed_marker, wanted.model_dump_json())


def _seeded(home: Home) -> Seeded | None:
    """None too where the endpoints' secrets are lost: they have to be made anew."""
    if not home.endpoint_secrets.exists():
        return None
    try:
        return Seeded.model_validate_json(home.seed_marker.read_bytes())
    except (OSError, ValidationError):
        return None
