"""Two definitions are compared, and every difference says what changes for whom."""

from collections.abc import Callable
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any, TypeVar

import pytest
from pydantic import BaseModel

from contracts.example_words import LOT, Routes, Tiers, Units
from contracts.examples import a_definition, some_prices, some_reasons
from contracts.framework.brokerage import BankHolidayOverride, BrokerageTime
from contracts.framework.definition import FrameworkDefinition
from contracts.framework.life import Joining, JoiningMode
from contracts.framework.prices import RatesSetBy
from contracts.framework.stages import Conditions, Designated, OpenList, Recipients
from contracts.framework.tiers import Tier
from contracts.framework.words import Area, ListGroup, Lot, Reason, Route, TravelBand
from contracts.ids import AreaCode, BandKey, GroupKey, ReasonKey
from contracts.review.changes import Change
from contracts.review.comparison import compare_definitions, render_comparison
from contracts.values import UnitKind
from testkit.council_examples import a_definition_with_lots, a_definition_with_zones

WordT = TypeVar("WordT", bound=BaseModel)
Build = Callable[..., FrameworkDefinition]
HOLIDAYS = (date(2026, 12, 25),)


def _compare(build: Build = a_definition, **changed: object) -> list[str]:
    return [str(change) for change in compare_definitions(build(), build(**changed))]


def _change_stage(definition: FrameworkDefinition, position: int, **changed: object) -> dict[str, object]:
    stages = list(definition.sourcing)
    values: dict[str, Any] = {**stages[position].model_dump(), **changed}  # a stage's own values, of many types
    stages[position] = type(stages[position]).model_validate(values)
    return {"sourcing": tuple(stages)}


def test_a_definition_compared_with_itself_changes_nothing() -> None:
    for build in (a_definition, a_definition_with_lots, a_definition_with_zones):
        assert _compare(build) == []
    assert render_comparison(a_definition(), a_definition(version=2)) == (
        "# From amberside-home-care-2025 version 1 to amberside-home-care-2025 version 2\n\nNothing changes.\n"
    )


def test_another_road_names_the_packages_that_take_it() -> None:
    last = Designated(stage="tier-2", procedure="designated", to=Recipients(tiers=(Tiers.ONE,)))
    changes = _compare(sourcing=(*a_definition().sourcing, last))
    assert changes[0] == (
        "Road: tier-1 becomes tier-1 → tier-2. Concerns Personal care, Night sleep and Live in, in Colchester, by "
        "Community, Hospital discharge and Crisis."
    )


def test_packages_of_a_new_area_are_newly_served_and_those_of_an_old_one_not_any_more() -> None:
    more = (*a_definition().areas, Area(code=AreaCode("x-1"), name="Harlow"))
    assert _compare(areas=more)[0].startswith("Road: these packages are newly served: tier-1. Concerns Personal care")
    gone = compare_definitions(a_definition(areas=more), a_definition())
    assert gone[0].text == "these packages are not served any more; their road was tier-1."
    assert "in Harlow" in gone[0].concerns
    assert str(gone[1]) == "Areas: Harlow not any more."


def test_a_stage_tells_the_sentences_that_differ_and_for_whom() -> None:
    changed = _change_stage(a_definition(), 0, answer_within={"phone": timedelta(minutes=20)})
    (change,) = compare_definitions(a_definition(), a_definition(**changed))
    assert change.about == "Stage tier-1"
    assert "15 minutes by telephone, counted from delivery. Now: Each has" in change.text
    assert "20 minutes by telephone" in change.text
    assert "ranked list" not in change.text
    assert change.concerns.startswith("Personal care, Night sleep and Live in, in Colchester")


def test_a_setting_that_no_sentence_names_is_named() -> None:
    zones = a_definition_with_zones()
    exception = zones.get_stage("exception")
    assert isinstance(exception, OpenList)
    ceilings = [{**each.model_dump(), "rate": Decimal("35.00")} for each in exception.ceilings]
    changed = _change_stage(zones, 2, ceilings=ceilings)
    (change,) = compare_definitions(zones, a_definition_with_zones(**changed))
    assert (change.about, change.text) == ("Stage exception", "ceilings changed.")


def test_a_stage_that_is_meant_for_other_packages_says_so() -> None:
    changed = _change_stage(a_definition(), 0, when=Conditions(routes=(Routes.CRISIS,)))
    changes = _compare(a_definition, **changed)
    assert "Stage tier-1: was meant for all packages, now for route Crisis." in changes
    assert changes[0].startswith("Road: tier-1 becomes no stage. Concerns ")


def test_a_route_that_becomes_urgent_is_one_change_and_no_new_package() -> None:
    routes = tuple(
        Route(route=each.route, title=each.title, urgent=True) if each.route == Routes.COMMUNITY else each
        for each in a_definition().routes
    )
    assert _compare(routes=routes) == ["Routes, Community: urgent was false, now true."]


def _update(words: tuple[WordT, ...], **changed: object) -> tuple[WordT, ...]:
    """Returns the words, the last one with other values."""
    return (*words[:-1], words[-1].model_copy(update=changed))


ZONES, USUAL = a_definition_with_zones(), a_definition()
WORDS: dict[str, tuple[Build, dict[str, object], str]] = {
    "whether a skill bars": (
        a_definition,
        {"skills": _update(USUAL.skills, required=True)},
        "Skills, Peg feeding: required was false, now true.",
    ),
    "the kind of a unit": (
        a_definition,
        {"units": _update(USUAL.units, kind=UnitKind.WEEK)},
        "Units, episode: kind was episode, now week.",
    ),
    "the title of a route": (
        a_definition,
        {"routes": _update(USUAL.routes, title="Emergency")},
        "Routes, Emergency: title was Crisis, now Emergency.",
    ),
    "the neighbours of an area": (
        a_definition_with_zones,
        {"areas": _update(ZONES.areas, neighbours=())},
        "Areas, West: neighbours was east, now nothing.",
    ),
    "the fewest providers of an area": (
        a_definition_with_zones,
        {"areas": _update(ZONES.areas, fewest_providers=3)},
        "Areas, West: fewest providers was 2, now 3.",
    ),
    "a group of lists": (
        a_definition,
        {"list_groups": (ListGroup(group=GroupKey("all"), title="All"),)},
        "Groups of ranked lists: All new.",
    ),
    "a travel band": (
        a_definition,
        {"travel_bands": (TravelBand(band=BandKey("far"), title="Far", outward_codes=("CO5",)),)},
        "Travel bands: Far new.",
    ),
    "the routes of a lot": (
        a_definition,
        {"lots": (Lot(lot=LOT, title="Home care", routes=(Routes.CRISIS,)),)},
        "Lots, Home care: routes was nothing, now crisis.",
    ),
    "a reason to decline": (
        a_definition,
        {"reasons": some_reasons(decline=(Reason(reason=ReasonKey("full"), title="Full"),))},
        "Reasons to decline: Full new.",
    ),
    "the reasons to refuse a price": (
        a_definition,
        {"reasons": some_reasons(price_refusal=())},
        "Reasons to refuse a price: Too high, Cheaper proposal, Wait for others not any more.",
    ),
    "the order of the service types": (
        a_definition,
        {"service_types": tuple(reversed(USUAL.service_types))},
        "Service types: in another order: Live in, Night sleep, Personal care.",
    ),
    "the rules of a tier": (
        a_definition,
        {"tiers": (Tier(tier=Tiers.ONE, title="Tier 1", providers_per_area=12),)},
        (
            "Tier 1: was: at most 10 providers an area; CQC overall Good or better. Now: at most 12 providers an area; "
            "no entry rule. Concerns its providers and applicants."
        ),
    ),
    "a tier": (
        a_definition,
        {"tiers": (*USUAL.tiers, Tier(tier=Tiers.TWO, title="Tier 2"))},
        "Tiers: Tier 2 new.",
    ),
    "a price": (
        a_definition,
        {
            "prices": some_prices(
                matrix=tuple(
                    line.model_copy(update={"rate": Decimal("25.00")}) if line.unit == Units.HOUR else line
                    for line in some_prices().matrix
                )
            )
        },
        (
            "Price of Personal care: £24.10 for each hour becomes £25.00 for each hour. Concerns offers made from the "
            "version's first day on."
        ),
    ),
    "the price list": (
        a_definition,
        {"prices": some_prices(price_list="invented-2")},
        "Price list: invented-1 becomes invented-2.",
    ),
    "who sets the rates": (
        a_definition,
        {"prices": some_prices(rates_set_by=RatesSetBy.SELECTION)},
        (
            "Life of the framework: was: All providers are paid the framework's rates. Now: Each provider selects its "
            "rates from the matrix."
        ),
    ),
    "the hours of the office": (
        a_definition,
        {"brokerage": BrokerageTime(bank_holidays=HOLIDAYS, closes=time(18, 0))},
        (
            "Brokerage time: 08:30 to 17:00 on MON, TUE, WED, THU, FRI (Europe/London) becomes 08:30 to 18:00 on MON, "
            "TUE, WED, THU, FRI (Europe/London). Concerns every deadline of a package that is not urgent."
        ),
    ),
    "the time zone": (
        a_definition,
        {"brokerage": BrokerageTime(bank_holidays=HOLIDAYS, timezone="Europe/Paris")},
        "(Europe/Paris)",
    ),
    "a bank holiday and an override": (
        a_definition,
        {
            "brokerage": BrokerageTime(
                bank_holidays=(), overrides=(BankHolidayOverride(day=date(2026, 3, 2), closed=True, name="Closed"),)
            )
        },
        "Bank holidays: 2026-03-02, 2026-12-25 count differently. Concerns deadlines on these days.",
    ),
    "how providers join": (
        a_definition,
        {"joining": Joining(mode=JoiningMode.OPEN)},
        (
            "Life of the framework: was: It is closed: no place begins after its start, save by a variation of two "
            "people. Now: Providers may join at any time."
        ),
    ),
}


@pytest.mark.parametrize("case", WORDS)
def test_a_difference_is_told(case: str) -> None:
    build, changed, text = WORDS[case]
    assert any(text in change for change in _compare(build, **changed)), _compare(build, **changed)


COMPARED = frozenset(FrameworkDefinition.model_fields) - {"framework", "version", "title", "source", "assumed"}
"""What holds for somebody; names and sources of a definition do not."""


def test_every_section_of_a_definition_is_compared() -> None:
    different = a_definition_with_lots(
        council="elsewhere",
        runs_from=date(2025, 11, 10),
        runs_until=date(2031, 11, 9),
        in_force_from=date(2026, 1, 1),
        extensions=({"until": date(2033, 1, 1)},),
    )
    sections = {name for name in COMPARED if getattr(different, name) != getattr(USUAL, name)}
    assert "areas" in sections
    assert "extensions" in sections
    for name in sections:
        only = USUAL.model_copy(update={name: getattr(different, name)})
        assert compare_definitions(USUAL, only), name


def test_a_comparison_is_written_as_a_list() -> None:
    text = render_comparison(a_definition(), a_definition(version=2, prices=some_prices(price_list="invented-2")))
    assert text.endswith("version 2\n\n- **Price list**: invented-1 becomes invented-2.\n")
    assert str(Change("Road", "a becomes b.", "all")) == "Road: a becomes b. Concerns all."
