"""Simulation: the object that a runner is given when its service runs on a simulated clock; absent in production."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from service_runtime.kafka.batch_consumer import BatchConsumer
from service_runtime.kafka.consumer import EventConsumer
from service_runtime.settings import RuntimeSettings
from service_runtime.simulated_clock.clock import SimulatedClock
from service_runtime.simulated_clock.control import SimulatedClockControl
from service_runtime.unit_of_work.executor import Executor
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork
from service_runtime.unit_of_work.wakeups import Wakeups
from service_runtime.webhooks.engine import WebhookEngine

WorkT = TypeVar("WorkT", bound=PostgresUnitOfWork)


@dataclass(frozen=True)
class Simulation:
    """The clock of the service and of its workers, and the key of the routes that move it."""

    clock: SimulatedClock
    key: str

    @classmethod
    def from_settings(cls, settings: RuntimeSettings) -> "Simulation | None":
        """None unless the settings name an instant at which a simulated clock starts."""
        if settings.simulated_clock is None or settings.simulation_key is None:
            return None
        return cls(SimulatedClock(settings.simulated_clock), settings.simulation_key.get_secret_value())

    def build_control(
        self,
        *,
        executor: Executor[WorkT],
        consumers: Sequence[EventConsumer[WorkT] | BatchConsumer],
        webhooks: WebhookEngine[WorkT] | None,
        wakeups: Wakeups,
        bootstrap: str,
    ) -> SimulatedClockControl[WorkT]:
        """The control of the process that consists of these parts."""
        return SimulatedClockControl(
            self.clock,
            key=self.key,
            executor=executor,
            consumers=consumers,
            webhooks=webhooks,
            wakeups=wakeups,
            bootstrap=bootstrap,
        )
