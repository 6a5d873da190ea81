"""Parts of one process of a service: builds them from the service's declaration, and connects them."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Generic, TypeVar

from service_runtime.clock import SystemClock
from service_runtime.clock_guard import ClockGuard
from service_runtime.due_policy import GuardedTimePolicy, RealTimePolicy
from service_runtime.heartbeat import Heartbeat
from service_runtime.kafka.availability import KafkaAvailability
from service_runtime.kafka.batch_consumer import BatchConsumer
from service_runtime.kafka.consumer import EventConsumer
from service_runtime.kafka.event_handler import EventHandler
from service_runtime.observability.database_metrics import DatabaseCollector
from service_runtime.observability.gauges import GaugeRefresher
from service_runtime.observability.logs import Logger
from service_runtime.observability.metrics import Metrics
from service_runtime.outbox.relay import Relay
from service_runtime.postgres.notifications import (
    RELAY,
    SOON,
    TIMERS,
    WEBHOOKS,
    PeerListener,
    PeerNotifier,
)
from service_runtime.projections.consumer import build_projection_subscription
from service_runtime.retention.stored_responses import ResponseEraser
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


class ProcessParts(Generic[WorkT]):
    """The parts of one process, built and connected, none of them running."""

    def __init__(self, service: Service[WorkT], *, log: Logger, simulation: Simulation | None) -> None:
        self.service = service
        self._log = log
        self._due_policy = RealTimePolicy(service.clock) if simulation is None else simulation.clock
        self.metrics = Metrics(service.metrics)
        self.metrics.registry.register(DatabaseCollector(service.database))
        self.clock_guard = ClockGuard(
            service.database, service.clock, log=log, difference=self.metrics.clock_difference
        )
        self.wakeups = Wakeups()
        self.kafka = service.settings.build_kafka_connection()
        self.peers = PeerNotifier(service.database, log=log)
        self._connect_wakeups(service)
        self.kafka_availability = KafkaAvailability(self.kafka, log)
        self.executor = self._build_executor(service)
        self.event_handler = EventHandler(self.executor, service.subscriptions, log=log, metrics=self.metrics.consumer)
        self.batch_consumers = self._build_batch_consumers(service)
        self.consumer = self._build_event_consumer(service)
        self.timer_worker = self._build_timer_worker(service)
        self.relay = self._build_relay(service)
        readers = (self.consumer, *self.batch_consumers)
        self.gauges = GaugeRefresher(
            service.database,
            service.clock,
            readers,
            log=log,
            metrics=self.metrics,
            secret_box=None if service.webhooks is None else service.webhooks.secret_box,
        )
        # A jump of a simulated clock is not an outage.
        self.heartbeat = self._build_heartbeat(service) if simulation is None else None
        self.webhooks = self._build_webhook_engine(service.webhooks) if service.webhooks is not None else None
        self.executor.commits.outbox = self.relay
        self.executor.commits.deliveries = self.webhooks
        self.peer_listener = PeerListener(service.database, self.peers.process, self._build_peer_handlers(), log=log)
        self.body_eraser = None if service.webhooks is None else self._build_body_eraser(service.webhooks)
        self.response_eraser = ResponseEraser(
            service.database,
            service.clock,
            service.settings.idempotency_retention,
            explain_wrong_clock=self.clock_guard.explain,
            log=log,
        )
        self.clock_control = None if simulation is None else self._build_clock_control(simulation)

    def _connect_wakeups(self, service: Service[WorkT]) -> None:
        """A process wakes the workers of other processes that it does not have itself."""
        self.wakeups.relay.notify_peers = partial(self.peers.notify, RELAY)
        if service.settings.role == "api":
            self.wakeups.timers.notify_peers = partial(self.peers.notify, TIMERS)
            self.wakeups.timers.notify_peers_due = self._notify_timer_workers
            self.wakeups.webhooks.notify_peers = partial(self.peers.notify, WEBHOOKS)

    def _notify_timer_workers(self, due_at: datetime) -> None:
        if due_at - self.service.clock.now() < SOON:
            self.peers.notify(TIMERS)

    def _build_peer_handlers(self) -> Mapping[str, Callable[[str], None]]:
        handlers: dict[str, Callable[[str], None]] = {
            RELAY: lambda _: self.relay.read_for_peer(),
            TIMERS: lambda _: self.wakeups.timers.notify(),
        }
        if self.webhooks is not None:
            handlers[WEBHOOKS] = self.webhooks.claim_for_peer
        return handlers

    def _build_executor(self, service: Service[WorkT]) -> Executor[WorkT]:
        return Executor(
            service=service.name,
            database=service.database,
            clock=service.clock,
            unit_of_work=service.unit_of_work,
            wakeups=self.wakeups,
            observe=self.metrics.business.observe,
            states=service.states,
            save_rows=service.save_rows,
            count_conflict=self.metrics.commits.conflicts.inc,
            note_commit=self.metrics.commits.note_commit,
        )

    def _build_batch_consumers(self, service: Service[WorkT]) -> list[BatchConsumer]:
        projection_subscriptions = (
            [
                build_projection_subscription(
                    service.projections,
                    memory=self.executor.projections,
                    timer_wakeup=self.wakeups.timers,
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
                kafka=self.kafka,
                clock=service.clock,
                log=self._log,
                metrics=self.metrics.consumer,
            )
            for subscription in (*projection_subscriptions, *service.batch_subscriptions)
        ]

    def _build_event_consumer(self, service: Service[WorkT]) -> EventConsumer[WorkT]:
        return EventConsumer(
            service=service.name,
            kafka=self.kafka,
            handling=self.event_handler,
            topics=sorted({subscription.topic for subscription in service.subscriptions}),
            log=self._log,
            metrics=self.metrics.consumer,
            # A simulated clock stands still until all events are handled, so gathering would only slow it down.
            gathering=service.gathering if isinstance(service.clock, SystemClock) else None,
        )

    def _build_timer_worker(self, service: Service[WorkT]) -> TimerWorker[WorkT]:
        return TimerWorker(
            self.executor,
            service.timers,
            wakeup=self.wakeups.timers,
            log=self._log,
            metrics=self.metrics.timers,
            due_policy=(
                GuardedTimePolicy(service.clock, self.clock_guard.explain)
                if isinstance(service.clock, SystemClock)
                else self._due_policy
            ),
        )

    def _build_relay(self, service: Service[WorkT]) -> Relay:
        return Relay(
            service=service.name,
            database=service.database,
            kafka=self.kafka,
            clock=service.clock,
            wakeup=self.wakeups.relay,
            log=self._log,
            metrics=self.metrics.relay,
            notify_peers=partial(self.peers.notify, RELAY),
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
            explain_pause=self.clock_guard.explain,
        )

    def _build_clock_control(self, simulation: Simulation) -> SimulatedClockControl[WorkT]:
        return SimulatedClockControl(
            simulation.clock,
            key=simulation.key,
            executor=self.executor,
            consumers=(self.consumer, *self.batch_consumers),
            webhooks=self.webhooks,
            wakeups=self.wakeups,
            kafka=self.kafka,
        )

    def _build_webhook_engine(self, webhook_config: WebhookConfig[WorkT]) -> WebhookEngine[WorkT]:
        return WebhookEngine(
            self.executor,
            webhook_config,
            wakeup=self.wakeups.webhooks,
            log=self._log,
            metrics=self.metrics.webhooks,
            notify_peers=partial(self.peers.notify, WEBHOOKS),
            due_policy=self._due_policy,
        )

    def _build_body_eraser(self, webhook_config: WebhookConfig[WorkT]) -> BodyEraser:
        return BodyEraser(self.service.database, self.service.clock, webhook_config.message_retention, log=self._log)
