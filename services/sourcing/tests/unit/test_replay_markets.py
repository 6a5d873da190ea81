"""A replay reads the market as it was: what was published by then, what the decision states, and what it lacked."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from contracts.events.offers import OfferExtended, OfferMade
from contracts.events.providers import CapacityDeclared
from contracts.events.searches import DefinitionVersionChanged, ProviderPassedOver, SourcingHeld, StageEntered
from contracts.example_words import LOT, Tiers
from contracts.framework.brokerage import BankHolidayOverride
from contracts.framework.prices import RatesSetBy
from contracts.values import Order
from sourcing.domain.calendar import add_proclaimed_holidays
from sourcing.domain.recorded_market import RecordedList, RecordedMarket, RecordedPlacement
from sourcing.domain.replay import replay_package
from sourcing.domain.steps import TimerKind
from sourcing.domain.triggers import ChangeVersion, ProjectionUpdated
from sourcing.handlers import RUNTIME_TIMERS
from testkit.sourcing.builders import (
    A_MONDAY,
    PACKAGE,
    a_known_provider,
    a_market,
    a_ranked_list,
    a_rate_selection,
    on_monday,
    replace_facts,
    to_provider_id,
)
from testkit.sourcing.definitions import AREA, FRAMEWORK, a_definition, a_stage
from testkit.sourcing.recorded_search import RecordingDriver

LATER = on_monday("15:00")


def list_differences(driver: RecordingDriver, market: RecordedMarket | None = None) -> list[str]:
    replayed = replay_package(driver.record, market or driver.past.market, runtime_timers=RUNTIME_TIMERS)
    return [difference for each in replayed for difference in each.differences]


def a_placement(name: str, *, at: str, hours: str = "5.00", voided_at: str | None = None) -> RecordedPlacement:
    """Another package of the area that was placed with the provider on Monday."""
    return RecordedPlacement(
        provider_id=to_provider_id(name),
        framework=FRAMEWORK,
        lot=LOT,
        area=AREA,
        weekly_hours=Decimal(hours),
        at=on_monday(at),
        voided_at=None if voided_at is None else on_monday(voided_at),
    )


def a_requested_package(*names: str) -> RecordingDriver:
    driver = RecordingDriver(a_market(*names))
    driver.request()
    return driver


def test_what_is_published_after_a_decision_has_no_part_in_it() -> None:
    driver = a_requested_package("Alder", "Birch")
    override = BankHolidayOverride(day=A_MONDAY, closed=True, name="State funeral", proclaimed_on=A_MONDAY)
    newest = a_definition(version=2)
    brokerage = newest.brokerage.model_copy(update={"overrides": (override,)})
    driver.past.publish(newest.model_copy(update={"brokerage": brokerage}), LATER)
    driver.market = replace_facts(driver.market, a_known_provider("Alder", embargoed=True))
    driver.past.note(driver.market, LATER)
    driver.past.lists.append(RecordedList(a_ranked_list("Birch", "Alder", version=2), LATER))
    assert (len(driver.past.definitions), len(driver.past.lists)) == (2, 2)
    assert list_differences(driver) == []


def test_a_list_that_was_published_before_the_decision_has_to_be_used() -> None:
    driver = a_requested_package("Alder", "Birch")
    driver.past.lists.append(RecordedList(a_ranked_list("Birch", "Alder", version=2), on_monday("08:59")))
    assert list_differences(driver)[0] == "StageEntered.lists[0].list_version: the record has 1, the replay 2"


def test_an_embargo_before_the_decision_has_to_be_heeded() -> None:
    alder = a_known_provider("Alder", embargoed=True)
    driver = RecordingDriver(a_market("Alder", "Birch", overrides=[alder]))
    driver.request()
    assert isinstance(driver.record[3].event, ProviderPassedOver)
    alder_id = to_provider_id("Alder")
    without = {**driver.past.facts, alder_id: [each for each in driver.past.facts[alder_id] if each.sequence < 3]}
    differences = list_differences(driver, replace(driver.past.market, facts=without))
    assert differences[0] == "the record has ProviderPassedOver, the replay OfferMade"


def test_a_version_that_the_decision_states_takes_precedence_over_its_instant() -> None:
    """The projection had not received the newest event yet."""
    driver = a_requested_package("Alder", "Birch")
    embargoed = replace_facts(driver.market, a_known_provider("Alder", embargoed=True))
    driver.past.note(embargoed, on_monday("08:59"))
    assert list_differences(driver) == []


def test_a_search_that_was_held_for_entries_that_came_late_is_the_same() -> None:
    driver = RecordingDriver(replace(a_market("Alder", "Birch"), ranked_lists={}, facts={}))
    driver.request()
    driver.market = replace(a_market("Alder", "Birch"), facts={})
    driver.handle(ProjectionUpdated())
    driver.market = a_market("Alder", "Birch")
    driver.handle(ProjectionUpdated())
    assert [type(each.event) for each in driver.record if isinstance(each.event, SourcingHeld | OfferMade)] == [
        SourcingHeld,
        SourcingHeld,
        OfferMade,
    ]
    assert list_differences(driver) == []
    published_earlier = RecordedMarket(
        driver.past.definitions,
        [replace(each, at=on_monday("08:00")) for each in driver.past.lists],
        {
            provider: [replace(each, at=on_monday("08:00")) for each in facts]
            for provider, facts in driver.past.facts.items()
        },
    )
    assert list_differences(driver, published_earlier) == []


def test_a_search_that_was_held_for_its_definition_is_the_same() -> None:
    driver = RecordingDriver(replace(a_market("Alder"), definition=None))
    driver.request()
    driver.market = a_market("Alder")
    driver.handle(ProjectionUpdated())
    (published,) = driver.past.definitions
    earlier = replace(driver.past.market, definitions=[replace(published, at=on_monday("08:00"))])
    assert list_differences(driver) == list_differences(driver, earlier) == []


def test_free_hours_are_less_by_what_was_placed_before_the_decision_and_stood() -> None:
    free = Decimal("14.99")
    alder = a_known_provider("Alder", free_hours=free)
    driver = RecordingDriver(a_market("Alder", "Birch", overrides=[alder]))
    driver.request()
    assert list_differences(driver) == []
    placed = [a_placement("Alder", at="08:30", voided_at="08:40"), a_placement("Alder", at="09:30")]
    assert list_differences(driver, replace(driver.past.market, placements=placed)) == []
    before = [*placed, a_placement("Alder", at="08:50")]
    assert list_differences(driver, replace(driver.past.market, placements=before)) == [
        "the record has OfferMade, the replay ProviderPassedOver"
    ]


def test_a_placement_at_the_very_instant_of_a_decision_may_have_come_before_it_or_after() -> None:
    ties = [a_placement("Alder", at="09:00")]
    for free, kind in (("14.99", OfferMade), ("9.99", ProviderPassedOver)):
        alder = a_known_provider("Alder", free_hours=Decimal(free))
        driver = RecordingDriver(a_market("Alder", "Birch", overrides=[alder]))
        driver.request()
        assert isinstance(driver.record[3].event, kind)
        declared = [
            replace(each, event=each.event.model_copy(update={"free_hours": Decimal("14.99")}))
            if isinstance(each.event, CapacityDeclared)
            else each
            for each in driver.past.facts[to_provider_id("Alder")]
        ]
        facts = {**driver.past.facts, to_provider_id("Alder"): declared}
        assert list_differences(driver, replace(driver.past.market, facts=facts, placements=ties)) == []


def test_a_turn_by_rotation_follows_from_the_placements_before_it() -> None:
    market = a_market(
        "Alder",
        "Birch",
        definition=a_definition(sourcing=(a_stage(order=(Order.ROTATION,)),)),
        last_awards={"Alder": on_monday("08:40"), "Birch": on_monday("08:30")},
    )
    driver = RecordingDriver(market)
    driver.request()
    driver.past.placements += [a_placement("Alder", at="08:40"), a_placement("Birch", at="08:30")]
    driver.past.placements += [a_placement("Birch", at="08:50", voided_at="08:55"), a_placement("Birch", at="09:30")]
    assert list_differences(driver) == []
    driver.past.placements.append(a_placement("Birch", at="08:50"))
    entered = next(each.event for each in driver.record if isinstance(each.event, StageEntered))
    assert [each.provider_id for each in entered.candidates] == [to_provider_id("Birch"), to_provider_id("Alder")]
    assert list_differences(driver)[0].startswith("StageEntered.candidates[0].provider_id: ")


def test_the_rate_of_the_offer_is_that_of_the_providers_selection() -> None:
    definition = a_definition(rates_set_by=RatesSetBy.SELECTION)
    alder = a_known_provider("Alder", rates=a_rate_selection("Alder", "24.00"))
    driver = RecordingDriver(a_market("Alder", definition=definition, overrides=[alder]))
    driver.request()
    assert list_differences(driver) == []
    facts = driver.past.facts[to_provider_id("Alder")]
    facts[-1] = replace(facts[-1], event=a_rate_selection("Alder", "26.00"))
    assert list_differences(driver) == [
        "OfferMade.terms.lines[0].rate: the record has 24.00, the replay 26.00",
        "OfferMade.terms.lines[0].cost: the record has 240.00, the replay 260.00",
        "OfferMade.terms.weekly_cost: the record has 240.00, the replay 260.00",
    ]


def test_an_order_by_price_waits_for_all_rates_before_the_draw() -> None:
    definition = a_definition(sourcing=(a_stage(order=(Order.PRICE,)),), rates_set_by=RatesSetBy.SELECTION)
    driver = RecordingDriver(a_market("Alder", "Birch", definition=definition))
    driver.request()
    assert isinstance(driver.record[-1].event, SourcingHeld)
    rated = [a_known_provider(name, rates=a_rate_selection(name, "24.00")) for name in ("Alder", "Birch")]
    driver.market = replace_facts(driver.market, *rated)
    driver.handle(ProjectionUpdated())
    assert isinstance(driver.record[-1].event, OfferMade)
    assert list_differences(driver) == []


def test_a_move_to_another_version_of_the_definition_is_the_same() -> None:
    driver = a_requested_package("Alder", "Birch")
    target = a_definition(version=2)
    driver.market = replace(driver.market, target=target)
    driver.handle(ChangeVersion(PACKAGE, 2, "officer:first"))
    assert isinstance(driver.record[-1].event, DefinitionVersionChanged)
    driver.market = replace(driver.market, definition=target)
    driver.decline("Alder")
    assert list_differences(driver) == []


def test_an_extension_for_a_proclaimed_holiday_is_the_same() -> None:
    driver = RecordingDriver(a_market("Alder", "Birch"), at=on_monday("16:50"))
    driver.request()
    driver.deliver()
    override = BankHolidayOverride(
        day=A_MONDAY + timedelta(days=1), closed=True, name="State funeral", proclaimed_on=A_MONDAY
    )
    newest = a_definition(version=2)
    brokerage = newest.brokerage.model_copy(update={"overrides": (override,)})
    newest = newest.model_copy(update={"brokerage": brokerage})
    driver.past.publish(newest, on_monday("16:55"))
    driver.market = replace(driver.market, definition=add_proclaimed_holidays(a_definition(), newest))
    driver.fire_timer(TimerKind.OFFER_EXPIRES)
    assert isinstance(driver.record[-1].event, OfferExtended)
    assert list_differences(driver) == []


def list_tiers(driver: RecordingDriver) -> Sequence[str]:
    return [tier for each in driver.record if isinstance(each.event, StageEntered) for tier in each.event.tiers]


def test_a_tier_whose_list_went_live_during_the_search_is_entered_again() -> None:
    driver = RecordingDriver(a_market("Alder", definition=a_definition(*Tiers.ALL)))
    driver.request()
    driver.decline("Alder")
    assert isinstance(driver.record[-1].event, SourcingHeld)
    lists = {**driver.market.ranked_lists, Tiers.TWO: a_ranked_list("Birch", tier=Tiers.TWO)}
    driver.market = replace(replace_facts(driver.market, a_known_provider("Birch")), ranked_lists=lists)
    driver.handle(ProjectionUpdated())
    assert list_tiers(driver) == [Tiers.ONE, Tiers.TWO]
    assert list_differences(driver) == []
