"""Events of an offer, from its making to its end; topic `homecare.packages.v1`."""

from enum import StrEnum
from uuid import UUID

from pydantic import Field

from contracts.events.base import (
    HasProjectionVersions,
    HasProvider,
    HasReason,
    HasStage,
    ProjectionVersion,
)
from contracts.events.reasons import ExtensionCause, LateReason, OfferEnd
from contracts.events.searches import StageCandidate
from contracts.ids import (
    ActId,
    AreaCode,
    LotKey,
    NoteId,
    OfferId,
    ProviderId,
    ReasonKey,
    SearchId,
    TierKey,
)
from contracts.values import (
    AnswerBy,
    Care,
    Channel,
    Hours,
    Instant,
    Order,
    PassOverReason,
    StageName,
    Terms,
)


class OfferAnswer(StrEnum):
    """A provider's answer to an offer."""

    ACCEPT = "accept"
    DECLINE = "decline"


class CallResult(StrEnum):
    """Result of an officer's telephone call."""

    REACHED = "reached"
    NOT_REACHED = "nobody reached"


class OfferMade(HasProvider, HasStage, HasProjectionVersions):
    """sourcing: the package is offered to one provider at a stated price; the answer clock starts with the delivery."""

    search_id: SearchId
    offer_id: OfferId
    stage: StageName
    provider_id: ProviderId
    rank: int = Field(ge=1)
    tier: TierKey
    channel: Channel
    care: Care
    weekly_hours: Hours
    terms: Terms
    answer_by: AnswerBy
    deliver_within_minutes: int = Field(
        ge=1, description="plain minutes; then it counts as undeliverable by its channel"
    )
    asks_all: bool = Field(default=False, description="other providers are asked at the same time")
    views: tuple[ProjectionVersion, ...]
    act_id: ActId | None = Field(default=None, description="the decision of officers to make this offer out of order")
    place_lot: LotKey | None = Field(default=None, description="of the provider's place; null: the package's own lot")
    place_area: AreaCode | None = Field(default=None, description="of the provider's place; null: the package's own")
    shown: tuple[PassOverReason, ...] = Field(
        default=(), description="what speaks against an offer out of order and does not bar it"
    )


class OfferDelivered(HasProvider):
    """provider-registry: the offer reached the provider; the endpoint's 2xx."""

    offer_id: OfferId
    provider_id: ProviderId
    channel: Channel
    delivered_at: Instant


class OfferUndeliverable(HasProvider):
    """provider-registry: the offer was not delivered in time; the provider neither declined nor let it expire."""

    offer_id: OfferId
    provider_id: ProviderId
    channel: Channel
    first_attempt_at: Instant | None
    reason: str = Field(
        pattern=r"^[a-z0-9 -]{1,60}$", description="in closed terms: no endpoint, timed out, status 500"
    )


class OfferRedirected(HasProvider):
    """sourcing: the same offer is sent on another channel; the time to answer starts again."""

    offer_id: OfferId
    provider_id: ProviderId
    from_channel: Channel
    to_channel: Channel
    answer_by: AnswerBy
    deliver_within_minutes: int = Field(
        ge=1, description="plain minutes; then it counts as undeliverable by its channel"
    )


class CallRecorded(HasProvider):
    """sourcing: an officer telephoned a provider about its offer; reaching it delivers the offer."""

    offer_id: OfferId
    provider_id: ProviderId
    result: CallResult
    attempt: int = Field(ge=1)


class OfferClockStarted(HasProvider):
    """sourcing: the offer is delivered and can be answered until this instant (exclusive)."""

    offer_id: OfferId
    provider_id: ProviderId
    delivered_at: Instant
    answer_by: Instant


class OfferExtended(HasProvider):
    """sourcing: time in which the offer could be answered was lost to an outage of Call-off, or to a bank holiday that
    was proclaimed since; the deadline moves by the lost time."""

    offer_id: OfferId
    provider_id: ProviderId
    down_from: Instant = Field(description="begin of the lost time; for a bank holiday the end that was stated before")
    up_at: Instant = Field(description="end of the lost time; for a bank holiday the opening after it")
    answer_by: Instant = Field(description="the new end (exclusive)")
    cause: ExtensionCause = Field(default=ExtensionCause.OUTAGE, description="why the time was lost")


class OfferAccepted(HasProvider):
    """sourcing: the provider accepts the package and gets it; PackagePlaced follows in the same transaction."""

    offer_id: OfferId
    provider_id: ProviderId


class AcceptanceReceived(HasProvider):
    """sourcing: the provider accepts, and waits until the other providers that were asked have answered."""

    offer_id: OfferId
    provider_id: ProviderId


class AcceptancesOrdered(HasStage):
    """sourcing: all that were asked have answered, or their time is over; who accepted is considered in this order."""

    search_id: SearchId
    stage: StageName
    order: tuple[Order, ...]
    seed: UUID | None
    candidates: tuple[StageCandidate, ...]


class OfferDeclined(HasProvider, HasReason):
    """sourcing: the provider declines, for a coded reason; further text is in an erasable note."""

    offer_id: OfferId
    provider_id: ProviderId
    reason: ReasonKey
    note_id: NoteId | None = None


class OfferExpired(HasProvider):
    """sourcing: the provider did not answer in time, or was not reached by three calls."""

    offer_id: OfferId
    provider_id: ProviderId


class OfferWithdrawn(HasProvider, HasReason):
    """sourcing: the offer ended before the provider had decided, other than by expiry."""

    offer_id: OfferId
    provider_id: ProviderId
    reason: OfferEnd
    passed_over: tuple[PassOverReason, ...] = ()


class LateAnswerRefused(HasProvider, HasReason):
    """sourcing: an answer that was late or differs from the first one; it is recorded and not used."""

    offer_id: OfferId
    provider_id: ProviderId
    answer: OfferAnswer
    reason: LateReason
    passed_over: tuple[PassOverReason, ...] = ()
