"""Everything that can happen to a search: events of the package, timers that are due, orders of people."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from contracts.events.listings import InadequateReason, Variation
from contracts.events.orders import SpotPriceApproved, SpotPriceRefused
from contracts.events.packages import (
    CallResult,
    OfferDeclined,
    OfferDelivered,
    OfferExpired,
    OfferUndeliverable,
    OfferWithdrawn,
    PackageRequested,
    WithdrawalRequested,
)
from contracts.ids import OfferId, ProposalId, ProviderId
from sourcing.domain.errors import AnswerWithoutCall
from sourcing.domain.search import Reply
from sourcing.domain.steps import AlarmKind


@dataclass(frozen=True)
class Retry:
    """A view moved that a held search waits for."""


@dataclass(frozen=True)
class NextOfferDue:
    """Timer: the brokerage opens for a search that waits, or nothing came of an offer's end in time."""


@dataclass(frozen=True)
class ExpireOffer:
    """Timer: the time to answer is over."""

    offer_id: OfferId


@dataclass(frozen=True)
class DeliveryOverdue:
    """Timer: neither delivered nor undeliverable was heard of an offer."""

    offer_id: OfferId


@dataclass(frozen=True)
class AnswerOffer:
    """A provider answers an offer itself."""

    offer_id: OfferId
    provider_id: ProviderId
    reply: Reply


@dataclass(frozen=True)
class RecordCall:
    """An officer telephoned a provider about its offer, and records its answer if it gave one."""

    offer_id: OfferId
    result: CallResult
    reply: Reply | None = None

    def __post_init__(self) -> None:
        if self.reply is not None and self.result is CallResult.NOBODY_REACHED:
            raise AnswerWithoutCall("an answer needs somebody who gave it; record the call as reached, or no answer")


@dataclass(frozen=True)
class ListedTooLong:
    """Timer: nobody has taken an open package for as long as the definition allows."""


@dataclass(frozen=True)
class Propose:
    """A provider proposes a rate and a way of delivering an open package."""

    provider_id: ProviderId
    rate: Decimal
    variations: tuple[Variation, ...] = ()
    can_start_on: date | None = None


@dataclass(frozen=True)
class Award:
    """An officer takes a proposal; above the ceiling a second one has to agree."""

    proposal_id: ProposalId
    officer: str
    inadequate_reason: InadequateReason | None = None


@dataclass(frozen=True)
class Outage:
    """We were down from one instant to another, and nobody could answer."""

    down_from: datetime
    up_at: datetime


@dataclass(frozen=True)
class OutageOver:
    """Timer: we are back, and live offers are to gain the time that was lost."""


Nudge = OfferDeclined | OfferExpired | OfferWithdrawn
"""Sourcing's own events, heard again: they ask the search for its next step."""

Happening = (
    PackageRequested
    | WithdrawalRequested
    | OfferDelivered
    | OfferUndeliverable
    | Nudge
    | Retry
    | NextOfferDue
    | ExpireOffer
    | DeliveryOverdue
    | ListedTooLong
    | OutageOver
    | AnswerOffer
    | RecordCall
    | Propose
    | Award
    | SpotPriceApproved
    | SpotPriceRefused
)


def what_is_due(kind: AlarmKind, about: str) -> ExpireOffer | DeliveryOverdue | NextOfferDue | ListedTooLong:
    """What happens when an alarm goes off."""
    match kind:
        case AlarmKind.OFFER_EXPIRES:
            return ExpireOffer(OfferId(UUID(about)))
        case AlarmKind.DELIVERY_OVERDUE:
            return DeliveryOverdue(OfferId(UUID(about)))
        case AlarmKind.NEXT_OFFER_DUE:
            return NextOfferDue()
        case AlarmKind.LISTED_TOO_LONG:
            return ListedTooLong()
