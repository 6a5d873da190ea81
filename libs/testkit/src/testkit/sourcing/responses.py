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


class OfferResponse(BaseModel):
    """An offer, as a provider's system reads it."""

    offer_id: OfferId
    package_id: PackageId
    status: str
    channel: str
    made_at: datetime
    answer_by: datetime | None
    answer_minutes: int
    allowed_actions: list[str]


class TurnResponse(BaseModel):
    provider_id: ProviderId
    outcome: str
    reasons: list[str]
    offer_id: OfferId | None


class StageResponse(BaseModel):
    stage: str
    list_version: int | None
    turns: list[TurnResponse]


class JournalRecordResponse(BaseModel):
    sequence: int
    type: str
    at: datetime
    actor: str
    cause: str
    hash: str


class NextStepResponse(BaseModel):
    kind: str
    text: str
    at: datetime | None
    waits_for_opening: bool
    waits_for_officer: bool
    provider_id: ProviderId | None
    offer_id: OfferId | None


class DecisionResponse(BaseModel):
    """Why a package went where it went, as an officer reads it."""

    status: str
    definition_version: int | None
    stages: list[StageResponse]
    placed_with: ProviderId | None
    missing: list[str]
    next_step: NextStepResponse
    record: list[JournalRecordResponse]

    @property
    def event_types(self) -> list[str]:
        """What is on record, in its order: `OfferMade`."""
        return [each.type.split(".")[1] for each in self.record]

    @property
    def turns(self) -> list[TurnResponse]:
        return [turn for stage in self.stages for turn in stage.turns]


class WorkItemResponse(BaseModel):
    what: str
    package_id: PackageId
    missing: list[str]
    proposals: int | None
    award_id: AwardId | None
    offer_id: OfferId | None
    provider_id: ProviderId | None
    attempt: int | None


class WorkListResponse(BaseModel):
    items: list[WorkItemResponse]


class OffersResponse(BaseModel):
    items: list[OfferResponse]
    next: str | None


class ProposalResponse(BaseModel):
    """A proposal, as its provider reads it."""

    proposal_id: ProposalId
    rate: Decimal
    weekly_cost: Decimal
    variations: list[Variation]


class AvailablePackageResponse(BaseModel):
    """A package that is open to all, as a provider's system reads it."""

    advert: Advert
    listed_at: datetime
    my_proposal: ProposalResponse | None


class AvailablePackagesResponse(BaseModel):
    items: list[AvailablePackageResponse]
    next: str | None


class OfficerProposalResponse(ProposalResponse):
    """A proposal, as officers read it."""

    provider_id: ProviderId
    rating: Rating
    above_ceiling: bool


class ProposalsResponse(BaseModel):
    advert: Advert
    ceiling: Decimal
    awaiting_approval: AwardId | None
    items: list[OfficerProposalResponse]


class PlacementRow(BaseModel):
    """A placement, as the table has it."""

    placement_id: PlacementId
    package_id: PackageId
    provider_id: ProviderId
    voided: bool
