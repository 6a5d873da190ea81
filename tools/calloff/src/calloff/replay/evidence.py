"""The evidence of a package, as audit answers it, and the record and the market that a replay reads from it."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeVar
from uuid import UUID

from pydantic import JsonValue

from calloff.client import ResponseModel
from calloff.replay.errors import EvidenceArchived, EvidenceUnreadable
from contracts.catalogue import BY_TYPE, SOURCING, decode
from contracts.events.base import Event, PackageEvent, ProviderEvent
from contracts.events.frameworks import FrameworkPublished, RankedListPublished
from contracts.ids import AreaCode, FrameworkKey, LotKey, ProviderId
from contracts.values import Hours, Instant
from sourcing.domain.recorded_facts import RecordedFact
from sourcing.domain.recorded_market import RecordedDefinition, RecordedList, RecordedMarket, RecordedPlacement
from sourcing.domain.replay_triggers import RecordedEvent

EventT = TypeVar("EventT", bound=Event)

SOURCE: Final = f"/calloff/{SOURCING}"


class EventResponse(ResponseModel):
    """One event on record; `payload` is null where audit cannot read it."""

    event_id: UUID
    type: str
    source: str
    sequence: int
    at: Instant
    cause: str
    payload: JsonValue


def decode_event(recorded: EventResponse, base: type[EventT]) -> EventT:
    """Returns the event. Raises EvidenceUnreadable for a type that this release does not know, or another kind."""
    entry = BY_TYPE.get(recorded.type)
    if entry is None or not issubclass(entry.event, base):
        message = f"this release cannot read {recorded.type}, the type of event {recorded.event_id}; use a newer one"
        raise EvidenceUnreadable(message)
    try:
        return decode(entry.event, json.dumps(recorded.payload).encode())
    except ValueError:
        message = f"the payload of event {recorded.event_id} ({recorded.type}) cannot be read; see `calloff verify`"
        raise EvidenceUnreadable(message) from None


class PlacementResponse(ResponseModel):
    provider_id: UUID
    framework: str
    lot: str
    area: str
    weekly_hours: Hours
    at: Instant
    voided_at: Instant | None

    def to_placement(self) -> RecordedPlacement:
        return RecordedPlacement(
            provider_id=ProviderId(self.provider_id),
            framework=FrameworkKey(self.framework),
            lot=LotKey(self.lot),
            area=AreaCode(self.area),
            weekly_hours=self.weekly_hours,
            at=self.at,
            voided_at=self.voided_at,
        )


class EvidenceResponse(ResponseModel):
    verified: bool
    archives: tuple[str, ...]
    events: tuple[EventResponse, ...]
    definitions: tuple[EventResponse, ...]
    ranked_lists: tuple[EventResponse, ...]
    provider_events: tuple[EventResponse, ...]
    placements: tuple[PlacementResponse, ...]

    def read_record(self) -> Sequence[RecordedEvent]:
        """Returns the package's events. Raises EvidenceArchived and EvidenceUnreadable."""
        if self.archives:
            message = f"the package's first events are in {', '.join(self.archives)}; restore the archives first"
            raise EvidenceArchived(message)
        return [
            RecordedEvent(decode_event(each, PackageEvent), each.event_id, each.cause, each.at, each.source == SOURCE)
            for each in self.events
        ]

    def read_market(self) -> RecordedMarket:
        """Returns what was published of the framework and its providers. Raises EvidenceUnreadable."""
        return RecordedMarket(
            definitions=[
                RecordedDefinition(decode_event(each, FrameworkPublished).definition, each.at)
                for each in self.definitions
            ],
            lists=[RecordedList(decode_event(each, RankedListPublished), each.at) for each in self.ranked_lists],
            facts=_group_by_provider(self._read_facts()),
            placements=[each.to_placement() for each in self.placements],
        )

    def _read_facts(self) -> Iterator[RecordedFact]:
        for each in self.provider_events:
            yield RecordedFact(decode_event(each, ProviderEvent), each.sequence, each.at)


def _group_by_provider(facts: Iterable[RecordedFact]) -> Mapping[ProviderId, Sequence[RecordedFact]]:
    found: dict[ProviderId, list[RecordedFact]] = {}
    for fact in facts:
        found.setdefault(fact.event.provider_id, []).append(fact)
    return found
