"""Runner: one process of a service, with its HTTP server, consumers, timer worker, relay and webhook engine.

At startup, commands, events and timers wait until the projections have reached the end of their topics; a process with
the role api waits until the workers in other processes have brought them there. Timers also wait until events have
caught up, so that an answer which arrived during downtime is handled before its offer expires.
SIGTERM stops new work, finishes work in progress, drains the outbox and ends the process, all within a limit.
"""

import asyncio
import gc
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any, Final, Generic, TypeVar

from fastapi import FastAPI

from service_runtime.dead_letters.operations import DeadLetterOperations
from service_runtime.http.app import create_app, create_probe_app
from service_runtime.http.auth import Authenticator
from service_runtime.http.rate_limits import CommandRateLimit
from service_runtime.http.server import HttpServers
from service_runtime.http.signing_keys import JwksOverHttp
from service_runtime.kafka.batch_consumer import wait_for_end_offsets
from service_runtime.kafka.client import Partition, get_committed_offsets
from service_runtime.observability.export import TelemetryEndpoint, export_telemetry
from service_runtime.observability.logs import Logger
from service_runtime.outbox.outbox_table import find_last_position, is_outbox_empty
from service_runtime.postgres.availability import explain_unavailability
from service_runtime.process_parts import ProcessParts
from service_runtime.service import Service
from service_runtime.simulated_clock.simulation import Simulation
from service_runtime.startup.checks import NO_CHECKS, StartChecks, run_once, run_until_passed
from service_runtime.startup.waiting import wait_for_start
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork

WorkT = TypeVar("WorkT", bound=PostgresUnitOfWork)

_FINISH_WITHIN: Final = 5.0
"""Seconds in which commits end whose workers were cancelled; what is not committed then is done at the next start."""


class Runner(Generic[WorkT]):
    """Runs the parts of one process of a service."""

    def __init__(
        self,
        service: Service[WorkT],
        *,
        log: Logger,
        simulation: Simulation | None = None,
        checks: StartChecks = NO_CHECKS,
    ) -> None:
        self._service = service
        self._checks = checks
        self._may_start = not checks.before_http
        self._settings = service.settings
        self._log = log
        self._parts = ProcessParts(service, log=log, simulation=simulation)
        self._ready = asyncio.Event()

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
        keys = JwksOverHttp(settings.token_jwks_url, log=self._log, metrics=self._parts.metrics.signing_keys)
        app.state.authenticator = Authenticator(keys, issuer=settings.token_issuer, audience=settings.token_audience)
        app.state.executor = self._parts.executor
        app.state.fingerprints = settings.fingerprint_key.get_secret_value().encode()
        app.state.clock_guard = self._parts.clock_guard
        app.state.command_limit = CommandRateLimit(
            per_second=settings.command_rate_limit, burst=settings.command_burst_limit
        )
        app.state.dead_letters = DeadLetterOperations(
            self._parts.executor, self._parts.event_handler, self._parts.wakeups
        )
        app.state.metrics = self._parts.metrics
        app.state.ready = self._ready
        app.state.not_ready_because = self._explain_not_ready
        app.state.refresh_metrics = self._refresh_metrics
        return app

    async def run(self, stop: asyncio.Event) -> None:
        """Runs until `stop` is set, then drains.

        Raises StartRefused if a check does, and if the HTTP server or a worker ends before `stop` is set.
        """
        app = self.build_app()
        probes = create_probe_app(app, log=self._log)
        try:
            if not await self._pass_first_checks(probes, stop):
                return
            is_kafka_checked = await run_once(self._checks.before_work, self._log)
        finally:
            if not self._may_start:
                await self._service.database.close()
        await self._run_parts(app, probes, stop, is_kafka_checked=is_kafka_checked)

    async def _pass_first_checks(self, probes: FastAPI, stop: asyncio.Event) -> bool:
        """Returns True when the process may start, False if it is stopped before."""
        checks = self._checks.before_http
        if not await run_once(checks, self._log):
            listeners = HttpServers.for_probes(self._settings, probes)
            if not await wait_for_start(checks, listeners, stop, self._log):
                return False
        self._may_start = True
        return True

    async def _run_parts(self, app: FastAPI, probes: FastAPI, stop: asyncio.Event, *, is_kafka_checked: bool) -> None:
        if self._parts.clock_control is not None:
            await self._retry_until_done(self._parts.clock_control.resume)
        server = HttpServers.from_settings(
            self._settings,
            app if self._parts.clock_control is None else self._parts.clock_control.wrap_app(app),
            probes=probes,
        )
        # Objects created so far live as long as the process; a full garbage collection of them blocks it for 200 ms.
        gc.freeze()
        http = asyncio.create_task(server.serve())
        clock_guard = asyncio.create_task(self._parts.clock_guard.run())
        workers = self._start_workers(is_kafka_checked=is_kafka_checked)
        stopping = asyncio.create_task(stop.wait())
        self._log.info("service started", port=self._settings.port, role=self._settings.role)
        ended, _ = await asyncio.wait({http, stopping, *workers}, return_when=asyncio.FIRST_COMPLETED)
        server.stop()
        clock_guard.cancel()  # before the database is closed, which it would open again
        await asyncio.gather(clock_guard, return_exceptions=True)
        await self._drain(http, workers)
        stopping.cancel()
        for task in ended - {stopping}:
            task.result()
            message = "the HTTP server or a worker ended unexpectedly; restart the service"
            raise RuntimeError(message)

    def _start_workers(self, *, is_kafka_checked: bool) -> "list[asyncio.Task[None]]":
        """Starts the workers of this role; where Kafka has not answered yet, they wait until its checks pass."""
        if is_kafka_checked:
            return [asyncio.create_task(worker) for worker in self._list_workers()]
        passing = asyncio.create_task(run_until_passed(self._checks.before_work, self._log))
        return [asyncio.create_task(_run_after(passing, worker)) for worker in self._list_workers()]

    def _list_workers(self) -> list[Coroutine[Any, Any, None]]:
        if self._settings.role == "api":
            return [self._accept_commands_when_caught_up()]
        workers: list[Coroutine[Any, Any, None]] = [
            self._parts.relay.run(),
            self._run_when_caught_up(),
            self._parts.peer_listener.run(),
            self._parts.response_eraser.run(),
        ]
        workers += [consumer.run() for consumer in self._parts.batch_consumers]
        if self._parts.webhooks is not None:
            workers.append(self._parts.webhooks.run())
        if self._parts.body_eraser is not None:
            workers.append(self._parts.body_eraser.run())
        if self._parts.clock_control is not None:
            workers.append(self._parts.clock_control.run())
        return workers

    async def _run_when_caught_up(self) -> None:
        """Starts events after the batch consumers have caught up, and timers after events have caught up."""
        await self._wait_for_projections()
        await self._retry_until_done(self._record_outage)
        self._ready.set()
        self._log.info("service ready")
        tasks = [asyncio.create_task(worker) for worker in (self._parts.consumer.run(), self._run_heartbeat())]
        try:
            await self._retry_until_done(self._wait_until_events_caught_up)
            await self._parts.timer_worker.run()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _accept_commands_when_caught_up(self) -> None:
        """Waits until the workers in other processes have caught up, because decisions read the projections."""
        await self._wait_for_projections()
        self._ready.set()
        self._log.info("service ready")
        await asyncio.get_running_loop().create_future()  # until the process ends

    async def _wait_for_projections(self) -> None:
        for consumer in self._parts.batch_consumers:
            await self._retry_until_done(consumer.wait_until_caught_up)
        await self._retry_until_done(self._parts.clock_guard.compare_until_right)

    async def _record_outage(self) -> None:
        """Records the outage before this start, if any, before the service becomes ready."""
        if self._parts.heartbeat is not None:
            await self._parts.heartbeat.renew()

    async def _run_heartbeat(self) -> None:
        if self._parts.heartbeat is not None:
            await self._parts.heartbeat.run()

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
        ends: dict[Partition, int] = await wait_for_end_offsets(self._parts.kafka, topics, client_id=client_id)
        while ends:
            committed = await get_committed_offsets(
                self._parts.kafka, self._parts.consumer.group, list(ends), client_id=client_id
            )
            ends = {partition: end for partition, end in ends.items() if committed[partition] < end}
            await asyncio.sleep(0.2 if ends else 0)

    async def _drain(self, http: "asyncio.Task[None]", workers: "list[asyncio.Task[None]]") -> None:
        relays = self._settings.role != "api" and not all(task.done() for task in workers)
        try:
            async with asyncio.timeout(self._settings.drain_within):
                await asyncio.gather(http, return_exceptions=True)
                last = await find_last_position(self._service.database)  # other processes add more
                while relays and not await is_outbox_empty(self._service.database, up_to=last):
                    await asyncio.sleep(0.05)
        except Exception as error:  # noqa: BLE001  unfinished work is in the database and continues at the next start
            self._log.warning("not drained", error=type(error).__name__)
        for task in (http, *workers):
            task.cancel()
        await asyncio.gather(http, *workers, return_exceptions=True)
        await self._parts.executor.commits.finish(within=_FINISH_WITHIN)
        await self._parts.peers.finish()
        await self._service.database.close()

    async def _explain_not_ready(self) -> str | None:
        if not self._may_start:
            return await explain_unavailability(self._service.database, self._log) or "the process is starting"
        because = self._parts.clock_guard.explain()
        if because is not None:
            return because
        for consumer in (self._parts.consumer, *self._parts.batch_consumers):
            if (because := consumer.progress.explain()) is not None:
                return because
        if self._settings.role != "api" and (because := self._parts.kafka_availability.explain()) is not None:
            return because
        if not self._ready.is_set():
            return "the projections are still catching up with other services' events; try again later"
        return await explain_unavailability(self._service.database, self._log)

    async def _refresh_metrics(self) -> None:
        because, _ = await asyncio.gather(self._explain_not_ready(), self._parts.gauges.refresh())
        self._parts.metrics.ready.set(because is None)

    def export_telemetry(self, receiver: TelemetryEndpoint | None) -> AbstractAsyncContextManager[None]:
        """Returns a context manager in which this process exports its traces and metrics to `receiver`."""
        return export_telemetry(
            self._service.name,
            receiver,
            registry=self._parts.metrics.registry,
            refresh=self._refresh_metrics,
            log=self._log,
        )


async def _run_after(passing: "asyncio.Task[None]", worker: Coroutine[Any, Any, None]) -> None:
    """Runs a worker after the checks have passed."""
    try:
        await asyncio.shield(passing)
    except BaseException:
        worker.close()
        raise
    await worker
