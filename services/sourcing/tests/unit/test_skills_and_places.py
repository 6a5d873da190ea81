"""Whom a stage passes over for its place or its skills: state and service types of the place, evidence of a skill."""

from dataclasses import replace
from decimal import Decimal
from typing import Final

import pytest

from contracts.example_words import LOT, Needs, ServiceTypes, Tiers
from contracts.framework.words import Skill
from contracts.ids import LotKey, NeedKey
from contracts.values import Order, PassOverReason, PlaceState
from sourcing.domain.market import ProviderFacts
from sourcing.domain.search import SearchStatus
from testkit.sourcing.builders import (
    a_known_provider,
    a_market,
    a_request,
    replace_facts,
    some_care,
    to_provider_id,
)
from testkit.sourcing.definitions import a_definition, a_stage
from testkit.sourcing.search_driver import SearchDriver, a_search
from testkit.sourcing.step_events import find_passed_over

REQUIRED: Final = Skill(skill=Needs.PEG_FEEDING, title="Peg feeding", required=True)
SHOWN: Final = Skill(skill=Needs.HOIST, title="Hoist")
ALDER: Final = to_provider_id("Alder")
NOT_ACTIVE: Final = [state for state in PlaceState if state is not PlaceState.ACTIVE]


def request(alder: ProviderFacts, *needs: NeedKey) -> SearchDriver:
    """A package with these needs; Alder is asked first, Birch has no skill at all."""
    definition = a_definition(skills=(REQUIRED, SHOWN))
    market = a_market("Alder", "Birch", overrides=[alder], definition=definition)
    return SearchDriver(market).request(a_request(care=some_care(needs=needs)))


@pytest.mark.parametrize("state", NOT_ACTIVE)
def test_a_place_that_is_not_active_is_offered_no_work(state: PlaceState) -> None:
    driver = request(a_known_provider("Alder", state=state))
    assert find_passed_over(driver) == {ALDER: (PassOverReason.PLACE_NOT_ACTIVE,)}
    assert driver.live_offer.provider_id == to_provider_id("Birch")


@pytest.mark.parametrize("state", NOT_ACTIVE)
def test_a_place_that_is_not_active_any_more_is_not_awarded(state: PlaceState) -> None:
    driver = a_search("Alder", "Birch")
    driver.market = replace_facts(driver.market, a_known_provider("Alder", state=state))
    driver.accept("Alder")
    assert driver.find_offer("Alder").award_refused_for == (PassOverReason.PLACE_NOT_ACTIVE,)


def test_a_place_can_be_neither_active_nor_eligible() -> None:
    alder = a_known_provider("Alder", state=PlaceState.PAUSED, against=(PassOverReason.RATING_BELOW_FLOOR,))
    reasons = (PassOverReason.RATING_BELOW_FLOOR, PassOverReason.PLACE_NOT_ACTIVE)
    assert find_passed_over(request(alder)) == {ALDER: reasons}


def build_two_places(one: ProviderFacts, two: ProviderFacts) -> ProviderFacts:
    """The facts of one provider that has the places of both."""
    assert one.eligibility is not None
    eligibility = one.eligibility.model_copy(update={"places": (*two.places, *one.places)})
    return replace(one, eligibility=eligibility)


def test_the_state_of_another_tiers_place_does_not_matter() -> None:
    active = a_known_provider("Alder", tiers=(Tiers.ONE,))
    paused = a_known_provider("Alder", tiers=(Tiers.TWO,), state=PlaceState.PAUSED)
    assert request(build_two_places(active, paused)).live_offer.provider_id == ALDER


def test_the_service_types_of_the_place_count_and_not_those_of_another_place() -> None:
    one = a_known_provider("Alder", tiers=(Tiers.ONE,), service_types=(ServiceTypes.LIVE_IN,))
    two = a_known_provider("Alder", tiers=(Tiers.TWO,), service_types=(ServiceTypes.PERSONAL_CARE,))
    driver = request(build_two_places(one, two))
    assert find_passed_over(driver) == {ALDER: (PassOverReason.SERVICE_TYPE_NOT_OFFERED,)}


def test_a_place_in_another_lot_is_no_place() -> None:
    driver = request(a_known_provider("Alder", lot=LotKey("extra-care")))
    assert find_passed_over(driver) == {ALDER: (PassOverReason.NOT_A_MEMBER,)}
    assert driver.current.care.lot == LOT


def test_a_provider_without_evidence_of_a_required_skill_is_passed_over() -> None:
    driver = request(a_known_provider("Alder", skills=(Needs.HOIST,)), Needs.PEG_FEEDING)
    assert find_passed_over(driver)[ALDER] == (PassOverReason.NO_EVIDENCE_OF_SKILL,)


def test_a_provider_with_evidence_of_the_required_skill_is_asked() -> None:
    driver = request(a_known_provider("Alder", skills=(Needs.PEG_FEEDING,)), Needs.PEG_FEEDING, Needs.HOIST)
    assert driver.live_offer.provider_id == ALDER


@pytest.mark.parametrize("need", [Needs.HOIST, Needs.KEY_SAFE], ids=["a skill that is shown", "a circumstance"])
def test_needs_that_are_not_required_skills_pass_over_nobody(need: NeedKey) -> None:
    assert request(a_known_provider("Alder"), need).live_offer.provider_id == ALDER


def test_evidence_is_not_looked_at_again_at_the_award() -> None:
    driver = request(a_known_provider("Alder", skills=(Needs.PEG_FEEDING,)), Needs.PEG_FEEDING)
    driver.market = replace_facts(driver.market, a_known_provider("Alder"))
    driver.accept("Alder")
    assert driver.current.status is SearchStatus.PLACED


def test_all_reasons_that_hold_are_recorded_in_one_order() -> None:
    alder = a_known_provider("Alder", state=PlaceState.APPLIED, free_hours=Decimal(1), service_types=(), embargoed=True)
    assert find_passed_over(request(alder, Needs.PEG_FEEDING))[ALDER] == (
        PassOverReason.PLACE_NOT_ACTIVE,
        PassOverReason.EMBARGOED,
        PassOverReason.NO_CAPACITY,
        PassOverReason.SERVICE_TYPE_NOT_OFFERED,
        PassOverReason.NO_EVIDENCE_OF_SKILL,
    )


@pytest.mark.parametrize("order", [(Order.ROTATION,), (Order.NUMBER,), (Order.DRAW,)])
def test_a_place_that_is_not_active_is_passed_over_in_every_order(order: tuple[Order, ...]) -> None:
    known = [a_known_provider("Alder", state=PlaceState.LEFT), a_known_provider("Birch")]
    definition = a_definition(sourcing=(a_stage(order=order),))
    driver = SearchDriver(a_market(overrides=known, definition=definition)).request()
    driver.decline("Birch")
    assert find_passed_over(driver) == {ALDER: (PassOverReason.PLACE_NOT_ACTIVE,)}
    assert driver.current.status is SearchStatus.EXHAUSTED
