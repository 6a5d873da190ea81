"""A package that is open to all, as frozen values: its advert, the proposals, and an award that waits."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from contracts.events.listings import Advert
from contracts.ids import (
    AwardId,
    CounterOfferId,
    ListId,
    ProposalId,
    ProviderId,
    ReasonKey,
    UnitKey,
)
from contracts.values import ListReach, Rating, Terms, UnitKind


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
    counter_offer_id: CounterOfferId | None = None
    """The council's counter-offer that the provider accepted by this proposal."""

    def is_same_as(self, rate: Decimal, variations: tuple[ReasonKey, ...], can_start_on: date | None) -> bool:
        return (self.terms.rate, self.variations, self.can_start_on) == (rate, variations, can_start_on)


@dataclass(frozen=True)
class CounterOffer:
    """The council's newest answer to a provider's proposal by another rate; `valid_until` is exclusive."""

    counter_offer_id: CounterOfferId
    proposal_id: ProposalId
    provider_id: ProviderId
    terms: Terms
    valid_until: datetime
    is_declined: bool = False


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
    counter_offers: tuple[CounterOffer, ...] = ()
    reach: ListReach = ListReach.AREA
    opens_at: datetime | None = None
    list_id: ListId | None = None
    """The newest list with the package, where it is open from a list on."""

    @property
    def is_open(self) -> bool:
        """Whether providers may propose: at once, or since the first list with the package."""
        return self.opens_at is None or self.list_id is not None

    def find_proposal(self, proposal_id: ProposalId) -> Proposal | None:
        return next((proposal for proposal in self.proposals if proposal.proposal_id == proposal_id), None)

    def find_proposal_of(self, provider_id: ProviderId) -> Proposal | None:
        return next((proposal for proposal in self.proposals if proposal.provider_id == provider_id), None)

    def find_counter_offer(self, counter_offer_id: CounterOfferId) -> CounterOffer | None:
        return next((each for each in self.counter_offers if each.counter_offer_id == counter_offer_id), None)

    def find_counter_offer_to(self, provider_id: ProviderId) -> CounterOffer | None:
        return next((each for each in self.counter_offers if each.provider_id == provider_id), None)
