"""Values that contradict themselves are refused with a validation error."""

from datetime import date
from decimal import Decimal

import pytest
from pydantic import ValidationError

from contracts.examples import a_visit, some_care
from contracts.framework.brokerage import BrokerageTime
from contracts.framework.stages import AnswerWithin
from contracts.values import Channel, Rating, Weekday


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"days": (Weekday.MON, Weekday.MON)}, "each day may be named once"),
        ({"earliest": "09:00", "latest": "08:00"}, "latest must not be before earliest"),
        ({"earliest": "08:00Z", "latest": "09:00"}, "without an offset"),
        ({"earliest": "08:00", "latest": "09:00+01:00"}, "without an offset"),
        ({"carers": 0}, "greater than or equal to 1"),
        ({"minutes": 10}, "greater than or equal to 15"),
    ],
)
def test_an_impossible_visit_is_refused(changed: dict[str, object], text: str) -> None:
    with pytest.raises(ValidationError, match=text):
        a_visit(**changed)


@pytest.mark.parametrize("outward_code", ["CO1 1JG", "co1", "CO11JG", "ZZ", ""])
def test_only_an_outward_code_is_accepted(outward_code: str) -> None:
    with pytest.raises(ValidationError, match="outward_code"):
        some_care(outward_code=outward_code)


def test_a_visit_with_two_carers_counts_twice_in_commissioned_hours() -> None:
    assert some_care(visits=(a_visit(carers=2),)).weekly_hours == Decimal("7.00")


def test_not_rated_is_below_every_minimum_rating() -> None:
    assert not Rating.NOT_RATED.is_at_least(Rating.INADEQUATE)
    assert Rating.GOOD.is_at_least(Rating.GOOD)
    assert not Rating.REQUIRES_IMPROVEMENT.is_at_least(Rating.GOOD)


@pytest.mark.parametrize("zone", ["Europe/Londn", "Europe", "", "../London"])
def test_an_unknown_time_zone_is_refused_as_invalid(zone: str) -> None:
    with pytest.raises(ValidationError, match="no such time zone"):
        BrokerageTime(timezone=zone, bank_holidays=())


def test_brokerage_that_never_opens_is_refused() -> None:
    with pytest.raises(ValidationError, match="days"):
        BrokerageTime.model_validate({"days": (), "bank_holidays": (date(2026, 12, 25),)})


def test_urgent_packages_have_the_same_time_on_every_channel() -> None:
    within = AnswerWithin()
    assert {within.get_duration(channel, urgent=True) for channel in Channel} == {within.urgent}
    assert within.get_duration(Channel.PHONE, urgent=False) < within.get_duration(Channel.WEBHOOK, urgent=False)
