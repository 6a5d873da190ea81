"""Why a package went where it went: told from the record alone, so that anybody who holds the record can check it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from contracts.events.base import PackageEvent
from contracts.events.listings import (
    AwardAwaitsApproval,
    AwardLapsed,
    AwardRefused,
    PackageListed,
    ProposalAwarded,
    ProposalReceived,
    ProposalRefused,
)
from contracts.events.packages import (
    Candidate,
    OfferAccepted,
    OfferDeclined,
    OfferExpired,
    OfferMade,
    OfferWithdrawn,
    PackagePlaced,
    ProviderPassedOver,
    StageEntered,
    ViewUse,
)
from contracts.ids import OfferId, ProviderId
from contracts.values import Terms, Tier

REFUSED: Final = "proposal refused"


@dataclass(frozen=True)
class Turn:
    """What became of one candidate of a stage."""

    provider_id: ProviderId
    rank: int | None
    outcome: str = "not reached"
    reasons: tuple[StrEnum, ...] = ()
    offer_id: OfferId | None = None
    terms: Terms | None = None
    views: tuple[ViewUse, ...] = ()


@dataclass(frozen=True)
class StageTold:
    """One stage with every candidate's turn: of a pinned list in the order of rank, of an open one as they proposed."""

    stage: str
    tier: Tier | None
    list_version: int | None
    turns: tuple[Turn, ...]

    def with_turn(self, provider_id: ProviderId, told: Callable[[Turn], Turn]) -> "StageTold":
        turns = (told(turn) if turn.provider_id == provider_id else turn for turn in self.turns)
        return replace(self, turns=tuple(turns))

    def with_proposal(self, turn: Turn) -> "StageTold":
        """A provider's newest proposal takes the place of its older one; one that is refused leaves that standing."""
        stands = any(each.provider_id == turn.provider_id and each.outcome != REFUSED for each in self.turns)
        if turn.outcome == REFUSED and stands:
            return self
        others = (each for each in self.turns if each.provider_id != turn.provider_id)
        return replace(self, turns=(*others, turn))


ENDED: Final = {
    OfferAccepted: "accepted",
    OfferDeclined: "declined",
    OfferExpired: "no answer in time",
    OfferWithdrawn: "offer withdrawn",
    PackagePlaced: "placed",
    AwardAwaitsApproval: "awarded, waits for a second officer",
    AwardLapsed: "award lapsed",
    ProposalAwarded: "awarded",
}
Ended = (
    OfferAccepted
    | OfferDeclined
    | OfferExpired
    | OfferWithdrawn
    | PackagePlaced
    | AwardAwaitsApproval
    | AwardLapsed
    | ProposalAwarded
)


def explain(record: Iterable[PackageEvent]) -> tuple[StageTold, ...]:
    """The stages of a search with what became of every candidate."""
    stages: list[StageTold] = []
    for event in record:
        if isinstance(event, StageEntered):
            stages.append(StageTold(event.stage, event.tier, event.list_version, _waiting(event.candidates)))
        elif isinstance(event, PackageListed):
            stages.append(StageTold(event.stage, None, None, ()))
        elif stages:
            stages[-1] = _told(stages[-1], event)
    return tuple(stages)


def _waiting(candidates: Iterable[Candidate]) -> tuple[Turn, ...]:
    ranked = sorted(candidates, key=lambda candidate: candidate.rank)
    return tuple(Turn(candidate.provider_id, candidate.rank) for candidate in ranked)


def _told(stage: StageTold, event: PackageEvent) -> StageTold:
    if isinstance(event, ProposalReceived | ProposalRefused):
        return stage.with_proposal(_proposed(event))
    if isinstance(event, ProviderPassedOver | OfferMade | AwardRefused | Ended):
        return stage.with_turn(event.provider_id, lambda turn: _moved(turn, event))
    return stage


def _proposed(event: ProposalReceived | ProposalRefused) -> Turn:
    if isinstance(event, ProposalReceived):
        return Turn(event.provider_id, None, "proposed", terms=event.terms, views=event.views)
    return Turn(event.provider_id, None, REFUSED, event.reasons, views=event.views)


def _moved(turn: Turn, event: ProviderPassedOver | OfferMade | AwardRefused | Ended) -> Turn:
    match event:
        case ProviderPassedOver():
            return replace(turn, outcome="passed over", reasons=event.reasons, views=event.views)
        case OfferMade():
            return replace(turn, outcome="offered", offer_id=event.offer_id, terms=event.terms, views=event.views)
        case AwardRefused():
            return replace(turn, outcome="award refused", reasons=event.reasons)
        case _:
            return replace(turn, outcome=ENDED[type(event)])
