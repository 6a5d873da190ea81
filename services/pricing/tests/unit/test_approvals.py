"""Decisions about spot prices: a second officer decides, and only the first decision counts."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from contracts.events.listings import AwardEnd
from contracts.events.orders import LateDecision, LateDecisionRefused, SpotPriceApproved, SpotPriceRefused
from contracts.example_words import PriceRefusals
from contracts.examples import MONDAY_NINE
from contracts.ids import ReasonKey
from pricing.domain.approvals import ApprovalStatus, Decision, DecisionResult, SpotPrice, apply_decision, mark_lapsed
from pricing.domain.errors import SameOfficer
from testkit.pricing.builders import a_spot_price

TEN = MONDAY_NINE + timedelta(hours=1)


def an_approval(officer: str = "officer:second") -> Decision:
    return Decision(officer, TEN)


def a_refusal(officer: str = "officer:second", reason: ReasonKey = PriceRefusals.TOO_HIGH) -> Decision:
    return Decision(officer, TEN, reason)


def a_decided_price(decision: Decision) -> SpotPrice:
    return apply_decision(a_spot_price(), decision).price


def test_a_second_officer_approves_the_price() -> None:
    decision = apply_decision(a_spot_price(), an_approval())
    price, (event,) = decision.price, decision.events
    assert price.status is ApprovalStatus.APPROVED
    assert isinstance(event, SpotPriceApproved)
    assert (event.award_id, event.rate, event.officer) == (price.award_id, price.terms.rate, "officer:second")


def test_a_second_officer_refuses_the_price() -> None:
    decision = apply_decision(a_spot_price(), a_refusal())
    price, (event,) = decision.price, decision.events
    assert price.status is ApprovalStatus.REFUSED
    assert isinstance(event, SpotPriceRefused)
    assert (event.officer, event.reason) == ("officer:second", PriceRefusals.TOO_HIGH)


@pytest.mark.parametrize("kind", ["officer", "system"])
@pytest.mark.parametrize("decision", [an_approval, a_refusal])
def test_the_officer_who_awarded_cannot_decide_with_any_token(kind: str, decision: Callable[[str], Decision]) -> None:
    with pytest.raises(SameOfficer, match="another officer"):
        apply_decision(a_spot_price(), decision(f"{kind}:first"))


@pytest.mark.parametrize("decision", [an_approval, a_refusal])
@pytest.mark.parametrize("again", ["officer:second", "officer:third"])
def test_a_repeated_decision_publishes_nothing(decision: Callable[[str], Decision], again: str) -> None:
    price = a_decided_price(decision("officer:second"))
    assert apply_decision(price, decision(again)) == DecisionResult(price)


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (an_approval(), a_refusal()),
        (a_refusal(), an_approval()),
        (a_refusal(), a_refusal(reason=PriceRefusals.WAIT_FOR_OTHERS)),
    ],
)
def test_the_first_decision_counts_and_a_later_one_is_published_as_late(first: Decision, then: Decision) -> None:
    late = apply_decision(a_decided_price(first), then)
    assert late.price.decision == first
    (event,) = late.events
    assert isinstance(event, LateDecisionRefused)
    assert (event.officer, event.refusal, event.reason) == (then.officer, then.refusal, LateDecision.DECIDED_OTHERWISE)
    assert late.too_late is event.reason


def test_a_decision_about_a_lapsed_award_is_published_as_late() -> None:
    late = apply_decision(mark_lapsed(a_spot_price(), AwardEnd.PROPOSAL_REPLACED), an_approval())
    assert late.price.status is ApprovalStatus.LAPSED
    (event,) = late.events
    assert isinstance(event, LateDecisionRefused)
    assert (event.officer, event.refusal, event.reason) == ("officer:second", None, LateDecision.AWARD_LAPSED)


def test_a_repeated_late_decision_is_published_once() -> None:
    late = apply_decision(a_decided_price(an_approval()), a_refusal("officer:third"))
    again = apply_decision(late.price, a_refusal("officer:third"))
    assert again == DecisionResult(late.price, too_late=LateDecision.DECIDED_OTHERWISE)
    other_reason = apply_decision(late.price, a_refusal("officer:third", PriceRefusals.WAIT_FOR_OTHERS))
    other_officer = apply_decision(late.price, a_refusal("officer:fourth"))
    assert (len(other_reason.events), len(other_officer.events)) == (1, 1)


def test_a_lapse_does_not_change_a_decided_price() -> None:
    price = a_decided_price(a_refusal())
    assert mark_lapsed(price, AwardEnd.PRICE_REFUSED) is price


@pytest.mark.parametrize(
    ("price", "minutes"),
    [
        (a_spot_price(), 120),
        (a_decided_price(an_approval()), 60),
        (a_spot_price(asked_at=MONDAY_NINE + timedelta(hours=3)), 0),
    ],
)
def test_the_waiting_time_ends_with_the_decision(price: SpotPrice, minutes: int) -> None:
    assert price.compute_waiting_minutes(MONDAY_NINE + timedelta(hours=2)) == minutes
