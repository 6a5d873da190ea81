"""A rehearsal: the same referrals through two definitions on the pure engine."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, time, timedelta
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from contracts.definitions import read_definition
from contracts.errors import InvalidInput
from contracts.framework.definition import FrameworkDefinition
from contracts.office_time import LONDON
from simulator.rehearsal.__main__ import RehearsalTask, run_task
from simulator.rehearsal.engine import PackageResult, Rehearsal
from simulator.rehearsal.figures import Figures
from simulator.rehearsal.market import RehearsalMarket, build_market, draw_providers
from simulator.rehearsal.referrals import (
    NothingInCommon,
    RehearsalReferral,
    generate_referrals,
    read_referrals,
    to_json_lines,
)
from simulator.rehearsal.report import draw_charts, list_rows

FRAMEWORKS = Path(__file__).parents[4] / "frameworks"
FIRST_DAY = date(2026, 1, 12)


def read(name: str, *changes: tuple[str, str]) -> FrameworkDefinition:
    text = (FRAMEWORKS / f"{name}.yaml").read_text()
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    return read_definition(text, source=name)


ESSEX = read("essex-live-at-home-2025")
LEICESTERSHIRE = read("leicestershire-home-care")
OXFORDSHIRE = read("oxfordshire-live-well-at-home")


def draw_referrals(definition: FrameworkDefinition, count: int = 120) -> Sequence[RehearsalReferral]:
    return generate_referrals([definition], count=count, seed=5, first_day=FIRST_DAY)


def a_market(definition: FrameworkDefinition, referrals: Sequence[RehearsalReferral]) -> RehearsalMarket:
    demand = sum((each.weekly_hours for each in referrals), Decimal(0))
    providers = draw_providers([area.code for area in definition.areas], seed=5)
    return build_market(definition, providers, demand=demand, joined_on=FIRST_DAY - timedelta(days=1))


def rehearse(definition: FrameworkDefinition, referrals: Sequence[RehearsalReferral]) -> Sequence[PackageResult]:
    return Rehearsal(a_market(definition, referrals), seed=5).run(referrals)


def run(definition: FrameworkDefinition, referrals: Sequence[RehearsalReferral]) -> Figures:
    lines = tuple(each.model_dump_json() for each in referrals)
    areas = tuple(area.code for area in definition.areas)
    return run_task(RehearsalTask(definition.model_dump_json(), lines, areas, 5))


@pytest.mark.parametrize("definition", [ESSEX, LEICESTERSHIRE, OXFORDSHIRE], ids=lambda each: each.framework)
def test_every_councils_packages_are_placed_by_its_own_stages(definition: FrameworkDefinition) -> None:
    referrals = draw_referrals(definition)
    results = rehearse(definition, referrals)
    assert len(results) == len(referrals)
    assert all(each.served for each in results)
    placed = [each for each in results if each.placed_at is not None]
    assert len(placed) > len(referrals) / 2
    assert {each.stage for each in placed} <= {stage.stage for stage in definition.sourcing}
    assert all(each.placed_at is not None and each.placed_at > each.requested_at for each in placed)


def test_what_tier_1_ticks_and_what_lists_offer_is_placed_by_lists() -> None:
    results = rehearse(
        ESSEX,
        draw_referrals(read("essex-live-at-home-2025", ("providers_per_area: 10 ", "providers_per_area: 2 ")), 300),
    )
    stages = {stage: [each for each in results if each.stage == stage] for stage in {each.stage for each in results}}
    assert {"tier-1", "batching-list", "tier-2", "available-packages"} <= set(stages)
    for each in stages["batching-list"]:
        assert each.placed_at is not None
        assert each.placed_at.astimezone(LONDON).time() > time(10)
    for each in stages["available-packages"]:
        assert each.placed_at is not None
        # The first list goes out at 12:00, and officers award a day after it.
        assert each.placed_at.astimezone(LONDON).time() >= time(12)


def test_the_same_seed_gives_the_same_results() -> None:
    referrals = draw_referrals(LEICESTERSHIRE, 40)
    assert rehearse(LEICESTERSHIRE, referrals) == rehearse(LEICESTERSHIRE, referrals)


def test_a_smaller_tier_1_places_less_in_tier_1_and_nothing_else_differs_in_the_market() -> None:
    smaller = read("essex-live-at-home-2025", ("providers_per_area: 10 ", "providers_per_area: 2 "))
    referrals = draw_referrals(ESSEX, 200)
    before, after = run(ESSEX, referrals), run(smaller, referrals)
    assert after.placed_share_by_tier["tier-1"] < before.placed_share_by_tier["tier-1"] / 1.5
    assert after.placed_share_by_tier["tier-2"] > before.placed_share_by_tier["tier-2"] * 2
    assert (before.referrals, before.served) == (after.referrals, after.served) == (200, 200)


def test_a_provider_is_never_placed_beyond_its_free_hours_by_offers() -> None:
    referrals = draw_referrals(ESSEX, 200)
    market = a_market(ESSEX, referrals)
    free = {provider: facts.free_hours for provider, facts in market.facts.items()}
    results = Rehearsal(market, seed=5).run(referrals)
    used = dict.fromkeys(free, Decimal(0))
    for each in results:
        if each.tier is not None and each.provider_id is not None:
            provider = next(key for key in free if key == each.provider_id)
            used[provider] += each.weekly_hours
    assert all(hours <= (free[provider] or 0) for provider, hours in used.items())


def test_referrals_of_a_file_are_read_in_the_order_of_their_instants(tmp_path: Path) -> None:
    referrals = draw_referrals(ESSEX, 10)
    file = tmp_path / "referrals.jsonl"
    file.write_text(to_json_lines(list(reversed(referrals))) + "\n")
    assert list(read_referrals(file)) == list(referrals)


def test_a_wrong_line_of_a_file_is_named(tmp_path: Path) -> None:
    line = json.loads(draw_referrals(ESSEX, 1)[0].model_dump_json())
    file = tmp_path / "referrals.jsonl"
    file.write_text(f"{json.dumps(line)}\n{json.dumps({**line, 'starts_on': 'soon'})}\n")
    with pytest.raises(InvalidInput) as refused:
        read_referrals(file)
    assert "line 2" in str(refused.value)
    assert "soon" not in str(refused.value)


def test_definitions_that_serve_nothing_in_common_are_refused() -> None:
    with pytest.raises(NothingInCommon):
        generate_referrals([ESSEX, LEICESTERSHIRE], count=1, seed=1, first_day=FIRST_DAY)


def test_a_referral_that_a_definition_does_not_serve_is_counted_and_not_placed() -> None:
    (referral,) = draw_referrals(ESSEX, 1)
    figures = run(LEICESTERSHIRE, [referral])
    assert (figures.referrals, figures.served, figures.placed) == (1, 0, 0)


def test_the_report_has_a_row_for_each_tier_and_a_well_formed_picture() -> None:
    referrals = draw_referrals(ESSEX, 60)
    results = [run(ESSEX, referrals), replace(run(ESSEX, referrals), framework="<other> & more")]
    rows = {row[0]: row[1:] for row in list_rows(results)}
    assert rows["Referrals"] == ("60", "60")
    assert rows["Placed by tier-1"][0].endswith("%")
    picture = draw_charts(results)
    assert ET.fromstring(picture).tag.endswith("svg")
    assert "&lt;other&gt; &amp; more" in picture
