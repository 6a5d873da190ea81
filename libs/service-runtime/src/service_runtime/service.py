"""Service: its declaration, and the process that runs its HTTP server, consumers, timer worker, relay and webhooks.

At a start, commands, events and timers wait until the projections have reached the end of their topics. Timers also
wait until events have caught up, so that an answer which arrived during downtime is handled before its offer expires.
SIGTERM stops new work, finishes work in progress, drains the outbox and ends the process, all within a limit.
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
from service_runtime.kafka.client import Partition, get_committed_offsets
from service_runtime.kafka.consumer import EventConsumer, EventHandler
from service_runtime.observability.export import TelemetryEndpoint, export_telemetry
from service_runtime.observability.gauges import GaugeRefresher
from service_runtime.observability.instruments import MetricSpec
from service_runtime.observability.logs import Logger, build_logger
from service_runtime.observability.metrics import Metrics
from service_runtime.outbox.relay import Relay, is_outbox_empty
from service_runtime.postgres.database import Database, is_transient
from service_runtime.postgres.migrations import migrate_and_close
from service_runtime.projections.consumer import build_projection_subscription
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
        self._wakeups = Wakeups()
        self._ready = asyncio.Event()
        self._bootstrap = service.settings.kafka_bootstrap
        self.performer = self._build_executor(service)
        self._event_handler = EventHandler(
            self.performer, service.subscriptions, log=log, metrics=self._metrics.consumer
        )
        self._batch_consumers = self._build_batch_consumers(service)
        self._consumer = self._build_event_consumer(service)
        self._timer_worker = self._build_timer_worker(service)
        self._relay = self._build_relay(service)
        readers = (self._consumer, *self._batch_consumers)
        self._gauges = GaugeRefresher(service.database, service.clock, readers, log=log, metrics=self._metrics)
        self._heartbeat = self._build_heartbeat(service)
        self._webhooks = self._build_webhook_engine(service.webhooks) if service.webhooks is not None else None
        self._simulation = self._build_clock_control(service.clock)

    def _build_executor(self, service: Service[WorkT]) -> Executor[WorkT]:
        return Executor(
            service=service.name,
            database=service.database,
            clock=service.clock,
            unit_of_work=service.unit_of_work,
            wakeups=self._wakeups,
            observe=self._metrics.business.observe,
        )

    def _build_batch_consumers(self, service: Service[WorkT]) -> list[BatchConsumer]:
        views = (
            [build_projection_subscription(service.projections, timer_wakeup=self._wakeups.timers, log=self._log)]
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

    def _build_event_consumer(self, service: Service[WorkT]) -> EventConsumer[WorkT]:
        return EventConsumer(
            service=service.name,
            bootstrap=self._bootstrap,
            handling=self._event_handler,
            topics=sorted({each.topic for each in service.subscriptions}),
            log=self._log,
            metrics=self._metrics.consumer,
        )

    def _build_timer_worker(self, service: Service[WorkT]) -> TimerWorker[WorkT]:
        return TimerWorker(
            self.performer, service.timers, wakeup=self._wakeups.timers, log=self._log, metrics=self._metrics.timers
        )

    def _build_relay(self, service: Service[WorkT]) -> Relay:
        return Relay(
            service=service.name,
            database=service.database,
            bootstrap=self._bootstrap,
            clock=service.clock,
            wakeup=self._wakeups.relay,
            log=self._log,
            metrics=self._metrics.relay,
        )

    def _build_heartbeat(self, service: Service[WorkT]) -> Heartbeat | None:
        """Where time is not the machine's, a jump of the clock is no outage."""
        if not service.paused_in_outages or not isinstance(service.clock, SystemClock):
            return None
        return Heartbeat(service.database, service.clock, paused=service.paused_in_outages, log=self._log)

    def build_app(self) -> FastAPI:
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
        app.state.parking = DeadLetterOperations(self.performer, self._event_handler, self._wakeups)
        app.state.metrics = self._metrics
        app.state.ready = self._ready
        app.state.not_ready_because = self._explain_not_ready
        app.state.refresh_metrics = self._gauges.refresh
        return app

    async def run(self, stop: asyncio.Event) -> None:
        """Serves until `stop` is set, then drains. Raises when a part of the service ended that must not end."""
        app = self.build_app()
        if self._simulation is not None:
            await self._retry_until_done(self._simulation.resume)
        server = _Server(
            uvicorn.Config(
                app if self._simulation is None else self._simulation.wrap_app(app),
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
        workers = [] if self._settings.role == "api" else [asyncio.create_task(each) for each in self._list_workers()]
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

    def _list_workers(self) -> list[Coroutine[Any, Any, None]]:
        parts: list[Coroutine[Any, Any, None]] = [self._relay.run(), self._run_when_caught_up()]
        parts += [feed.run() for feed in self._batch_consumers]
        if self._webhooks is not None:
            parts.append(self._webhooks.run())
        if self._simulation is not None:
            parts.append(self._simulation.run())
        return parts

    def _build_clock_control(self, clock: Clock) -> SimulatedClockControl[WorkT] | None:
        """None on any clock that moves by itself, and without a key."""
        key = self._settings.simulation_key
        if not isinstance(clock, SimulatedClock) or key is None:
            return None
        return SimulatedClockControl(
            clock,
            key=key.get_secret_value(),
            performer=self.performer,
            consumer=self._consumer,
            feeds=self._batch_consumers,
            webhooks=self._webhooks,
            wakeups=self._wakeups,
            bootstrap=self._bootstrap,
        )

    def _build_webhook_engine(self, outlet: WebhookConfig[WorkT]) -> WebhookEngine[WorkT]:
        return WebhookEngine(
            self.performer, outlet, wakeup=self._wakeups.webhooks, log=self._log, metrics=self._metrics.webhooks
        )

    async def _run_when_caught_up(self) -> None:
        """First the views and what else is fed, then events, then, once these have caught up, timers."""
        for feed in self._batch_consumers:
            await self._retry_until_done(feed.wait_until_caught_up)
        await self._retry_until_done(self._record_outage)
        self._ready.set()
        self._log.info("service ready")
        beside = [asyncio.create_task(each) for each in (self._consumer.run(), self._run_heartbeat())]
        try:
            await self._retry_until_done(self._wait_until_events_caught_up)
            await self._timer_worker.run()
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)

    async def _record_outage(self) -> None:
        """Whatever time was lost is on record before anybody is answered."""
        if self._heartbeat is not None:
            await self._heartbeat.renew()

    async def _run_heartbeat(self) -> None:
        if self._heartbeat is not None:
            await self._heartbeat.run()

    async def _retry_until_done(self, wait: Callable[[], Coroutine[Any, Any, None]]) -> None:
        while True:
            try:
                return await wait()
            except Exception as error:  # noqa: BLE001  Kafka may be coming up still; there is nothing to do but wait
                self._log.warning("waiting to catch up", error=type(error).__name__)
                await asyncio.sleep(0.5)

    async def _wait_until_events_caught_up(self) -> None:
        topics = sorted({each.topic for each in self._service.subscriptions})
        client_id = f"{self._service.name}-check"
        if not topics:
            return
        ends: dict[Partition, int] = await wait_for_end_offsets(self._bootstrap, topics, client_id=client_id)
        while ends:
            done = await get_committed_offsets(self._bootstrap, self._consumer.group, list(ends), client_id=client_id)
            ends = {partition: end for partition, end in ends.items() if done[partition] < end}
            await asyncio.sleep(0.2 if ends else 0)

    async def _drain(self, http: "asyncio.Task[None]", workers: "list[asyncio.Task[None]]") -> None:
        relay_last = [task for task in workers if not task.done()]
        try:
            async with asyncio.timeout(self._settings.drain_within):
                await asyncio.gather(http, return_exceptions=True)
                while relay_last and not await is_outbox_empty(self._service.database):
                    await asyncio.sleep(0.05)
        except Exception as error:  # noqa: BLE001  what could not be finished is in the database and goes on at the next start
            self._log.warning("not drained", error=type(error).__name__)
        for task in (http, *workers):
            task.cancel()
        await asyncio.gather(http, *workers, return_exceptions=True)
        await self._service.database.close()

    async def _explain_not_ready(self) -> str | None:
        if not self._ready.is_set():
            return "still catching up with what other services have said"
        try:
            async with asyncio.timeout(2), self._service.database.begin_transaction() as connection:
                await connection.execute(text("SELECT 1"))
        except Exception as error:
            if not is_transient(error):
                raise
            return "the database does not answer"
        return None

    def export_telemetry(self, receiver: TelemetryEndpoint | None) -> AbstractAsyncContextManager[None]:
        """While it lasts, `receiver` gets this process's traces and metrics."""
        return export_telemetry(
            self._service.name,
            receiver,
            registry=self._metrics.registry,
            refresh=self._gauges.refresh,
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
    log = build_logger(service.name, level=settings.log_level)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    runner = Runner(service, log=log)
    async with runner.export_telemetry(_build_telemetry_endpoint(settings)):
        await runner.run(stop)
    log.info("service ended")


def _build_telemetry_endpoint(settings: RuntimeSettings) -> TelemetryEndpoint | None:
    if settings.otlp_endpoint is None:
        return None
    return TelemetryEndpoint(settings.otlp_endpoint, settings.trace_sample_ratio, settings.metrics_every_ms / 1000)
