"""The evidence of a reason: its own event, and the events of the projection versions that a decision used."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from audit.domain.records import StreamName, StreamPosition
from audit.domain.verification import VerifiedRecord
from contracts.catalogue import FRAMEWORKS, PRICING, PROVIDERS, RATES, REGISTRY
from contracts.events.base import ProjectionVersion


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
        assert envelope is not None, "only records with an envelope are evidence"
        return cls(envelope.id, envelope.type, envelope.time, row.verified)


@dataclass(frozen=True)
class ProjectionSource:
    """The stream that a projection is built from.

    The first `subject_parts` parts of a row's key form the subject: all if None, all but the last one if -1.
    """

    topic: str
    owner: str
    subject_parts: int | None


# A row's key begins with the subject of its stream: capacity has provider and area, a list version has its number.
PROJECTION_SOURCES: Final = {
    "eligibility": ProjectionSource(PROVIDERS, REGISTRY, 1),
    "channels": ProjectionSource(PROVIDERS, REGISTRY, 1),
    "embargoes": ProjectionSource(PROVIDERS, REGISTRY, 1),
    "capacity": ProjectionSource(PROVIDERS, REGISTRY, 1),
    "definitions": ProjectionSource(FRAMEWORKS, REGISTRY, 1),
    "definition-versions": ProjectionSource(FRAMEWORKS, REGISTRY, 1),
    "ranked-lists": ProjectionSource(FRAMEWORKS, REGISTRY, None),
    "ranked-list-versions": ProjectionSource(FRAMEWORKS, REGISTRY, -1),
    "rates": ProjectionSource(RATES, PRICING, 1),
}


def find_source_position(version: ProjectionVersion) -> StreamPosition | None:
    """Returns the position of the event that a projection version came from; None for an unknown projection."""
    source = PROJECTION_SOURCES.get(version.view)
    if source is None:
        return None
    subject = "/".join(version.key.split("/")[: source.subject_parts])
    return StreamPosition(StreamName(source.topic, subject, f"/calloff/{source.owner}"), version.sequence)


def list_source_positions(versions: Iterable[ProjectionVersion]) -> list[StreamPosition]:
    return sorted({position for position in map(find_source_position, versions) if position is not None})
