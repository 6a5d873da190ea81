"""What a reader is told about the stages of a definition."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

import pytest

from contracts.example_words import Needs, Routes, ServiceTypes, Tiers
from contracts.examples import COLCHESTER, a_definition
from contracts.framework.definition import FrameworkDefinition
from contracts.framework.stages import (
    Ceiling,
    Conditions,
    Exhausted,
    OfferToAll,
    OpenList,
    Recipients,
    SequentialOffers,
)
from contracts.framework.tiers import Tier
from contracts.ids import BandKey
from contracts.review.phrases import format_day, format_minutes, join_words
from contracts.review.sentences import describe_conditions, describe_stage
from contracts.values import Order
from testkit.council_examples import a_definition_with_lots, a_definition_with_zones

TO = Recipients(tiers=(Tiers.ONE,))
CEILING = Ceiling(service_type=ServiceTypes.PERSONAL_CARE, rate=Decimal("1480.00"))
NEXT, LAST = "When nobody is left, the next stage follows.", "When nobody is left, the road ends and an officer acts."


def _describe(definition: FrameworkDefinition, name: str) -> Sequence[str]:
    return describe_stage(definition, definition.get_stage(name))


def test_offers_one_at_a_time() -> None:
    assert _describe(a_definition(), "tier-1") == [
        (
            "The active providers of the area (Tier 1) are offered the package one at a time, "
            "in the order of the ranked list."
        ),
        (
            "Each has 30 minutes of brokerage time to answer by webhook, 30 minutes by email and 15 minutes by "
            "telephone, counted from delivery."
        ),
        "For an urgent package it is 30 minutes of plain time on every channel.",
        (
            "An offer that is not delivered within 2 minutes goes to the next channel, at last to the telephone, where "
            "3 calls that reach nobody end it."
        ),
        NEXT,
    ]


def test_tiers_are_asked_one_after_the_other() -> None:
    first = _describe(a_definition_with_lots(), "strategic")[0]
    assert first == (
        "The active providers of the area (Strategic provider, then Shadow provider) are asked one at a time, "
        "in the order of their numbers."
    )


def test_the_provider_of_a_followed_package_is_asked_first() -> None:
    assert _describe(a_definition_with_lots(), "follow-on")[:2] == [
        "If the package follows another one of A Reablement, the provider that delivers that one is asked first.",
        "For a package that follows none, this stage asks nobody.",
    ]


def test_all_are_asked_at_once_and_those_that_accept_are_ordered() -> None:
    sentences = _describe(a_definition_with_zones(), "neighbours")
    assert sentences[0] == "The active providers of the neighbouring areas (Framework provider) are asked at once."
    assert sentences[1] == (
        "They have 2 hours of brokerage time, for an urgent package 30 minutes of plain time; the stage ends as soon "
        "as all have answered."
    )
    assert sentences[2].startswith(
        "Those that accept are put in the order of the price of this package, the lowest first"
    )
    assert "(ties: rotation, " in sentences[2]
    assert sentences[3] == "The others are told at once."


def test_several_tiers_that_are_asked_at_once_have_no_order() -> None:
    stage = OfferToAll(stage="all", procedure="offer-to-all", to=Recipients(tiers=Tiers.ALL))
    tiers = (Tier(tier=Tiers.ONE, title="Tier 1"), Tier(tier=Tiers.TWO, title="Tier 2"))
    definition = a_definition(tiers=tiers, sourcing=(stage,))
    assert _describe(definition, "all")[0] == "The active providers of the area (Tier 1 and Tier 2) are asked at once."


def test_an_open_list_always_with_a_second_officer() -> None:
    assert _describe(a_definition_with_zones(), "exception") == [
        "The package is open to spot providers of the council, who may propose a rate and a way to deliver.",
        "An officer awards it, and a second officer approves each award.",
        "After 7 days without an award officers are notified.",
        "It stays open until it is placed.",
    ]


def test_an_open_list_with_a_ceiling_and_outward_codes() -> None:
    stage = OpenList(
        stage="open",
        procedure="open-list",
        ceilings=(CEILING,),
        alarm_after=timedelta(days=1),
        outward_codes_shown=("CO1", "CO2"),
    )
    assert describe_stage(a_definition(), stage)[:4] == [
        (
            "The package is open to the framework's providers of the council and spot providers of the council, "
            "who may propose a rate and a way to deliver."
        ),
        "An officer awards it; above the ceiling (£1,480.00 for Personal care) a second officer approves.",
        "After 1 day without an award officers are notified.",
        "The list shows the outward code, not the area alone, of CO1 and CO2.",
    ]


@pytest.mark.parametrize(("exhausted", "ends_road"), [(Exhausted.STOP, False), (Exhausted.NEXT_STAGE, True)])
def test_at_the_end_of_a_road_an_officer_acts(exhausted: Exhausted, ends_road: bool) -> None:
    stage = SequentialOffers(stage="a", procedure="sequential-offers", to=TO, exhausted=exhausted)
    assert describe_stage(a_definition(), stage, ends_road=ends_road)[-1] == LAST


def test_one_call_is_one_call() -> None:
    stage = SequentialOffers(
        stage="a", procedure="sequential-offers", to=TO, calls_before_expiry=1, undeliverable_after=timedelta(minutes=1)
    )
    assert describe_stage(a_definition(), stage)[3] == (
        "An offer that is not delivered within 1 minute goes to the next channel, at last to the telephone, where one "
        "call that reaches nobody ends it."
    )


def test_every_order_has_words() -> None:
    for order in Order:
        stage = SequentialOffers(stage="a", procedure="sequential-offers", to=TO, order=(order,))
        assert "in the order of " in describe_stage(a_definition(), stage)[0]


def test_conditions_are_named_by_their_titles() -> None:
    conditions = Conditions(
        lots=(a_definition().lots[0].lot,),
        areas=(COLCHESTER,),
        service_types=(ServiceTypes.LIVE_IN, ServiceTypes.NIGHT_SLEEP),
        routes=(Routes.CRISIS,),
        urgent=True,
        needs=(Needs.PEG_FEEDING,),
        travel_bands=(BandKey("remote"),),
    )
    assert describe_conditions(a_definition(), conditions) == (
        "lot Home care; in Colchester; service type Live in or Night sleep; route Crisis; with a need of Peg feeding; "
        "travel band remote; urgent"
    )
    assert describe_conditions(a_definition(), Conditions(urgent=False)) == "not urgent"
    assert describe_conditions(a_definition(), Conditions()) == ""


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(1, "1 minute"), (30, "30 minutes"), (60, "1 hour"), (90, "90 minutes"), (120, "2 hours"), (1440, "24 hours")],
)
def test_a_length_of_time_is_written_in_whole_hours_or_in_minutes(minutes: int, words: str) -> None:
    assert format_minutes(timedelta(minutes=minutes)) == words


def test_words_are_joined_as_in_a_sentence() -> None:
    assert [join_words(words) for words in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "nobody",
        "a",
        "a and b",
        "a, b and c",
    ]
    assert format_day(date(2025, 11, 9)) == "9 November 2025"
