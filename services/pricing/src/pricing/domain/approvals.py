"""Approval of spot prices above the ceiling by a second officer, who must be another person than the first."""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from contracts.errors import FieldError, InvalidInput
from contracts.events.base import PackageEvent
from contracts.events.listings import AwardAwaitsApproval, AwardEnd
from contracts.events.orders import LateDecision, LateDecisionRefused, SpotPriceApproved, SpotPriceRefused
from contracts.framework.definition import FrameworkDefinition
from contracts.ids import AwardId, PackageId, ProposalId, ProviderId, ReasonKey
from contracts.values import Terms
from pricing.domain.errors import SameOfficer


class ApprovalStatus(StrEnum):
    """Approval status of the price of an award."""

    PENDING = "pending"
    APPROVED = "approved"
    REFUSED = "refused"
    LAPSED = "lapsed"


@dataclass(frozen=True)
class Decision:
    """Decision of a second officer. `refusal` is None if the price was approved."""

    officer: str
    at: datetime
    refusal: ReasonKey | None = None

    @property
    def status(self) -> ApprovalStatus:
        return ApprovalStatus.APPROVED if self.refusal is None else ApprovalStatus.REFUSED

    def is_like(self, other: "Decision") -> bool:
        """Whether both decisions have the same result, regardless of officer and time."""
        return self.refusal == other.refusal

    def is_repeated_by(self, other: "Decision") -> bool:
        """Whether `other` is the same decision by the same person."""
        return self.is_like(other) and _get_person(self.officer) == _get_person(other.officer)

    def __str__(self) -> str:
        return "approved" if self.refusal is None else f"refused because of '{self.refusal}'"


@dataclass(frozen=True)
class SpotPrice:
    """Price of an award above the ceiling, with its decision or the reason why it lapsed."""

    award_id: AwardId
    package_id: PackageId
    proposal_id: ProposalId
    provider_id: ProviderId
    terms: Terms
    ceiling: Decimal
    first_officer: str
    inadequate_reason: ReasonKey | None
    asked_at: datetime
    decision: Decision | None = None
    lapsed_because: AwardEnd | None = None
    late_decisions: tuple[Decision, ...] = ()

    @property
    def status(self) -> ApprovalStatus:
        if self.decision is not None:
            return self.decision.status
        return ApprovalStatus.PENDING if self.lapsed_because is None else ApprovalStatus.LAPSED

    def compute_waiting_minutes(self, now: datetime) -> int:
        """Returns the whole minutes from the award to its decision, or to `now` if there is none."""
        end = now if self.decision is None else self.decision.at
        return max(0, int((end - self.asked_at).total_seconds() // 60))


@dataclass(frozen=True)
class DecisionResult:
    """Result of a decision: the price, the events to publish, and the reason if the decision came too late."""

    price: SpotPrice
    events: tuple[PackageEvent, ...] = ()
    too_late: LateDecision | None = None


def create_spot_price(event: AwardAwaitsApproval, *, at: datetime) -> SpotPrice:
    return SpotPrice(
        award_id=event.award_id,
        package_id=event.package_id,
        proposal_id=event.proposal_id,
        provider_id=event.provider_id,
        terms=event.terms,
        ceiling=event.ceiling,
        first_officer=event.officer,
        inadequate_reason=event.inadequate_reason,
        asked_at=at,
    )


def check_refusal(reason: ReasonKey, definition: FrameworkDefinition) -> None:
    """Raises InvalidInput for a reason that is not one of the framework's reasons for refusing a price."""
    allowed = definition.reasons.list_keys(definition.reasons.price_refusal)
    if reason not in allowed:
        remedy = f"choose {' or '.join(allowed)}" if allowed else "add reasons.price_refusal to its definition"
        raise InvalidInput(FieldError("#/reason", f"is not a reason of the framework {definition.framework}; {remedy}"))


def apply_decision(price: SpotPrice, decision: Decision) -> DecisionResult:
    """Applies a decision. The first one counts: an equal one changes nothing, another is late. Raises SameOfficer."""
    if _get_person(decision.officer) == _get_person(price.first_officer):
        raise SameOfficer
    if price.decision is not None and price.decision.is_like(decision):
        return DecisionResult(price)
    if price.decision is not None:
        return _refuse_late_decision(price, decision, LateDecision.DECIDED_OTHERWISE)
    if price.lapsed_because is not None:
        return _refuse_late_decision(price, decision, LateDecision.AWARD_LAPSED)
    return DecisionResult(replace(price, decision=decision), (_build_decision_event(price, decision),))


def mark_lapsed(price: SpotPrice, because: AwardEnd) -> SpotPrice:
    """Marks a pending price as lapsed. A price with a decision stays unchanged."""
    return replace(price, lapsed_because=because) if price.status is ApprovalStatus.PENDING else price


def _get_person(actor: str) -> str:
    """Returns the actor without its kind: one person can use tokens of several kinds."""
    return actor.partition(":")[2]


def _refuse_late_decision(price: SpotPrice, decision: Decision, reason: LateDecision) -> DecisionResult:
    if any(late.is_repeated_by(decision) for late in price.late_decisions):
        return DecisionResult(price, too_late=reason)
    event = LateDecisionRefused(
        package_id=price.package_id,
        award_id=price.award_id,
        proposal_id=price.proposal_id,
        provider_id=price.provider_id,
        officer=decision.officer,
        refusal=decision.refusal,
        reason=reason,
    )
    return DecisionResult(replace(price, late_decisions=(*price.late_decisions, decision)), (event,), reason)


def _build_decision_event(price: SpotPrice, decision: Decision) -> SpotPriceApproved | SpotPriceRefused:
    if decision.refusal is None:
        return SpotPriceApproved(
            package_id=price.package_id,
            award_id=price.award_id,
            proposal_id=price.proposal_id,
            provider_id=price.provider_id,
            rate=price.terms.rate,
            officer=decision.officer,
        )
    return SpotPriceRefused(
        package_id=price.package_id,
        award_id=price.award_id,
        proposal_id=price.proposal_id,
        provider_id=price.provider_id,
        officer=decision.officer,
        reason=decision.refusal,
    )
