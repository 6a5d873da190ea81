"""How long a search took to get somewhere, for those who look after the whole: measured once, when it gets there."""

from dataclasses import dataclass
from datetime import timedelta

from sourcing.domain.search import Placement, Search


@dataclass(frozen=True)
class FirstOffer:
    """The package was put to a provider for the first time, so long after it was requested."""

    after: timedelta


@dataclass(frozen=True)
class Placed:
    """The package found its provider, so long after it was requested, and so many were asked."""

    after: timedelta
    offers: int


Milestone = FirstOffer | Placed


def milestones(before: Search | None, after: Search) -> tuple[Milestone, ...]:
    """What a search has reached by its newest step."""
    reached: list[Milestone] = []
    if after.offers and (before is None or not before.offers):
        reached.append(FirstOffer(after.offers[0].made_at - after.requested_at))
    placement = _standing(after)
    if placement is not None and placement != _standing(before):
        reached.append(Placed(placement.placed_at - after.requested_at, len(after.offers)))
    return tuple(reached)


def _standing(search: Search | None) -> Placement | None:
    placement = search.placement if search is not None else None
    return None if placement is None or placement.voided else placement
