"""Makes whole definitions of frameworks by chance, each of which could be published."""

from collections.abc import Callable, Sequence
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Final

from hypothesis import strategies as st
from pydantic import ValidationError

from contracts.bank_holidays import list_bank_holidays
from contracts.examples import a_title, some_reasons
from contracts.framework.brokerage import BankHolidayOverride, BrokerageTime
from contracts.framework.definition import FrameworkDefinition
from contracts.framework.prices import MatrixLine
from contracts.framework.stages import (
    Conditions,
    Designated,
    OfferingStage,
    OfferToAll,
    OpenList,
    SequentialOffers,
    Stage,
)
from contracts.framework.tiers import Tier
from contracts.ids import CouncilKey, FrameworkKey
from contracts.review.orders import find_order_contradictions
from contracts.review.prices_and_times import find_price_contradictions, find_time_contradictions
from contracts.review.roads import find_road_contradictions
from contracts.values import Weekday
from testkit.sourcing.builders import A_MONDAY
from testkit.sourcing.choices import OFTEN, RARELY, Choices
from testkit.sourcing.generated_stages import make_offering_stage, make_stages
from testkit.sourcing.generated_words import Words, make_prices, make_words

FRAMEWORK: Final = FrameworkKey("generated-framework")
SEEDS: Final = st.integers(min_value=0, max_value=2**64)
RUNS_FROM, RUNS_UNTIL = date(2025, 1, 1), date(2026, 11, 30)
_BANK_HOLIDAYS: Final = list_bank_holidays(range(2025, 2027))
_WEEKDAYS: Final = tuple(Weekday)[:5]


def can_be_published(definition: FrameworkDefinition) -> bool:
    """Returns whether nothing is wrong with the definition as a whole; its calendar is right by construction."""
    found = (
        find_road_contradictions(definition),
        find_order_contradictions(definition),
        find_price_contradictions(definition),
        find_time_contradictions(definition),
    )
    return not any(next(iter(each), None) for each in found)


def draw_definition() -> st.SearchStrategy[FrameworkDefinition]:
    """Draws the first version of a framework's definition."""
    return SEEDS.map(lambda seed: make_definition(Choices(seed)))


def make_definition(choices: Choices) -> FrameworkDefinition:
    """Makes the first version of a framework's definition."""
    while not can_be_published(definition := _make_definition(choices)):
        pass
    return definition


def _make_definition(choices: Choices) -> FrameworkDefinition:
    words = make_words(choices)
    prices = make_prices(choices, words)
    stages = make_stages(choices, words, prices)
    lists = any("ranked-list" in stage.order for stage in stages if isinstance(stage, OfferingStage))
    tiers = [Tier(tier=key, title=a_title(key)) for key in words.tiers]
    if len(tiers) > 1 and choices.happens(RARELY):
        tiers[0] = tiers[0].model_copy(
            update={"lots": (choices.choose_some([lot.lot for lot in words.lots], at_least=1))}
        )
    return FrameworkDefinition.model_validate(
        {
            **words.to_sections(),
            **({} if lists else {"list_groups": ()}),
            "framework": FRAMEWORK,
            "version": 1,
            "council": CouncilKey("amberside"),
            "title": "Generated framework",
            "source": "generated for tests",
            "runs_from": RUNS_FROM,
            "runs_until": RUNS_UNTIL,
            "tiers": tuple(tiers),
            "reasons": some_reasons(),
            "brokerage": _make_brokerage_time(choices),
            "prices": prices,
            "sourcing": stages,
        }
    )


def _make_brokerage_time(choices: Choices) -> BrokerageTime:
    opens, closes = choices.choose([(time(8, 30), time(17)), (time(8, 30), time(17)), (time(7), time(20))])
    days = _WEEKDAYS if choices.happens(OFTEN) else (*_WEEKDAYS, Weekday.SAT)
    return BrokerageTime(opens=opens, closes=closes, days=days, bank_holidays=_BANK_HOLIDAYS)


def make_next_version(choices: Choices, definition: FrameworkDefinition) -> FrameworkDefinition:
    """Makes the second version: with other prices, hours, days or stages, or in force from a later day only."""
    while True:
        changed: dict[str, object] = {"version": definition.version + 1}
        for change in {choices.choose(_CHANGES): None for _ in range(2)}:
            changed |= change(choices, definition)
        try:
            following = FrameworkDefinition.model_validate({**dict(definition), **changed})
        except ValidationError:
            continue
        if can_be_published(following):
            return following


def _change_prices(_: Choices, definition: FrameworkDefinition) -> dict[str, object]:
    """Lowers every rate by a pound, so that no ceiling is too low."""
    prices = definition.prices
    lines = tuple(_lower_rates(line) for line in prices.matrix)
    return {"prices": prices.model_copy(update={"price_list": "generated-2", "matrix": lines})}


def _lower_rates(line: MatrixLine) -> MatrixLine:
    further = tuple(rate - Decimal(1) for rate in line.further_rates)
    highest = None if line.highest is None else line.highest - Decimal(1)
    return line.model_copy(update={"rate": line.rate - Decimal(1), "further_rates": further, "highest": highest})


def _change_hours(_: Choices, definition: FrameworkDefinition) -> dict[str, object]:
    return {"brokerage": definition.brokerage.model_copy(update={"opens": time(9), "closes": time(16, 30)})}


def _proclaim_holiday(choices: Choices, definition: FrameworkDefinition) -> dict[str, object]:
    """Proclaims the Tuesday or the Wednesday of the search as a bank holiday."""
    day = A_MONDAY + timedelta(days=choices.choose_number(1, 2))
    holiday = BankHolidayOverride(day=day, closed=True, name="Proclaimed holiday", proclaimed_on=A_MONDAY)
    return {"brokerage": definition.brokerage.model_copy(update={"overrides": (holiday,)})}


def _drop_stage(choices: Choices, definition: FrameworkDefinition) -> dict[str, object]:
    dropped = choices.choose(definition.sourcing)
    return {"sourcing": tuple(stage for stage in definition.sourcing if stage is not dropped)}


def _insert_stage(choices: Choices, definition: FrameworkDefinition) -> dict[str, object]:
    tiers = choices.choose_some([tier.tier for tier in definition.tiers], at_least=1)
    stage = make_offering_stage(choices, _find_words(definition), "stage-new", tiers, Conditions())
    position = choices.choose_number(0, len(definition.sourcing) - 1)
    return {"sourcing": (*definition.sourcing[:position], stage, *definition.sourcing[position:])}


def _change_procedure(choices: Choices, definition: FrameworkDefinition) -> dict[str, object]:
    changed = choices.choose(definition.sourcing)
    stages = (_to_other_procedure(stage) if stage is changed else stage for stage in definition.sourcing)
    return {"sourcing": tuple(stages)}


def _to_other_procedure(stage: Stage) -> Stage:
    """Returns sequential offers in place of an offer to all, and the reverse."""
    if isinstance(stage, OpenList | Designated):
        return stage
    values = {name: getattr(stage, name) for name in type(stage).model_fields if name in _KEPT}
    if isinstance(stage, OfferToAll):
        return SequentialOffers.model_validate({**values, "procedure": "sequential-offers"})
    return OfferToAll.model_validate({**values, "procedure": "offer-to-all"})


def _hold_back(_: Choices, __: FrameworkDefinition) -> dict[str, object]:
    return {"in_force_from": A_MONDAY + timedelta(days=2)}


def _find_words(definition: FrameworkDefinition) -> Words:
    return Words(
        lots=definition.lots,
        areas=definition.areas,
        service_types=tuple(each.service_type for each in definition.service_types),
        tiers=tuple(each.tier for each in definition.tiers),
        routes=definition.routes,
        skills=definition.skills,
        has_circumstance=bool(definition.circumstances),
        has_travel_band=bool(definition.travel_bands),
        list_groups=definition.list_groups,
    )


_KEPT: Final = {"stage", "when", "to", "calls_before_expiry", "exhausted", "order"}
_CHANGES: Final[Sequence[Callable[[Choices, FrameworkDefinition], dict[str, object]]]] = (
    _change_prices,
    _change_hours,
    _proclaim_holiday,
    _drop_stage,
    _insert_stage,
    _change_procedure,
    _hold_back,
)
