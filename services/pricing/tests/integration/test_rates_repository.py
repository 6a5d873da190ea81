"""Published matrices and selected rates: one suite over the repositories in memory and on PostgreSQL."""

from datetime import timedelta

import pytest

from contracts.examples import COUNCIL, FRAMEWORK
from contracts.ids import AreaCode, CouncilKey, FrameworkKey
from pricing.ports import SelectionFilter
from testkit.pricing.builders import (
    TODAY,
    a_matrix,
    a_rate_scope,
    a_selection,
    to_provider_id,
)
from testkit.pricing.repositories import Repositories

ANOTHER = CouncilKey("another")
TOMORROW = TODAY + timedelta(days=1)


async def test_the_latest_version_of_a_framework_is_found(repositories: Repositories) -> None:
    async with repositories.open_work() as work:
        assert await work.frameworks.find_latest(FRAMEWORK) is None
    for version in (1, 2):
        await repositories.add_definition(a_matrix(version=version))
    async with repositories.open_work() as work:
        assert await work.frameworks.find_latest(FRAMEWORK) == a_matrix(version=2)


async def test_a_councils_matrices_are_listed_newest_version_first(repositories: Repositories) -> None:
    for version in (1, 2, 10):
        await repositories.add_definition(a_matrix(version=version))
    await repositories.add_definition(a_matrix(framework="a-second-one"))
    await repositories.add_definition(a_matrix(framework="a-foreign-one", council=ANOTHER))
    listed = await repositories.queries.list_matrices(COUNCIL, None)
    assert [(each.framework, each.version) for each in listed] == [
        ("a-second-one", 1),
        (FRAMEWORK, 10),
        (FRAMEWORK, 2),
        (FRAMEWORK, 1),
    ]
    assert [each.version for each in await repositories.queries.list_matrices(COUNCIL, FRAMEWORK)] == [10, 2, 1]
    assert await repositories.queries.list_matrices(COUNCIL, FrameworkKey("a-foreign-one")) == []


async def test_selections_are_sorted_by_day_and_replace_those_of_the_same_day(repositories: Repositories) -> None:
    async with repositories.open_work() as work:
        assert await work.rates.list_selections(a_rate_scope()) == ()
        for selection in (a_selection(TOMORROW), a_selection(TODAY), a_selection(TOMORROW, number=3)):
            await work.rates.save_selection(a_rate_scope(), selection)
        assert await work.rates.list_selections(a_rate_scope()) == (a_selection(TODAY), a_selection(TOMORROW, number=3))
        assert await work.rates.list_selections(a_rate_scope("Birch")) == ()
        assert await work.rates.list_selections(a_rate_scope(area=AreaCode("E07000076"))) == ()
    seen = await repositories.queries.find_selections(a_rate_scope(), COUNCIL)
    assert seen is not None
    assert seen.selections == (a_selection(TODAY), a_selection(TOMORROW, number=3))
    assert await repositories.queries.find_selections(a_rate_scope("Birch"), COUNCIL) is None
    assert await repositories.queries.find_selections(a_rate_scope(), ANOTHER) is None


async def test_a_councils_selections_are_listed_newest_first_page_by_page(repositories: Repositories) -> None:
    for minute, name in enumerate(("Alder", "Birch", "Cedar", "Alder", "Birch")):
        async with repositories.open_work(minute=minute) as work:
            await work.rates.save_selection(a_rate_scope(name), a_selection(TODAY + timedelta(days=minute)))
    async with repositories.open_work(ANOTHER) as work:
        await work.rates.save_selection(a_rate_scope(framework=FrameworkKey("a-foreign-one")), a_selection(TODAY))

    first = await repositories.queries.list_selections(COUNCIL, SelectionFilter(), after=None, limit=3)
    after = (first[-1].selected_at, first[-1].selection_id)
    rest = await repositories.queries.list_selections(COUNCIL, SelectionFilter(), after=after, limit=3)
    assert [(each.selection.valid_from - TODAY).days for each in (*first, *rest)] == [4, 3, 2, 1, 0]


@pytest.mark.parametrize(
    ("filters", "days"),
    [
        (SelectionFilter(provider_id=to_provider_id("Alder")), [1, 0]),
        (SelectionFilter(area=AreaCode("E07000076")), [2, 1]),
        (SelectionFilter(framework=FrameworkKey("a-second-one")), [3]),
        (SelectionFilter(provider_id=to_provider_id("Alder"), area=AreaCode("E07000076")), [1]),
        (SelectionFilter(provider_id=to_provider_id("Dogwood")), []),
    ],
)
async def test_selections_are_filtered_by_provider_framework_and_area(
    repositories: Repositories, filters: SelectionFilter, days: list[int]
) -> None:
    tendring = AreaCode("E07000076")
    scopes = (
        a_rate_scope("Alder"),
        a_rate_scope("Alder", area=tendring),
        a_rate_scope("Birch", area=tendring),
        a_rate_scope("Birch", framework=FrameworkKey("a-second-one")),
    )
    for minute, scope in enumerate(scopes):
        async with repositories.open_work(minute=minute) as work:
            await work.rates.save_selection(scope, a_selection(TODAY + timedelta(days=minute)))
    found = await repositories.queries.list_selections(COUNCIL, filters, after=None, limit=10)
    assert [(each.selection.valid_from - TODAY).days for each in found] == days


async def test_the_current_selection_of_each_provider_and_area_is_listed_newest_first(
    repositories: Repositories,
) -> None:
    tendring = AreaCode("E07000076")
    begins = (
        (a_rate_scope("Alder"), -7),
        (a_rate_scope("Alder"), -30),
        (a_rate_scope("Alder"), 1),
        (a_rate_scope("Alder", area=tendring), 0),
        (a_rate_scope("Birch"), 1),
        (a_rate_scope("Cedar", framework=FrameworkKey("a-second-one")), 0),
    )
    for minute, (scope, day) in enumerate(begins):
        async with repositories.open_work(minute=minute) as work:
            await work.rates.save_selection(scope, a_selection(TODAY + timedelta(days=day)))
    async with repositories.open_work(ANOTHER) as work:
        await work.rates.save_selection(a_rate_scope("Dogwood"), a_selection(TODAY))
    found = await repositories.queries.list_current_selections(COUNCIL, FRAMEWORK, TODAY)
    assert [(each.scope, (each.selection.valid_from - TODAY).days) for each in found] == [
        (a_rate_scope("Alder", area=tendring), 0),
        (a_rate_scope("Alder"), -7),
    ]
