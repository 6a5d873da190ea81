"""The state of a search as frozen values: its current stage, offers, listing and placement."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import cached_property

from contracts.events.packages import FollowedPackage
from contracts.events.searches import ListUsed, StageCandidate
from contracts.ids import (
    ActId,
    BidId,
    OfferId,
    PackageId,
    PlacementId,
    ProposalId,
    ProviderId,
    SearchId,
    TierKey,
)
from contracts.values import Care, Terms, Wishes
from sourcing.domain.batching_entry import BatchingEntry
from sourcing.domain.competitions.competition import Competition
from sourcing.domain.invariants import reject_if
from sourcing.domain.listed_package import Listing
from sourcing.domain.offer import Offer, OfferStatus
from sourcing.domain.officers.pending_acts import NO_ACTS, OfficerActs


class SearchStatus(StrEnum):
    RUNNING = "running"
    HELD = "held"
    LISTED = "listed"
    COMPETING = "competing"
    PLACED = "placed"
    EXHAUSTED = "exhausted"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Placement:
    """The placement with a provider on agreed terms; voided when it is withdrawn or falls through before care begins.

    It follows from an accepted offer, an awarded proposal, or an officer's placement by hand (`manual_id`).
    """

    placement_id: PlacementId
    offer_id: OfferId | None
    provider_id: ProviderId
    weekly_hours: Decimal
    terms: Terms
    placed_at: datetime
    voided: bool = False
    proposal_id: ProposalId | None = None
    manual_id: ActId | None = None
    bid_id: BidId | None = None

    def __post_init__(self) -> None:
        origins = (self.offer_id, self.proposal_id, self.manual_id, self.bid_id)
        reject_if(sum(each is not None for each in origins) != 1, "placed by an offer, proposal or bid, or by hand")


@dataclass(frozen=True)
class CurrentStage:
    """The current stage: its candidates as pinned on entering it, and the providers already tried."""

    name: str
    tiers: tuple[TierKey, ...]
    lists: tuple[ListUsed, ...]
    candidates: tuple[StageCandidate, ...]
    tried: tuple[ProviderId, ...] = ()

    @property
    def untried(self) -> tuple[StageCandidate, ...]:
        """The candidates whose turn is still to come, in order of rank."""
        left = (candidate for candidate in self.candidates if candidate.provider_id not in self.tried)
        return tuple(sorted(left, key=lambda candidate: candidate.rank))

    def get_candidate(self, provider_id: ProviderId) -> StageCandidate:
        return next(candidate for candidate in self.candidates if candidate.provider_id == provider_id)

    def find_candidate(self, provider_id: ProviderId) -> StageCandidate | None:
        return next((candidate for candidate in self.candidates if candidate.provider_id == provider_id), None)


@dataclass(frozen=True)
class Search:
    """The state of one package's search; built from its events only (`evolution.apply_event`).

    `search_id`, `definition_version` and `started_at` are None while the search is held before it could start.
    """

    package_id: PackageId
    care: Care
    wishes: Wishes
    status: SearchStatus
    requested_at: datetime
    follows: FollowedPackage | None = None
    search_id: SearchId | None = None
    definition_version: int | None = None
    started_at: datetime | None = None
    stage: CurrentStage | None = None
    listing: Listing | None = None
    batching: BatchingEntry | None = None
    offers: tuple[Offer, ...] = ()
    placement: Placement | None = None
    missing: tuple[str, ...] = ()
    acts: OfficerActs = NO_ACTS
    competitions: tuple[Competition, ...] = ()

    def __post_init__(self) -> None:
        live, alone = len(self.live_offers), sum(not offer.asks_all for offer in self.live_offers)
        stands = self.placement is not None and not self.placement.voided
        reject_if(live > 1 and alone > 0, "two offers of one search are live")
        reject_if(live > 0 and not self.may_have_live_offers, "an offer is live, but the search does not run")
        reject_if(stands != (self.status is SearchStatus.PLACED), "placed and a standing placement go together")
        reject_if(bool(self.missing) != (self.status is SearchStatus.HELD), "held and something missing go together")
        reject_if(self.status is SearchStatus.LISTED and self.listing is None, "listed, but not on a list")
        reject_if(self.status is SearchStatus.COMPETING and not self.competitions, "competed for, but never opened")
        reject_if(self.search_id is None and self.stage is not None, "a stage was entered before the search started")

    @property
    def is_open(self) -> bool:
        """The search still awaits an offer, an answer or a timer."""
        return self.status in {SearchStatus.RUNNING, SearchStatus.HELD}

    @property
    def may_have_live_offers(self) -> bool:
        """The search runs, or its package is listed and officers had an offer made out of order."""
        return self.status in {SearchStatus.RUNNING, SearchStatus.LISTED}

    @property
    def is_urgent(self) -> bool:
        return self.care.urgent

    @cached_property
    def live_offers(self) -> tuple[Offer, ...]:
        """The offers that can be answered: at most one, unless all providers of the stage are asked at once."""
        return tuple(offer for offer in self.offers if offer.is_live)

    @property
    def competition(self) -> Competition | None:
        """The newest competition for the package; those before it have ended."""
        return self.competitions[-1] if self.competitions else None

    @property
    def is_between_offers(self) -> bool:
        """The next offer can follow by itself; not while an officer has paused the search."""
        return self.is_open and not self.live_offers and not self.acts.is_paused

    @property
    def has_waiting_acceptances(self) -> bool:
        """Providers that were asked at once have accepted, and the package is not placed yet."""
        return any(offer.status is OfferStatus.WAITING for offer in self.offers)

    def find_offer(self, offer_id: OfferId) -> Offer | None:
        return next((offer for offer in self.offers if offer.offer_id == offer_id), None)
