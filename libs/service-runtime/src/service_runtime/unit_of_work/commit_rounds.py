"""Commit rounds: applies the changes of all units of work that wait in one statement, and tells who has to know.

A conflict names its units: they are decided again, the others are applied without them. Any other error of a round is
tried again for each unit alone, so that it stays with the unit that caused it.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Final, Protocol
from uuid import UUID

from service_runtime.clock import Clock
from service_runtime.outbox.outbox_table import OutboxRow
from service_runtime.postgres.database import Connection, Database
from service_runtime.postgres.errors import UNIQUE_VIOLATION, StatementRefused, is_serialization_failure, sqlstate
from service_runtime.unit_of_work.applying import (
    Applied,
    StartedDelivery,
    build_arguments,
    build_statement,
    encode_rows,
    find_conflicts,
    parse_applied,
)
from service_runtime.unit_of_work.changes import Changes, GuardedStatement, QueuedDelivery, RevisionConflict
from service_runtime.unit_of_work.rounds import Rounds
from service_runtime.webhooks.deliveries import SettledDelivery

MAX_CONCURRENCY: Final = 2
"""Rounds at a time: one is applied while the next gathers; of more, each would be smaller."""
NO_LEASE: Final = timedelta()


class OutboxListener(Protocol):
    """The relay of this process."""

    def hand_over(self, rows: Sequence[OutboxRow], *, may_have_earlier: bool = False) -> None: ...
    def take_acknowledged(self) -> list[int]: ...
    def return_acknowledged(self, positions: Sequence[int]) -> None: ...
    def notify(self) -> None: ...


class DeliveryStarter(Protocol):
    """The webhook engine of this process."""

    @property
    def lease(self) -> timedelta: ...
    def reserve(self, deliveries: Iterable[QueuedDelivery]) -> dict[UUID, UUID]:
        """Returns the id of a lease for each delivery that there is room to start now."""
        ...

    def start(self, delivery: QueuedDelivery, lease: UUID, started: StartedDelivery) -> None: ...
    def release(self, leases: Iterable[UUID]) -> None:
        """Gives the room back that was reserved for deliveries that were not started."""
        ...

    def note_unstarted(self, deliveries: Iterable[QueuedDelivery]) -> None:
        """Tells that deliveries were queued that wait to be claimed."""
        ...

    def take_settled(self) -> list[SettledDelivery]: ...
    def return_settled(self, settled: Sequence[SettledDelivery]) -> None: ...


class CommitRounds:
    """Applies changes; `outbox` and `deliveries` are told of what was committed."""

    def __init__(self, database: Database, clock: Clock, *, save_rows: str) -> None:
        self._database = database
        self._clock = clock
        self._apply_with_rows = build_statement(save_rows)
        self._apply = build_statement("")
        self._rounds = Rounds[Changes, None](self._run_round, max_concurrency=MAX_CONCURRENCY)
        self.outbox: OutboxListener | None = None
        self.deliveries: DeliveryStarter | None = None

    async def finish(self, *, within: float) -> None:
        """Waits up to `within` seconds for commits of cancelled callers, which would open a closed database again."""
        await self._rounds.finish(within=within)

    async def apply(self, changes: Changes) -> None:
        """Returns when the changes are committed. Raises RevisionConflict, or the error of the database."""
        await self._rounds.submit(changes)

    async def _run_round(self, units: Sequence[Changes]) -> list[BaseException | None]:
        outcomes: dict[int, BaseException] = {}
        together = [number for number, unit in enumerate(units) if not unit.statements]
        await self._apply_together(units, together, outcomes)
        for number, unit in enumerate(units):
            if unit.statements:
                await self._apply_together(units, [number], outcomes)
        return [outcomes.get(number) for number in range(len(units))]

    async def _apply_together(
        self, units: Sequence[Changes], numbers: list[int], outcomes: dict[int, BaseException]
    ) -> None:
        """Applies the units of these numbers in one statement; puts the errors of those that fail into `outcomes`."""
        while numbers:
            try:
                await self._commit([units[number] for number in numbers])
            except StatementRefused as error:
                lost = find_conflicts(error)
                if lost is not None:
                    outcomes.update({numbers[index]: RevisionConflict() for index in lost})
                    numbers = [number for number in numbers if number not in outcomes]
                    continue
                if len(numbers) == 1:
                    outcomes[numbers[0]] = _to_conflict(error)
                    return
                for number in numbers:
                    await self._apply_together(units, [number], outcomes)
                return
            except RevisionConflict as conflict:  # a statement of the unit, which was applied alone, found other rows
                outcomes[numbers[0]] = conflict
                return
            except Exception as error:  # noqa: BLE001  every caller gets it; what was committed is not known
                if self.outbox is not None:
                    self.outbox.notify()
                outcomes.update(dict.fromkeys(numbers, error))
                return
            else:
                return

    async def _commit(self, units: Sequence[Changes]) -> None:
        now = self._clock.now()
        deliveries = [each for unit in units for each in unit.deliveries]
        leases = {} if self.deliveries is None else self.deliveries.reserve(deliveries)
        acknowledged = [] if self.outbox is None else self.outbox.take_acknowledged()
        settled = [] if self.deliveries is None else self.deliveries.take_settled()
        arguments = build_arguments(
            units,
            now=now,
            leases=leases,
            lease=NO_LEASE if self.deliveries is None else self.deliveries.lease,
            acknowledged=acknowledged,
            settled=settled,
        )
        try:
            applied = await self._execute(arguments, encode_rows(units), units)
        except BaseException:
            if self.outbox is not None:
                self.outbox.return_acknowledged(acknowledged)
            if self.deliveries is not None:
                self.deliveries.return_settled(settled)
                self.deliveries.release(leases.values())
            raise
        self._hand_over(units, applied)
        self._start_deliveries(deliveries, leases, applied)

    async def _execute(self, arguments: Sequence[object], rows: str | None, units: Sequence[Changes]) -> Applied:
        query, values = (self._apply, arguments) if rows is None else (self._apply_with_rows, [*arguments, rows])
        statements = [each for unit in units for each in unit.statements]
        if not statements:
            return parse_applied(await self._database.fetch(query, *values))
        async with self._database.begin_transaction() as connection:
            applied = parse_applied(await connection.fetch(query, *values))
            for statement in statements:
                await _run_guarded(connection, statement)
        return applied

    def _hand_over(self, units: Sequence[Changes], applied: Applied) -> None:
        events = [event for unit in units for event in unit.events]
        if not events or self.outbox is None:
            return
        rows = [
            OutboxRow(position, event.stream, event.envelope.to_headers(), event.payload)
            for position, event in zip(applied.positions, events, strict=True)
        ]
        loaded = [stream for unit in units for stream in (unit.stream, *unit.others.values())]
        self.outbox.hand_over(rows, may_have_earlier=any(stream.is_waiting for stream in loaded))

    def _start_deliveries(
        self, deliveries: Sequence[QueuedDelivery], leases: dict[UUID, UUID], applied: Applied
    ) -> None:
        if self.deliveries is None:
            return
        for delivery in deliveries:
            started = applied.started.get(delivery.id)
            if started is not None:
                self.deliveries.start(delivery, leases.pop(delivery.id), started)
        self.deliveries.release(leases.values())
        unstarted = [each for each in deliveries if each.id in applied.unstarted]
        if unstarted:
            self.deliveries.note_unstarted(unstarted)


def _to_conflict(error: StatementRefused) -> Exception:
    """Returns a conflict for an error that another decision can avoid: a row that exists by now, or a deadlock."""
    if is_serialization_failure(error) or sqlstate(error) == UNIQUE_VIOLATION:
        conflict = RevisionConflict()
        conflict.__cause__ = error
        return conflict
    return error


async def _run_guarded(connection: Connection, guarded: GuardedStatement) -> None:
    count = await connection.run_counted(guarded.statement, guarded.values)
    if guarded.rows is not None and count != guarded.rows:
        raise RevisionConflict
