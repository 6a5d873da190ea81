"""Reasons that the framework does not declare are refused with the list of those that it does, and change nothing."""

from collections.abc import Callable

import pytest

from contracts.errors import InvalidInput
from contracts.events.offers import LateAnswerRefused
from contracts.events.reasons import LateReason
from contracts.example_words import DeclineReasons, InadequateReasons, Variations
from contracts.examples import some_reasons
from contracts.ids import ReasonKey
from contracts.values import Channel
from sourcing.domain.market import MarketSnapshot
from sourcing.domain.offer import Decline
from sourcing.domain.steps import AnswerNotUsed, Step
from testkit.sourcing.builders import a_known_provider, a_market
from testkit.sourcing.definitions import a_definition, an_open_list
from testkit.sourcing.search_driver import SearchDriver, a_search, an_open_package
from testkit.sourcing.step_events import list_event_types

UNKNOWN = ReasonKey("bored")
SPOT = a_known_provider("Spruce", tiers=(), spot=True)


def decline() -> tuple[SearchDriver, Callable[[SearchDriver], object]]:
    return a_search("Alder"), lambda driver: driver.answer("Alder", Decline(UNKNOWN))


def decline_by_phone() -> tuple[SearchDriver, Callable[[SearchDriver], object]]:
    market = a_market("Alder", overrides=[a_known_provider("Alder", channels=(Channel.PHONE,))])
    return SearchDriver(market).request(), lambda driver: driver.record_call("Alder", reply=Decline(UNKNOWN))


def propose() -> tuple[SearchDriver, Callable[[SearchDriver], object]]:
    return an_open_package(SPOT), lambda driver: driver.propose("Spruce", "25.00", Variations.SHARED, UNKNOWN)


def award() -> tuple[SearchDriver, Callable[[SearchDriver], object]]:
    driver = an_open_package(SPOT)
    driver.propose("Spruce", "25.00")
    return driver, lambda driver: driver.award("Spruce", inadequate_reason=UNKNOWN)


@pytest.mark.parametrize(
    ("build", "pointer", "allowed"),
    [
        (decline, "#/reason", DeclineReasons.ALL),
        (decline_by_phone, "#/decline_reason", DeclineReasons.ALL),
        (propose, "#/variations/1", Variations.ALL),
        (award, "#/inadequate_reason", InadequateReasons.ALL),
    ],
)
def test_an_unknown_reason_is_refused_with_those_that_the_framework_has(
    build: Callable[[], tuple[SearchDriver, Callable[[SearchDriver], object]]],
    pointer: str,
    allowed: tuple[ReasonKey, ...],
) -> None:
    driver, act = build()
    before = (driver.state, driver.events)
    with pytest.raises(InvalidInput) as refused:
        act(driver)
    (error,) = refused.value.fields
    assert error.pointer == pointer
    assert error.detail == f"is not a reason of this framework; choose one of {', '.join(allowed)}"
    assert UNKNOWN not in error.detail
    assert (driver.state, driver.events) == before


def test_a_framework_without_variations_says_so() -> None:
    definition = a_definition(open_list=an_open_list(), reasons=some_reasons(variation=()))
    driver = SearchDriver(a_market("Alder", overrides=[SPOT], definition=definition)).request()
    driver.decline("Alder")
    with pytest.raises(InvalidInput) as refused:
        driver.propose("Spruce", "25.00", Variations.SHARED)
    assert refused.value.fields[0].detail.endswith("choose one of none: the framework declares no such reason")


def test_an_answer_to_an_ended_offer_is_recorded_whatever_its_reason_and_without_a_definition() -> None:
    driver = a_search("Alder", "Birch")
    first = driver.decline("Alder")
    driver.market = MarketSnapshot()
    assert driver.decline("Alder") == Step(driver.state, outcome=first.outcome)
    step = driver.answer("Alder", Decline(UNKNOWN))
    assert (list_event_types(step), step.outcome) == ([LateAnswerRefused], AnswerNotUsed(LateReason.ALREADY_ANSWERED))
