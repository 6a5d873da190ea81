"""The environment of every measurement: the stack, webhook receivers, a council and an event reader."""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from bench.event_reader import EventReader
from bench.market import build_definitions, build_market
from bench.referral_poster import SEED, PostedReferral, ReferralPoster
from bench.statement_counts import load_statement_counter
from bench.webhook_receiver import ReceivedOffer, WebhookReceiver
from calloff.client import RetryingApiClient
from contracts.example_words import DeclineReasons
from devstack.home import Home
from devstack.issuer.identities import PROVIDER, find_identity
from devstack.issuer.server import serve_app
from devstack.names import RECEIVERS, REFERRAL, SOURCING
from devstack.processes import ManagedProcess, Supervisor, run_in_thread
from devstack.record import lock_home
from devstack.screen import Screen
from devstack.steps import delete_data, start_programs
from geography import PostcodeDirectory
from simulator.person_factory import PersonFactory
from simulator.postcodes import sample_postcodes
from simulator.provider_systems import DeclineIn
from simulator.providers import EndpointSecrets
from simulator.stack import ServiceStack, register_market, start_stack

_POSTCODES_EACH: Final = 40
_LOG_LEVEL: Final = {"CALLOFF_LOG_LEVEL": "warning"}


@dataclass
class BenchEnvironment:
    """The stack with simulated council and providers."""

    stack: ServiceStack
    poster: ReferralPoster
    receiver: WebhookReceiver
    reader: EventReader
    screen: Screen
    restarted: list[ManagedProcess]
    """Processes that are restarted when they end."""
    reading: asyncio.Task[None] | None = None
    """The task of the event reader."""

    def start_reader(self) -> None:
        self.reading = asyncio.create_task(self.reader.follow(self.stack.kafka))

    async def stop_reader(self) -> None:
        if self.reading is not None:
            self.reading.cancel()
            await asyncio.gather(self.reading, return_exceptions=True)
            self.reading = None

    @asynccontextmanager
    async def pause_reader(self) -> AsyncGenerator[None]:
        """Leave Kafka alone for the duration of the context; then read the topic from its beginning."""
        await self.stop_reader()
        try:
            yield
        finally:
            self.start_reader()

    @asynccontextmanager
    async def stop_services(self, names: Iterable[str]) -> AsyncGenerator[None]:
        """Stop the services for the duration of the context; on exit wait until they are ready again."""
        away = {f"{self.stack.urls[name]}/readyz": self.stack.programs[name] for name in names}
        for each in away.values():
            self.restarted.remove(each)
        await asyncio.gather(*(run_in_thread(each.stop) for each in away.values()))
        try:
            yield
        finally:
            await start_programs("Services again", away, self.screen, self.stack.session)
            self.restarted += away.values()

    async def accept(self, offered: ReceivedOffer) -> None:
        await self._send_answer(offered, "accept")

    async def accept_the_second(self, offered: ReceivedOffer) -> None:
        """The first provider does not answer."""
        if offered.turn > 1:
            await self.accept(offered)

    async def decline_twice(self, offered: ReceivedOffer) -> None:
        """The third provider accepts the package."""
        await self._send_answer(offered, "accept" if offered.turn > 2 else "decline")

    async def _send_answer(self, offered: ReceivedOffer, what: str) -> None:
        body = DeclineIn(reason=DeclineReasons.NO_CAPACITY) if what == "decline" else None
        url = f"{self.stack.urls[SOURCING]}/v1/offers/{offered.offer_id}/{what}"
        identity = find_identity(f"{PROVIDER}{offered.provider_id}")
        caller = RetryingApiClient(self.stack.session, self.stack.tokens, identity)
        await caller.post(url, body, idempotency_key=offered.offer_id)

    async def wait_for_event(self, posted: list[PostedReferral], event: str) -> bool:
        """Return whether each package reached this event in time."""
        of = self.reader.events
        return await self.reader.wait_until(lambda: all(event in of[each.package_id] for each in posted))


@asynccontextmanager
async def start_environment(home: Home, screen: Screen, *, replicas: int = 1) -> AsyncGenerator[BenchEnvironment]:
    """Start the whole stack with empty databases and `replicas` processes of each service, and stop it on exit."""
    with lock_home(home):
        delete_data(home)
        await load_statement_counter(home)
        async with AsyncExitStack() as cleanup:
            stack = await start_stack(home, screen, cleanup, extra_environment=_LOG_LEVEL, replicas=replicas)
            market = build_market()
            await register_market(stack, market, build_definitions(), screen, today=datetime.now(UTC).date())
            directory = PostcodeDirectory.open(home.postcodes)
            people = PersonFactory(sample_postcodes(directory, per_district=_POSTCODES_EACH, seed=SEED), seed=SEED)
            poster = ReferralPoster(stack.create_client("council"), f"{stack.urls[REFERRAL]}/v1/referrals", people)
            restarted: list[ManagedProcess] = [stack.config.postgres, stack.config.kafka, *stack.programs.values()]
            receiver = WebhookReceiver(EndpointSecrets(home).get_secret)
            environment = BenchEnvironment(stack, poster, receiver, EventReader(), screen, restarted)
            await cleanup.enter_async_context(
                serve_app(environment.receiver.create_app(), stack.config.addresses.ports[RECEIVERS])
            )
            supervisor = Supervisor(screen.print_text, restarted, lambda: None)
            watching = asyncio.create_task(supervisor.watch())
            environment.start_reader()
            try:
                yield environment
            finally:
                watching.cancel()
                await asyncio.gather(watching, return_exceptions=True)
                await environment.stop_reader()
