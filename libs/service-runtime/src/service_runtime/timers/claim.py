"""Claim of a due timer: the statement that deletes the timer's row also applies what its handler decided."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from service_runtime.postgres.database import Database
from service_runtime.timers.timers import DueTimer
from service_runtime.unit_of_work.changes import Changes
from service_runtime.unit_of_work.streams import Cause, StreamKey

_FIND_DUE: Final = "SELECT 1 FROM timers WHERE id = $1 AND due_at <= $2"


@dataclass(frozen=True)
class TimerClaim:
    """Claims a timer by deleting its row; a cancelled timer has no row, a postponed one is not due."""

    timer: DueTimer
    service: str

    @property
    def stream(self) -> StreamKey:
        return self.timer.stream

    @property
    def cause(self) -> Cause:
        cause = f"timer:{self.timer.kind}:{self.timer.armed_by}"
        return Cause(cause, f"service:{self.service}", self.timer.council, self.timer.traceparent)

    @property
    def turn_timeout(self) -> None:
        """None: timers wait for their stream's turn without a limit."""

    @property
    def begins_stream(self) -> bool:
        return False

    @property
    def even_if_parked(self) -> bool:
        return False

    async def is_open(self, database: Database, *, at: datetime) -> bool:
        return bool(await database.fetch(_FIND_DUE, self.timer.id, at))

    async def handle_parked(self, database: Database, *, at: datetime) -> None:
        """Does nothing: the timer stays due, and fires after the key's release."""

    def add_to(self, changes: Changes, result: object, *, at: datetime) -> None:  # noqa: ARG002  the Protocol names them
        changes.fired_timers.append((self.timer.id, at))
