"""An offer as a frozen value: its status, the provider's answer, and the time to answer."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from contracts.events.offers import OfferAnswer
from contracts.events.reasons import OfferEnd
from contracts.ids import (
    ActId,
    AreaCode,
    LotKey,
    NoteId,
    OfferId,
    ProviderId,
    ReasonKey,
    TierKey,
)
from contracts.values import Channel, PassOverReason, Terms
from sourcing.domain.invariants import reject_if


class OfferStatus(StrEnum):
    MADE = "made"
    DELIVERED = "delivered"
    WAITING = "waiting"
    """The provider accepts, and the other providers that were asked have not all answered yet."""
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    FELL_THROUGH = "fell through"
    """The provider accepted and got the package, and the placement was voided before care started."""


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
    tier: TierKey | None = None
    lot: LotKey | None = None
    area: AreaCode | None = None
    """Of the provider's place, where officers had the offer made out of order; else the stage's candidate has it."""
    act_id: ActId | None = None
    """The decision of officers to make this offer out of order."""

    def __post_init__(self) -> None:
        has_clock = self.answer_by is not None
        reject_if(
            has_clock != (self.asks_all or self.delivered_at is not None), "the clock runs from delivery, or not at all"
        )
        reject_if(self.status is OfferStatus.DELIVERED and self.answer_by is None, "delivered, so its clock must run")
        reject_if(self.is_live and self.answer is not None, "an answer ends an offer")

    @property
    def is_directed(self) -> bool:
        return self.act_id is not None

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
