"""Events of prices and purchase orders of one package; topic `homecare.packages.v1`, all by pricing."""

from datetime import date
from enum import StrEnum

from pydantic import Field

from contracts.events.actors import Actor
from contracts.events.base import HasProvider, HasReason
from contracts.ids import (
    AwardId,
    FrameworkKey,
    ItemKey,
    OrderId,
    PlacementId,
    ProposalId,
    ProviderId,
    ReasonKey,
    ServiceTypeKey,
    UnitKey,
)
from contracts.values import Hours, Money, UnitKind, Value


class LateDecision(StrEnum):
    """Why an officer's decision about a price is recorded but not used."""

    DECIDED_OTHERWISE = "another decision stood already"
    AWARD_LAPSED = "the award waited for nobody any more"


class OrderLine(Value):
    """What is ordered: quantity × rate, rounded to the penny."""

    service_type: ServiceTypeKey
    item: ItemKey
    unit: UnitKey
    unit_kind: UnitKind
    quantity: Hours = Field(description="units a week; for an episode the units of the whole package")
    rate: Money
    cost: Money = Field(description="pounds a week; for an episode pounds once")


class SpotPriceApproved(HasProvider):
    """A second officer agrees to a price above the ceiling."""

    award_id: AwardId
    proposal_id: ProposalId
    provider_id: ProviderId
    rate: Money
    officer: Actor


class SpotPriceRefused(HasProvider, HasReason):
    """A second officer does not agree to a price above the ceiling."""

    award_id: AwardId
    proposal_id: ProposalId
    provider_id: ProviderId
    officer: Actor
    reason: ReasonKey


class LateDecisionRefused(HasProvider, HasReason):
    """A decision about a price that was already decided or whose award has lapsed; it is recorded and not used."""

    award_id: AwardId
    proposal_id: ProposalId
    provider_id: ProviderId
    officer: Actor
    refusal: ReasonKey | None
    reason: LateDecision


class PurchaseOrderIssued(HasProvider):
    """The council orders the care of a placement, on the terms of the placement."""

    order_id: OrderId
    reference: str = Field(pattern=r"^PO-[0-9]{4}-[0-9]{6,}$")
    placement_id: PlacementId
    provider_id: ProviderId
    framework: FrameworkKey
    price_list: str = Field(max_length=100)
    starts_on: date
    lines: tuple[OrderLine, ...] = Field(min_length=1)
    weekly_cost: Money
    fixed_cost: Money = Field(description="paid once")


class PurchaseOrderCancelled(HasProvider, HasReason):
    """The placement was voided before care began, and its order is cancelled."""

    order_id: OrderId
    reference: str = Field(pattern=r"^PO-[0-9]{4}-[0-9]{6,}$")
    placement_id: PlacementId
    provider_id: ProviderId
    reason: ReasonKey
