"""How often and how long callers wait for a connection of the pool."""

import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass
class PoolWaits:
    """Waits for a connection while none was idle; opening a new one counts as a wait."""

    count: int = 0
    seconds: float = 0.0

    @contextmanager
    def measure(self) -> Generator[None]:
        """Counts the block as one wait, also if it ends with an error."""
        since = time.monotonic()
        try:
            yield
        finally:
            self.count += 1
            self.seconds += time.monotonic() - since
