"""One suite for searches in memory and in PostgreSQL: whatever can happen to a search, what was saved is loaded."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import replace
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings

from contracts.events.listings import InadequateReason, Variation
from contracts.ids import CouncilKey, PackageId
from contracts.values import Channel, Rating
from service_runtime.postgres.database import Database
from sourcing.domain.search import Search, SearchStatus
from sourcing.domain.steps import AlarmKind
from sourcing.domain.triggers import Outage, OutageOver
from sourcing.ports import Searches
from sourcing.store import TABLES
from sourcing.store.searches import PostgresSearches
from testkit.databases import a_database
from testkit.servers import TestPostgres
from testkit.sourcing.builders import Story, a_market, a_withdrawal, an_open_package, facts_about, monday
from testkit.sourcing.fakes import InMemorySearches
from testkit.sourcing.strategies import stories

pytestmark = pytest.mark.xdist_group("sourcing")

OpenSearches = Callable[[], AbstractAsyncContextManager[Searches]]
"""Empty searches, forgotten at the end."""


@pytest.fixture(scope="module")
async def database(postgres: TestPostgres) -> AsyncGenerator[Database]:
    async with a_database(postgres, TABLES, name="searches") as made:
        yield made


@pytest.fixture(scope="module", params=["memory", "postgres"])
def open_searches(request: pytest.FixtureRequest, database: Database) -> OpenSearches:
    @asynccontextmanager
    async def in_memory() -> AsyncGenerator[Searches]:
        yield InMemorySearches()

    @asynccontextmanager
    async def in_postgres() -> AsyncGenerator[Searches]:
        with suppress(UndoneAgain):
            async with database.transaction() as connection:
                yield PostgresSearches(connection, CouncilKey("invented-council"), monday("09:00"))
                raise UndoneAgain

    return in_memory if request.param == "memory" else in_postgres


class UndoneAgain(Exception):
    """Nothing of this is kept."""


async def assert_kept(searches: Searches, history: Sequence[Search]) -> None:
    """Saves each state over the one that was loaded before, and finds it again."""
    before: Search | None = None
    for search in history:
        await searches.save(search, before=before)
        before = await searches.get(search.package_id)
        assert before == search


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(story=stories())
async def test_the_search_that_was_saved_is_the_search_that_is_loaded(
    open_searches: OpenSearches, story: Story
) -> None:
    async with open_searches() as searches:
        await assert_kept(searches, story.history)


async def test_what_was_never_saved_is_not_there(open_searches: OpenSearches) -> None:
    async with open_searches() as searches:
        assert await searches.get(PackageId(uuid4())) is None


async def test_searches_of_several_packages_are_kept_apart(open_searches: OpenSearches) -> None:
    one = Story(a_market("Alder")).requested().known
    other = replace(one, package_id=PackageId(uuid4()), offers=())
    async with open_searches() as searches:
        await searches.save(one, before=None)
        await searches.save(other, before=None)
        assert (await searches.get(one.package_id), await searches.get(other.package_id)) == (one, other)


def redirected_and_called() -> Story:
    """By webhook in vain, by mail in vain, then one call."""
    alder = facts_about("Alder", channels=(Channel.WEBHOOK, Channel.EMAIL))
    story = Story(a_market("Alder", but=[alder])).requested()
    story.undeliverable(at=monday("09:02"))
    story.rings(AlarmKind.DELIVERY_OVERDUE)
    story.called("Alder")
    assert (story.live_offer.channel, story.live_offer.calls) == (Channel.PHONE, 1)
    return story


def extended_twice() -> Story:
    story = Story(a_market("Alder")).requested()
    story.delivered()
    for down, up in (("09:05", "09:15"), ("09:20", "09:50")):
        story.outages = (*story.outages, Outage(monday(down), monday(up)))
        story.happens(OutageOver(), at=monday(up))
    assert story.live_offer.outages_counted_to == monday("09:50")
    return story


def proposed_for_and_awarded_by_two() -> Story:
    """One proposal replaced, one rated Inadequate that waits for a second officer, then placed, then voided."""
    spruce = facts_about("Spruce", tiers=(), spot=True, rating=Rating.INADEQUATE)
    story = an_open_package(spruce, facts_about("Sorrel", tiers=(), spot=True))
    story.rings(AlarmKind.LISTED_TOO_LONG)
    story.proposes("Sorrel", "28.00")
    story.proposes("Spruce", "31.00", Variation.SHARED, Variation.OTHER_TIMES, can_start_on=monday("09:00").date())
    story.proposes("Sorrel", "27.05")
    story.awards("Spruce", inadequate_reason=InadequateReason.CONTINUITY)
    story.approved()
    story.happens(a_withdrawal())
    assert story.known.status is SearchStatus.STOPPED
    return story


@pytest.mark.parametrize("story", [redirected_and_called, extended_twice, proposed_for_and_awarded_by_two])
async def test_each_turn_of_the_road_is_kept(open_searches: OpenSearches, story: Callable[[], Story]) -> None:
    async with open_searches() as searches:
        await assert_kept(searches, story().history)
