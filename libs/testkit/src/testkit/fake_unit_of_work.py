"""The unit of work in memory: what a handler's unit tests are given instead of PostgreSQL.

It passes the same suite as the real one (`tests/integration/test_work.py`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeVar
from uuid import UUID

from contracts.events.base import Event
from contracts.ids import uuid7
from service_runtime.observability.instruments import HistogramSpec, Observation
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

A_CAUSE: Final = Cause("command:test", "system:test", "essex")


@dataclass
class InMemoryProjections:
    """Views that hear what a test tells them."""

    _said: dict[tuple[str, str], ProjectionRow] = field(default_factory=dict[tuple[str, str], ProjectionRow])
    _seen: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    holds: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])

    def hear(self, view: Projection[Any], event: Event, *, sequence: int) -> bool:
        """Takes `event` in, unless a newer one was heard; True when somebody held for it and is woken."""
        # What a view is over is known where it is declared; here any view takes any event of its kinds.
        said = build_row(view, event, sequence=sequence)
        name = (said.view, said.key)
        if name not in self._said or said.sequence > self._said[name].sequence:
            self._said[name] = said
        woken = name in self.holds
        self.holds.discard(name)
        return woken

    async def get(self, view: Projection[EventT], key: str) -> ProjectionEntry[EventT] | None:
        return (await self.get_many(view, (key,))).get(key)

    async def get_many(self, view: Projection[EventT], keys: Iterable[str]) -> Mapping[str, ProjectionEntry[EventT]]:
        said = await self.read((view, key) for key in keys)
        found = {key: find_entry(view, said, key) for _, key in said}
        return {key: one for key, one in found.items() if one is not None}

    async def read(
        self, wanted: Iterable[tuple[Projection[Any], str]], *, under: Iterable[tuple[Projection[Any], str]] = ()
    ) -> Mapping[tuple[str, str], ProjectionRow]:
        names = sorted({(view.name, key) for view, key in wanted})
        self._seen.update({name: self._said[name].sequence if name in self._said else 0 for name in names})
        prefixes = [(view.name, prefix) for view, prefix in under]
        below = [each for each in self._said if any(each[0] == name and each[1].startswith(p) for name, p in prefixes)]
        return {name: self._said[name] for name in (*names, *below) if name in self._said}

    async def get_by_prefix(self, view: Projection[EventT], prefix: str) -> list[ProjectionEntry[EventT]]:
        return list_entries(view, await self.read((), under=((view, prefix),)))

    def hold(self, missing: Iterable[tuple[str, str]]) -> bool:
        """False when one of `missing` has moved since it was read."""
        wanted = set(missing)
        if any(name in self._said and self._said[name].sequence > self._seen.get(name, 0) for name in wanted):
            return False
        self.holds |= wanted
        return True


@dataclass
class InMemoryUnitOfWork:
    """Remembers what a handler published, scheduled and held for; services subclass it and add their repositories."""

    now: datetime = MONDAY_NINE
    cause: Cause = A_CAUSE
    projections: InMemoryProjections = field(default_factory=InMemoryProjections)
    published: list[Event] = field(default_factory=list[Event])
    timers: dict[tuple[str, str], Timer] = field(default_factory=dict[tuple[str, str], Timer])
    webhooks: list[Webhook] = field(default_factory=list[Webhook])
    measured: list[Observation] = field(default_factory=list[Observation])
    _ids: int = 0

    def new_id(self) -> UUID:
        """Ids that are the same on every run."""
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

    def observe(self, what: HistogramSpec, value: float) -> None:
        self.measured.append(Observation(what, value))

    async def cancel_webhook(self, kind: str, about: str) -> bool:
        """True when one of this kind about this was collected; it is then taken back."""
        kept = [each for each in self.webhooks if (each.kind, each.about) != (kind, about)]
        recalled = len(kept) < len(self.webhooks)
        self.webhooks[:] = kept
        return recalled

    async def hold(self, missing: Iterable[tuple[str, str]]) -> bool:
        return self.projections.hold(missing)
