"""Makes the stages of a framework's definition by chance: every procedure, order, reach and condition."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Final

from contracts.framework.prices import Prices
from contracts.framework.stages import (
    AnswerWithin,
    Ceiling,
    Conditions,
    Deadline,
    Designated,
    Exhausted,
    MakesOffers,
    OfferToAll,
    OpenList,
    Reach,
    Recipients,
    SecondOfficer,
    SequentialOffers,
    Stage,
)
from contracts.ids import ServiceTypeKey
from contracts.values import Order
from testkit.sourcing.choices import OFTEN, RARELY, Choices
from testkit.sourcing.generated_words import FAR, Words

ORDERS: Final[Sequence[tuple[Order, ...]]] = (
    (Order.NUMBER,),
    (Order.PRICE,),
    (Order.ROTATION,),
    (Order.DRAW,),
    (Order.PRICE, Order.ROTATION),
    (Order.NUMBER, Order.PRICE),
    (Order.ROTATION, Order.DRAW),
)
RANKED_ORDERS: Final[Sequence[tuple[Order, ...]]] = (
    (Order.RANKED_LIST,),
    (Order.RANKED_LIST,),
    (Order.PRICE, Order.RANKED_LIST),
    (Order.RANKED_LIST, Order.ROTATION),
)
OPEN_LIST: Final = "available"
_MINUTES: Final = tuple(timedelta(minutes=minutes) for minutes in (10, 30, 45))
_DEADLINES: Final = tuple(timedelta(minutes=minutes) for minutes in (15, 60, 120, 600))


def make_stages(choices: Choices, words: Words, prices: Prices) -> tuple[Stage, ...]:
    """Makes 1 to 5 stages: some of them for some packages only, then one for all of them, at the end an open list."""
    asked = list(words.tiers)
    stages = list[Stage]()
    for number in range(choices.choose([0, 1, 2, 2, 3, 3])):
        tiers = choices.choose_some(words.tiers, at_least=1)
        conditions = _make_conditions(choices, words) if choices.happens() else Conditions()
        is_last = conditions != Conditions() and choices.happens()
        stage = make_offering_stage(choices, words, f"stage-{number + 1}", tiers, conditions, stop=is_last)
        asked = [tier for tier in asked if tier not in tiers]
        stages.append(stage)
    final = _make_final_stage(choices, words, asked)
    open_list = make_open_list(choices, words, prices) if choices.happens() else None
    return (*stages, final, *(() if open_list is None else (open_list,)))


def _make_final_stage(choices: Choices, words: Words, unasked: Sequence[str]) -> MakesOffers:
    """Makes a stage for every package, with the tiers that no stage before it asks."""
    tiers = tuple(tier for tier in words.tiers if tier in unasked) or words.tiers
    return make_offering_stage(
        choices, words, "stage-for-all", tiers, Conditions(), stop=choices.happens(RARELY), own_area=True
    )


def make_offering_stage(
    choices: Choices,
    words: Words,
    name: str,
    tiers: Sequence[str],
    conditions: Conditions,
    *,
    stop: bool = False,
    own_area: bool = False,
) -> MakesOffers:
    """Makes a stage of any procedure that makes offers to `tiers`."""
    to_neighbours = not own_area and any(area.neighbours for area in words.areas) and choices.happens()
    order = choices.choose(ORDERS if to_neighbours or choices.happens() else RANKED_ORDERS)
    common: Mapping[str, object] = {
        "stage": name,
        "when": conditions,
        "to": Recipients.model_validate(
            {"tiers": tiers, "reach": Reach.NEIGHBOURS if to_neighbours else Reach.OWN_AREA}
        ),
        "undeliverable_after": timedelta(minutes=(choices.choose([2, 5]))),
        "calls_before_expiry": (choices.choose_number(1, 3)),
        "exhausted": Exhausted.STOP if stop else Exhausted.NEXT_STAGE,
    }
    procedure = choices.choose(["sequential-offers", "sequential-offers", "designated", *["offer-to-all"] * 3])
    if procedure == "offer-to-all":
        deadline = Deadline(routine=choices.choose(_DEADLINES), urgent=choices.choose(_DEADLINES))
        return OfferToAll.model_validate({**common, "procedure": procedure, "order": order, "deadline": deadline})
    answer_within = AnswerWithin(
        webhook=choices.choose(_MINUTES), email=choices.choose(_MINUTES), urgent=choices.choose(_MINUTES)
    )
    common = {**common, "procedure": procedure, "answer_within": answer_within}
    if procedure == "designated":
        lots = choices.choose_some([lot.lot for lot in words.lots])
        return Designated.model_validate({**common, "follows_in": lots})
    return SequentialOffers.model_validate({**common, "order": order})


def make_open_list(choices: Choices, words: Words, prices: Prices) -> OpenList | None:
    """Makes an open list for the service types that have one price line; None if each of them has several."""
    single = tuple(each for each in words.service_types if _has_single_lines(prices, each))
    if not single:
        return None
    members, above = choices.happens(OFTEN), (choices.choose([0, 0, 2]))
    ceilings = tuple(Ceiling(service_type=each, rate=_find_highest_rate(prices, each) + above) for each in single)
    return OpenList(
        stage=OPEN_LIST,
        procedure="open-list",
        when=Conditions(service_types=() if len(single) == len(words.service_types) else single),
        members=members,
        spot=not members or choices.happens(),
        ceilings=ceilings,
        second_officer=(choices.choose(SecondOfficer)),
        alarm_after=timedelta(days=(choices.choose_number(1, 3))),
    )


def _has_single_lines(prices: Prices, service_type: ServiceTypeKey) -> bool:
    bands = [line.band for line in prices.matrix if line.service_type == service_type]
    return len(set(bands)) == len(bands)


def _find_highest_rate(prices: Prices, service_type: ServiceTypeKey) -> Decimal:
    lines = (line for line in prices.matrix if line.service_type == service_type)
    return max(rate for line in lines for rate in (line.rate, *line.further_rates, line.highest or line.rate))


def _make_conditions(choices: Choices, words: Words) -> Conditions:
    """Makes one or two conditions of any kind."""
    chosen = {choices.choose(range(7)) for _ in range(2)}
    lots, areas = [lot.lot for lot in words.lots], [area.code for area in words.areas]
    routes = [route.route for route in words.routes]
    return Conditions(
        lots=(choices.choose_some(lots, at_least=1)) if 0 in chosen else (),
        areas=(choices.choose_some(areas, at_least=1)) if 1 in chosen else (),
        service_types=(choices.choose_some(words.service_types, at_least=1)) if 2 in chosen else (),
        routes=(choices.choose_some(routes, at_least=1)) if 3 in chosen else (),
        urgent=choices.happens() if 4 in chosen else None,
        needs=(choices.choose_some(words.needs, at_least=1)) if 5 in chosen and words.needs else (),
        travel_bands=(FAR,) if 6 in chosen and words.has_travel_band else (),
    )
