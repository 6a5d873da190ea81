"""The providers' systems of a stack, as a program: `python -m simulator.providers FOLDER`."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from calloff.client import ApiClient, IssuerTokenSource, open_http_session
from devstack.home import Home
from devstack.issuer.identities import PROVIDER, find_identity
from devstack.issuer.server import serve_app
from devstack.json_lines import JsonLinesReader, JsonLinesWriter
from devstack.keys import StackKeys
from devstack.record import StackRecord
from service_runtime.clock import SimulatedClock
from simulator import SEED
from simulator.provider_systems import Answered, ProviderSystems
from simulator.simulated_clock.agenda import Agenda
from simulator.simulated_clock.participant_process import Crowd
from simulator.webhook_receivers import Received, Receivers, Said


class EndpointSecret(BaseModel):
    """One line of `endpoint-secrets.jsonl`: what the register told a provider when its endpoint was registered."""

    model_config = ConfigDict(frozen=True)

    provider_id: UUID
    secret: str


class EndpointSecrets:
    """The secrets of the providers' endpoints, also those that are registered from now on."""

    def __init__(self, home: Home) -> None:
        self._lines = JsonLinesReader(home.endpoint_secrets, EndpointSecret)
        self._known: dict[UUID, str] = {}

    def of(self, provider_id: UUID) -> str | None:
        if provider_id not in self._known:
            self._known.update((line.provider_id, line.secret) for line in self._lines.read_new())
        return self._known.get(provider_id)


def webhook_url(receivers: str, provider_id: UUID) -> str:
    return f"{receivers}/providers/{provider_id}/webhooks"


async def play(home: Home, *, until: asyncio.Event, simulated_from: datetime | None = None) -> None:
    """Be all providers' systems until the event is set; on a simulated clock they take minutes for seconds."""
    clock = SimulatedClock(simulated_from or datetime.now(UTC))
    agenda = Agenda("providers", clock)
    record, keys = StackRecord.load(home), StackKeys.load(home)
    received, answered = JsonLinesWriter[Received](home.webhook_log), JsonLinesWriter[Answered](home.answer_log)
    async with open_http_session() as session:
        tokens = IssuerTokenSource(session, record.issuer, keys)
        systems = ProviderSystems(
            sourcing=record.urls["sourcing"],
            caller_of=lambda provider_id: ApiClient(session, tokens, find_identity(f"{PROVIDER}{provider_id}")),
            log=answered,
            seed=SEED,
            think=asyncio.sleep if simulated_from is None else _minutes_of(agenda),
        )

        async def follow(provider_id: UUID, said: Said) -> None:
            async with agenda.work():
                await systems.follow(provider_id, said)

        receivers = Receivers(EndpointSecrets(home).of, received, reception=systems.reception, follow=follow)
        app = receivers.app()
        if simulated_from is not None:
            app.add_routes(Crowd("providers", clock, [agenda]).routes(keys.simulation))
        async with serve_app(app, urlsplit(record.receivers).port or 0):
            await until.wait()


def _minutes_of(agenda: Agenda) -> Callable[[float], Awaitable[None]]:
    async def think(seconds: float) -> None:
        await agenda.pause(timedelta(minutes=seconds))

    return think


async def main(folder: Path) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    begins = os.environ.get("CALLOFF_SIMULATED_CLOCK")
    await play(Home(folder), until=stop, simulated_from=datetime.fromisoformat(begins) if begins else None)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
