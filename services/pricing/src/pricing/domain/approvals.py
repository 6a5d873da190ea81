"""A spot price above the ceiling needs a second officer, who is another person than the first."""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from contracts.events.base import PackageEvent
from contracts.events.listings import AwardAwaitsApproval, AwardEnd, InadequateReason
from contracts.events.orders import (
    LateDecision,
    LateDecisionRefused,
    SpotPriceApproved,
    SpotPriceRefusal,
    SpotPriceRefused,
)
from contracts.ids import AwardId, PackageId, ProposalId, ProviderId
from contracts.values import Terms
from pricing.domain.errors import SameOfficer


class Standing(StrEnum):
    """Where the price of an award stands."""

    PENDING = "pending"
    APPROVED = "approved"
    REFUSED = "refused"
    LAPSED = "lapsed"


@dataclass(frozen=True)
class Decision:
    """What a second officer decided; `refusal` is None where the price was approved."""

    officer: str
    at: datetime
    refusal: SpotPriceRefusal | None = None

    @property
    def standing(self) -> Standing:
        return Standing.APPROVED if self.refusal is None else Standing.REFUSED

    def is_like(self, other: "Decision") -> bool:
        """Whether it comes to the same, whoever decided it and when."""
        return self.refusal is other.refusal

    def is_repeated_by(self, other: "Decision") -> bool:
        """Whether the same person says the same once more."""
        return self.is_like(other) and _person(self.officer) == _person(other.officer)

    def __str__(self) -> str:
        return "approved" if self.refusal is None else f"refused because of '{self.refusal}'"


@dataclass(frozen=True)
class SpotPrice:
    """The price of an award above the ceiling, and what became of it."""

    award_id: AwardId
    package_id: PackageId
    proposal_id: ProposalId
    provider_id: ProviderId
    terms: Terms
    ceiling: Decimal
    first_officer: str
    inadequate_reason: InadequateReason | None
    asked_at: datetime
    decision: Decision | None = None
    lapsed_because: AwardEnd | None = None
    late_decisions: tuple[Decision, ...] = ()

    @property
    def standing(self) -> Standing:
        if self.decision is not None:
            return self.decision.standing
        return Standing.PENDING if self.lapsed_because is None else Standing.LAPSED

    def waited_until(self, now: datetime) -> int:
        """Whole minutes from the award to its decision, or to `now` while there is none."""
        end = now if self.decision is None else self.decision.at
        return max(0, int((end - self.asked_at).total_seconds() // 60))


@dataclass(frozen=True)
class Decided:
    """The price as it stands after a decision, what is to be told, and why the decision was of no use, if so."""

    price: SpotPrice
    told: tuple[PackageEvent, ...] = ()
    too_late: LateDecision | None = None


def asked_by(event: AwardAwaitsApproval, *, at: datetime) -> SpotPrice:
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


def decide(price: SpotPrice, decision: Decision) -> Decided:
    """The first decision stands: another one is late, and one that comes to the same is no news. Raises SameOfficer."""
    if _person(decision.officer) == _person(price.first_officer):
        raise SameOfficer
    if price.decision is not None and price.decision.is_like(decision):
        return Decided(price)
    if price.decision is not None:
        return _too_late(price, decision, LateDecision.DECIDED_OTHERWISE)
    if price.lapsed_because is not None:
        return _too_late(price, decision, LateDecision.AWARD_LAPSED)
    return Decided(replace(price, decision=decision), (_told(price, decision),))


def lapse(price: SpotPrice, because: AwardEnd) -> SpotPrice:
    """A price that waits waits no more; a decision stays."""
    return replace(price, lapsed_because=because) if price.standing is Standing.PENDING else price


def _person(actor: str) -> str:
    """Who it is, apart from the kind: one person can come with tokens of different scopes."""
    return actor.partition(":")[2]


def _too_late(price: SpotPrice, decision: Decision, reason: LateDecision) -> Decided:
    if any(each.is_repeated_by(decision) for each in price.late_decisions):
        return Decided(price, too_late=reason)
    told = LateDecisionRefused(
        package_id=price.package_id,
        award_id=price.award_id,
        proposal_id=price.proposal_id,
        provider_id=price.provider_id,
        officer=decision.officer,
        refusal=decision.refusal,
        reason=reason,
    )
    return Decided(replace(price, late_decisions=(*price.late_decisions, decision)), (told,), reason)


def _told(price: SpotPrice, decision: Decision) -> SpotPriceApproved | SpotPriceRefused:
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
