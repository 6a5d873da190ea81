"""The demonstration's stack: a simulated clock, the registered market and webhook receivers."""

from contextlib import AsyncExitStack
from datetime import datetime
from typing import Final

from devstack.home import FRAMEWORK_FILES, Home
from devstack.issuer.server import serve_app
from devstack.json_lines import JsonLinesWriter
from devstack.names import RECEIVERS
from devstack.screen import Screen
from simulator import stack as stages
from simulator.demo.providers import DemoProviderSystems
from simulator.market import InventedMarket
from simulator.providers import EndpointSecrets
from simulator.registration import LIVE_FROM
from simulator.stack import ServiceStack
from simulator.webhook_receivers import WebhookLogEntry, WebhookReceivers

_WEBHOOK_TIMEOUT: Final = "1.0"
"""Real seconds after which an unanswered webhook request is abandoned; the clock waits for it."""


async def start_demo_stack(home: Home, start: datetime, screen: Screen, exit_stack: AsyncExitStack) -> ServiceStack:
    """Start the stack. `exit_stack` stops what was started, also after a failure."""
    also = {"CALLOFF_WEBHOOK_REQUEST_TIMEOUT": _WEBHOOK_TIMEOUT, "CALLOFF_LOG_LEVEL": "warning"}
    return await stages.start_stack(home, screen, exit_stack, simulated_from=start, extra_environment=also)


async def register_demo_market(stack: ServiceStack, market: InventedMarket, screen: Screen) -> None:
    """Register framework, providers, lists and rates."""
    definitions = [file.read_bytes() for file in FRAMEWORK_FILES]
    await stages.register_market(stack, market, definitions, screen, today=LIVE_FROM)


async def start_webhook_receivers(
    stack: ServiceStack, systems: DemoProviderSystems, exit_stack: AsyncExitStack
) -> None:
    home = stack.config.home
    log = JsonLinesWriter[WebhookLogEntry](home.webhook_log)
    exit_stack.callback(log.close)
    secrets_of = EndpointSecrets(home).get_secret
    receivers = WebhookReceivers(
        secrets_of, log, choose_reaction=systems.choose_reaction, handle_webhook=systems.handle_webhook
    )
    await exit_stack.enter_async_context(serve_app(receivers.build_app(), stack.config.addresses.ports[RECEIVERS]))
