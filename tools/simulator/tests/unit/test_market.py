"""The invented market fills every list as the framework allows, and is the same at every start."""

from collections import Counter

from contracts.example_words import Tiers
from contracts.values import Rating
from simulator.districts import ESSEX_DISTRICTS
from simulator.essex import FRAMEWORK_PROVIDERS, SPOT_PROVIDERS, TIER_ONE_A_DISTRICT, build_essex_market
from simulator.market import ProviderCondition

MARKET = build_essex_market(seed=2025)


def test_the_same_seed_makes_the_same_market() -> None:
    assert build_essex_market(seed=2025) == MARKET


def test_ids_do_not_depend_on_the_seed() -> None:
    other = build_essex_market(seed=7)
    assert [each.provider_id for each in other.providers] == [each.provider_id for each in MARKET.providers]


def test_every_district_has_ten_providers_in_tier_1() -> None:
    ranked = {ranked.area: len(ranked.ranking) for ranked in MARKET.lists if ranked.tier == Tiers.ONE}
    assert ranked == {area.code: TIER_ONE_A_DISTRICT for area in ESSEX_DISTRICTS}


def test_a_list_names_the_members_of_its_tier_and_district_once_each() -> None:
    for ranked in MARKET.lists:
        members = [
            each.provider_id for each in MARKET.providers if each.tier == ranked.tier and ranked.area in each.areas
        ]
        assert sorted(ranked.ranking) == sorted(members)


def test_tier_1_is_rated_good_or_better_and_turns_over_enough() -> None:
    tier_one = [each for each in MARKET.providers if each.tier == Tiers.ONE]
    assert all(each.rating.is_at_least(Rating.GOOD) and each.turnover >= 290_000 for each in tier_one)


def test_some_providers_are_telephoned_some_are_full_and_a_few_are_embargoed() -> None:
    counted = Counter(each.condition for each in MARKET.providers)
    assert sum(counted.values()) == FRAMEWORK_PROVIDERS + SPOT_PROVIDERS
    assert all(
        1 <= counted[special] <= 30 for special in ProviderCondition if special is not ProviderCondition.ORDINARY
    )
