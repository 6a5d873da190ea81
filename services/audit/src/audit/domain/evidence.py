"""What a reason rests on: the event that tells it, and the events whose versions a decision was taken on."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from audit.domain.records import Place, StreamName
from audit.domain.verification import Checked
from contracts.catalogue import FRAMEWORKS, PRICING, PROVIDERS, RATES, REGISTRY
from contracts.events.packages import ViewUse


@dataclass(frozen=True)
class Evidence:
    """One event on record."""

    event_id: UUID
    type: str
    at: datetime
    verified: bool

    @classmethod
    def of(cls, row: Checked) -> "Evidence":
        envelope = row.entry.envelope
        assert envelope is not None, "evidence is what can be read"
        return cls(envelope.id, envelope.type, envelope.time, row.verified)


@dataclass(frozen=True)
class Told:
    """The stream that a view is made of, and how many parts of the view's key are the subject's: all where None."""

    topic: str
    owner: str
    parts: int | None


# A view's key is its stream's, or begins with it: capacity stands by provider and area, a list's versions by number.
VIEWS: Final = {
    "eligibility": Told(PROVIDERS, REGISTRY, 1),
    "channels": Told(PROVIDERS, REGISTRY, 1),
    "embargoes": Told(PROVIDERS, REGISTRY, 1),
    "capacity": Told(PROVIDERS, REGISTRY, 1),
    "definitions": Told(FRAMEWORKS, REGISTRY, 1),
    "definition-versions": Told(FRAMEWORKS, REGISTRY, 1),
    "ranked-lists": Told(FRAMEWORKS, REGISTRY, 3),
    "ranked-list-versions": Told(FRAMEWORKS, REGISTRY, 3),
    "rates": Told(RATES, PRICING, 1),
}


def place_of(use: ViewUse) -> Place | None:
    """Which event a view had its version from; None for a view that is not known here."""
    told = VIEWS.get(use.view)
    if told is None:
        return None
    subject = "/".join(use.key.split("/")[: told.parts])
    return Place(StreamName(told.topic, subject, f"/calloff/{told.owner}"), use.sequence)


def places_of(uses: Iterable[ViewUse]) -> list[Place]:
    return sorted({place for place in map(place_of, uses) if place is not None})
