"""Home Care for Leicestershire agrees with the report to the scrutiny committee (document 002, by paragraph)."""

from datetime import date
from pathlib import Path

from contracts.definitions import read_definition
from contracts.example_words import Routes
from contracts.framework.life import JoiningMode
from contracts.framework.prices import RatesSetBy
from contracts.framework.stages import OfferToAll, OpenList, Reach, SecondOfficer
from contracts.review.explanation import explain_definition
from contracts.values import Order

FILE = Path(__file__).parents[2] / "frameworks" / "leicestershire-home-care.yaml"
FRAMEWORK = read_definition(FILE.read_text(encoding="utf-8"), source=FILE.name)
NAMED = (
    "Bottesford",
    "Castle Donington",
    "Melton",
    "Harborough Rural",
    "Lutterworth",
    "Ashby",
    "West Leicestershire Rural",
    "Market Harborough",
)
"""Paragraphs 25 and 34."""


def test_there_are_fourteen_zones_with_at_least_two_providers_each() -> None:
    """Paragraph 8."""
    assert [area.name for area in FRAMEWORK.areas] == [*NAMED, *(f"Zone {number}" for number in range(9, 15))]
    assert {area.fewest_providers for area in FRAMEWORK.areas} == {2}


def test_there_is_one_tier_without_an_upper_limit() -> None:
    """Paragraph 8."""
    assert [(tier.tier, tier.providers_per_area) for tier in FRAMEWORK.tiers] == [("zone", None)]


def test_the_framework_opened_in_two_rounds() -> None:
    """Paragraphs 7, 13 and 15."""
    assert FRAMEWORK.runs_from == date(2021, 11, 1)
    assert FRAMEWORK.joining.mode is JoiningMode.ROUNDS
    first, second = FRAMEWORK.joining.rounds
    assert first.places_from == date(2021, 11, 1)
    assert (second.opens, second.closes, second.places_from) == (date(2022, 1, 11), date(2022, 3, 3), date(2022, 11, 1))


def test_neighbours_are_mutual_and_every_zone_has_some() -> None:
    neighbours = {area.code: set(area.neighbours) for area in FRAMEWORK.areas}
    assert all(code in neighbours[other] for code, others in neighbours.items() for other in others)
    assert all(neighbours.values())


def test_every_zone_is_in_one_of_four_price_bands_with_the_providers_own_rates() -> None:
    bands = {line.band: (line.rate, line.highest) for line in FRAMEWORK.prices.matrix}
    assert set(bands) == {"urban", "fringe", "rural", "isolated"} == {area.price_band for area in FRAMEWORK.areas}
    assert FRAMEWORK.prices.rates_set_by is RatesSetBy.PROVIDER
    assert FRAMEWORK.prices.invented


def test_a_zone_its_neighbours_and_then_an_exception_are_asked() -> None:
    """Paragraphs 18, 24 and 35."""
    own, neighbours, exception = FRAMEWORK.sourcing
    assert isinstance(own, OfferToAll)
    assert isinstance(neighbours, OfferToAll)
    assert own.order == neighbours.order == (Order.PRICE, Order.ROTATION)
    assert neighbours.to.reach is Reach.NEIGHBOURS
    assert isinstance(exception, OpenList)
    assert (exception.members, exception.spot, exception.second_officer) == (False, True, SecondOfficer.ALWAYS)


def test_a_referral_without_a_route_is_not_urgent() -> None:
    assert FRAMEWORK.usual_route.route == Routes.COMMUNITY


def test_the_explanation_tells_a_reader_of_neighbours_and_of_the_exception() -> None:
    text = explain_definition(FRAMEWORK)
    assert "A referral for home care in Bottesford (community):" in text
    assert "- Bottesford: neighbours Melton; an alarm below 2 active providers; price band isolated\n" in text
    assert (
        "2. **neighbouring-zones**: The active providers of the neighbouring areas (Framework providers) are asked"
        in text
    )
    assert "3. **exception**: The package is open to spot providers" in text
    assert "An officer awards it, and a second officer approves each award." in text
