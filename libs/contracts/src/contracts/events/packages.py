"""Events of one package of care, from the request to the placement; topic `homecare.packages.v1`."""

from datetime import date
from enum import StrEnum
from typing import Literal

from pydantic import Field

from contracts.events.base import (
    HasProjectionVersions,
    HasProvider,
    HasReason,
    HasReasons,
    HasStage,
    PackageEvent,
    ProjectionKey,
    ProjectionVersion,
)
from contracts.events.reasons import ExhaustedReason, ExtensionCause, LateReason, OfferEnd, StopReason
from contracts.ids import AreaCode, FrameworkKey, NoteId, OfferId, PlacementId, ProposalId, ProviderId, SearchId
from contracts.values import (
    AnswerBy,
    Care,
    Channel,
    DeclineReason,
    Hours,
    Instant,
    PassOverReason,
    ServiceType,
    StageName,
    Terms,
    Tier,
    Value,
    Wishes,
    WithdrawalReason,
)


class Candidate(Value):
    """A provider with its rank in the list of a stage."""

    provider_id: ProviderId
    rank: int = Field(ge=1)


class OfferAnswer(StrEnum):
    """A provider's answer to an offer."""

    ACCEPT = "accept"
    DECLINE = "decline"


class CallResult(StrEnum):
    """Result of an officer's telephone call."""

    REACHED = "reached"
    NOT_REACHED = "nobody reached"


class PackageRequested(PackageEvent):
    """referral: a package of care for one adult is to be sourced. The adult's identity stays in referral."""

    care: Care
    wishes: Wishes = Wishes()


class WithdrawalRequested(HasReason):
    """referral: the council withdraws the package; sourcing decides what that means in its current state."""

    reason: WithdrawalReason


class PackageWithdrawn(HasReason):
    """referral: the withdrawal is complete; the package is neither sourced nor placed."""

    reason: WithdrawalReason


class PersonDisclosed(HasProvider):
    """referral: the placed provider was shown who the person is."""

    provider_id: ProviderId


class SourcingStarted(PackageEvent):
    """sourcing: a search began on these versions, which it uses until it ends."""

    search_id: SearchId
    framework: FrameworkKey
    definition_version: int = Field(ge=1)
    area: AreaCode


class SourcingHeld(PackageEvent):
    """sourcing: the search waits for missing data and is on the officers' work list."""

    missing: tuple[ProjectionKey, ...] = Field(min_length=1, description="`view/key` of each row that is missing")


class StageEntered(HasStage):
    """sourcing: a stage began with these candidates in this order."""

    search_id: SearchId
    stage: StageName
    tier: Tier
    list_version: int = Field(ge=1)
    candidates: tuple[Candidate, ...]


class ProviderPassedOver(HasProvider, HasStage, HasReasons, HasProjectionVersions):
    """sourcing: the provider was next in rank and got no offer, for all of these reasons."""

    search_id: SearchId
    stage: StageName
    provider_id: ProviderId
    rank: int = Field(ge=1)
    reasons: tuple[PassOverReason, ...] = Field(min_length=1)
    views: tuple[ProjectionVersion, ...]


class OfferMade(HasProvider, HasStage, HasProjectionVersions):
    """sourcing: the package is offered to one provider at a stated price; the answer clock starts with the delivery."""

    search_id: SearchId
    offer_id: OfferId
    stage: StageName
    provider_id: ProviderId
    rank: int = Field(ge=1)
    channel: Channel
    care: Care
    weekly_hours: Hours
    terms: Terms
    answer_by: AnswerBy
    views: tuple[ProjectionVersion, ...]


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
    """sourcing: the provider accepts the package; PackagePlaced follows in the same transaction."""

    offer_id: OfferId
    provider_id: ProviderId


class OfferDeclined(HasProvider, HasReason):
    """sourcing: the provider declines, for a coded reason; further text is in an erasable note."""

    offer_id: OfferId
    provider_id: ProviderId
    reason: DeclineReason
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


class LateAnswerRefused(HasProvider, HasReason):
    """sourcing: an answer that was late or differs from the first one; it is recorded and not used."""

    offer_id: OfferId
    provider_id: ProviderId
    answer: OfferAnswer
    reason: LateReason
    passed_over: tuple[PassOverReason, ...] = ()


class PackagePlaced(HasProvider, HasStage, HasProjectionVersions):
    """sourcing: the package is placed with this provider on these terms."""

    search_id: SearchId
    placement_id: PlacementId
    offer_id: OfferId | None = Field(description="the offer that was accepted; null after an open list")
    proposal_id: ProposalId | None = Field(
        default=None, description="the proposal that was awarded, after an open list"
    )
    provider_id: ProviderId
    stage: StageName
    framework: FrameworkKey
    area: AreaCode
    service_type: ServiceType
    starts_on: date
    weekly_hours: Hours
    terms: Terms
    views: tuple[ProjectionVersion, ...]


class PlacementVoided(HasProvider, HasReason):
    """sourcing: the placement is cancelled before care started; its hours are free again."""

    placement_id: PlacementId
    provider_id: ProviderId
    weekly_hours: Hours
    reason: WithdrawalReason


class SourcingExhausted(PackageEvent):
    """sourcing: no stage is left and no provider accepted the package; an officer has to act."""

    search_id: SearchId
    last_stage: StageName
    reason: ExhaustedReason


class SourcingStopped(PackageEvent):
    """sourcing: the search ended because the council asked for it."""

    search_id: SearchId | None
    reason: Literal[StopReason.WITHDRAWN] = StopReason.WITHDRAWN
