"""Measures of the queue of deliveries: how many wait, and how late the earliest is that could be sent."""

from datetime import datetime

from sqlalchemy import text

from service_runtime.postgres.database import Reader

_COUNT = text("SELECT count(*) FROM deliveries WHERE finished_at IS NULL AND outcome IS NULL")
# A delivery that waits for an earlier one of its owner and stream, or for the end of its endpoint's pause, is not late.
_EARLIEST = text(
    """
    SELECT next_attempt_at FROM deliveries AS waiting
    WHERE finished_at IS NULL AND outcome IS NULL AND next_attempt_at < :now
      AND NOT EXISTS (
          SELECT 1 FROM deliveries AS earlier
          WHERE earlier.finished_at IS NULL AND earlier.owner = waiting.owner AND earlier.topic = waiting.topic
            AND earlier.key = waiting.key AND earlier.position < waiting.position)
      AND NOT EXISTS (SELECT 1 FROM endpoints WHERE endpoints.owner = waiting.owner AND paused_until > :now)
    ORDER BY next_attempt_at LIMIT 1
    """
)


async def count_waiting(reader: Reader) -> int:
    """Returns the number of webhooks that are neither delivered nor given up."""
    return (await reader.execute(_COUNT)).scalar_one()


async def measure_overdue(reader: Reader, now: datetime) -> float:
    """Returns for how many seconds the earliest webhook that could be sent has been due; 0 if none is due."""
    row = (await reader.execute(_EARLIEST, {"now": now})).one_or_none()
    return 0.0 if row is None else (now - row.next_attempt_at).total_seconds()
