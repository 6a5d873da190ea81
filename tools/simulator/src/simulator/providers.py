"""The systems of a stack's providers, as a program: `python -m simulator.providers FOLDER`."""

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
from devstack.councils import DEFAULT_COUNCIL
from devstack.home import Home
from devstack.issuer.identities import PROVIDER, find_identity, make_client_id
from devstack.issuer.server import serve_app
from devstack.json_lines import JsonLinesReader, JsonLinesWriter
from devstack.keys import StackKeys
from devstack.record import StackRecord
from service_runtime.simulated_clock.clock import SimulatedClock
from simulator import SEED
from simulator.provider_systems import AnswerLogEntry, ProviderSystems
from simulator.simulated_clock.participant_process import ParticipantProcess
from simulator.simulated_clock.task_schedule import TaskSchedule
from simulator.webhook_receivers import ReceivedWebhook, WebhookLogEntry, WebhookReceivers


class EndpointSecret(BaseModel):
    """One line of `endpoint-secrets.jsonl`: the secret that the register returned for a provider's endpoint."""

    model_config = ConfigDict(frozen=True)

    provider_id: UUID
    secret: str
    council: str = DEFAULT_COUNCIL


class EndpointSecrets:
    """The secrets of the providers' endpoints. New secrets are read from the file when they are needed."""

    def __init__(self, home: Home) -> None:
        self._lines = JsonLinesReader(home.endpoint_secrets, EndpointSecret)
        self._known: dict[UUID, EndpointSecret] = {}

    def get_secret(self, provider_id: UUID) -> str | None:
        found = self._find(provider_id)
        return None if found is None else found.secret

    def get_client_id(self, provider_id: UUID) -> str:
        """Return the client id of the provider's system, which names its council."""
        found = self._find(provider_id)
        return make_client_id(DEFAULT_COUNCIL if found is None else found.council, f"{PROVIDER}{provider_id}")

    def _find(self, provider_id: UUID) -> EndpointSecret | None:
        if provider_id not in self._known:
            self._known.update((line.provider_id, line) for line in self._lines.read_new())
        return self._known.get(provider_id)


def build_webhook_url(receivers_url: str, provider_id: UUID) -> str:
    return f"{receivers_url}/providers/{provider_id}/webhooks"


async def run_provider_systems(home: Home, *, stop: asyncio.Event, simulated_from: datetime | None = None) -> None:
    """Run all providers' systems until `stop` is set. On a simulated clock a delay of seconds takes minutes."""
    clock = SimulatedClock(simulated_from or datetime.now(UTC))
    schedule = TaskSchedule("providers", clock)
    record, keys = StackRecord.load(home), StackKeys.load(home)
    webhook_log, answer_log = (
        JsonLinesWriter[WebhookLogEntry](home.webhook_log),
        JsonLinesWriter[AnswerLogEntry](home.answer_log),
    )
    async with open_http_session() as session:
        tokens, secrets = IssuerTokenSource(session, record.issuer, keys), EndpointSecrets(home)
        systems = ProviderSystems(
            sourcing_url=record.urls["sourcing"],
            create_client=lambda provider_id: ApiClient(
                session, tokens, find_identity(secrets.get_client_id(provider_id))
            ),
            log=answer_log,
            seed=SEED,
            pause=asyncio.sleep if simulated_from is None else _create_pause(schedule),
        )

        async def handle_webhook(provider_id: UUID, webhook: ReceivedWebhook) -> None:
            async with schedule.track_task():
                await systems.handle_webhook(provider_id, webhook)

        receivers = WebhookReceivers(
            secrets.get_secret,
            webhook_log,
            choose_reaction=systems.choose_reaction,
            handle_webhook=handle_webhook,
        )
        app = receivers.build_app()
        if simulated_from is not None:
            app.add_routes(ParticipantProcess("providers", clock, [schedule]).build_routes(keys.simulation))
        async with serve_app(app, urlsplit(record.receivers).port or 0):
            await stop.wait()


def _create_pause(schedule: TaskSchedule) -> Callable[[float], Awaitable[None]]:
    async def pause(seconds: float) -> None:
        await schedule.pause(timedelta(minutes=seconds))

    return pause


async def main(folder: Path) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    start = os.environ.get("CALLOFF_SIMULATED_CLOCK")
    await run_provider_systems(Home(folder), stop=stop, simulated_from=datetime.fromisoformat(start) if start else None)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
