"""Two people for a price above the ceiling: the second decides, once."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from contracts.events.listings import AwardEnd
from contracts.events.orders import (
    LateDecision,
    LateDecisionRefused,
    SpotPriceApproved,
    SpotPriceRefusal,
    SpotPriceRefused,
)
from contracts.examples import MONDAY_NINE
from pricing.domain.approvals import ApprovalStatus, Decision, DecisionResult, SpotPrice, decide, lapse
from pricing.domain.errors import SameOfficer
from testkit.pricing.builders import a_spot_price

TEN = MONDAY_NINE + timedelta(hours=1)


def an_approval(officer: str = "officer:second") -> Decision:
    return Decision(officer, TEN)


def a_refusal(officer: str = "officer:second", reason: SpotPriceRefusal = SpotPriceRefusal.TOO_HIGH) -> Decision:
    return Decision(officer, TEN, reason)


def a_decided_price(decision: Decision) -> SpotPrice:
    return decide(a_spot_price(), decision).price


def test_a_second_officer_approves() -> None:
    decision = decide(a_spot_price(), an_approval())
    price, (told,) = decision.price, decision.events
    assert price.status is ApprovalStatus.APPROVED
    assert isinstance(told, SpotPriceApproved)
    assert (told.award_id, told.rate, told.officer) == (price.award_id, price.terms.rate, "officer:second")


def test_a_second_officer_refuses() -> None:
    decision = decide(a_spot_price(), a_refusal())
    price, (told,) = decision.price, decision.events
    assert price.status is ApprovalStatus.REFUSED
    assert isinstance(told, SpotPriceRefused)
    assert (told.officer, told.reason) == ("officer:second", SpotPriceRefusal.TOO_HIGH)


@pytest.mark.parametrize("kind", ["officer", "system"])
@pytest.mark.parametrize("decision", [an_approval, a_refusal])
def test_who_awarded_cannot_decide_with_whatever_token(kind: str, decision: Callable[[str], Decision]) -> None:
    with pytest.raises(SameOfficer, match="another officer"):
        decide(a_spot_price(), decision(f"{kind}:first"))


@pytest.mark.parametrize("decision", [an_approval, a_refusal])
@pytest.mark.parametrize("again", ["officer:second", "officer:third"])
def test_decided_again_alike_nothing_is_told_twice(decision: Callable[[str], Decision], again: str) -> None:
    price = a_decided_price(decision("officer:second"))
    assert decide(price, decision(again)) == DecisionResult(price)


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (an_approval(), a_refusal()),
        (a_refusal(), an_approval()),
        (a_refusal(), a_refusal(reason=SpotPriceRefusal.WAIT_FOR_OTHERS)),
    ],
)
def test_the_first_decision_stands_and_the_later_one_is_on_record(first: Decision, then: Decision) -> None:
    late = decide(a_decided_price(first), then)
    assert late.price.decision == first
    (told,) = late.events
    assert isinstance(told, LateDecisionRefused)
    assert (told.officer, told.refusal, told.reason) == (then.officer, then.refusal, LateDecision.DECIDED_OTHERWISE)
    assert late.too_late is told.reason


def test_a_decision_about_an_award_that_lapsed_is_on_record_and_decides_nothing() -> None:
    late = decide(lapse(a_spot_price(), AwardEnd.PROPOSAL_REPLACED), an_approval())
    assert late.price.status is ApprovalStatus.LAPSED
    (told,) = late.events
    assert isinstance(told, LateDecisionRefused)
    assert (told.officer, told.refusal, told.reason) == ("officer:second", None, LateDecision.AWARD_LAPSED)


def test_a_late_decision_that_is_repeated_is_as_late_and_told_once() -> None:
    late = decide(a_decided_price(an_approval()), a_refusal("officer:third"))
    again = decide(late.price, a_refusal("officer:third"))
    assert again == DecisionResult(late.price, too_late=LateDecision.DECIDED_OTHERWISE)
    other_reason = decide(late.price, a_refusal("officer:third", SpotPriceRefusal.WAIT_FOR_OTHERS))
    other_officer = decide(late.price, a_refusal("officer:fourth"))
    assert (len(other_reason.events), len(other_officer.events)) == (1, 1)


def test_a_decision_stays_when_the_award_lapses_later() -> None:
    price = a_decided_price(a_refusal())
    assert lapse(price, AwardEnd.PRICE_REFUSED) is price


@pytest.mark.parametrize(
    ("price", "minutes"),
    [
        (a_spot_price(), 120),
        (a_decided_price(an_approval()), 60),
        (a_spot_price(asked_at=MONDAY_NINE + timedelta(hours=3)), 0),
    ],
)
def test_it_waits_until_it_is_decided(price: SpotPrice, minutes: int) -> None:
    assert price.compute_waiting_minutes(MONDAY_NINE + timedelta(hours=2)) == minutes
