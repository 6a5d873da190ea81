"""What metrics record about a search: each offer, and once the durations until its first offer and its placement."""

from dataclasses import dataclass
from datetime import timedelta

from contracts.values import Channel
from sourcing.domain.search import Placement, Search


@dataclass(frozen=True)
class FirstOfferMilestone:
    """The first offer was made, `after` the request."""

    after: timedelta
    stage: str


@dataclass(frozen=True)
class OfferMilestone:
    """An offer was made by a channel."""

    stage: str
    channel: Channel


@dataclass(frozen=True)
class PlacementMilestone:
    """The package was placed, `after` the request, with this number of `offers`."""

    after: timedelta
    offers: int
    stage: str


Milestone = FirstOfferMilestone | OfferMilestone | PlacementMilestone


def find_milestones(before: Search | None, after: Search) -> tuple[Milestone, ...]:
    """Find the milestones that the newest step reached."""
    reached: list[Milestone] = []
    if after.offers and (before is None or not before.offers):
        first = after.offers[0]
        reached.append(FirstOfferMilestone(first.made_at - after.requested_at, first.stage))
    made = after.offers[0 if before is None else len(before.offers) :]
    reached += [OfferMilestone(offer.stage, offer.channel) for offer in made]
    placement = _find_current_placement(after)
    if placement is not None and placement != _find_current_placement(before):
        took = placement.placed_at - after.requested_at
        reached.append(PlacementMilestone(took, len(after.offers), _find_stage(placement, after)))
    return tuple(reached)


def _find_stage(placement: Placement, search: Search) -> str:
    """Find the stage in which the placed offer was made; for a proposal, the stage of the search."""
    stages = [offer.stage for offer in search.offers if offer.offer_id == placement.offer_id]
    return stages[0] if stages else search.stage.name if search.stage is not None else "before any stage"


def _find_current_placement(search: Search | None) -> Placement | None:
    placement = search.placement if search is not None else None
    return None if placement is None or placement.voided else placement
