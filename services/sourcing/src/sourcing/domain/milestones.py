"""How long a search took to get somewhere, for those who look after the whole: measured once, when it gets there."""

from dataclasses import dataclass
from datetime import timedelta

from sourcing.domain.search import Placement, Search


@dataclass(frozen=True)
class FirstOfferMilestone:
    """The package was put to a provider for the first time, so long after it was requested."""

    after: timedelta


@dataclass(frozen=True)
class PlacementMilestone:
    """The package found its provider, so long after it was requested, and so many were asked."""

    after: timedelta
    offers: int


Milestone = FirstOfferMilestone | PlacementMilestone


def find_milestones(before: Search | None, after: Search) -> tuple[Milestone, ...]:
    """What a search has reached by its newest step."""
    reached: list[Milestone] = []
    if after.offers and (before is None or not before.offers):
        reached.append(FirstOfferMilestone(after.offers[0].made_at - after.requested_at))
    placement = _find_standing_placement(after)
    if placement is not None and placement != _find_standing_placement(before):
        reached.append(PlacementMilestone(placement.placed_at - after.requested_at, len(after.offers)))
    return tuple(reached)


def _find_standing_placement(search: Search | None) -> Placement | None:
    placement = search.placement if search is not None else None
    return None if placement is None or placement.voided else placement
