"""The evidence of a reason: its own event, and the events whose versions a decision was taken on."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from audit.domain.records import StreamName, StreamPosition
from audit.domain.verification import VerifiedRecord
from contracts.catalogue import FRAMEWORKS, PRICING, PROVIDERS, RATES, REGISTRY
from contracts.events.base import ViewUse


@dataclass(frozen=True)
class Evidence:
    """One event on record."""

    event_id: UUID
    type: str
    at: datetime
    verified: bool

    @classmethod
    def from_row(cls, row: VerifiedRecord) -> "Evidence":
        envelope = row.entry.envelope
        assert envelope is not None, "evidence is what can be read"
        return cls(envelope.id, envelope.type, envelope.time, row.verified)


@dataclass(frozen=True)
class ViewSource:
    """The stream that a view is built from, and how many parts of the view's key form the subject; None for all."""

    topic: str
    owner: str
    parts: int | None


# A view's key is its stream's, or begins with it: capacity stands by provider and area, a list's versions by number.
VIEW_SOURCES: Final = {
    "eligibility": ViewSource(PROVIDERS, REGISTRY, 1),
    "channels": ViewSource(PROVIDERS, REGISTRY, 1),
    "embargoes": ViewSource(PROVIDERS, REGISTRY, 1),
    "capacity": ViewSource(PROVIDERS, REGISTRY, 1),
    "definitions": ViewSource(FRAMEWORKS, REGISTRY, 1),
    "definition-versions": ViewSource(FRAMEWORKS, REGISTRY, 1),
    "ranked-lists": ViewSource(FRAMEWORKS, REGISTRY, 3),
    "ranked-list-versions": ViewSource(FRAMEWORKS, REGISTRY, 3),
    "rates": ViewSource(RATES, PRICING, 1),
}


def find_position(use: ViewUse) -> StreamPosition | None:
    """Returns the event that a view's version came from; None for an unknown view."""
    source = VIEW_SOURCES.get(use.view)
    if source is None:
        return None
    subject = "/".join(use.key.split("/")[: source.parts])
    return StreamPosition(StreamName(source.topic, subject, f"/calloff/{source.owner}"), use.sequence)


def list_positions(uses: Iterable[ViewUse]) -> list[StreamPosition]:
    return sorted({place for place in map(find_position, uses) if place is not None})
