"""Two people for a price above the ceiling: the second decides, once."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from contracts.events.listings import AwardEnd
from contracts.events.orders import SpotPriceApproved, SpotPriceRefusal, SpotPriceRefused
from contracts.testing import MONDAY_NINE
from pricing.domain.approvals import Decision, SpotPrice, Standing, decide, lapse
from pricing.domain.errors import AwardLapsedAlready, DecidedOtherwise, SameOfficer
from pricing.testing import a_spot_price

TEN = MONDAY_NINE + timedelta(hours=1)


def approved_by(officer: str = "officer:second") -> Decision:
    return Decision(officer, TEN)


def refused_by(officer: str = "officer:second", reason: SpotPriceRefusal = SpotPriceRefusal.TOO_HIGH) -> Decision:
    return Decision(officer, TEN, reason)


def test_a_second_officer_approves() -> None:
    price, (told,) = decide(a_spot_price(), approved_by())
    assert price.standing is Standing.APPROVED
    assert isinstance(told, SpotPriceApproved)
    assert (told.award_id, told.rate, told.officer) == (price.award_id, price.terms.rate, "officer:second")


def test_a_second_officer_refuses() -> None:
    price, (told,) = decide(a_spot_price(), refused_by())
    assert price.standing is Standing.REFUSED
    assert isinstance(told, SpotPriceRefused)
    assert (told.officer, told.reason) == ("officer:second", SpotPriceRefusal.TOO_HIGH)


@pytest.mark.parametrize("kind", ["officer", "system"])
@pytest.mark.parametrize("decision", [approved_by, refused_by])
def test_who_awarded_cannot_decide_with_whatever_token(kind: str, decision: Callable[[str], Decision]) -> None:
    with pytest.raises(SameOfficer, match="another officer"):
        decide(a_spot_price(), decision(f"{kind}:first"))


@pytest.mark.parametrize("decision", [approved_by, refused_by])
@pytest.mark.parametrize("again", ["officer:second", "officer:third"])
def test_decided_again_alike_nothing_is_told_twice(decision: Callable[[str], Decision], again: str) -> None:
    price, _ = decide(a_spot_price(), decision("officer:second"))
    assert decide(price, decision(again)) == (price, ())


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (approved_by(), refused_by()),
        (refused_by(), approved_by()),
        (refused_by(), refused_by(reason=SpotPriceRefusal.WAIT_FOR_OTHERS)),
    ],
)
def test_the_first_decision_stands(first: Decision, then: Decision) -> None:
    price, _ = decide(a_spot_price(), first)
    with pytest.raises(DecidedOtherwise, match="award the package anew"):
        decide(price, then)


def test_an_award_that_lapsed_is_decided_by_nobody() -> None:
    lapsed = lapse(a_spot_price(), AwardEnd.PROPOSAL_REPLACED)
    assert lapsed.standing is Standing.LAPSED
    with pytest.raises(AwardLapsedAlready, match="replaced its proposal"):
        decide(lapsed, approved_by())


def test_a_decision_stays_when_the_award_lapses_later() -> None:
    price, _ = decide(a_spot_price(), refused_by())
    assert lapse(price, AwardEnd.PRICE_REFUSED) is price


@pytest.mark.parametrize(
    ("price", "minutes"),
    [
        (a_spot_price(), 120),
        (decide(a_spot_price(), approved_by())[0], 60),
        (a_spot_price(asked_at=MONDAY_NINE + timedelta(hours=3)), 0),
    ],
)
def test_it_waits_until_it_is_decided(price: SpotPrice, minutes: int) -> None:
    assert price.waited_until(MONDAY_NINE + timedelta(hours=2)) == minutes
