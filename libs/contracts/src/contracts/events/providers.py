"""Events of one provider; topic `homecare.providers.v1`, all by provider-registry."""

from datetime import date
from enum import StrEnum
from typing import Literal

from pydantic import Field

from contracts.events.base import ProviderEvent
from contracts.framework.tiers import KeyQuestion
from contracts.ids import AreaCode, BranchId, FrameworkKey, LotKey, NeedKey, ServiceTypeKey, TierKey
from contracts.values import Channel, Hours, Instant, PassOverReason, PlaceState, Rating, Value


class EmbargoReason(StrEnum):
    SAFEGUARDING = "safeguarding"
    CQC_ENFORCEMENT = "CQC enforcement"
    CONTRACT_BREACH = "contract breach"
    PROVIDER_REQUEST = "at the provider's request"


class ProviderRegistered(ProviderEvent):
    """A provider is registered. Its company name is public; the event contains no names of people."""

    name: str = Field(min_length=1, max_length=200)


class ChannelsChanged(ProviderEvent):
    """The channels by which a provider receives offers, the first one first."""

    channels: tuple[Channel, ...]


class KeyQuestionRating(Value):
    """CQC's rating of a branch for one key question."""

    key_question: KeyQuestion
    rating: Rating


class RatingPublished(ProviderEvent):
    """CQC's ratings of one branch; ratings belong to branches, not to providers."""

    branch_id: BranchId
    rating: Rating
    key_questions: tuple[KeyQuestionRating, ...] = ()
    published_on: date


class Place(Value):
    """A place on a framework, and whether the provider may be offered work there; if not, why."""

    framework: FrameworkKey
    lot: LotKey
    area: AreaCode
    tier: TierKey
    service_types: tuple[ServiceTypeKey, ...]
    number: int | None = Field(default=None, ge=1, description="its turn, where the framework numbers its providers")
    joined_on: date
    state: PlaceState
    eligible: bool
    reasons: tuple[PassOverReason, ...] = ()


class EligibilityChanged(ProviderEvent):
    """What the provider may be offered from now on: all its places, not a difference."""

    places: tuple[Place, ...]
    skills: tuple[NeedKey, ...] = Field(default=(), description="of which there is evidence today")
    spot_areas: tuple[AreaCode, ...] = Field(default=(), description="where it takes packages outside any framework")
    rating: Rating = Field(default=Rating.NOT_RATED, description="the best of its branches that may give home care")


class ProviderEmbargoed(ProviderEvent):
    """The provider gets no new offers. A live offer stays, and its acceptance is refused."""

    reason: EmbargoReason
    embargoed: Literal[True] = True


class EmbargoLifted(ProviderEvent):
    """The provider may be offered work again."""

    embargoed: Literal[False] = False


class CapacityDeclared(ProviderEvent):
    """Free commissioned hours a week in one area, at the time of declaring."""

    area: AreaCode
    free_hours: Hours
    declared_at: Instant


class EndpointAnswer(Value):
    """One attempt to send a webhook, without anything of the answer's body."""

    at: Instant = Field(description="when it began")
    status: int | None = Field(description="HTTP status; null if there was no answer")
    failure: str = Field(
        pattern=r"^[a-z0-9 -]{1,60}$", description="in closed terms: timed out, host not found, status 500"
    )
    took_ms: int = Field(ge=0, description="milliseconds until the answer or the failure")


class EndpointFailing(ProviderEvent):
    """The provider's webhook endpoint has accepted nothing for a day or longer; its owner is notified."""

    failing_since: Instant = Field(description="first attempt after which nothing was accepted")
    disabled_from: Instant = Field(description="when it is disabled if it accepts nothing until then")
    answers: tuple[EndpointAnswer, ...] = Field(description="the last failed attempts, the newest first")


class EndpointDisabled(ProviderEvent):
    """The provider's webhook endpoint is no longer called: it is gone, or an officer disabled it."""

    reason: Literal["gone", "disabled by officer"] = Field(
        description="`gone`: it answered 410, or it failed for days; then `failing_since` is given"
    )
    failing_since: Instant | None = Field(default=None, description="null unless it failed for days")
