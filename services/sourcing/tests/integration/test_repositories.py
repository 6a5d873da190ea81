"""One suite for searches in memory and in PostgreSQL: whatever can happen to a search, what was saved is loaded."""

import base64
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from functools import partial
from operator import attrgetter
from typing import cast
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings

from contracts.catalogue import PACKAGES
from contracts.example_words import InadequateReasons, Variations
from contracts.ids import PackageId
from contracts.values import Channel, Rating
from service_runtime.heartbeat import OutageLog
from service_runtime.postgres.database import Database
from service_runtime.unit_of_work.executor import Executor
from service_runtime.unit_of_work.streams import StreamKey
from service_runtime.unit_of_work.wakeups import Wakeups
from service_runtime.webhooks.secret_box import SecretBox
from sourcing.domain.search import Search, SearchStatus
from sourcing.domain.steps import TimerKind
from sourcing.domain.triggers import Outage, OutageOver
from sourcing.ports import Searches
from sourcing.store import TABLES
from sourcing.store.last_awards import LastAwards
from sourcing.store.offer_index import OfferIndex
from sourcing.store.placements import PlacedHours
from sourcing.store.searches import SAVE_SEARCHES, SEARCH_STATE
from sourcing.store.work import PostgresSourcingWork
from testkit.clocks import FixedClock
from testkit.databases import a_database, fetch_rows
from testkit.servers import TestPostgres
from testkit.sourcing.builders import a_known_provider, a_market, a_withdrawal, on_monday
from testkit.sourcing.fakes import InMemorySearches
from testkit.sourcing.search_driver import SearchDriver, an_open_package
from testkit.sourcing.strategies import draw_officers_search, draw_search
from testkit.units_of_work import EachCallAlone

pytestmark = pytest.mark.xdist_group("sourcing")
TEXT_KEY = base64.b64encode(bytes(32)).decode()

OpenSearches = Callable[[], AbstractAsyncContextManager[Searches]]
"""Empty searches, deleted at the end. Each call is a unit of work of its own."""


@pytest.fixture(scope="module")
async def database(postgres: TestPostgres) -> AsyncGenerator[Database]:
    async with a_database(postgres, TABLES, name="searches") as made:
        yield made


@pytest.fixture(scope="module", params=["memory", "postgres"])
def open_searches(request: pytest.FixtureRequest, database: Database) -> OpenSearches:
    @asynccontextmanager
    async def open_memory() -> AsyncGenerator[Searches]:
        yield InMemorySearches()

    def build_executor() -> Executor[PostgresSourcingWork]:
        return Executor(
            service="sourcing",
            database=database,
            clock=FixedClock(on_monday("09:00")),
            unit_of_work=partial(
                PostgresSourcingWork,
                placed_hours=PlacedHours(database),
                last_awards=LastAwards(database),
                outage_log=OutageLog(database),
                offer_index=OfferIndex(),
                secret_box=SecretBox([TEXT_KEY]),
            ),
            wakeups=Wakeups(),
            states=(SEARCH_STATE,),
            save_rows=SAVE_SEARCHES,
        )

    def choose_stream(subject: object, **_: object) -> StreamKey:
        return StreamKey(PACKAGES, str(getattr(subject, "package_id", subject)))

    @asynccontextmanager
    async def open_postgres() -> AsyncGenerator[Searches]:
        try:
            yield cast("Searches", EachCallAlone(build_executor, attrgetter("searches"), choose_stream))
        finally:
            tables = "searches, offers, placements, list_rows, work_items, competitions, competition_texts, streams"
            await fetch_rows(database, f"TRUNCATE {tables}")

    return open_memory if request.param == "memory" else open_postgres


async def assert_round_trip(searches: Searches, history: Sequence[Search]) -> None:
    """Saves each state over the one that was loaded before, and finds it again."""
    before: Search | None = None
    for search in history:
        await searches.save(search, before=before)
        before = await searches.get(search.package_id)
        assert before == search


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(driver=draw_search())
async def test_the_search_that_was_saved_is_the_search_that_is_loaded(
    open_searches: OpenSearches, driver: SearchDriver
) -> None:
    async with open_searches() as searches:
        await assert_round_trip(searches, driver.history)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(driver=draw_officers_search())
async def test_a_search_in_which_officers_act_is_loaded_as_it_was_saved(
    open_searches: OpenSearches, driver: SearchDriver
) -> None:
    async with open_searches() as searches:
        await assert_round_trip(searches, driver.history)


async def test_what_was_never_saved_is_not_there(open_searches: OpenSearches) -> None:
    async with open_searches() as searches:
        assert await searches.get(PackageId(uuid4())) is None


async def test_searches_of_several_packages_are_kept_apart(open_searches: OpenSearches) -> None:
    one = SearchDriver(a_market("Alder")).request().current
    other = replace(one, package_id=PackageId(uuid4()), offers=())
    async with open_searches() as searches:
        await searches.save(one, before=None)
        await searches.save(other, before=None)
        assert (await searches.get(one.package_id), await searches.get(other.package_id)) == (one, other)


def build_redirected_search() -> SearchDriver:
    """By webhook in vain, by mail in vain, then one call."""
    alder = a_known_provider("Alder", channels=(Channel.WEBHOOK, Channel.EMAIL))
    driver = SearchDriver(a_market("Alder", overrides=[alder])).request()
    driver.fail_delivery(at=on_monday("09:02"))
    driver.fire_timer(TimerKind.DELIVERY_OVERDUE)
    driver.record_call("Alder")
    assert (driver.live_offer.channel, driver.live_offer.calls) == (Channel.PHONE, 1)
    return driver


def build_extended_search() -> SearchDriver:
    driver = SearchDriver(a_market("Alder")).request()
    driver.deliver()
    for down, up in (("09:05", "09:15"), ("09:20", "09:50")):
        driver.outages = (*driver.outages, Outage(on_monday(down), on_monday(up)))
        driver.handle(OutageOver(), at=on_monday(up))
    assert driver.live_offer.outages_counted_to == on_monday("09:50")
    return driver


def build_awarded_search() -> SearchDriver:
    """One proposal replaced, one rated Inadequate that waits for a second officer, then placed, then voided."""
    spruce = a_known_provider("Spruce", tiers=(), spot=True, rating=Rating.INADEQUATE)
    driver = an_open_package(spruce, a_known_provider("Sorrel", tiers=(), spot=True))
    driver.fire_timer(TimerKind.LISTED_TOO_LONG)
    driver.propose("Sorrel", "28.00")
    driver.propose("Spruce", "31.00", Variations.SHARED, Variations.OTHER_TIMES, can_start_on=on_monday("09:00").date())
    driver.propose("Sorrel", "27.05")
    driver.award("Spruce", inadequate_reason=InadequateReasons.CONTINUITY)
    driver.approve()
    driver.handle(a_withdrawal())
    assert driver.current.status is SearchStatus.STOPPED
    return driver


@pytest.mark.parametrize("driver", [build_redirected_search, build_extended_search, build_awarded_search])
async def test_each_turn_of_the_road_is_kept(open_searches: OpenSearches, driver: Callable[[], SearchDriver]) -> None:
    async with open_searches() as searches:
        await assert_round_trip(searches, driver().history)
