"""Places on a framework: provider × lot × area × tier × service types, with dates and a state.

Only an active place is offered work, from its first day to its last one.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

from contracts.ids import AreaCode, FrameworkKey, GroupKey, LotKey, ServiceTypeKey, TierKey
from contracts.office_time import to_office_date
from contracts.values import PlaceState

_HELD: Final = frozenset({PlaceState.AWARDED, PlaceState.MOBILISING, PlaceState.ACTIVE, PlaceState.PAUSED})


@dataclass(frozen=True, order=True)
class FrameworkPlace:
    """Where providers can have places: one tier of one area of one lot."""

    framework: FrameworkKey
    lot: LotKey
    area: AreaCode
    tier: TierKey

    def __str__(self) -> str:
        return f"{self.tier} of {self.area} in lot {self.lot} of {self.framework}"


@dataclass(frozen=True, order=True)
class ListScope:
    """What one ranked list is for: a tier of an area, or one group of its packages."""

    place: FrameworkPlace
    group: GroupKey | None = None


@dataclass(frozen=True)
class StateChange:
    """The state that a place has from an instant on."""

    state: PlaceState
    at: datetime


@dataclass(frozen=True)
class PlaceApproval:
    """Two people decide on a place that the rules do not allow: a variation, or an exception for an interim provider.

    `because` is a code or a ticket's number. People are actors as in events, `officer:7f3a`.
    """

    because: str
    requested_by: str
    requested_at: datetime
    approved_by: str | None = None
    approved_at: datetime | None = None

    def is_given(self, at: datetime) -> bool:
        return self.approved_at is not None and self.approved_at <= at


@dataclass(frozen=True)
class ProviderPlace:
    """A provider's place; its first and last day are inclusive. Without service types it has all those of its lot."""

    place: FrameworkPlace
    joined_on: date
    changes: tuple[StateChange, ...]
    """The states that were recorded, the oldest first; there is at least one."""
    service_types: tuple[ServiceTypeKey, ...] = ()
    number: int | None = None
    applied_on: date | None = None
    awarded_on: date | None = None
    until: date | None = None
    existing_until: date | None = None
    """An interim provider keeps what it has until this day and takes nothing new, save by an approved exception."""
    approval: PlaceApproval | None = None

    @property
    def state(self) -> PlaceState:
        """The state that was recorded last, whatever the day."""
        return self.changes[-1].state

    @property
    def awaits_approval(self) -> bool:
        return self.approval is not None and self.approval.approved_at is None

    def get_state(self, at: datetime) -> PlaceState:
        """Returns the state at an instant: what was recorded until then, limited by the place's days."""
        day = to_office_date(at)
        recorded = self._get_recorded_state(at)
        if recorded is PlaceState.LEFT or (self.until is not None and day > self.until):
            return PlaceState.LEFT
        if self.approval is not None and not self.approval.is_given(at):
            return PlaceState.APPLIED
        if self.existing_until is not None and self.approval is None:
            return PlaceState.LEFT if day > self.existing_until else _pause(recorded)
        is_early = recorded is PlaceState.ACTIVE and day < self.joined_on
        return PlaceState.AWARDED if is_early else recorded

    def is_active(self, at: datetime) -> bool:
        return self.get_state(at) is PlaceState.ACTIVE

    def is_held(self, at: datetime) -> bool:
        """Returns whether it counts for the tier's cap and may be on a ranked list; an interim one does neither."""
        is_interim = self.existing_until is not None and self.approval is None
        return not is_interim and self.get_state(at) in _HELD

    def change_state(self, state: PlaceState, at: datetime) -> "ProviderPlace":
        """Returns the place with `state` recorded from `at` on; the same state is not recorded twice."""
        if state is self.state:
            return self
        return replace(self, changes=(*self.changes, StateChange(state, at)))

    def _get_recorded_state(self, at: datetime) -> PlaceState:
        """Returns the first state for an instant before it was recorded: places are imported after they began."""
        known = [change.state for change in self.changes if change.at <= at]
        return known[-1] if known else self.changes[0].state


def _pause(state: PlaceState) -> PlaceState:
    return PlaceState.PAUSED if state is PlaceState.ACTIVE else state
