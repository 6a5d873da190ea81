"""A service, put together and run: HTTP, consumer, feeds, sleeper, relay and webhooks in one process.

At the start, commands, events and timers wait until the views know what the topics held; timers wait for the events
too, so that an answer which came while the service was away is heard before its offer expires. At SIGTERM nothing new
is begun, what is in hand is finished, the outbox is emptied, and the process ends, all within a limit.
"""

import asyncio
import gc
import signal
import sys
from collections.abc import Callable, Coroutine, Generator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

import uvicorn
import uvloop
from fastapi import APIRouter, FastAPI
from sqlalchemy import text

from service_runtime.clock import Clock, SimulatedClock, SystemClock
from service_runtime.dead_letters.operations import DeadLetterOperations
from service_runtime.heartbeat import Heartbeat
from service_runtime.http.app import create_app
from service_runtime.http.auth import Authenticator, JwksOverHttp
from service_runtime.kafka.batch_consumer import BatchConsumer, BatchSubscription, wait_for_end_offsets
from service_runtime.kafka.client import Partition, committed_offsets
from service_runtime.kafka.consumer import EventConsumer, EventHandling
from service_runtime.observability.export import TelemetryEndpoint, exporting_telemetry
from service_runtime.observability.gauges import GaugeRefresher
from service_runtime.observability.instruments import MetricSpec
from service_runtime.observability.logs import Logger, logger_for
from service_runtime.observability.metrics import Metrics
from service_runtime.outbox.relay import Relay, outbox_is_empty
from service_runtime.postgres.database import Database, is_transient
from service_runtime.postgres.migrations import migrate_and_close
from service_runtime.projections.consumer import projection_subscription
from service_runtime.projections.projections import Projection
from service_runtime.settings import RuntimeSettings
from service_runtime.simulated_clock import SimulatedClockControl
from service_runtime.subscriptions import Subscription, TimerSubscription
from service_runtime.timers.worker import TimerWorker
from service_runtime.unit_of_work.executor import Executor, UnitOfWorkFactory
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork
from service_runtime.unit_of_work.wakeups import Wakeups
from service_runtime.webhooks.config import WebhookConfig
from service_runtime.webhooks.engine import WebhookEngine

WorkT = TypeVar("WorkT", bound=PostgresUnitOfWork)
SettingsT = TypeVar("SettingsT", bound=RuntimeSettings)

MIGRATE: Final = "migrate"
KEEP_ALIVE: Final = 75
"""Seconds: longer than clients and proxies keep an idle connection, or a command meets one that is just closing."""


@dataclass(frozen=True)
class Service(Generic[WorkT]):
    """What a service is made of; `wiring.build` makes one, and it reads like a table of contents."""

    name: str
    description: str
    settings: RuntimeSettings
    database: Database
    unit_of_work: UnitOfWorkFactory[WorkT]
    migrations: Path
    routes: Sequence[APIRouter] = ()
    subscriptions: Sequence[Subscription[WorkT]] = ()
    timers: Sequence[TimerSubscription[WorkT]] = ()
    projections: Sequence[Projection[Any]] = ()
    batch_subscriptions: Sequence[BatchSubscription] = ()
    webhooks: WebhookConfig[WorkT] | None = None
    metrics: Sequence[MetricSpec] = ()
    paused_in_outages: Sequence[str] = ()
    """Kinds of timers whose clocks stand still while this service is down."""
    ports: Mapping[type, object] = field(default_factory=dict[type, object])
    clock: Clock = field(default_factory=SystemClock)


class Runner(Generic[WorkT]):
    """One process of a service."""

    def __init__(self, service: Service[WorkT], *, log: Logger) -> None:
        self._service = service
        self._settings = service.settings
        self._log = log
        self._metrics = Metrics(service.metrics)
        self._wakes = Wakeups()
        self._ready = asyncio.Event()
        self._bootstrap = service.settings.kafka_bootstrap
        self.performer = self._performer_of(service)
        self._handling = EventHandling(self.performer, service.subscriptions, log=log, metrics=self._metrics.consumer)
        self._feeds = self._feeds_of(service)
        self._consumer = self._consumer_of(service)
        self._sleeper = self._sleeper_of(service)
        self._relay = self._relay_of(service)
        readers = (self._consumer, *self._feeds)
        self._readings = GaugeRefresher(service.database, service.clock, readers, log=log, metrics=self._metrics)
        self._pulse = self._pulse_of(service)
        self._webhooks = self._webhook_engine(service.webhooks) if service.webhooks is not None else None
        self._simulation = self._simulation_on(service.clock)

    def _performer_of(self, service: Service[WorkT]) -> Executor[WorkT]:
        return Executor(
            service=service.name,
            database=service.database,
            clock=service.clock,
            unit_of_work=service.unit_of_work,
            wakeups=self._wakes,
            observe=self._metrics.business.observe,
        )

    def _feeds_of(self, service: Service[WorkT]) -> list[BatchConsumer]:
        views = (
            [projection_subscription(service.projections, sleeper=self._wakes.timers, log=self._log)]
            if service.projections
            else []
        )
        return [
            BatchConsumer(
                feed,
                service=service.name,
                database=service.database,
                bootstrap=self._bootstrap,
                clock=service.clock,
                log=self._log,
            )
            for feed in (*views, *service.batch_subscriptions)
        ]

    def _consumer_of(self, service: Service[WorkT]) -> EventConsumer[WorkT]:
        return EventConsumer(
            service=service.name,
            bootstrap=self._bootstrap,
            handling=self._handling,
            topics=sorted({each.topic for each in service.subscriptions}),
            log=self._log,
            metrics=self._metrics.consumer,
        )

    def _sleeper_of(self, service: Service[WorkT]) -> TimerWorker[WorkT]:
        return TimerWorker(
            self.performer, service.timers, wake=self._wakes.timers, log=self._log, metrics=self._metrics.timers
        )

    def _relay_of(self, service: Service[WorkT]) -> Relay:
        return Relay(
            service=service.name,
            database=service.database,
            bootstrap=self._bootstrap,
            clock=service.clock,
            wake=self._wakes.relay,
            log=self._log,
            metrics=self._metrics.relay,
        )

    def _pulse_of(self, service: Service[WorkT]) -> Heartbeat | None:
        """Where time is not the machine's, a jump of the clock is no outage."""
        if not service.paused_in_outages or not isinstance(service.clock, SystemClock):
            return None
        return Heartbeat(service.database, service.clock, paused=service.paused_in_outages, log=self._log)

    def app(self) -> FastAPI:
        """The HTTP application; its commands are answered with 503 until the service is ready."""
        settings = self._settings
        app = create_app(
            name=self._service.name,
            description=self._service.description,
            routes=self._service.routes,
            ports=self._service.ports,
            log=self._log,
        )
        keys = JwksOverHttp(settings.token_jwks_url)
        app.state.authenticator = Authenticator(keys, issuer=settings.token_issuer, audience=settings.token_audience)
        app.state.performer = self.performer
        app.state.fingerprints = settings.fingerprint_key.get_secret_value().encode()
        app.state.parking = DeadLetterOperations(self.performer, self._handling, self._wakes)
        app.state.metrics = self._metrics
        app.state.ready = self._ready
        app.state.not_ready_because = self._not_ready_because
        app.state.refresh_metrics = self._readings.refresh
        return app

    async def run(self, stop: asyncio.Event) -> None:
        """Serves until `stop` is set, then drains. Raises when a part of the service ended that must not end."""
        app = self.app()
        if self._simulation is not None:
            await self._patiently(self._simulation.resume)
        server = _Server(
            uvicorn.Config(
                app if self._simulation is None else self._simulation.around(app),
                host=self._settings.host,
                port=self._settings.port,
                access_log=False,
                log_config=None,
                timeout_keep_alive=KEEP_ALIVE,
                timeout_graceful_shutdown=int(self._settings.drain_within),
            )
        )
        # What is there by now lives as long as the process: a collection that goes through it stops everything for a
        # fifth of a second.
        gc.freeze()
        http = asyncio.create_task(server.serve())
        workers = [] if self._settings.role == "api" else [asyncio.create_task(each) for each in self._work()]
        if self._settings.role == "api":
            self._ready.set()
        stopping = asyncio.create_task(stop.wait())
        self._log.info("service started", port=self._settings.port, role=self._settings.role)
        ended, _ = await asyncio.wait({http, stopping, *workers}, return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        await self._drain(http, workers)
        stopping.cancel()
        for task in ended - {stopping}:
            task.result()
            message = "a part of the service ended that runs as long as the service does"
            raise RuntimeError(message)

    def _work(self) -> list[Coroutine[Any, Any, None]]:
        parts: list[Coroutine[Any, Any, None]] = [self._relay.run(), self._when_ready()]
        parts += [feed.run() for feed in self._feeds]
        if self._webhooks is not None:
            parts.append(self._webhooks.run())
        if self._simulation is not None:
            parts.append(self._simulation.run())
        return parts

    def _simulation_on(self, clock: Clock) -> SimulatedClockControl[WorkT] | None:
        """None on any clock that moves by itself, and without a key."""
        key = self._settings.simulation_key
        if not isinstance(clock, SimulatedClock) or key is None:
            return None
        return SimulatedClockControl(
            clock,
            key=key.get_secret_value(),
            performer=self.performer,
            consumer=self._consumer,
            feeds=self._feeds,
            webhooks=self._webhooks,
            wakes=self._wakes,
            bootstrap=self._bootstrap,
        )

    def _webhook_engine(self, outlet: WebhookConfig[WorkT]) -> WebhookEngine[WorkT]:
        return WebhookEngine(
            self.performer, outlet, wake=self._wakes.webhooks, log=self._log, metrics=self._metrics.webhooks
        )

    async def _when_ready(self) -> None:
        """First the views and what else is fed, then events, then, once these have caught up, timers."""
        for feed in self._feeds:
            await self._patiently(feed.caught_up)
        await self._patiently(self._come_back)
        self._ready.set()
        self._log.info("service ready")
        beside = [asyncio.create_task(each) for each in (self._consumer.run(), self._keep_pulse())]
        try:
            await self._patiently(self._events_caught_up)
            await self._sleeper.run()
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)

    async def _come_back(self) -> None:
        """Whatever time was lost is on record before anybody is answered."""
        if self._pulse is not None:
            await self._pulse.renew()

    async def _keep_pulse(self) -> None:
        if self._pulse is not None:
            await self._pulse.run()

    async def _patiently(self, wait: Callable[[], Coroutine[Any, Any, None]]) -> None:
        while True:
            try:
                return await wait()
            except Exception as error:  # noqa: BLE001  Kafka may be coming up still; there is nothing to do but wait
                self._log.warning("waiting to catch up", error=type(error).__name__)
                await asyncio.sleep(0.5)

    async def _events_caught_up(self) -> None:
        topics = sorted({each.topic for each in self._service.subscriptions})
        client_id = f"{self._service.name}-check"
        if not topics:
            return
        ends: dict[Partition, int] = await wait_for_end_offsets(self._bootstrap, topics, client_id=client_id)
        while ends:
            done = await committed_offsets(self._bootstrap, self._consumer.group, list(ends), client_id=client_id)
            ends = {partition: end for partition, end in ends.items() if done[partition] < end}
            await asyncio.sleep(0.2 if ends else 0)

    async def _drain(self, http: "asyncio.Task[None]", workers: "list[asyncio.Task[None]]") -> None:
        relay_last = [task for task in workers if not task.done()]
        try:
            async with asyncio.timeout(self._settings.drain_within):
                await asyncio.gather(http, return_exceptions=True)
                while relay_last and not await outbox_is_empty(self._service.database):
                    await asyncio.sleep(0.05)
        except Exception as error:  # noqa: BLE001  what could not be finished is in the database and goes on at the next start
            self._log.warning("not drained", error=type(error).__name__)
        for task in (http, *workers):
            task.cancel()
        await asyncio.gather(http, *workers, return_exceptions=True)
        await self._service.database.close()

    async def _not_ready_because(self) -> str | None:
        if not self._ready.is_set():
            return "still catching up with what other services have said"
        try:
            async with asyncio.timeout(2), self._service.database.transaction() as connection:
                await connection.execute(text("SELECT 1"))
        except Exception as error:
            if not is_transient(error):
                raise
            return "the database does not answer"
        return None

    def told(self, receiver: TelemetryEndpoint | None) -> AbstractAsyncContextManager[None]:
        """While it lasts, `receiver` gets this process's traces and metrics."""
        return exporting_telemetry(
            self._service.name,
            receiver,
            registry=self._metrics.registry,
            refresh=self._readings.refresh,
            log=self._log,
        )


class _Server(uvicorn.Server):
    """Uvicorn without its signal handlers: the runner decides when and in which order things end."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


def run(settings: type[SettingsT], build: Callable[[SettingsT], Service[Any]]) -> None:
    """What `python -m <service>` does: serve until SIGTERM, or `migrate` the database and end."""
    # The environment provides what the constructor's signature asks for.
    given = settings()  # pyright: ignore[reportCallIssue]
    service = build(given)
    if given.simulated_clock is not None:
        service = replace(service, clock=SimulatedClock(given.simulated_clock))
    if sys.argv[1:] == [MIGRATE]:
        asyncio.run(migrate_and_close(service.database, service.migrations))
        return
    uvloop.run(_serve(service))


async def _serve(service: Service[Any]) -> None:
    settings = service.settings
    log = logger_for(service.name, level=settings.log_level)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    runner = Runner(service, log=log)
    async with runner.told(_receiver(settings)):
        await runner.run(stop)
    log.info("service ended")


def _receiver(settings: RuntimeSettings) -> TelemetryEndpoint | None:
    if settings.otlp_endpoint is None:
        return None
    return TelemetryEndpoint(settings.otlp_endpoint, settings.trace_sample_ratio, settings.metrics_every_ms / 1000)
