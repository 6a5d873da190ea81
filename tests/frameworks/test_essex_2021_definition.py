"""Live at Home 2021 agrees with what the documents of its successor say of it."""

from datetime import date
from pathlib import Path

from contracts.definitions import read_definition
from contracts.example_words import Needs, ServiceTypes, Tiers
from contracts.examples import some_care
from contracts.framework.prices import RatesSetBy
from contracts.framework.tiers import KeyQuestion, KeyQuestionRule, OverallRatingRule
from contracts.ids import AreaCode, NeedKey
from contracts.review.explanation import explain_definition
from contracts.values import Rating

FILE = Path(__file__).parents[2] / "frameworks" / "essex-live-at-home-2021.yaml"
FRAMEWORK = read_definition(FILE.read_text(encoding="utf-8"), source=FILE.name)
UTTLESFORD, BASILDON = AreaCode("E07000077"), AreaCode("E07000066")


def test_it_ran_for_four_years_and_could_be_extended_by_six_months() -> None:
    assert (FRAMEWORK.runs_from, FRAMEWORK.runs_until) == (date(2021, 8, 13), date(2025, 8, 12))
    assert [each.until for each in FRAMEWORK.extensions] == [date(2026, 2, 12)]


def test_each_cohort_has_its_own_lists() -> None:
    groups = [
        FRAMEWORK.find_list_group(care)
        for care in (
            some_care(service_type=ServiceTypes.LIVE_IN, needs=(NeedKey("autism"),)),
            some_care(needs=(Needs.HOIST, NeedKey("learning-disability"))),
            some_care(needs=(NeedKey("mental-health"),)),
            some_care(),
        )
    ]
    assert groups == ["live-in", "learning-disability-and-autism", "older-people", "older-people"]


def test_tier_1_needs_good_overall_and_for_two_key_questions_for_twelve_months() -> None:
    tier = FRAMEWORK.find_tier(Tiers.ONE)
    assert tier is not None
    overall, *questions = tier.entry
    assert isinstance(overall, OverallRatingRule)
    assert all(isinstance(each, KeyQuestionRule) for each in questions)
    held = [each for each in tier.entry if isinstance(each, OverallRatingRule | KeyQuestionRule)]
    assert [each.key_question for each in held if isinstance(each, KeyQuestionRule)] == [
        KeyQuestion.SAFE,
        KeyQuestion.WELL_LED,
    ]
    assert {(each.at_least, each.held_for_months, each.held_until) for each in held} == {
        (Rating.GOOD, 12, date(2021, 3, 31))
    }


def test_providers_select_their_rates_and_target_supply_areas_have_higher_ones() -> None:
    assert FRAMEWORK.prices.rates_set_by is RatesSetBy.SELECTION
    assert FRAMEWORK.prices.invented
    for service_type in (ServiceTypes.PERSONAL_CARE, ServiceTypes.CARERS_SUPPORT, ServiceTypes.CARERS_BREAK):
        (usual,) = FRAMEWORK.find_price_lines(service_type, BASILDON)
        (higher,) = FRAMEWORK.find_price_lines(service_type, UTTLESFORD)
        assert higher.rate > usual.rate
    assert FRAMEWORK.find_price_lines(ServiceTypes.LIVE_IN, UTTLESFORD) == FRAMEWORK.find_price_lines(
        ServiceTypes.LIVE_IN, BASILDON
    )


def test_the_spot_market_follows_tier_2() -> None:
    text = explain_definition(FRAMEWORK)
    assert "### 1. Lot Home care: tier-1 → tier-2 → spot-market" in text
    assert "The package is open to spot providers of the council, who may propose a rate and a way to deliver." in text
    assert "2. Learning disability and autism: a need of Learning disability or Autism" in text
    assert "CQC Well-led Good or better, held for 12 months up to 31 March 2021" in text
