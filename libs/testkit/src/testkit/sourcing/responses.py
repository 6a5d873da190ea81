"""Models of sourcing's HTTP responses, with the fields that tests use, independent of the service's own models."""

from datetime import datetime
from decimal import Decimal

from pydantic import BaseModel

from contracts.events.listings import Advert
from contracts.events.searches import ListUsed
from contracts.ids import AwardId, OfferId, PackageId, PlacementId, ProposalId, ProviderId, ReasonKey
from contracts.values import Rating


class OfferResponse(BaseModel):
    """An offer, as a provider's system receives it."""

    offer_id: OfferId
    package_id: PackageId
    status: str
    channel: str
    made_at: datetime
    answer_by: datetime | None
    answer_minutes: int
    allowed_actions: list[str]


class TurnResponse(BaseModel):
    """What happened to one provider in a stage."""

    provider_id: ProviderId
    outcome: str
    reasons: list[str]
    offer_id: OfferId | None


class StageResponse(BaseModel):
    """One stage of sourcing with its providers in rank order."""

    stage: str
    order: list[str]
    lists: list[ListUsed]
    turns: list[TurnResponse]


class JournalRecordResponse(BaseModel):
    """One event of the package in the journal."""

    sequence: int
    type: str
    at: datetime
    actor: str
    cause: str
    hash: str


class NextStepResponse(BaseModel):
    """What happens next to the package, and when."""

    kind: str
    text: str
    at: datetime | None
    waits_for_opening: bool
    waits_for_officer: bool
    provider_id: ProviderId | None
    offer_id: OfferId | None


class DecisionResponse(BaseModel):
    """The explanation of a package's sourcing, as an officer receives it."""

    status: str
    definition_version: int | None
    stages: list[StageResponse]
    placed_with: ProviderId | None
    missing: list[str]
    next_step: NextStepResponse
    record: list[JournalRecordResponse]

    @property
    def event_types(self) -> list[str]:
        """The event types in the order of the journal, such as `OfferMade`."""
        return [each.type.split(".")[1] for each in self.record]

    @property
    def turns(self) -> list[TurnResponse]:
        return [turn for stage in self.stages for turn in stage.turns]


class WorkItemResponse(BaseModel):
    """One task of an officer on the work list."""

    what: str
    package_id: PackageId
    missing: list[str]
    proposals: int | None
    award_id: AwardId | None
    offer_id: OfferId | None
    provider_id: ProviderId | None
    attempt: int | None


class WorkListResponse(BaseModel):
    """The work list of officers."""

    items: list[WorkItemResponse]


class OffersResponse(BaseModel):
    """A page of a provider's offers."""

    items: list[OfferResponse]
    next: str | None


class ProposalResponse(BaseModel):
    """A proposal, as its provider receives it."""

    proposal_id: ProposalId
    rate: Decimal
    weekly_cost: Decimal
    variations: list[ReasonKey]


class AvailablePackageResponse(BaseModel):
    """A package on the open list, as a provider's system receives it."""

    advert: Advert
    listed_at: datetime
    my_proposal: ProposalResponse | None


class AvailablePackagesResponse(BaseModel):
    """A page of the packages on the open list."""

    items: list[AvailablePackageResponse]
    next: str | None


class OfficerProposalResponse(ProposalResponse):
    """A proposal, as officers receive it."""

    provider_id: ProviderId
    rating: Rating
    above_ceiling: bool


class ProposalsResponse(BaseModel):
    """The proposals for one listed package, as officers receive them."""

    advert: Advert
    ceiling: Decimal
    awaiting_approval: AwardId | None
    items: list[OfficerProposalResponse]


class PlacementRow(BaseModel):
    """A row of the table `placements`."""

    placement_id: PlacementId
    package_id: PackageId
    provider_id: ProviderId
    voided: bool
