"""Events of one package of care, from the request to the placement; topic `homecare.packages.v1`."""

from datetime import date
from enum import StrEnum
from typing import Literal
from uuid import UUID

from pydantic import Field

from contracts.events.actors import Actor
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
from contracts.ids import (
    AreaCode,
    FrameworkKey,
    GroupKey,
    LotKey,
    NoteId,
    OfferId,
    PackageId,
    PlacementId,
    ProposalId,
    ProviderId,
    ReasonKey,
    SearchId,
    ServiceTypeKey,
    TierKey,
)
from contracts.values import (
    AnswerBy,
    Care,
    Channel,
    Hours,
    Instant,
    Money,
    Order,
    PassOverReason,
    StageName,
    Terms,
    Value,
    Wishes,
)


class Candidate(Value):
    """A provider with its rank in a ranked list."""

    provider_id: ProviderId
    rank: int = Field(ge=1)


class StageCandidate(Value):
    """A provider with its turn in a stage, the place by which it is asked, and what its turn follows from."""

    provider_id: ProviderId
    rank: int = Field(ge=1, description="its turn in the stage, counted from 1")
    lot: LotKey = Field(description="of its place")
    tier: TierKey
    area: AreaCode = Field(description="of its place; in another area than the package where neighbours are asked")
    number: int | None = None
    price: Money | None = Field(default=None, description="of this package with the provider, where prices decide")
    last_award_at: Instant | None = Field(default=None, description="in this area, where rotation decides")
    joined_on: date | None = Field(default=None, description="where rotation decides")


class ListUsed(Value):
    """The ranked list that a stage works through."""

    tier: TierKey
    group: GroupKey | None = None
    list_version: int = Field(ge=1)


class FollowedPackage(Value):
    """The package that this one follows, such as the reablement before long-term care, and who delivers it."""

    package_id: PackageId
    lot: LotKey
    provider_id: ProviderId


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
    follows: FollowedPackage | None = None


class WithdrawalRequested(HasReason):
    """referral: the council withdraws the package; sourcing decides what that means in its current state."""

    reason: ReasonKey


class PackageWithdrawn(HasReason):
    """referral: the withdrawal is complete; the package is neither sourced nor placed."""

    reason: ReasonKey


class PersonDisclosed(HasProvider):
    """referral: the placed provider was shown who the person is."""

    provider_id: ProviderId


class SourcingStarted(PackageEvent):
    """sourcing: a search began on these versions, which it uses until it ends."""

    search_id: SearchId
    framework: FrameworkKey
    definition_version: int = Field(ge=1)
    lot: LotKey
    area: AreaCode


class DefinitionVersionChanged(PackageEvent):
    """sourcing: an officer moved the search to another version of its framework's definition."""

    search_id: SearchId
    from_version: int = Field(ge=1)
    to_version: int = Field(ge=1)
    officer: Actor


class SourcingHeld(PackageEvent):
    """sourcing: the search waits for missing data and is on the officers' work list."""

    missing: tuple[ProjectionKey, ...] = Field(min_length=1, description="`view/key` of each row that is missing")


class StageEntered(HasStage, HasProjectionVersions):
    """sourcing: a stage began with these candidates in this order."""

    search_id: SearchId
    stage: StageName
    tiers: tuple[TierKey, ...]
    order: tuple[Order, ...] = Field(description="further orders break ties; empty where all are asked at once")
    lists: tuple[ListUsed, ...] = Field(default=(), description="the ranked lists, where a ranked list decides")
    seed: UUID | None = Field(default=None, description="of the draw that breaks the last ties; null without any")
    candidates: tuple[StageCandidate, ...]
    views: tuple[ProjectionVersion, ...] = ()


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
    lot: LotKey
    area: AreaCode
    service_type: ServiceTypeKey
    starts_on: date
    weekly_hours: Hours
    terms: Terms
    views: tuple[ProjectionVersion, ...]


class PlacementVoided(HasProvider, HasReason):
    """sourcing: the placement is cancelled before care started; its hours are free again."""

    placement_id: PlacementId
    provider_id: ProviderId
    weekly_hours: Hours
    reason: ReasonKey


class SourcingExhausted(PackageEvent):
    """sourcing: no stage is left and no provider accepted the package; an officer has to act."""

    search_id: SearchId
    last_stage: StageName | None = Field(description="null if no stage was meant for the package")
    reason: ExhaustedReason


class SourcingStopped(PackageEvent):
    """sourcing: the search ended because the council asked for it."""

    search_id: SearchId | None
    reason: Literal[StopReason.WITHDRAWN] = StopReason.WITHDRAWN
