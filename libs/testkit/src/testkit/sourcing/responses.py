"""What sourcing answers, as strangers read it: the fields that a test looks at, in models of their own."""

from datetime import datetime
from decimal import Decimal

from pydantic import BaseModel

from contracts.events.listings import Advert, Variation
from contracts.ids import (
    AwardId,
    OfferId,
    PackageId,
    PlacementId,
    ProposalId,
    ProviderId,
)
from contracts.values import (
    Rating,
)


class OfferRead(BaseModel):
    """An offer, as a provider's system reads it."""

    offer_id: OfferId
    package_id: PackageId
    status: str
    channel: str
    made_at: datetime
    answer_by: datetime | None
    answer_minutes: int
    allowed_actions: list[str]


class TurnRead(BaseModel):
    provider_id: ProviderId
    outcome: str
    reasons: list[str]
    offer_id: OfferId | None


class StageRead(BaseModel):
    stage: str
    list_version: int | None
    turns: list[TurnRead]


class RecordRead(BaseModel):
    sequence: int
    type: str
    at: datetime
    actor: str
    cause: str
    hash: str


class DecisionRead(BaseModel):
    """Why a package went where it went, as an officer reads it."""

    status: str
    definition_version: int | None
    stages: list[StageRead]
    placed_with: ProviderId | None
    missing: list[str]
    record: list[RecordRead]

    @property
    def happened(self) -> list[str]:
        """What is on record, in its order: `OfferMade`."""
        return [each.type.split(".")[1] for each in self.record]

    @property
    def turns(self) -> list[TurnRead]:
        return [turn for stage in self.stages for turn in stage.turns]


class WorkItemRead(BaseModel):
    what: str
    package_id: PackageId
    missing: list[str]
    proposals: int | None
    award_id: AwardId | None
    offer_id: OfferId | None
    provider_id: ProviderId | None
    attempt: int | None


class WorkListRead(BaseModel):
    items: list[WorkItemRead]


class OffersRead(BaseModel):
    items: list[OfferRead]
    next: str | None


class ProposalRead(BaseModel):
    """A proposal, as its provider reads it."""

    proposal_id: ProposalId
    rate: Decimal
    weekly_cost: Decimal
    variations: list[Variation]


class AvailableRead(BaseModel):
    """A package that is open to all, as a provider's system reads it."""

    advert: Advert
    listed_at: datetime
    my_proposal: ProposalRead | None


class AvailablePageRead(BaseModel):
    items: list[AvailableRead]
    next: str | None


class ProposalSeenRead(ProposalRead):
    """A proposal, as officers read it."""

    provider_id: ProviderId
    rating: Rating
    above_ceiling: bool


class ProposalsRead(BaseModel):
    advert: Advert
    ceiling: Decimal
    awaiting_approval: AwardId | None
    items: list[ProposalSeenRead]


class PlacementKept(BaseModel):
    """A placement, as the table has it."""

    placement_id: PlacementId
    package_id: PackageId
    provider_id: ProviderId
    voided: bool
