"""One test suite for the in-memory repositories and those on PostgreSQL."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from operator import attrgetter
from typing import cast

import pytest
import pytest_asyncio

from contracts.catalogue import PACKAGES
from contracts.example_words import LOT, ServiceTypes, WithdrawalReasons
from contracts.examples import COUNCIL, an_id, some_care
from contracts.ids import CouncilKey, PackageId, ProviderId, ReferralId
from referral.domain.earlier_package import EarlierPackage
from referral.domain.referral import HistoryEntry, HistoryKind, Referral, Status
from referral.domain.request import DespiteOpenReferral
from referral.ports import COUNCILS, NotificationTerms, ReferralQueries, Referrals
from referral.store import TABLES
from referral.store.queries import PostgresReferralQueries
from referral.store.referrals import REFERRAL_STATE, SAVE_REFERRALS, OpenReferrals
from referral.store.unit_of_work import PostgresReferralWork
from service_runtime.postgres.database import Database
from service_runtime.unit_of_work.executor import Executor
from service_runtime.unit_of_work.streams import StreamKey
from service_runtime.unit_of_work.wakeups import Wakeups
from service_runtime.webhooks.addresses import AddressRules
from service_runtime.webhooks.endpoint_commands import EndpointRepository
from service_runtime.webhooks.endpoint_health import FailureTerms
from service_runtime.webhooks.endpoint_queries import EndpointState
from service_runtime.webhooks.secret_box import SecretBox
from testkit.clocks import MONDAY_NINE, FixedClock
from testkit.databases import a_database
from testkit.fake_endpoints import InMemoryEndpoints
from testkit.referral.builders import (
    PACKAGE,
    a_referral,
    some_person_details,
    to_provider_id,
)
from testkit.referral.fakes import InMemoryReferralQueries, InMemoryReferrals, ReferralTables
from testkit.servers import TestPostgres
from testkit.units_of_work import EachCallAlone

KEY = "a person's key"
ALDER = to_provider_id("Alder")
URL = "https://council.example/news"
SECRET_BOX = SecretBox(["MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="])


@dataclass(frozen=True)
class Repositories:
    """Repositories and queries over the same data."""

    open_referrals: Callable[[], AbstractAsyncContextManager[Referrals]]
    open_endpoints: Callable[[], AbstractAsyncContextManager[EndpointRepository]]
    queries: ReferralQueries


def make_in_memory_repositories() -> Repositories:
    tables = ReferralTables()

    @asynccontextmanager
    async def open_referrals() -> AsyncGenerator[Referrals]:
        yield InMemoryReferrals(tables)

    @asynccontextmanager
    async def open_endpoints() -> AsyncGenerator[EndpointRepository]:
        yield InMemoryEndpoints(tables.endpoints, MONDAY_NINE)

    return Repositories(open_referrals, open_endpoints, InMemoryReferralQueries(tables))


def make_postgres_repositories(database: Database) -> Repositories:
    """Each call of a repository is a unit of work of its own."""

    def build_executor() -> Executor[PostgresReferralWork]:
        return Executor(
            service="referral",
            database=database,
            clock=FixedClock(),
            unit_of_work=partial(
                PostgresReferralWork,
                secret_box=SECRET_BOX,
                rules=AddressRules(),
                secret_overlap=timedelta(hours=24),
                failure_terms=FailureTerms(COUNCILS),
                notification_terms=NotificationTerms("https://referral.example", timedelta(minutes=2)),
                open_referrals=OpenReferrals(database),
            ),
            wakeups=Wakeups(),
            states=(REFERRAL_STATE,),
            save_rows=SAVE_REFERRALS,
        )

    def choose_stream(subject: object, *_: object, **__: object) -> StreamKey:
        return StreamKey(PACKAGES, str(getattr(subject, "package_id", subject)))

    @asynccontextmanager
    async def open_referrals() -> AsyncGenerator[Referrals]:
        yield cast("Referrals", EachCallAlone(build_executor, attrgetter("referrals"), choose_stream))

    @asynccontextmanager
    async def open_endpoints() -> AsyncGenerator[EndpointRepository]:
        yield cast("EndpointRepository", EachCallAlone(build_executor, attrgetter("endpoints"), choose_stream))

    return Repositories(open_referrals, open_endpoints, PostgresReferralQueries(database))


@pytest_asyncio.fixture(params=["in memory", "on PostgreSQL"])
async def repositories(request: pytest.FixtureRequest, postgres: TestPostgres) -> AsyncGenerator[Repositories]:
    if request.param == "in memory":
        yield make_in_memory_repositories()
        return
    async with a_database(postgres, TABLES, name="referral") as database:
        yield make_postgres_repositories(database)


def another_referral(name: str, **changed: object) -> Referral:
    return a_referral(package_id=PackageId(an_id(name)), referral_id=ReferralId(an_id(f"referral {name}")), **changed)


async def add(repositories: Repositories, *referrals: Referral, key: str = KEY) -> list[ReferralId | None]:
    async with repositories.open_referrals() as repository:
        return [await repository.add(referral, some_person_details(), person_key=key) for referral in referrals]


async def save(repositories: Repositories, referral: Referral) -> None:
    async with repositories.open_referrals() as repository:
        await repository.save(referral)


async def test_a_missing_referral_is_not_found(repositories: Repositories) -> None:
    async with repositories.open_referrals() as repository:
        assert await repository.get(PACKAGE) is None
        assert await repository.get_person_details(PACKAGE) is None
    assert await repositories.queries.find_referral(a_referral().referral_id) is None
    assert await repositories.queries.find_by_package(PACKAGE) is None


async def test_an_added_referral_is_read_back_unchanged(repositories: Repositories) -> None:
    referral = a_referral(despite_open_referral=DespiteOpenReferral.SEPARATE_PACKAGE)
    assert await add(repositories, referral) == [None]
    async with repositories.open_referrals() as repository:
        assert await repository.get(PACKAGE) == referral
        assert await repository.get_person_details(PACKAGE) == some_person_details()
    assert await repositories.queries.find_by_package(PACKAGE) == referral


async def test_changes_are_saved(repositories: Repositories) -> None:
    await add(repositories, a_referral())
    withdrawn = a_referral(
        status=Status.WITHDRAWN, placed_with=to_provider_id("Alder"), withdrawal_reason=WithdrawalReasons.MOVED_AWAY
    )
    await save(repositories, withdrawn)
    assert await repositories.queries.find_by_package(PACKAGE) == withdrawn


async def test_a_second_open_referral_of_a_person_is_not_added_and_the_first_is_returned(
    repositories: Repositories,
) -> None:
    first, second = a_referral(), another_referral("second")
    assert await add(repositories, first, second) == [None, first.referral_id]
    async with repositories.open_referrals() as repository:
        assert await repository.get(second.package_id) is None
        assert await repository.get_person_details(second.package_id) is None


async def test_a_referral_for_another_person_service_or_council_is_added(repositories: Repositories) -> None:
    await add(repositories, a_referral())
    night = some_care(service_type=ServiceTypes.NIGHT_SLEEP)
    assert await add(repositories, another_referral("service", care=night)) == [None]
    assert await add(repositories, another_referral("council", council=CouncilKey("another"))) == [None]
    assert await add(repositories, another_referral("person"), key="another key") == [None]


async def test_a_second_referral_with_a_reason_is_added_and_both_block_a_third(repositories: Repositories) -> None:
    first = a_referral()
    second = another_referral("second", despite_open_referral=DespiteOpenReferral.SEPARATE_PACKAGE)
    assert await add(repositories, first, second) == [None, None]
    await save(repositories, replace(first, status=Status.WITHDRAWN))
    assert await add(repositories, another_referral("third")) == [second.referral_id]


@pytest.mark.parametrize(
    ("changed", "same_person", "provider"),
    [
        ({"status": Status.PLACED, "placed_with": ALDER}, True, ALDER),
        ({"status": Status.PLACED, "placed_with": ALDER}, False, ALDER),
        ({"status": Status.SOURCING}, True, None),
        (
            {
                "status": Status.WITHDRAWAL_REQUESTED,
                "placed_with": ALDER,
                "withdrawal_reason": WithdrawalReasons.MOVED_AWAY,
            },
            True,
            None,
        ),
    ],
)
async def test_an_earlier_package_is_found_with_its_lot_person_and_provider(
    repositories: Repositories, changed: dict[str, object], same_person: bool, provider: ProviderId | None
) -> None:
    await add(repositories, a_referral(**changed))
    key = KEY if same_person else "another key"
    async with repositories.open_referrals() as repository:
        found = await repository.find_earlier_package(PACKAGE, council=COUNCIL, person_key=key)
    assert found == EarlierPackage(PACKAGE, LOT, is_of_same_person=same_person, provider_id=provider)


async def test_an_unknown_package_and_another_councils_are_not_found(repositories: Repositories) -> None:
    await add(repositories, a_referral())
    async with repositories.open_referrals() as repository:
        for package_id, council in ((PackageId(an_id("unknown")), COUNCIL), (PACKAGE, CouncilKey("another"))):
            assert await repository.find_earlier_package(package_id, council=council, person_key=KEY) is None


async def test_a_withdrawn_referral_does_not_block_another(repositories: Repositories) -> None:
    first = a_referral()
    await add(repositories, first)
    await save(repositories, replace(first, status=Status.WITHDRAWN))
    assert await add(repositories, another_referral("second")) == [None]


async def test_history_is_returned_in_the_order_of_insertion(repositories: Repositories) -> None:
    entries = [
        HistoryEntry(HistoryKind.REQUESTED, MONDAY_NINE),
        HistoryEntry(HistoryKind.OFFER_MADE, MONDAY_NINE, stage="tier-1", provider_id=to_provider_id("Alder")),
        HistoryEntry(
            HistoryKind.OFFER_DECLINED,
            MONDAY_NINE - timedelta(hours=1),
            provider_id=to_provider_id("Alder"),
            reason="too far",
        ),
    ]
    await add(repositories, a_referral(), another_referral("other"), key="two people")
    async with repositories.open_referrals() as repository:
        for entry in entries:
            await repository.add_history_entry(PACKAGE, entry)
    details = await repositories.queries.find_referral(a_referral().referral_id)
    assert details is not None
    assert (list(details.history), details.person_details) == (entries, some_person_details())


async def test_a_list_contains_the_councils_referrals_newest_first_in_pages(repositories: Repositories) -> None:
    listed = [
        another_referral(str(number), requested_at=MONDAY_NINE + timedelta(minutes=number // 2)) for number in range(5)
    ]
    for referral in listed:
        await add(repositories, referral, key=str(referral.package_id))
    await add(repositories, another_referral("foreign", council=CouncilKey("another")))
    newest_first = sorted(listed, key=lambda each: (each.requested_at, each.referral_id), reverse=True)
    first = await repositories.queries.list_referrals(COUNCIL, status=None, after=None, limit=3)
    last = first[-1].referral
    rest = await repositories.queries.list_referrals(
        COUNCIL, status=None, after=(last.requested_at, last.referral_id), limit=3
    )
    assert [each.referral for each in (*first, *rest)] == newest_first
    assert {each.reference for each in first} == {"OUR-REFERENCE-1"}


async def test_a_list_can_be_filtered_by_status(repositories: Repositories) -> None:
    await add(repositories, a_referral())
    await add(repositories, another_referral("placed", status=Status.PLACED), key="another")
    placed = await repositories.queries.list_referrals(COUNCIL, status=Status.PLACED, after=None, limit=9)
    assert [each.referral.status for each in placed] == [Status.PLACED]


async def test_a_list_can_be_filtered_by_the_status_listed(repositories: Repositories) -> None:
    await add(repositories, a_referral())
    await save(repositories, a_referral(status=Status.LISTED))
    listed = await repositories.queries.list_referrals(COUNCIL, status=Status.LISTED, after=None, limit=9)
    assert [each.referral.package_id for each in listed] == [PACKAGE]


async def test_a_councils_endpoint_is_read_with_its_url_and_the_reason_if_it_is_disabled(
    repositories: Repositories,
) -> None:
    async with repositories.open_endpoints() as endpoints:
        await endpoints.put(COUNCIL, URL)
    assert await repositories.queries.find_endpoint(COUNCIL) == EndpointState(URL, None)
    assert await repositories.queries.find_endpoint(CouncilKey("another")) is None
    async with repositories.open_endpoints() as endpoints:
        await endpoints.disable(COUNCIL, because="gone")
    assert await repositories.queries.find_endpoint(COUNCIL) == EndpointState(URL, "gone")
