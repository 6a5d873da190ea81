"""A package's row on a Batching List, as a frozen value: until when it can be ticked, and who has ticked it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from contracts.ids import ListId, ListingReference, ProviderId


class EntryStatus(StrEnum):
    """Whether the row can still be ticked."""

    OUT = "out"
    CLOSED = "closed"
    REMOVED = "removed"
    """The package is urgent, and the stage had no provider left before the list was closed."""


@dataclass(frozen=True)
class BatchingEntry:
    """The row of the package. A search is listed once.

    `stage` is the stage from which the list is made; `providers` are the stage's, in their order; `list_stage` is the
    list's own. While the list is out it `suspends` new offers, unless the package is urgent or an officer decides
    otherwise.
    """

    list_id: ListId
    list_stage: str
    stage: str
    reference: ListingReference
    closes_at: datetime
    providers: tuple[ProviderId, ...]
    status: EntryStatus = EntryStatus.OUT
    ticks: tuple[ProviderId, ...] = ()
    late_ticks: tuple[ProviderId, ...] = ()
    suspends: bool = True

    @property
    def is_out(self) -> bool:
        return self.status is EntryStatus.OUT

    @property
    def ticks_in_order(self) -> tuple[ProviderId, ...]:
        """The providers that ticked, in their order in the stage."""
        return tuple(provider for provider in self.providers if provider in self.ticks)

    def can_be_ticked(self, at: datetime) -> bool:
        """Return whether a tick counts at `at`: the closing instant itself still does."""
        return self.is_out and at <= self.closes_at
