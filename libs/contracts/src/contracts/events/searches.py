"""Events of a search: its start, stages, holds, placement and end; topic `homecare.packages.v1`."""

from datetime import date
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
from contracts.events.reasons import ExhaustedReason, StopReason
from contracts.ids import (
    ActId,
    AreaCode,
    BidId,
    FrameworkKey,
    GroupKey,
    LotKey,
    OfferId,
    PlacementId,
    ProposalId,
    ProviderId,
    ReasonKey,
    SearchId,
    ServiceTypeKey,
    TierKey,
)
from contracts.values import (
    Hours,
    Instant,
    Money,
    Order,
    PassOverReason,
    StageName,
    Terms,
    Value,
)


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


class PackagePlaced(HasProvider, HasStage, HasProjectionVersions):
    """sourcing: the package is placed with this provider on these terms."""

    search_id: SearchId
    placement_id: PlacementId
    offer_id: OfferId | None = Field(description="the offer that was accepted; null after an award")
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
    manual_id: ActId | None = Field(default=None, description="the act of the officers who placed it by hand")
    bid_id: BidId | None = Field(default=None, description="the bid that was awarded, after a competition")


class PlacementVoided(HasProvider, HasReason):
    """sourcing: the placement is cancelled before care started; its hours are free again."""

    placement_id: PlacementId
    provider_id: ProviderId
    weekly_hours: Hours
    reason: ReasonKey
    resourced: bool = Field(default=False, description="an officer voided it and the search goes on; no withdrawal")


class SourcingExhausted(PackageEvent):
    """sourcing: no stage is left and no provider accepted the package; an officer has to act."""

    search_id: SearchId
    last_stage: StageName | None = Field(description="null if no stage was meant for the package")
    reason: ExhaustedReason


class SourcingStopped(PackageEvent):
    """sourcing: the search ended because the council asked for it."""

    search_id: SearchId | None
    reason: Literal[StopReason.WITHDRAWN] = StopReason.WITHDRAWN
