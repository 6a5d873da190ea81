"""What is missing is not empty: the search is held, says for what, and goes on when it is there."""

from dataclasses import replace

import pytest

from contracts.events.frameworks import ranked_list_key
from contracts.events.packages import OfferMade, SourcingHeld, SourcingStarted, StageEntered
from contracts.ids import AreaCode
from contracts.values import ServiceType, Tier, Urgency
from sourcing.domain.errors import MarketNotKnown
from sourcing.domain.market import Market, ViewEntry, awaited_entry
from sourcing.domain.progress import HeldSearch, work_item
from sourcing.domain.search import SearchStatus
from sourcing.domain.steps import AlarmKind, Step
from sourcing.domain.triggers import Retry
from testkit.sourcing.builders import (
    AREA,
    FRAMEWORK,
    Story,
    a_definition,
    a_market,
    a_ranked_list,
    a_request,
    a_search,
    facts_about,
    monday,
    provider,
    some_care,
    tuesday,
    with_facts,
    with_list,
)

TIER_ONE_LIST = f"ranked-lists/{ranked_list_key(FRAMEWORK, AREA, Tier.ONE)}"


def without_facts(market: Market, *names: str) -> Market:
    gone = {provider(name) for name in names}
    return replace(market, facts={key: facts for key, facts in market.facts.items() if key not in gone})


def test_without_a_definition_the_search_is_held_before_it_starts() -> None:
    story = Story(Market())
    step = story.happens(a_request())
    assert [type(event) for event in step.events] == [SourcingHeld]
    assert story.known.missing == (f"definitions/{FRAMEWORK}",)
    assert story.known.search_id is None
    assert work_item(story.known) == HeldSearch(missing=(f"definitions/{FRAMEWORK}",))


@pytest.mark.parametrize(
    ("missing", "entry"),
    [
        (f"definitions/{FRAMEWORK}", ViewEntry("definitions", FRAMEWORK)),
        (f"definitions/{FRAMEWORK}/area/E07000000", ViewEntry("definitions", FRAMEWORK)),
        (TIER_ONE_LIST, ViewEntry("ranked-lists", f"{FRAMEWORK}/{AREA}/1")),
        (f"channels/{provider('Alder')}", ViewEntry("channels", str(provider("Alder")))),
    ],
)
def test_each_missing_thing_names_the_entry_of_a_view_that_wakes_the_search(missing: str, entry: ViewEntry) -> None:
    assert awaited_entry(missing) == entry


def test_when_the_definition_comes_the_search_starts() -> None:
    story = Story(Market()).requested()
    story.market = a_market("Alder")
    step = story.happens(Retry())
    assert [type(event) for event in step.events] == [SourcingStarted, StageEntered, OfferMade]
    assert story.known.status is SearchStatus.RUNNING
    assert story.known.missing == ()


def test_an_area_that_the_framework_does_not_know_is_held_for_an_officer_to_see() -> None:
    story = Story(a_market("Alder")).requested(a_request(care=some_care(area=AreaCode("E07000000"))))
    assert story.known.missing == (f"definitions/{FRAMEWORK}/area/E07000000",)


def test_a_type_of_service_without_a_price_is_held_for_an_officer_to_see() -> None:
    definition = a_definition(service_types=[ServiceType.LIVE_IN])
    story = Story(a_market("Alder", definition=definition)).requested()
    assert story.known.missing == (f"definitions/{FRAMEWORK}/price/personal-care",)


def test_a_missing_list_holds_the_search_and_an_empty_one_does_not() -> None:
    missing = Story(replace(a_market("Alder"), ranked_lists={})).requested()
    assert missing.known.missing == (TIER_ONE_LIST,)
    empty = Story(a_market()).requested()
    assert empty.known.status is SearchStatus.EXHAUSTED


def test_a_missing_list_of_a_later_stage_holds_the_search_when_it_gets_there() -> None:
    story = Story(a_market("Alder", definition=a_definition(Tier.ONE, Tier.TWO))).requested()
    story.declines("Alder")
    assert story.known.missing == (f"ranked-lists/{ranked_list_key(FRAMEWORK, AREA, Tier.TWO)}",)
    story.market = with_list(story.market, a_ranked_list("Alder", tier=Tier.TWO))
    story.happens(Retry())
    assert story.live_offer.stage == "tier-2"


def test_a_provider_of_whom_nothing_is_known_holds_the_search_for_all_that_the_stage_lacks() -> None:
    story = Story(
        with_facts(without_facts(a_market("Alder", "Birch", "Cedar"), "Alder"), facts_about("Cedar", channels=None))
    ).requested()
    assert story.known.missing == (
        f"eligibility/{provider('Alder')}",
        f"channels/{provider('Alder')}",
        f"channels/{provider('Cedar')}",
    )


def test_what_is_missing_of_a_later_provider_does_not_hold_the_first_ones_offer() -> None:
    story = Story(without_facts(a_market("Alder", "Birch"), "Birch")).requested()
    assert story.live_offer.provider_id == provider("Alder")


def test_a_retry_while_the_same_is_missing_says_nothing_new() -> None:
    story = Story(Market()).requested()
    assert story.happens(Retry()).events == ()


def test_a_retry_while_something_else_is_missing_says_what() -> None:
    story = Story(Market()).requested()
    story.market = replace(a_market("Alder"), ranked_lists={})
    story.happens(Retry())
    assert story.known.missing == (TIER_ONE_LIST,)


def test_a_search_that_is_held_in_the_evening_looks_again_at_the_opening() -> None:
    story = Story(without_facts(a_market("Alder"), "Alder"), at=monday("16:59")).requested()
    story.market = a_market("Alder")
    story.happens(Retry(), at=monday("18:00"))
    assert story.known.live_offer is None
    story.rings(AlarmKind.NEXT_OFFER_DUE)
    assert story.live_offer.made_at == tuesday("08:30")


def test_a_held_search_looks_again_each_morning_because_a_list_may_go_live_by_its_date_alone() -> None:
    story = Story(replace(a_market("Alder"), ranked_lists={})).requested()
    assert story.alarm(AlarmKind.NEXT_OFFER_DUE).at == tuesday("08:30")
    assert story.rings(AlarmKind.NEXT_OFFER_DUE).events == ()
    assert story.alarm(AlarmKind.NEXT_OFFER_DUE).at > tuesday("08:30")


def test_an_urgent_package_goes_on_at_any_hour_once_nothing_is_missing() -> None:
    story = Story(Market(), at=monday("22:00")).requested(a_request(urgency=Urgency.CRISIS))
    story.market = a_market("Alder")
    story.happens(Retry())
    assert story.live_offer.provider_id == provider("Alder")


def test_a_retry_means_nothing_to_a_search_with_a_live_offer() -> None:
    story = a_search("Alder")
    assert story.happens(Retry()) == Step(story.search)


def test_nothing_is_awarded_while_the_eligibility_is_not_known() -> None:
    story = a_search("Alder")
    story.market = without_facts(story.market, "Alder")
    with pytest.raises(MarketNotKnown):
        story.accepts("Alder")
