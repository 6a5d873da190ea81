"""The order of a stage's providers: by ranked list, number, price, rotation and draw, each with its ties."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import permutations
from typing import Final
from uuid import UUID

import pytest

from contracts.events.searches import StageCandidate, StageEntered
from contracts.example_words import LOT, Tiers
from contracts.framework.prices import RatesSetBy
from contracts.framework.stages import Recipients
from contracts.ids import TierKey
from contracts.values import Order
from sourcing.domain.ordering import Contender, compute_draw, order_contenders, order_for_asking, put_first
from testkit.sourcing.builders import (
    a_known_provider,
    a_market,
    a_ranked_list,
    a_rate_selection,
    a_request,
    add_list,
    on_monday,
    to_provider_id,
)
from testkit.sourcing.definitions import AREA, a_definition, a_stage
from testkit.sourcing.search_driver import SearchDriver

SEED: Final = UUID(int=7)
LONG_AGO, LATELY = on_monday("09:00") - timedelta(days=90), on_monday("09:00") - timedelta(days=1)
JOINED_FIRST, JOINED_LATER = date(2025, 1, 1), date(2025, 6, 1)


def a_contender(name: str, *, tier: TierKey = Tiers.ONE) -> Contender:
    return Contender(to_provider_id(name), lot=LOT, tier=tier, area=AREA, tier_position=Tiers.ALL.index(tier))


def list_order(*contenders: Contender, order: tuple[Order, ...], seed: UUID | None = SEED) -> list[object]:
    return [each.provider_id for each in order_contenders(contenders, order, seed)]


def to_ids(*names: str) -> list[object]:
    return [to_provider_id(name) for name in names]


def test_a_ranked_list_decides_by_its_ranks_and_needs_no_draw() -> None:
    second, first = replace(a_contender("Alder"), list_rank=2), replace(a_contender("Birch"), list_rank=1)
    assert list_order(second, first, order=(Order.RANKED_LIST,), seed=None) == to_ids("Birch", "Alder")


def test_the_smallest_number_comes_first_and_a_provider_without_one_last() -> None:
    unnumbered, third, first = (
        a_contender("Alder"),
        replace(a_contender("Birch"), number=3),
        replace(a_contender("Cedar"), number=1),
    )
    assert list_order(unnumbered, third, first, order=(Order.NUMBER,)) == to_ids("Cedar", "Birch", "Alder")


def test_the_lowest_price_comes_first_and_a_provider_without_one_last() -> None:
    unpriced, dear, cheap = (
        a_contender("Alder"),
        replace(a_contender("Birch"), price=Decimal("100.00")),
        replace(a_contender("Cedar"), price=Decimal("99.99")),
    )
    assert list_order(unpriced, dear, cheap, order=(Order.PRICE,)) == to_ids("Cedar", "Birch", "Alder")


def test_in_a_rotation_the_longest_without_an_award_comes_first_and_whoever_had_none_before_it() -> None:
    lately = replace(a_contender("Alder"), last_award_at=LATELY, joined_on=JOINED_FIRST)
    long_ago = replace(a_contender("Birch"), last_award_at=LONG_AGO, joined_on=JOINED_LATER)
    never = replace(a_contender("Cedar"), joined_on=JOINED_LATER)
    assert list_order(lately, long_ago, never, order=(Order.ROTATION,)) == to_ids("Cedar", "Birch", "Alder")


def test_providers_without_an_award_come_by_their_joining_date_and_without_one_last() -> None:
    unknown, later, first = (
        a_contender("Alder"),
        replace(a_contender("Birch"), joined_on=JOINED_LATER),
        replace(a_contender("Cedar"), joined_on=JOINED_FIRST),
    )
    awarded = replace(a_contender("Damson"), last_award_at=LONG_AGO)
    expected = to_ids("Cedar", "Birch", "Alder", "Damson")
    assert list_order(awarded, unknown, later, first, order=(Order.ROTATION,)) == expected


def test_a_further_order_decides_a_tie_of_the_one_before_it() -> None:
    cheap_lately = replace(a_contender("Alder"), price=Decimal(90), last_award_at=LATELY)
    cheap_long_ago = replace(a_contender("Birch"), price=Decimal("90.00"), last_award_at=LONG_AGO)
    dear_never = replace(a_contender("Cedar"), price=Decimal(91))
    found = list_order(cheap_lately, dear_never, cheap_long_ago, order=(Order.PRICE, Order.ROTATION))
    assert found == to_ids("Birch", "Alder", "Cedar")


@pytest.mark.parametrize("order", [(Order.PRICE, Order.ROTATION), (Order.NUMBER,), (Order.DRAW,)])
def test_a_last_tie_is_broken_by_the_draw_of_the_seed(order: tuple[Order, ...]) -> None:
    contenders = [a_contender(name) for name in ("Alder", "Birch", "Cedar")]
    drawn = sorted((each.provider_id for each in contenders), key=lambda provider: compute_draw(SEED, provider))
    found = {tuple(list_order(*each, order=order)) for each in permutations(contenders)}
    assert found == {tuple(drawn)}


def test_another_seed_draws_another_order() -> None:
    contenders = [a_contender(name) for name in ("Alder", "Birch", "Cedar")]
    orders = {tuple(list_order(*contenders, order=(Order.DRAW,), seed=UUID(int=number))) for number in range(50)}
    assert orders == set(permutations(to_ids("Alder", "Birch", "Cedar")))


def test_a_tier_comes_after_the_one_before_it_whatever_its_prices() -> None:
    dear = replace(a_contender("Alder"), price=Decimal("200.00"))
    cheap = replace(a_contender("Birch", tier=Tiers.TWO), price=Decimal("100.00"))
    assert list_order(cheap, dear, order=(Order.PRICE,)) == to_ids("Alder", "Birch")


@pytest.mark.parametrize("order", [(Order.PRICE,), (Order.RANKED_LIST, Order.PRICE), (Order.DRAW,)])
def test_an_order_that_can_have_ties_needs_a_seed(order: tuple[Order, ...]) -> None:
    with pytest.raises(ValueError, match="needs a seed"):
        order_contenders([a_contender("Alder")], order, None)


def test_a_candidate_has_its_turn_its_place_and_the_figures_that_decide() -> None:
    full = replace(
        a_contender("Alder"),
        number=4,
        price=Decimal("99.00"),
        last_award_at=LATELY,
        joined_on=JOINED_FIRST,
    )
    by_price, by_rotation = (order_contenders([full], (order,), SEED)[0] for order in (Order.PRICE, Order.ROTATION))
    assert (by_price.rank, by_price.lot, by_price.tier, by_price.area) == (1, LOT, Tiers.ONE, AREA)
    assert (by_price.price, by_price.number, by_price.joined_on) == (Decimal("99.00"), None, None)
    assert (by_rotation.last_award_at, by_rotation.joined_on, by_rotation.price) == (LATELY, JOINED_FIRST, None)


def test_providers_that_are_asked_at_once_are_numbered_by_tier_and_list_then_by_their_ids() -> None:
    listed = [replace(a_contender("Alder"), list_rank=2), replace(a_contender("Birch"), list_rank=1)]
    unlisted = sorted(
        (a_contender(name, tier=Tiers.TWO) for name in ("Cedar", "Elm")), key=lambda each: each.provider_id
    )
    candidates = order_for_asking([*reversed(unlisted), *listed])
    assert [each.provider_id for each in candidates] == [
        *to_ids("Birch", "Alder"),
        *(each.provider_id for each in unlisted),
    ]
    assert [each.rank for each in candidates] == [1, 2, 3, 4]


def test_a_designated_provider_comes_before_all_others_and_once() -> None:
    others = [replace(a_contender(name), number=number) for number, name in enumerate(("Alder", "Birch"), start=1)]
    found = list_order(*put_first(others, a_contender("Birch")), order=(Order.NUMBER,))
    assert found == to_ids("Birch", "Alder")


def enter_stage(order: tuple[Order, ...]) -> StageEntered:
    """Enters a stage in which every figure differs from provider to provider, but two are alike in all of them."""
    rates, numbers = ("26.00", "25.50", "25.50", "27.00"), (2, 3, 3, 1)
    names = ("Alder", "Birch", "Cedar", "Damson")
    known = [
        a_known_provider(name, tiers=(Tiers.ONE,), number=number, rates=a_rate_selection(name, rate))
        for name, rate, number in zip(names, rates, numbers, strict=True)
    ]
    definition = a_definition(rates_set_by=RatesSetBy.SELECTION, sourcing=(a_stage(order=order),))
    market = a_market(overrides=known, definition=definition, last_awards={"Damson": LATELY, "Alder": LONG_AGO})
    driver = SearchDriver(market)
    driver.handle(a_request())
    return next(event for event in driver.events if isinstance(event, StageEntered))


def to_contender(candidate: StageCandidate, entered: StageEntered) -> Contender:
    return Contender(
        provider_id=candidate.provider_id,
        lot=candidate.lot,
        tier=candidate.tier,
        area=candidate.area,
        tier_position=entered.tiers.index(candidate.tier),
        number=candidate.number,
        price=candidate.price,
        last_award_at=candidate.last_award_at,
        joined_on=candidate.joined_on,
    )


@pytest.mark.parametrize(
    ("order", "last"),
    [((Order.PRICE,), "Damson"), ((Order.ROTATION, Order.PRICE), "Damson"), ((Order.NUMBER, Order.DRAW), None)],
)
def test_the_order_can_be_computed_again_from_the_record(order: tuple[Order, ...], last: str | None) -> None:
    entered = enter_stage(order)
    contenders = [to_contender(each, entered) for each in reversed(entered.candidates)]
    assert (entered.order, len(entered.candidates)) == (order, 4)
    assert order_contenders(contenders, entered.order, entered.seed) == entered.candidates
    if last is not None:
        assert entered.candidates[-1].provider_id == to_provider_id(last)


def test_a_ranked_list_breaks_the_ties_of_prices() -> None:
    rates = {"Alder": "26.00", "Birch": "25.00", "Cedar": "25.00"}
    known = [a_known_provider(name, rates=a_rate_selection(name, rate)) for name, rate in rates.items()]
    stage = a_stage(order=(Order.PRICE, Order.RANKED_LIST))
    definition = a_definition(rates_set_by=RatesSetBy.SELECTION, sourcing=(stage,))
    driver = SearchDriver(a_market("Alder", "Cedar", "Birch", overrides=known, definition=definition)).request()
    entered = next(event for event in driver.events if isinstance(event, StageEntered))
    assert [each.provider_id for each in entered.candidates] == to_ids("Cedar", "Birch", "Alder")
    assert [each.price for each in entered.candidates] == [Decimal(250), Decimal(250), Decimal(260)]


def test_a_provider_on_the_lists_of_two_tiers_has_one_turn() -> None:
    definition = a_definition(*Tiers.ALL, sourcing=(a_stage(to=Recipients(tiers=Tiers.ALL)),))
    market = add_list(a_market("Alder", "Birch", definition=definition), a_ranked_list("Birch", tier=Tiers.TWO))
    driver = SearchDriver(market).request()
    entered = next(event for event in driver.events if isinstance(event, StageEntered))
    assert [(each.provider_id, each.tier) for each in entered.candidates] == [
        (to_provider_id("Alder"), Tiers.ONE),
        (to_provider_id("Birch"), Tiers.ONE),
    ]
