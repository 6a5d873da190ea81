"""The unit of work in memory, which unit tests of handlers use in place of PostgreSQL.

It passes the same test suite as `PostgresUnitOfWork` (`tests/integration/test_unit_of_work.py` of service-runtime).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeVar
from uuid import UUID

from contracts.events.base import Event
from contracts.examples import COUNCIL
from contracts.ids import uuid7
from service_runtime.observability.instruments import Observation, ObservedSpec
from service_runtime.projections.projections import (
    Projection,
    ProjectionEntry,
    ProjectionRow,
    build_row,
    find_entry,
    list_entries,
)
from service_runtime.timers.timers import Timer
from service_runtime.unit_of_work.streams import Cause
from service_runtime.webhooks.deliveries import Webhook
from testkit.clocks import MONDAY_NINE

EventT = TypeVar("EventT", bound=Event)

A_CAUSE: Final = Cause("command:test", "system:test", COUNCIL)


@dataclass
class InMemoryProjections:
    """Projections in a dictionary. `apply` adds events; `holds` are the entries that handlers wait for."""

    _rows: dict[tuple[str, str], ProjectionRow] = field(default_factory=dict[tuple[str, str], ProjectionRow])
    _seen: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    holds: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])

    def apply(self, projection: Projection[Any], event: Event, *, sequence: int) -> bool:
        """Stores `event` unless the entry has a newer one. Returns True if a hold waited for the entry."""
        # Any: a test may apply every event type of the projection.
        row = build_row(projection, event, sequence=sequence)
        name = (row.view, row.key)
        if name not in self._rows or row.sequence > self._rows[name].sequence:
            self._rows[name] = row
        is_held = name in self.holds
        self.holds.discard(name)
        return is_held

    async def get(self, projection: Projection[EventT], key: str) -> ProjectionEntry[EventT] | None:
        return (await self.get_many(projection, (key,))).get(key)

    async def get_many(
        self, projection: Projection[EventT], keys: Iterable[str]
    ) -> Mapping[str, ProjectionEntry[EventT]]:
        rows = await self.read((projection, key) for key in keys)
        entries = {key: find_entry(projection, rows, key) for _, key in rows}
        return {key: entry for key, entry in entries.items() if entry is not None}

    async def read(
        self, keys: Iterable[tuple[Projection[Any], str]], *, prefixes: Iterable[tuple[Projection[Any], str]] = ()
    ) -> Mapping[tuple[str, str], ProjectionRow]:
        names = sorted({(projection.name, key) for projection, key in keys})
        self._seen.update({name: self._rows[name].sequence if name in self._rows else 0 for name in names})
        by_prefix = [
            (view, key)
            for projection, prefix in prefixes
            for view, key in self._rows
            if view == projection.name and key.startswith(prefix)
        ]
        return {name: self._rows[name] for name in (*names, *by_prefix) if name in self._rows}

    async def get_by_prefix(self, projection: Projection[EventT], prefix: str) -> list[ProjectionEntry[EventT]]:
        return list_entries(projection, await self.read((), prefixes=((projection, prefix),)))

    def hold(self, missing: Iterable[tuple[str, str]]) -> bool:
        """Returns False, and holds nothing, if one of the entries was updated after it was read."""
        names = set(missing)
        if any(name in self._rows and self._rows[name].sequence > self._seen.get(name, 0) for name in names):
            return False
        self.holds |= names
        return True


@dataclass
class InMemoryUnitOfWork:
    """Stores what a handler publishes, schedules and holds for. Services subclass it and add their repositories."""

    now: datetime = MONDAY_NINE
    cause: Cause = A_CAUSE
    projections: InMemoryProjections = field(default_factory=InMemoryProjections)
    published: list[Event] = field(default_factory=list[Event])
    timers: dict[tuple[str, str], Timer] = field(default_factory=dict[tuple[str, str], Timer])
    webhooks: list[Webhook] = field(default_factory=list[Webhook])
    observations: list[Observation] = field(default_factory=list[Observation])
    _ids: int = 0

    def new_id(self) -> UUID:
        """Generates ids that are the same on every run."""
        self._ids += 1
        return uuid7(self.now, random_bits=self._ids)

    def publish(self, *events: Event) -> None:
        self.published.extend(events)

    def schedule(self, *timers: Timer) -> None:
        self.timers.update({(timer.kind, timer.about): timer for timer in timers})

    def cancel(self, kind: str, about: str) -> None:
        self.timers.pop((kind, about), None)

    def send_webhooks(self, *webhooks: Webhook) -> None:
        self.webhooks.extend(webhooks)

    def observe(self, what: ObservedSpec, value: float, *, labels: tuple[str, ...] = ()) -> None:
        self.observations.append(Observation(what, value, labels))

    async def cancel_webhook(self, kind: str, about: str) -> bool:
        """Removes the collected webhooks of this kind and subject; returns True if there was one."""
        others = [webhook for webhook in self.webhooks if (webhook.kind, webhook.about) != (kind, about)]
        is_cancelled = len(others) < len(self.webhooks)
        self.webhooks[:] = others
        return is_cancelled

    async def hold(self, missing: Iterable[tuple[str, str]]) -> bool:
        return self.projections.hold(missing)
