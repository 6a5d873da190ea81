"""The stage of the demonstration: a clock that stands, the market of the play, and providers that are listening."""

from contextlib import AsyncExitStack
from datetime import datetime
from typing import Final

from devstack.home import FRAMEWORK_FILES, Home
from devstack.issuer.server import serve_app
from devstack.json_lines import JsonLinesWriter
from devstack.names import RECEIVERS
from devstack.screen import Screen
from simulator import stack as stages
from simulator.demo.providers import ProvidersSystems
from simulator.market import Market
from simulator.providers import EndpointSecrets
from simulator.registration import LIVE_FROM
from simulator.stack import Stage
from simulator.webhook_receivers import Received, Receivers

_HANGING_UNTIL: Final = "1.0"
"""Real seconds after which a request that hangs is given up: nothing else can happen meanwhile."""


async def set_the_stage(home: Home, begin: datetime, screen: Screen, held: AsyncExitStack) -> Stage:
    """`held` ends everything that was started, however far this got."""
    also = {"CALLOFF_WEBHOOK_REQUEST_TIMEOUT": _HANGING_UNTIL, "CALLOFF_LOG_LEVEL": "warning"}
    return await stages.set_the_stage(home, screen, held, simulated_from=begin, also=also)


async def open_the_market(stage: Stage, market: Market, screen: Screen) -> None:
    """Framework, providers, lists, rates: as the council's market team tells them to the register."""
    definitions = [file.read_bytes() for file in FRAMEWORK_FILES]
    await stages.open_the_market(stage, market, definitions, screen, today=LIVE_FROM)


async def let_providers_listen(stage: Stage, systems: ProvidersSystems, held: AsyncExitStack) -> None:
    home = stage.config.home
    log = JsonLinesWriter[Received](home.webhook_log)
    held.callback(log.close)
    secrets_of = EndpointSecrets(home).of
    receivers = Receivers(secrets_of, log, reception=systems.reception, follow=systems.follow)
    await held.enter_async_context(serve_app(receivers.app(), stage.config.addresses.ports[RECEIVERS]))
