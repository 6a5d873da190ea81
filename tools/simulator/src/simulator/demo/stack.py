"""The demonstration's stack: a simulated clock, the registered market and webhook receivers."""

from collections.abc import Iterable
from contextlib import AsyncExitStack
from datetime import date, datetime
from typing import Final

from devstack.councils import COUNCILS
from devstack.home import Home
from devstack.issuer.server import serve_app
from devstack.json_lines import JsonLinesWriter
from devstack.names import RECEIVERS
from devstack.screen import Screen
from simulator import stack as stages
from simulator.demo.providers import DemoProviderSystems
from simulator.market import InventedMarket
from simulator.providers import EndpointSecrets
from simulator.stack import ServiceStack
from simulator.webhook_receivers import WebhookLogEntry, WebhookReceivers

RATES_FROM: Final = date(2025, 11, 9)
_WEBHOOK_TIMEOUT: Final = "1.0"
"""Real seconds after which an unanswered webhook request is abandoned; the clock waits for it."""


async def start_demo_stack(home: Home, start: datetime, screen: Screen, exit_stack: AsyncExitStack) -> ServiceStack:
    """Start the stack. `exit_stack` stops what was started, also after a failure."""
    also = {"CALLOFF_WEBHOOK_REQUEST_TIMEOUT": _WEBHOOK_TIMEOUT, "CALLOFF_LOG_LEVEL": "warning"}
    return await stages.start_stack(home, screen, exit_stack, simulated_from=start, extra_environment=also)


async def register_demo_markets(stack: ServiceStack, markets: Iterable[InventedMarket], screen: Screen) -> None:
    """Register frameworks, providers, lists and rates of all councils."""
    for market in markets:
        definitions = [file.read_bytes() for file in COUNCILS[market.council]]
        await stages.register_market(stack, market, definitions, screen, today=RATES_FROM)


async def start_webhook_receivers(
    stack: ServiceStack, systems: DemoProviderSystems, secrets: EndpointSecrets, exit_stack: AsyncExitStack
) -> None:
    log = JsonLinesWriter[WebhookLogEntry](stack.config.home.webhook_log)
    exit_stack.callback(log.close)
    receivers = WebhookReceivers(
        secrets.get_secret, log, choose_reaction=systems.choose_reaction, handle_webhook=systems.handle_webhook
    )
    await exit_stack.enter_async_context(serve_app(receivers.build_app(), stack.config.addresses.ports[RECEIVERS]))
