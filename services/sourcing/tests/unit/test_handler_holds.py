"""Handlers of sourcing hold a search for data that is missing."""

from dataclasses import replace

import pytest

from contracts.events.offers import OfferDeclined, OfferMade
from contracts.events.searches import SourcingHeld, SourcingStarted, StageEntered
from contracts.ids import LotKey
from sourcing.domain.market import MarketSnapshot
from sourcing.handlers import handle_event
from sourcing.ports import DEFINITIONS
from testkit.sourcing.builders import a_decline, a_followed_package, a_market, a_request, to_provider_id
from testkit.sourcing.definitions import FRAMEWORK
from testkit.sourcing.handler_steps import (
    DEFINITION,
    DEFINITION_PUBLISHED,
    DefinitionArrivesLate,
    answer_offer,
    build_work,
    get_search,
    list_event_types,
    make_delivered_offer,
    make_offer,
    publish_projection_update,
)


async def test_a_search_is_held_for_the_missing_projection_entry() -> None:
    work = build_work(MarketSnapshot())
    await handle_event(a_request(), work)
    assert list_event_types(work) == [SourcingHeld]
    assert (await get_search(work)).missing == (f"{DEFINITIONS.name}/{FRAMEWORK}",)
    assert work.projections.holds == {DEFINITION}
    assert work.markets.read_count == 1


async def test_a_complete_step_holds_for_nothing_and_reads_once() -> None:
    work = await make_offer("Alder")
    assert (work.projections.holds, work.markets.read_count) == (set(), 1)


async def test_a_projection_updated_before_the_hold_is_read_again() -> None:
    work = build_work(MarketSnapshot())
    work.markets.market = DefinitionArrivesLate(work)
    await handle_event(a_request(), work)
    assert list_event_types(work) == [SourcingStarted, StageEntered, OfferMade]
    assert work.markets.read_count == 2
    assert work.projections.holds == set()
    assert (await get_search(work)).missing == ()


async def test_a_held_search_continues_when_the_missing_entry_arrives() -> None:
    work = build_work(MarketSnapshot())
    await handle_event(a_request(), work)
    work.published.clear()
    work.markets.market = lambda: a_market("Alder")
    await publish_projection_update(work)
    assert list_event_types(work) == [SourcingStarted, StageEntered, OfferMade]
    assert work.projections.holds == set()


async def test_a_held_search_without_new_data_holds_again_and_publishes_nothing() -> None:
    work = build_work(MarketSnapshot())
    await handle_event(a_request(), work)
    work.published.clear()
    await publish_projection_update(work)
    assert list_event_types(work) == []
    assert work.projections.holds == {DEFINITION}


async def test_a_search_holds_again_for_an_entry_that_it_misses_later() -> None:
    work = await make_delivered_offer("Alder", "Birch")
    market = a_market("Alder", "Birch")
    alder_only = {to_provider_id("Alder"): market.facts[to_provider_id("Alder")]}
    work.markets.market = lambda: replace(market, facts=alder_only)
    await answer_offer(work, "Alder", a_decline())
    [declined] = work.published
    assert isinstance(declined, OfferDeclined)
    await handle_event(declined, work)
    birch = str(to_provider_id("Birch"))
    assert work.projections.holds == {("eligibility", birch), ("channels", birch)}


async def test_facts_of_the_provider_of_the_followed_package_are_read_for_the_first_decision() -> None:
    work = build_work(MarketSnapshot())
    await handle_event(a_request(follows=a_followed_package("Cedar", lot=LotKey("reablement"))), work)
    assert work.markets.named == to_provider_id("Cedar")


async def test_a_decision_that_asks_for_what_no_read_contains_fails_instead_of_reading_without_end() -> None:
    work = build_work(MarketSnapshot())
    work.projections.apply(DEFINITIONS, DEFINITION_PUBLISHED, sequence=1)  # there, and never in the market
    with pytest.raises(RuntimeError, match="reads of the projections"):
        await handle_event(a_request(), work)
