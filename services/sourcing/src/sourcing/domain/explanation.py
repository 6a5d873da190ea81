"""Explains a placement from the journal alone, so that anyone with the journal can verify it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from contracts.events.base import HasProvider, PackageEvent, ProjectionVersion
from contracts.events.competitions import (
    BidOpened,
    BidReceived,
    BidRefused,
    BidWithdrawn,
    CompetitionAwarded,
    CompetitionOpened,
    FeedbackAvailable,
)
from contracts.events.listings import (
    AwardAwaitsApproval,
    AwardLapsed,
    AwardRefused,
    PackageListed,
    ProposalAwarded,
    ProposalReceived,
    ProposalRefused,
)
from contracts.events.offers import (
    AcceptanceReceived,
    OfferAccepted,
    OfferDeclined,
    OfferExpired,
    OfferMade,
    OfferWithdrawn,
)
from contracts.events.officer_acts import (
    CounterOfferDeclined,
    CounterOfferMade,
    OfferDirected,
    OfficerActApproved,
    OfficerActEnded,
    PackageResourced,
    PlacedByHand,
    PlacementByHandProposed,
    ProviderSkipped,
)
from contracts.events.searches import (
    ListUsed,
    PackagePlaced,
    PlacementVoided,
    ProviderPassedOver,
    SourcingExhausted,
    SourcingStopped,
    StageCandidate,
    StageEntered,
)
from contracts.ids import OfferId, ProviderId, TierKey
from contracts.values import Order, Terms

REFUSED: Final = "proposal refused"
NOT_ASKED_YET: Final = "not asked yet"
NOT_REACHED: Final = "not reached"
INVITED: Final = "invited to bid"


@dataclass(frozen=True)
class CandidateTurn:
    """The outcome for one candidate of a stage."""

    provider_id: ProviderId
    rank: int | None
    outcome: str = NOT_ASKED_YET
    reasons: tuple[str, ...] = ()
    offer_id: OfferId | None = None
    terms: Terms | None = None
    views: tuple[ProjectionVersion, ...] = ()


@dataclass(frozen=True)
class StageExplanation:
    """One stage with every candidate's turn: in order of rank for a pinned list, of proposals for an open list."""

    stage: str
    tiers: tuple[TierKey, ...]
    order: tuple[Order, ...]
    lists: tuple[ListUsed, ...]
    turns: tuple[CandidateTurn, ...]

    def update_turn(
        self, provider_id: ProviderId, change: Callable[[CandidateTurn], CandidateTurn]
    ) -> "StageExplanation":
        turns = (change(turn) if turn.provider_id == provider_id else turn for turn in self.turns)
        return replace(self, turns=tuple(turns))

    def add_turn(self, provider_id: ProviderId) -> "StageExplanation":
        """Add a provider that officers chose and that is no candidate of the stage."""
        has_turn = any(turn.provider_id == provider_id for turn in self.turns)
        return self if has_turn else replace(self, turns=(*self.turns, CandidateTurn(provider_id, None)))

    def add_proposal(self, turn: CandidateTurn) -> "StageExplanation":
        """Add a proposal in place of the provider's older one; a refused proposal leaves the older one in place."""
        has_valid_proposal = any(
            other.provider_id == turn.provider_id and other.outcome != REFUSED for other in self.turns
        )
        if turn.outcome == REFUSED and has_valid_proposal:
            return self
        other_turns = (other for other in self.turns if other.provider_id != turn.provider_id)
        return replace(self, turns=(*other_turns, turn))


_OUT_OF_ORDER: Final = (OfferDirected, OfferMade, PlacementByHandProposed, PlacedByHand)
"""Events that may concern a provider that is no candidate of the stage."""
OUTCOME_TEXTS: Final[Mapping[type[PackageEvent], str]] = {
    AcceptanceReceived: "accepts, waits for the others",
    OfferAccepted: "accepted",
    OfferDeclined: "declined",
    OfferExpired: "no answer in time",
    OfferWithdrawn: "offer withdrawn",
    OfferDirected: "chosen by an officer out of order",
    OfficerActApproved: "chosen by officers out of order",
    PlacementByHandProposed: "placement by hand waits for a second officer",
    PlacedByHand: "placed by hand",
    PlacementVoided: "placement voided",
    CounterOfferMade: "counter-offer made",
    CounterOfferDeclined: "counter-offer declined",
    PackagePlaced: "placed",
    AwardAwaitsApproval: "awarded, waits for a second officer",
    AwardLapsed: "award lapsed",
    ProposalAwarded: "awarded",
    BidReceived: "sealed bid",
    BidWithdrawn: "bid withdrawn",
    CompetitionAwarded: "awarded",
    FeedbackAvailable: "bid, not awarded",
}


def explain_stages(record: Iterable[PackageEvent]) -> tuple[StageExplanation, ...]:
    """Explain the stages of a search with the outcome for every candidate.

    A candidate without a turn is "not asked yet" while its turn can still come, and "not reached" once the search is
    over.
    """
    events = tuple(record)
    stages: list[StageExplanation] = []
    for event in events:
        if isinstance(event, StageEntered):
            stages.append(
                StageExplanation(
                    event.stage, event.tiers, event.order, event.lists, _list_candidate_turns(event.candidates)
                )
            )
        elif isinstance(event, PackageListed):
            stages.append(StageExplanation(event.stage, (), (), (), ()))
        elif isinstance(event, CompetitionOpened):
            stages.append(StageExplanation(event.stage, event.tiers, (), (), _list_invitations(event)))
        elif stages:
            stages[-1] = _apply_event(stages[-1], event)
    return tuple(map(_close_stage, stages)) if _is_over(events) else tuple(stages)


def _is_over(events: Iterable[PackageEvent]) -> bool:
    """Return whether the search ended, and no officer had the package sourced again since."""
    ends = PackagePlaced | SourcingExhausted | SourcingStopped | PackageResourced
    newest = [event for event in events if isinstance(event, ends)][-1:]
    return any(not isinstance(event, PackageResourced) for event in newest)


def _close_stage(stage: StageExplanation) -> StageExplanation:
    """Return the stage of a search that is over, in which candidates without a turn were not reached."""
    turns = (replace(turn, outcome=NOT_REACHED) if turn.outcome == NOT_ASKED_YET else turn for turn in stage.turns)
    return replace(stage, turns=tuple(turns))


def _list_candidate_turns(candidates: Iterable[StageCandidate]) -> tuple[CandidateTurn, ...]:
    ranked = sorted(candidates, key=lambda candidate: candidate.rank)
    return tuple(CandidateTurn(candidate.provider_id, candidate.rank) for candidate in ranked)


def _list_invitations(event: CompetitionOpened) -> tuple[CandidateTurn, ...]:
    """List who is invited, and who is not for which reasons."""
    invited = (CandidateTurn(each.provider_id, None, INVITED, views=event.views) for each in event.invited)
    others = (CandidateTurn(each.provider_id, None, "not invited", each.reasons) for each in event.not_invited)
    return (*invited, *others)


def _apply_event(stage: StageExplanation, event: PackageEvent) -> StageExplanation:
    if isinstance(event, ProposalReceived | ProposalRefused):
        return stage.add_proposal(_build_proposal_turn(event))
    if isinstance(event, HasProvider):
        stage = stage.add_turn(event.provider_id) if isinstance(event, _OUT_OF_ORDER) else stage
        return stage.update_turn(event.provider_id, lambda turn: _update_turn(turn, event))
    return stage


def _build_proposal_turn(event: ProposalReceived | ProposalRefused) -> CandidateTurn:
    if isinstance(event, ProposalReceived):
        return CandidateTurn(event.provider_id, None, "proposed", terms=event.terms, views=event.views)
    return CandidateTurn(event.provider_id, None, REFUSED, event.reasons, views=event.views)


def _update_turn(turn: CandidateTurn, event: HasProvider) -> CandidateTurn:  # noqa: PLR0911  a line for each kind
    match event:
        case ProviderPassedOver():
            return replace(turn, outcome="passed over", reasons=event.reasons, views=event.views)
        case ProviderSkipped():
            return replace(turn, outcome="skipped by an officer", reasons=(event.reason,))
        case OfficerActEnded():
            return replace(turn, outcome=event.reason, reasons=event.passed_over)
        case OfferMade():
            return replace(turn, outcome="offered", offer_id=event.offer_id, terms=event.terms, views=event.views)
        case BidOpened():
            return replace(turn, outcome="bid", terms=event.terms)
        case BidRefused():
            return replace(turn, outcome="bid refused", reasons=event.reasons)
        case AwardRefused():
            return replace(turn, outcome="award refused", reasons=event.reasons)
        case _:
            return replace(turn, outcome=OUTCOME_TEXTS.get(type(event), turn.outcome))
