"""Waiting at a start: for Kafka and PostgreSQL as long as they are away, with a log entry now and then."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

from service_runtime.kafka.client import KafkaFailure
from service_runtime.observability.logs import Logger
from service_runtime.postgres.errors import is_transient

LOG_EVERY: Final = 10.0
"""Seconds between two log entries about the same wait."""
_POLL_INTERVAL: Final = 0.5


class WaitLog:
    """Logs a wait when it begins and every LOG_EVERY seconds."""

    def __init__(self, log: Logger) -> None:
        self._log = log
        self._next = time.monotonic()

    async def wait(self, event: str, **fields: object) -> None:
        """Waits a moment; logs `event` if that is due."""
        if time.monotonic() >= self._next:
            self._log.warning(event, **fields)
            self._next = time.monotonic() + LOG_EVERY
        await asyncio.sleep(_POLL_INTERVAL)


async def repeat_while_unavailable(check: Callable[[], Awaitable[None]], *, name: str, log: Logger) -> None:
    """Runs a check until it ends; waits without limit while Kafka or PostgreSQL is away. Raises what else it raises."""
    waiting = WaitLog(log)
    while True:
        try:
            return await check()
        except Exception as error:
            if not (isinstance(error, KafkaFailure) or is_transient(error)):
                raise
            await waiting.wait("waiting to start", check=name, error=type(error).__name__)
