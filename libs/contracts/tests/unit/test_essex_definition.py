"""The definition of Essex is valid and agrees with published data."""

import json
from datetime import date
from pathlib import Path

import holidays
import pytest

from contracts.definitions import read_definition
from contracts.values import Rating, ServiceType, Tier

REPOSITORY = Path(__file__).parents[4]
SHARED = REPOSITORY.parent / "shared" / "data"
FILE = REPOSITORY / "frameworks" / "essex-live-at-home-2025.yaml"
ESSEX = read_definition(FILE.read_text(encoding="utf-8"), source=FILE.name)


def _read_shared(path: str) -> Path:
    if not (SHARED / path).exists():
        pytest.skip(f"{path} does not exist in ../shared/data")
    return SHARED / path


def test_the_file_is_named_after_the_framework() -> None:
    assert FILE.stem == ESSEX.framework


def test_tier_1_has_ten_providers_a_district_of_good_or_better_with_a_turnover() -> None:
    rules = ESSEX.find_tier_rules(Tier.ONE)
    assert rules is not None
    assert (rules.providers_per_area, rules.minimum_rating, rules.minimum_turnover) == (10, Rating.GOOD, 290_000)
    assert not rules.accepts_not_rated


def test_tier_2_has_no_cap_and_accepts_requires_improvement() -> None:
    rules = ESSEX.find_tier_rules(Tier.TWO)
    assert rules is not None
    assert (rules.providers_per_area, rules.minimum_rating) == (None, Rating.REQUIRES_IMPROVEMENT)


def test_every_service_type_is_included_and_the_prices_are_marked_as_invented() -> None:
    assert set(ESSEX.service_types) == set(ServiceType)
    assert ESSEX.prices.invented


def test_the_areas_are_the_districts_of_the_boundary_file() -> None:
    features = json.loads(_read_shared("boundaries/essex_districts.geojson").read_text(encoding="utf-8"))["features"]
    assert {area.code: area.name for area in ESSEX.areas} == {
        feature["properties"]["code"]: feature["properties"]["name"] for feature in features
    }


def test_the_pinned_bank_holidays_are_those_of_england_on_working_days() -> None:
    calendar = holidays.country_holidays("GB", subdiv="ENG", years=range(2025, 2032))
    assert list(ESSEX.brokerage.bank_holidays) == sorted(day for day in calendar if day.weekday() < 5)


def test_the_pinned_bank_holidays_match_those_published_by_the_government() -> None:
    published = json.loads(_read_shared("standards/bank-holidays/bank-holidays.json").read_text(encoding="utf-8"))
    days = {date.fromisoformat(event["date"]) for event in published["england-and-wales"]["events"]}
    years = {day.year for day in days} & {day.year for day in ESSEX.brokerage.bank_holidays}
    assert years
    assert {day for day in ESSEX.brokerage.bank_holidays if day.year in years} == {
        day for day in days if day.year in years
    }
