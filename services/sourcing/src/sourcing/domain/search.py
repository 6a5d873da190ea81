"""The state of a search as frozen values: its current stage, offers, listing and placement."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cached_property

from contracts.events.listings import Advert
from contracts.events.packages import FollowedPackage, ListUsed, OfferAnswer, StageCandidate
from contracts.events.reasons import OfferEnd
from contracts.ids import (
    AwardId,
    NoteId,
    OfferId,
    PackageId,
    PlacementId,
    ProposalId,
    ProviderId,
    ReasonKey,
    SearchId,
    TierKey,
    UnitKey,
)
from contracts.values import Care, Channel, PassOverReason, Rating, Terms, UnitKind, Wishes


class SearchStatus(StrEnum):
    RUNNING = "running"
    HELD = "held"
    LISTED = "listed"
    PLACED = "placed"
    EXHAUSTED = "exhausted"
    STOPPED = "stopped"


class OfferStatus(StrEnum):
    MADE = "made"
    DELIVERED = "delivered"
    WAITING = "waiting"
    """The provider accepts, and the other providers that were asked have not all answered yet."""
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class Accept:
    """The provider accepts the package."""

    @property
    def kind(self) -> OfferAnswer:
        return OfferAnswer.ACCEPT


@dataclass(frozen=True)
class Decline:
    """The provider declines; two declines for the same reason are equal, whatever their notes."""

    reason: ReasonKey
    note_id: NoteId | None = field(default=None, compare=False)

    @property
    def kind(self) -> OfferAnswer:
        return OfferAnswer.DECLINE


ProviderAnswer = Accept | Decline


@dataclass(frozen=True)
class Offer:
    """An offer of the package to one provider. The time to answer starts at `delivered_at`."""

    offer_id: OfferId
    stage: str
    provider_id: ProviderId
    rank: int
    channel: Channel
    status: OfferStatus
    terms: Terms
    weekly_hours: Decimal
    made_at: datetime
    answer_minutes: int
    in_brokerage_time: bool
    deliver_within: timedelta
    asks_all: bool = False
    """Other providers are asked at the same time; the deadline is fixed when the offer is made."""
    delivered_at: datetime | None = None
    answer_by: datetime | None = None
    redirected_at: datetime | None = None
    calls: int = 0
    answer: ProviderAnswer | None = None
    award_refused_for: tuple[PassOverReason, ...] = ()
    withdrawn_because: OfferEnd | None = None
    outages_counted_to: datetime | None = None
    """Up to when outages of ours have been added to the time to answer."""
    refused_answers: frozenset[OfferAnswer] = frozenset()
    """The kinds of answers that were recorded and not used; each kind is recorded once."""

    def __post_init__(self) -> None:
        has_clock = self.answer_by is not None
        _reject_if(
            has_clock != (self.asks_all or self.delivered_at is not None), "the clock runs from delivery, or not at all"
        )
        _reject_if(self.status is OfferStatus.DELIVERED and self.answer_by is None, "delivered, so its clock must run")
        _reject_if(self.is_live and self.answer is not None, "an answer ends an offer")

    @property
    def is_live(self) -> bool:
        return self.status in {OfferStatus.MADE, OfferStatus.DELIVERED}

    @property
    def clock_started_at(self) -> datetime | None:
        """When the time to answer began: with the delivery, or with the asking of all."""
        return self.made_at if self.asks_all else self.delivered_at

    @property
    def awaits_delivery(self) -> bool:
        return self.status is OfferStatus.MADE

    @property
    def awaits_call(self) -> bool:
        return self.awaits_delivery and self.channel is Channel.PHONE

    @property
    def answer_within(self) -> timedelta:
        return timedelta(minutes=self.answer_minutes)

    def has_run_out(self, at: datetime) -> bool:
        """Return whether the time to answer is over at `at`; the expiry instant itself is late."""
        return self.answer_by is not None and at >= self.answer_by


@dataclass(frozen=True)
class Placement:
    """The placement with a provider on agreed terms; voided when the council withdraws it before care begins."""

    placement_id: PlacementId
    offer_id: OfferId | None
    provider_id: ProviderId
    weekly_hours: Decimal
    terms: Terms
    placed_at: datetime
    voided: bool = False
    proposal_id: ProposalId | None = None

    def __post_init__(self) -> None:
        _reject_if((self.offer_id is None) == (self.proposal_id is None), "placed by an offer or by a proposal")


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


@dataclass(frozen=True)
class Proposal:
    """A provider's newest rate and variations for a package that is open to all."""

    proposal_id: ProposalId
    provider_id: ProviderId
    terms: Terms
    variations: tuple[ReasonKey, ...]
    can_start_on: date | None
    rating: Rating
    received_at: datetime

    def is_same_as(self, rate: Decimal, variations: tuple[ReasonKey, ...], can_start_on: date | None) -> bool:
        return (self.terms.rate, self.variations, self.can_start_on) == (rate, variations, can_start_on)


@dataclass(frozen=True)
class PendingAward:
    """An award above the ceiling that waits for a second officer."""

    award_id: AwardId
    proposal_id: ProposalId
    officer: str
    inadequate_reason: ReasonKey | None


@dataclass(frozen=True)
class Listing:
    """A package that is open to all: its advert, and the newest proposal of each provider."""

    stage: str
    advert: Advert
    members: bool
    spot: bool
    unit: UnitKey
    unit_kind: UnitKind
    ceiling: Decimal
    listed_at: datetime
    proposals: tuple[Proposal, ...] = ()
    award: PendingAward | None = None
    is_overdue: bool = False
    second_officer_always: bool = False

    def find_proposal(self, proposal_id: ProposalId) -> Proposal | None:
        return next((proposal for proposal in self.proposals if proposal.proposal_id == proposal_id), None)

    def find_proposal_of(self, provider_id: ProviderId) -> Proposal | None:
        return next((proposal for proposal in self.proposals if proposal.provider_id == provider_id), None)


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
    offers: tuple[Offer, ...] = ()
    placement: Placement | None = None
    missing: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        live, alone = len(self.live_offers), sum(not offer.asks_all for offer in self.live_offers)
        stands = self.placement is not None and not self.placement.voided
        _reject_if(live > 1 and alone > 0, "two offers of one search are live")
        _reject_if(
            live > 0 and self.status is not SearchStatus.RUNNING, "an offer is live, but the search does not run"
        )
        _reject_if(stands != (self.status is SearchStatus.PLACED), "placed and a standing placement go together")
        _reject_if(bool(self.missing) != (self.status is SearchStatus.HELD), "held and something missing go together")
        _reject_if(self.status is SearchStatus.LISTED and self.listing is None, "listed, but not on a list")
        _reject_if(self.search_id is None and self.stage is not None, "a stage was entered before the search started")

    @property
    def is_open(self) -> bool:
        """The search still awaits an offer, an answer or a timer."""
        return self.status in {SearchStatus.RUNNING, SearchStatus.HELD}

    @property
    def is_urgent(self) -> bool:
        return self.care.urgent

    @cached_property
    def live_offers(self) -> tuple[Offer, ...]:
        """The offers that can be answered: at most one, unless all providers of the stage are asked at once."""
        return tuple(offer for offer in self.offers if offer.is_live)

    @property
    def is_between_offers(self) -> bool:
        return self.is_open and not self.live_offers

    def find_offer(self, offer_id: OfferId) -> Offer | None:
        return next((offer for offer in self.offers if offer.offer_id == offer_id), None)


def _reject_if(broken: bool, why: str) -> None:  # noqa: FBT001 - reads as the sentence it is
    if broken:
        raise ValueError(why)
