"""The ids that a decision drew, taken from its events, so that a replay draws the same ones."""

from collections.abc import Iterator, Mapping
from itertools import count
from typing import Final
from uuid import UUID

from contracts.events.base import PackageEvent
from contracts.events.competitions import CompetitionAwarded, CompetitionOpened, CompetitionRanked
from contracts.events.listings import (
    AwardAwaitsApproval,
    AwardRefused,
    PackageListed,
    ProposalAwarded,
    ProposalReceived,
)
from contracts.events.lists import ListRowAdded
from contracts.events.offers import AcceptancesOrdered, OfferMade
from contracts.events.officer_acts import CounterOfferMade, OfferDirected, PlacedByHand, PlacementByHandProposed
from contracts.events.searches import PackagePlaced, SourcingStarted, StageEntered
from sourcing.domain.replay_triggers import RecordedDecision

_FIELDS: Final[Mapping[type[PackageEvent], str]] = {
    SourcingStarted: "search_id",
    StageEntered: "seed",
    AcceptancesOrdered: "seed",
    OfferMade: "offer_id",
    ProposalReceived: "proposal_id",
    PackagePlaced: "placement_id",
    AwardAwaitsApproval: "award_id",
    AwardRefused: "award_id",
    ProposalAwarded: "award_id",
    OfferDirected: "act_id",
    PlacementByHandProposed: "act_id",
    PlacedByHand: "act_id",
    CounterOfferMade: "counter_offer_id",
    CompetitionOpened: "competition_id",
    CompetitionRanked: "seed",
    CompetitionAwarded: "award_id",
}
"""The field with the id that a decision draws for the event."""
_AWARDS: Final = (AwardAwaitsApproval, AwardRefused, ProposalAwarded, CompetitionAwarded)


class RecordedIds:
    """Gives out the ids that the decision drew, in their order; further ones are 0, 1, 2, …, which no record has."""

    def __init__(self, decision: RecordedDecision) -> None:
        self._ids = iter([drawn for event in decision.events for drawn in _list_drawn_ids(event, decision)])
        self._further = count()

    def draw(self) -> UUID:
        drawn = next(self._ids, None)
        return UUID(int=next(self._further)) if drawn is None else drawn


def _list_drawn_ids(event: PackageEvent, decision: RecordedDecision) -> Iterator[UUID]:
    """Yield the id drawn for an event; what a second officer decides keeps the id that it had."""
    if isinstance(event, PackageListed | ListRowAdded):
        yield event.advert.reference
        return
    if isinstance(event, _AWARDS) and not decision.cause.startswith("command:"):
        return
    if isinstance(event, PlacedByHand) and event.second_officer is not None:
        return
    drawn: UUID | None = getattr(event, _FIELDS.get(type(event), ""), None)
    if drawn is not None:
        yield drawn
