"""Simulation: the object that a runner is given when its service runs on a simulated clock; absent in production."""

from dataclasses import dataclass

from service_runtime.settings import RuntimeSettings
from service_runtime.simulated_clock.clock import SimulatedClock


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
