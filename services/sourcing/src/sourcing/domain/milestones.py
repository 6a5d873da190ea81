"""Durations that metrics record once, when a search reaches its first offer or its placement."""

from dataclasses import dataclass
from datetime import timedelta

from sourcing.domain.search import Placement, Search


@dataclass(frozen=True)
class FirstOfferMilestone:
    """The first offer was made, `after` the request."""

    after: timedelta


@dataclass(frozen=True)
class PlacementMilestone:
    """The package was placed, `after` the request, with this number of `offers`."""

    after: timedelta
    offers: int


Milestone = FirstOfferMilestone | PlacementMilestone


def find_milestones(before: Search | None, after: Search) -> tuple[Milestone, ...]:
    """Find the milestones that the newest step reached."""
    reached: list[Milestone] = []
    if after.offers and (before is None or not before.offers):
        reached.append(FirstOfferMilestone(after.offers[0].made_at - after.requested_at))
    placement = _find_current_placement(after)
    if placement is not None and placement != _find_current_placement(before):
        reached.append(PlacementMilestone(placement.placed_at - after.requested_at, len(after.offers)))
    return tuple(reached)


def _find_current_placement(search: Search | None) -> Placement | None:
    placement = search.placement if search is not None else None
    return None if placement is None or placement.voided else placement
