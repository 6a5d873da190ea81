"""The definition of Essex is valid and agrees with its documents and with published data."""

import json
from datetime import date, time
from pathlib import Path

import holidays
import pytest

from contracts.definitions import read_definition
from contracts.example_words import (
    DeclineReasons,
    InadequateReasons,
    PriceRefusals,
    Routes,
    ServiceTypes,
    Tiers,
    Variations,
    WithdrawalReasons,
)
from contracts.examples import a_definition, some_care
from contracts.framework.list_times import IssueDays, ReturnDay
from contracts.framework.prices import RatesSetBy
from contracts.framework.stages import BatchingList, OpenList
from contracts.framework.tiers import BranchLocationRule, OverallRatingRule, TurnoverRule
from contracts.framework.words import Reasons
from contracts.ids import RouteKey
from contracts.review.explanation import explain_definition
from contracts.values import ListReach, Rating, Weekday

REPOSITORY = Path(__file__).parents[2]
SHARED = REPOSITORY.parent / "shared" / "data"
FILE = REPOSITORY / "frameworks" / "essex-live-at-home-2025.yaml"
FRAMEWORK = read_definition(FILE.read_text(encoding="utf-8"), source=FILE.name)

APPENDIX_1 = {
    "Basildon": 346,
    "Braintree": 291,
    "Brentwood": 104,
    "Castle Point": 264,
    "Chelmsford": 334,
    "Colchester": 301,
    "Epping Forest": 201,
    "Harlow": 153,
    "Maldon": 147,
    "Rochford": 271,
    "Tendring": 457,
    "Uttlesford": 126,
}
"""5% of the new commissioned hours of 2023/24, in hours a year."""


def _read_shared(path: str) -> Path:
    if not (SHARED / path).exists():
        pytest.skip(f"{path} does not exist in ../shared/data")
    return SHARED / path


def test_the_file_is_named_after_the_framework() -> None:
    assert FILE.stem == FRAMEWORK.framework


def test_tier_1_has_ten_providers_a_district_of_good_or_better_with_a_turnover_and_a_near_branch() -> None:
    tier = FRAMEWORK.find_tier(Tiers.ONE)
    assert tier is not None
    rating, turnover, branch = tier.entry
    assert tier.providers_per_area == 10
    assert rating == OverallRatingRule(rule="overall-rating", at_least=Rating.GOOD, accepts_not_rated=False)
    assert isinstance(turnover, TurnoverRule)
    assert turnover.at_least == 290_000
    assert isinstance(branch, BranchLocationRule)
    assert branch.miles == 5


def test_tier_2_has_no_cap_and_accepts_requires_improvement() -> None:
    tier = FRAMEWORK.find_tier(Tiers.TWO)
    assert tier is not None
    assert tier.providers_per_area is None
    assert tier.rating_rule == OverallRatingRule(rule="overall-rating", at_least=Rating.REQUIRES_IMPROVEMENT)
    assert not any(isinstance(rule, TurnoverRule) for rule in tier.entry)


def test_tier_1_is_expected_to_accept_five_percent_of_the_hours_of_each_district() -> None:
    tier = FRAMEWORK.find_tier(Tiers.ONE)
    assert tier is not None
    assert tier.expectation is not None
    assert tier.expectation.share_percent == 5
    hours = {each.area: each.hours_a_year for each in tier.expectation.areas}
    assert {area.name: hours[area.code] for area in FRAMEWORK.areas} == APPENDIX_1


def test_every_service_type_is_included_and_the_prices_are_marked_as_invented() -> None:
    assert tuple(each.service_type for each in FRAMEWORK.service_types) == ServiceTypes.ALL
    assert FRAMEWORK.prices.invented
    assert FRAMEWORK.prices.rates_set_by is RatesSetBy.SELECTION


def test_every_word_of_the_invented_framework_is_a_word_of_this_one() -> None:
    """Tests that use this file can use the words of the examples."""
    example = a_definition()
    assert set(example.needs) <= set(FRAMEWORK.needs)
    assert {route.route for route in example.routes} <= {route.route for route in FRAMEWORK.routes}
    assert Reasons.list_keys(FRAMEWORK.reasons.decline) == DeclineReasons.ALL
    assert Reasons.list_keys(FRAMEWORK.reasons.withdrawal) == WithdrawalReasons.ALL
    assert Reasons.list_keys(FRAMEWORK.reasons.price_refusal) == PriceRefusals.ALL
    assert Reasons.list_keys(FRAMEWORK.reasons.inadequate_award) == InadequateReasons.ALL
    assert Reasons.list_keys(FRAMEWORK.reasons.variation) == Variations.ALL


def test_hospital_discharge_and_crisis_are_urgent_and_a_referral_without_a_route_is_not() -> None:
    assert {route.route for route in FRAMEWORK.routes if route.urgent} == {Routes.HOSPITAL_DISCHARGE, Routes.CRISIS}
    assert FRAMEWORK.usual_route.route == Routes.COMMUNITY


def list_stages(route: RouteKey) -> list[str]:
    care = some_care(route=route, urgent=route != Routes.COMMUNITY)
    return [stage.stage for stage in FRAMEWORK.list_road(FRAMEWORK.describe_kind(care))]


def test_packages_go_from_tier_1_to_its_list_then_to_tier_2_and_then_to_all() -> None:
    assert list_stages(Routes.COMMUNITY) == ["tier-1", "batching-list", "tier-2", "available-packages"]


def test_urgent_packages_wait_for_no_batching_list() -> None:
    assert list_stages(Routes.HOSPITAL_DISCHARGE) == ["tier-1", "tier-2", "available-packages"]


def test_the_batching_list_goes_out_at_four_and_comes_back_by_ten() -> None:
    (stage,) = (each for each in FRAMEWORK.sourcing if isinstance(each, BatchingList))
    assert (stage.cut_off.time, stage.cut_off.while_in) == (time(16), "tier-1")
    assert (stage.returned_by.time, stage.returned_by.day) == (time(10), ReturnDay.NEXT_WORKING_DAY)
    assert list(stage.to.tiers) == [Tiers.ONE]


def test_available_packages_go_to_everybody_on_mondays_and_thursdays() -> None:
    (stage,) = (each for each in FRAMEWORK.sourcing if isinstance(each, OpenList))
    assert stage.issued == IssueDays(days=(Weekday.MON, Weekday.THU), time=time(12))
    assert (stage.members, stage.spot, stage.reach) == (True, True, ListReach.COUNCIL)


def test_the_areas_are_the_districts_of_the_boundary_file() -> None:
    features = json.loads(_read_shared("boundaries/essex_districts.geojson").read_text(encoding="utf-8"))["features"]
    assert {area.code: area.name for area in FRAMEWORK.areas} == {
        feature["properties"]["code"]: feature["properties"]["name"] for feature in features
    }


def test_the_pinned_bank_holidays_are_those_of_england_on_working_days() -> None:
    calendar = holidays.country_holidays("GB", subdiv="ENG", years=range(2025, 2032))
    assert list(FRAMEWORK.brokerage.bank_holidays) == sorted(day for day in calendar if day.weekday() < 5)


def test_the_pinned_bank_holidays_match_those_published_by_the_government() -> None:
    published = json.loads(_read_shared("standards/bank-holidays/bank-holidays.json").read_text(encoding="utf-8"))
    days = {date.fromisoformat(event["date"]) for event in published["england-and-wales"]["events"]}
    years = {day.year for day in days} & {day.year for day in FRAMEWORK.brokerage.bank_holidays}
    assert years
    assert {day for day in FRAMEWORK.brokerage.bank_holidays if day.year in years} == {
        day for day in days if day.year in years
    }


def test_the_explanation_follows_a_referral_for_personal_care_in_basildon() -> None:
    text = explain_definition(FRAMEWORK)
    assert "A referral for personal care in Basildon (community):\n\n1. **tier-1**: " in text
    assert "The active providers of the area (Tier 1) are offered the package one at a time" in text
    assert "2. **batching-list**: At 16:00 of a working day the packages that are still with stage tier-1" in text
    assert "4. **available-packages**: The package is open to the framework's providers of the council" in text
    assert "Lists go out on Monday and Thursday at 12:00" in text
