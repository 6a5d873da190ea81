"""Runner: one process of a service, with its HTTP server, consumers, timer worker, relay and webhook engine.

At startup, commands, events and timers wait until the projections have reached the end of their topics. Timers also
wait until events have caught up, so that an answer which arrived during downtime is handled before its offer expires.
SIGTERM stops new work, finishes work in progress, drains the outbox and ends the process, all within a limit.
"""

import asyncio
import gc
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any, Generic, TypeVar

from fastapi import FastAPI

from service_runtime.clock import SystemClock
from service_runtime.clock_guard import ClockGuard
from service_runtime.dead_letters.operations import DeadLetterOperations
from service_runtime.due_policy import GuardedTimePolicy, RealTimePolicy
from service_runtime.heartbeat import Heartbeat
from service_runtime.http.app import create_app, create_probe_app
from service_runtime.http.auth import Authenticator
from service_runtime.http.rate_limits import CommandRateLimit
from service_runtime.http.server import HttpServers
from service_runtime.http.signing_keys import JwksOverHttp
from service_runtime.kafka.batch_consumer import BatchConsumer, wait_for_end_offsets
from service_runtime.kafka.client import Partition, get_committed_offsets
from service_runtime.kafka.consumer import EventConsumer
from service_runtime.kafka.event_handler import EventHandler
from service_runtime.observability.export import TelemetryEndpoint, export_telemetry
from service_runtime.observability.gauges import GaugeRefresher
from service_runtime.observability.logs import Logger
from service_runtime.observability.metrics import Metrics
from service_runtime.outbox.outbox_table import is_outbox_empty
from service_runtime.outbox.relay import Relay
from service_runtime.postgres.availability import explain_unavailability
from service_runtime.projections.consumer import build_projection_subscription
from service_runtime.service import Service
from service_runtime.simulated_clock.control import SimulatedClockControl
from service_runtime.simulated_clock.simulation import Simulation
from service_runtime.timers.worker import TimerWorker
from service_runtime.unit_of_work.executor import Executor
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork
from service_runtime.unit_of_work.wakeups import Wakeups
from service_runtime.webhooks.config import WebhookConfig
from service_runtime.webhooks.engine import WebhookEngine
from service_runtime.webhooks.retention import BodyEraser

WorkT = TypeVar("WorkT", bound=PostgresUnitOfWork)


class Runner(Generic[WorkT]):
    """Builds and runs the parts of one process of a service."""

    def __init__(self, service: Service[WorkT], *, log: Logger, simulation: Simulation | None = None) -> None:
        self._service = service
        self._settings = service.settings
        self._log = log
        self._due_policy = RealTimePolicy(service.clock) if simulation is None else simulation.clock
        self._metrics = Metrics(service.metrics)
        self._clock_guard = ClockGuard(
            service.database, service.clock, log=log, difference=self._metrics.clock_difference
        )
        self._wakeups = Wakeups()
        self._ready = asyncio.Event()
        self._bootstrap = service.settings.kafka_bootstrap
        self.executor = self._build_executor(service)
        self._event_handler = EventHandler(
            self.executor, service.subscriptions, log=log, metrics=self._metrics.consumer
        )
        self._batch_consumers = self._build_batch_consumers(service)
        self._consumer = self._build_event_consumer(service)
        self._timer_worker = self._build_timer_worker(service)
        self._relay = self._build_relay(service)
        readers = (self._consumer, *self._batch_consumers)
        self._gauges = GaugeRefresher(
            service.database,
            service.clock,
            readers,
            log=log,
            metrics=self._metrics,
            secret_box=None if service.webhooks is None else service.webhooks.secret_box,
        )
        # A jump of a simulated clock is not an outage.
        self._heartbeat = self._build_heartbeat(service) if simulation is None else None
        self._webhooks = self._build_webhook_engine(service.webhooks) if service.webhooks is not None else None
        self.executor.commits.outbox = self._relay
        self.executor.commits.deliveries = self._webhooks
        self._clock_control = None if simulation is None else self._build_clock_control(simulation)

    def _build_executor(self, service: Service[WorkT]) -> Executor[WorkT]:
        return Executor(
            service=service.name,
            database=service.database,
            clock=service.clock,
            unit_of_work=service.unit_of_work,
            wakeups=self._wakeups,
            observe=self._metrics.business.observe,
            states=service.states,
            save_rows=service.save_rows,
            count_conflict=self._metrics.conflicts.inc,
        )

    def _build_batch_consumers(self, service: Service[WorkT]) -> list[BatchConsumer]:
        projection_subscriptions = (
            [
                build_projection_subscription(
                    service.projections,
                    memory=self.executor.projections,
                    timer_wakeup=self._wakeups.timers,
                )
            ]
            if service.projections
            else []
        )
        return [
            BatchConsumer(
                subscription,
                service=service.name,
                database=service.database,
                bootstrap=self._bootstrap,
                clock=service.clock,
                log=self._log,
                metrics=self._metrics.consumer,
            )
            for subscription in (*projection_subscriptions, *service.batch_subscriptions)
        ]

    def _build_event_consumer(self, service: Service[WorkT]) -> EventConsumer[WorkT]:
        return EventConsumer(
            service=service.name,
            bootstrap=self._bootstrap,
            handling=self._event_handler,
            topics=sorted({subscription.topic for subscription in service.subscriptions}),
            log=self._log,
            metrics=self._metrics.consumer,
            # A simulated clock stands still until all events are handled, so gathering would only slow it down.
            gathering=service.gathering if isinstance(service.clock, SystemClock) else None,
        )

    def _build_timer_worker(self, service: Service[WorkT]) -> TimerWorker[WorkT]:
        return TimerWorker(
            self.executor,
            service.timers,
            wakeup=self._wakeups.timers,
            log=self._log,
            metrics=self._metrics.timers,
            due_policy=(
                GuardedTimePolicy(service.clock, self._clock_guard.explain)
                if isinstance(service.clock, SystemClock)
                else self._due_policy
            ),
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
        if not service.paused_in_outages:
            return None
        return Heartbeat(
            service.database,
            service.clock,
            paused=service.paused_in_outages,
            log=self._log,
            outage_log=service.outage_log,
            explain_pause=self._clock_guard.explain,
        )

    def build_app(self) -> FastAPI:
        """Builds the HTTP application; commands get a 503 until the service is ready."""
        settings = self._settings
        app = create_app(
            name=self._service.name,
            description=self._service.description,
            routes=self._service.routes,
            ports=self._service.ports,
            log=self._log,
        )
        keys = JwksOverHttp(settings.token_jwks_url, log=self._log, metrics=self._metrics.signing_keys)
        app.state.authenticator = Authenticator(keys, issuer=settings.token_issuer, audience=settings.token_audience)
        app.state.executor = self.executor
        app.state.fingerprints = settings.fingerprint_key.get_secret_value().encode()
        app.state.clock_guard = self._clock_guard
        app.state.command_limit = CommandRateLimit(
            per_second=settings.command_rate_limit, burst=settings.command_burst_limit
        )
        app.state.dead_letters = DeadLetterOperations(self.executor, self._event_handler, self._wakeups)
        app.state.metrics = self._metrics
        app.state.ready = self._ready
        app.state.not_ready_because = self._explain_not_ready
        app.state.refresh_metrics = self._gauges.refresh
        return app

    async def run(self, stop: asyncio.Event) -> None:
        """Runs until `stop` is set, then drains. Raises if the HTTP server or a worker ends before that."""
        app = self.build_app()
        if self._clock_control is not None:
            await self._retry_until_done(self._clock_control.resume)
        server = HttpServers.from_settings(
            self._settings,
            app if self._clock_control is None else self._clock_control.wrap_app(app),
            probes=create_probe_app(app, log=self._log),
        )
        # Objects created so far live as long as the process; a full garbage collection of them blocks it for 200 ms.
        gc.freeze()
        http = asyncio.create_task(server.serve())
        clock_guard = asyncio.create_task(self._clock_guard.run())
        workers = (
            [] if self._settings.role == "api" else [asyncio.create_task(worker) for worker in self._list_workers()]
        )
        if self._settings.role == "api":
            self._ready.set()
        stopping = asyncio.create_task(stop.wait())
        self._log.info("service started", port=self._settings.port, role=self._settings.role)
        ended, _ = await asyncio.wait({http, stopping, *workers}, return_when=asyncio.FIRST_COMPLETED)
        server.stop()
        await self._drain(http, workers)
        stopping.cancel()
        clock_guard.cancel()
        for task in ended - {stopping}:
            task.result()
            message = "the HTTP server or a worker ended unexpectedly; restart the service"
            raise RuntimeError(message)

    def _list_workers(self) -> list[Coroutine[Any, Any, None]]:
        workers: list[Coroutine[Any, Any, None]] = [self._relay.run(), self._run_when_caught_up()]
        workers += [consumer.run() for consumer in self._batch_consumers]
        if self._webhooks is not None:
            workers.append(self._webhooks.run())
        if self._service.webhooks is not None:
            workers.append(self._build_body_eraser(self._service.webhooks).run())
        if self._clock_control is not None:
            workers.append(self._clock_control.run())
        return workers

    def _build_clock_control(self, simulation: Simulation) -> SimulatedClockControl[WorkT]:
        return SimulatedClockControl(
            simulation.clock,
            key=simulation.key,
            executor=self.executor,
            consumers=(self._consumer, *self._batch_consumers),
            webhooks=self._webhooks,
            wakeups=self._wakeups,
            bootstrap=self._bootstrap,
        )

    def _build_webhook_engine(self, webhook_config: WebhookConfig[WorkT]) -> WebhookEngine[WorkT]:
        return WebhookEngine(
            self.executor,
            webhook_config,
            wakeup=self._wakeups.webhooks,
            log=self._log,
            metrics=self._metrics.webhooks,
            due_policy=self._due_policy,
        )

    def _build_body_eraser(self, webhook_config: WebhookConfig[WorkT]) -> BodyEraser:
        return BodyEraser(self._service.database, self._service.clock, webhook_config.message_retention, log=self._log)

    async def _run_when_caught_up(self) -> None:
        """Starts events after the batch consumers have caught up, and timers after events have caught up."""
        for consumer in self._batch_consumers:
            await self._retry_until_done(consumer.wait_until_caught_up)
        await self._retry_until_done(self._clock_guard.compare_until_right)
        await self._retry_until_done(self._record_outage)
        self._ready.set()
        self._log.info("service ready")
        tasks = [asyncio.create_task(worker) for worker in (self._consumer.run(), self._run_heartbeat())]
        try:
            await self._retry_until_done(self._wait_until_events_caught_up)
            await self._timer_worker.run()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _record_outage(self) -> None:
        """Records the outage before this start, if any, before the service becomes ready."""
        if self._heartbeat is not None:
            await self._heartbeat.renew()

    async def _run_heartbeat(self) -> None:
        if self._heartbeat is not None:
            await self._heartbeat.run()

    async def _retry_until_done(self, action: Callable[[], Coroutine[Any, Any, None]]) -> None:
        while True:
            try:
                return await action()
            except Exception as error:  # noqa: BLE001  Kafka or the database may still be starting
                self._log.warning("waiting to catch up", error=type(error).__name__)
                await asyncio.sleep(0.5)

    async def _wait_until_events_caught_up(self) -> None:
        topics = sorted({subscription.topic for subscription in self._service.subscriptions})
        client_id = f"{self._service.name}-check"
        if not topics:
            return
        ends: dict[Partition, int] = await wait_for_end_offsets(self._bootstrap, topics, client_id=client_id)
        while ends:
            committed = await get_committed_offsets(
                self._bootstrap, self._consumer.group, list(ends), client_id=client_id
            )
            ends = {partition: end for partition, end in ends.items() if committed[partition] < end}
            await asyncio.sleep(0.2 if ends else 0)

    async def _drain(self, http: "asyncio.Task[None]", workers: "list[asyncio.Task[None]]") -> None:
        running = [task for task in workers if not task.done()]
        try:
            async with asyncio.timeout(self._settings.drain_within):
                await asyncio.gather(http, return_exceptions=True)
                while running and not await is_outbox_empty(self._service.database):
                    await asyncio.sleep(0.05)
        except Exception as error:  # noqa: BLE001  unfinished work is in the database and continues at the next start
            self._log.warning("not drained", error=type(error).__name__)
        for task in (http, *workers):
            task.cancel()
        await asyncio.gather(http, *workers, return_exceptions=True)
        await self._service.database.close()

    async def _explain_not_ready(self) -> str | None:
        because = self._clock_guard.explain()
        if because is not None:
            return because
        for consumer in (self._consumer, *self._batch_consumers):
            if (because := consumer.progress.explain()) is not None:
                return because
        if not self._ready.is_set():
            return "the projections are still catching up with other services' events; try again later"
        return await explain_unavailability(self._service.database, self._log)

    def export_telemetry(self, receiver: TelemetryEndpoint | None) -> AbstractAsyncContextManager[None]:
        """Returns a context manager in which this process exports its traces and metrics to `receiver`."""
        return export_telemetry(
            self._service.name,
            receiver,
            registry=self._metrics.registry,
            refresh=self._gauges.refresh,
            log=self._log,
        )
