"""The markets of Oxfordshire and Leicestershire have places that their definitions know, and rates within the bands."""

from collections import Counter
from datetime import date
from random import Random

import pytest

from contracts.ids import AreaCode
from simulator.councils import MARKET_BUILDERS, REFERRED_LOTS
from simulator.definitions import list_served_areas, load_definition
from simulator.leicestershire import HARD_ZONE
from simulator.market import InventedMarket, ProviderCondition
from simulator.person_factory import PersonFactory
from simulator.referrals import CouncilReferrals, draw_visits_of

OTHERS = ("oxfordshire", "leicestershire")


def count_places(market: InventedMarket, tier: str) -> Counter[str]:
    return Counter(place.area for each in market.providers for place in each.places if place.tier == tier)


@pytest.mark.parametrize("council", OTHERS)
def test_every_place_is_one_of_the_definition(council: str) -> None:
    definition, market = load_definition(council), MARKET_BUILDERS[council](seed=3)
    places = [place for each in market.providers for place in each.places]
    assert [each for each in places if not definition.has_place(each.lot, AreaCode(each.area), each.tier)] == []


def test_ids_of_providers_differ_between_councils_and_are_unique() -> None:
    ids = [each.provider_id for build in MARKET_BUILDERS.values() for each in build(seed=3).providers]
    assert len(set(ids)) == len(ids)


def test_the_market_of_the_second_council_is_small_so_that_the_start_is_quick() -> None:
    assert len(MARKET_BUILDERS["oxfordshire"](seed=3).providers) <= 40


def test_every_zone_of_oxfordshire_has_zonal_providers_and_some_have_accredited_ones() -> None:
    market = MARKET_BUILDERS["oxfordshire"](seed=3)
    assert len(count_places(market, "zone")) == 13
    assert 8 <= len(count_places(market, "accredited")) <= 13
    assert sum(count_places(market, "scheme").values()) == 14


def test_every_zone_of_leicestershire_has_two_providers_save_one_hard_zone_with_one() -> None:
    counted = count_places(MARKET_BUILDERS["leicestershire"](seed=3), "zone")
    assert len(counted) == 14
    assert [zone for zone, count in counted.items() if count < 2] == [HARD_ZONE]
    assert counted[HARD_ZONE] == 1


def test_rates_of_leicestershire_lie_within_the_band_of_their_zone() -> None:
    definition = load_definition("leicestershire")
    for provider in MARKET_BUILDERS["leicestershire"](seed=3).providers:
        assert set(provider.rates) == {place.area for place in provider.places}
        for area, rates in provider.rates.items():
            (line,) = definition.find_price_lines(rates[0].service_type, AreaCode(area))
            assert rates[0].rate is not None
            assert line.highest is not None
            assert line.rate <= rates[0].rate <= line.highest


@pytest.mark.parametrize("council", OTHERS)
def test_some_providers_are_telephoned_and_some_are_full(council: str) -> None:
    conditions = Counter(each.condition for each in MARKET_BUILDERS[council](seed=3).providers)
    assert conditions[ProviderCondition.BY_PHONE] > 0 < conditions[ProviderCondition.FULL]


@pytest.mark.parametrize("council", OTHERS)
def test_a_referral_names_words_that_one_lot_of_its_area_serves(council: str) -> None:
    definition = load_definition(council)
    postcodes = {str(area.code): ("OX1 1AA",) for area in list_served_areas(definition)}
    referrals = CouncilReferrals(council, PersonFactory(postcodes, seed=3), seed=3)
    lots = Counter[str]()
    for number in range(1, 201):
        person = referrals.create_person(number)
        body = referrals.build_referral(person, today=date(2026, 3, 26), seed=3)
        (lot,) = [each for each in definition.lots if each.lot == body.lot]
        assert lot.serves(AreaCode(person.area), body.service_type, body.route)
        assert set(body.needs) <= set(definition.needs)
        lots[lot.lot] += 1
    assert set(lots) == {each.lot for each in REFERRED_LOTS[council]}


@pytest.mark.parametrize(("service_type", "hours"), [("live-in-with-break", 168), ("waking-night", 63)])
def test_live_in_care_is_a_whole_week_and_a_night_is_nine_hours(service_type: str, hours: int) -> None:
    assert sum(each.weekly_minutes for each in draw_visits_of(service_type, Random(1))) == hours * 60
