"""The triggers of a search: events about the package, timers that are due, and commands of people.

`decisions.DECISIONS` maps each of them to the function that decides what follows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from contracts.events.competitions import CompetitionEnded
from contracts.events.offers import (
    AcceptanceReceived,
    CallResult,
    OfferDeclined,
    OfferDelivered,
    OfferExpired,
    OfferUndeliverable,
    OfferWithdrawn,
)
from contracts.events.orders import SpotPriceApproved, SpotPriceRefused
from contracts.events.packages import PackageRequested, WithdrawalRequested
from contracts.ids import CompetitionId, ListId, OfferId, PackageId, ProposalId, ProviderId, ReasonKey
from sourcing.domain.competitions.triggers import CompetitionCommand, CompetitionDue
from sourcing.domain.errors import AnswerWithoutCall
from sourcing.domain.offer import ProviderAnswer
from sourcing.domain.officers.commands import OfficerCommand
from sourcing.domain.steps import TimerKind

AnswerRecorded = AcceptanceReceived | OfferDeclined | OfferExpired | OfferWithdrawn
"""Sourcing's own events, consumed again: each asks the search for its next step."""

EventTrigger = (
    PackageRequested
    | WithdrawalRequested
    | OfferDelivered
    | OfferUndeliverable
    | AnswerRecorded
    | CompetitionEnded
    | SpotPriceApproved
    | SpotPriceRefused
)


@dataclass(frozen=True)
class ProjectionUpdated:
    """Timer: a projection has an entry that the held search waits for."""


@dataclass(frozen=True)
class NextOfferDue:
    """Timer: the brokerage opens for a search without a live offer, or no next offer followed an offer's end."""


@dataclass(frozen=True)
class OfferExpiryDue:
    """Timer: the time to answer an offer is over."""

    offer_id: OfferId


@dataclass(frozen=True)
class DeliveryOverdue:
    """Timer: neither OfferDelivered nor OfferUndeliverable has arrived for an offer."""

    offer_id: OfferId


@dataclass(frozen=True)
class ListingOverdue:
    """Timer: a package has been open to all for as long as the definition allows."""


@dataclass(frozen=True)
class OutageOver:
    """Timer: this service runs again after an outage; a live offer gains the lost time."""


@dataclass(frozen=True)
class Outage:
    """A span in which this service was down and no provider could answer."""

    down_from: datetime
    up_at: datetime


@dataclass(frozen=True)
class ListCutOff:
    """Timer: a Batching List goes out."""


@dataclass(frozen=True)
class ListCloses:
    """Timer: the Batching List with the package is closed."""


@dataclass(frozen=True)
class ListGoesOut:
    """Timer: a list of available packages goes out."""


TimerTrigger = (
    ProjectionUpdated
    | NextOfferDue
    | OfferExpiryDue
    | DeliveryOverdue
    | ListingOverdue
    | OutageOver
    | ListCutOff
    | ListCloses
    | ListGoesOut
    | CompetitionDue
)


@dataclass(frozen=True)
class AnswerOffer:
    """Command: a provider answers one of its offers."""

    package_id: PackageId
    offer_id: OfferId
    provider_id: ProviderId
    answer: ProviderAnswer


@dataclass(frozen=True)
class RecordCall:
    """Command: an officer records a telephone call about an offer, and the answer if the provider gave one.

    Raises AnswerWithoutCall for an answer on a call that did not reach the provider.
    """

    package_id: PackageId
    offer_id: OfferId
    result: CallResult
    answer: ProviderAnswer | None = None

    def __post_init__(self) -> None:
        if self.answer is not None and self.result is CallResult.NOT_REACHED:
            raise AnswerWithoutCall(
                "a call that reached nobody cannot carry an answer; record the call as reached, or leave the answer out"
            )


@dataclass(frozen=True)
class SubmitProposal:
    """Command: a provider proposes a rate and a way of delivering an open package."""

    package_id: PackageId
    provider_id: ProviderId
    rate: Decimal
    variations: tuple[ReasonKey, ...] = ()
    can_start_on: date | None = None
    entered_by: str | None = None
    """The officer who enters it for the provider."""


@dataclass(frozen=True)
class RegisterInterest:
    """Command: a provider ticks the package on a Batching List, or takes its tick back."""

    package_id: PackageId
    list_id: ListId
    provider_id: ProviderId
    interested: bool


@dataclass(frozen=True)
class AwardProposal:
    """Command: an officer awards the package to a proposal; above the ceiling a second officer has to approve."""

    package_id: PackageId
    proposal_id: ProposalId
    officer: str
    inadequate_reason: ReasonKey | None = None


@dataclass(frozen=True)
class ChangeVersion:
    """Command: an officer moves the search to another version of its framework's definition."""

    package_id: PackageId
    version: int
    officer: str


Command = (
    AnswerOffer
    | RecordCall
    | RegisterInterest
    | SubmitProposal
    | AwardProposal
    | ChangeVersion
    | OfficerCommand
    | CompetitionCommand
)

Trigger = EventTrigger | TimerTrigger | Command


_TIMERS: Final[Mapping[TimerKind, TimerTrigger]] = {
    TimerKind.NEXT_OFFER_DUE: NextOfferDue(),
    TimerKind.LISTED_TOO_LONG: ListingOverdue(),
    TimerKind.LIST_CUT_OFF: ListCutOff(),
    TimerKind.LIST_CLOSES: ListCloses(),
    TimerKind.LIST_GOES_OUT: ListGoesOut(),
}
"""The triggers of timers that concern the package as a whole."""


def build_timer_trigger(kind: TimerKind, about: str) -> TimerTrigger:
    """Build the trigger of a due timer; `about` is the id of the offer or competition that the timer concerns."""
    match kind:
        case TimerKind.OFFER_EXPIRES:
            return OfferExpiryDue(OfferId(UUID(about)))
        case TimerKind.DELIVERY_OVERDUE:
            return DeliveryOverdue(OfferId(UUID(about)))
        case TimerKind.COMPETITION_CLOSES:
            return CompetitionDue(CompetitionId(UUID(about)))
        case _:
            return _TIMERS[kind]
