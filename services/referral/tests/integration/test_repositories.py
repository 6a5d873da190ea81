"""One suite over the repositories in memory and on PostgreSQL: a fake that passes it can stand in for the real one."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
import pytest_asyncio

from contracts.examples import an_id, some_care
from contracts.ids import CouncilKey, PackageId, ReferralId
from contracts.values import ServiceType, WithdrawalReason
from referral.domain.intake import DespiteOpenReferral
from referral.domain.referral import HistoryEntry, Referral, Status, What
from referral.ports import Endpoints, EndpointState, ReferralQueries, Referrals
from referral.store import TABLES
from referral.store.queries import PostgresReferralQueries
from referral.store.referrals import PostgresReferrals
from service_runtime.postgres.database import Database
from service_runtime.webhooks.addresses import AddressRules
from service_runtime.webhooks.endpoints import EndpointNotFound
from service_runtime.webhooks.endpoints import Endpoints as StoredEndpoints
from service_runtime.webhooks.secret_box import SecretBox
from testkit.clocks import MONDAY_NINE
from testkit.databases import a_database
from testkit.referral.builders import (
    COUNCIL,
    PACKAGE,
    a_provider_id,
    a_referral,
    some_person_details,
)
from testkit.referral.fakes import InMemoryEndpoints, InMemoryReferralQueries, InMemoryReferrals, Shelf
from testkit.servers import TestPostgres

KEY = "a person's key"
URL = "https://council.example/news"
VAULT = SecretBox(["MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="])


@dataclass(frozen=True)
class Repositories:
    """What writes, in a transaction, and what reads."""

    referrals: Callable[[], AbstractAsyncContextManager[Referrals]]
    endpoints: Callable[[], AbstractAsyncContextManager[Endpoints]]
    ask: ReferralQueries


def in_memory() -> Repositories:
    shelf = Shelf()

    @asynccontextmanager
    async def referrals() -> AsyncGenerator[Referrals]:
        yield InMemoryReferrals(shelf)

    @asynccontextmanager
    async def endpoints() -> AsyncGenerator[Endpoints]:
        yield InMemoryEndpoints(shelf, MONDAY_NINE)

    return Repositories(referrals, endpoints, InMemoryReferralQueries(shelf))


def on_postgres(database: Database) -> Repositories:
    @asynccontextmanager
    async def referrals() -> AsyncGenerator[Referrals]:
        async with database.begin_transaction() as connection:
            yield PostgresReferrals(connection)

    @asynccontextmanager
    async def endpoints() -> AsyncGenerator[Endpoints]:
        async with database.begin_transaction() as connection:
            yield StoredEndpoints(connection, secret_box=VAULT, rules=AddressRules(), now=MONDAY_NINE)

    return Repositories(referrals, endpoints, PostgresReferralQueries(database))


@pytest_asyncio.fixture(params=["in memory", "on PostgreSQL"])
async def kept(request: pytest.FixtureRequest, postgres: TestPostgres) -> AsyncGenerator[Repositories]:
    if request.param == "in memory":
        yield in_memory()
        return
    async with a_database(postgres, TABLES, name="referral") as database:
        yield on_postgres(database)


def another(name: str, **changed: object) -> Referral:
    return a_referral(package_id=PackageId(an_id(name)), referral_id=ReferralId(an_id(f"referral {name}")), **changed)


async def add(kept: Repositories, *referrals: Referral, key: str = KEY) -> list[ReferralId | None]:
    async with kept.referrals() as repository:
        return [await repository.add(each, some_person_details(), person_key=key) for each in referrals]


async def save(kept: Repositories, referral: Referral) -> None:
    async with kept.referrals() as repository:
        await repository.save(referral)


async def test_what_was_never_kept_is_not_there(kept: Repositories) -> None:
    async with kept.referrals() as repository:
        assert await repository.get(PACKAGE) is None
        assert await repository.get_about(PACKAGE) is None
    assert await kept.ask.find_referral(a_referral().referral_id) is None
    assert await kept.ask.find_by_package(PACKAGE) is None


async def test_a_referral_comes_back_as_it_was_kept(kept: Repositories) -> None:
    referral = a_referral(despite_open_referral=DespiteOpenReferral.SEPARATE_PACKAGE)
    assert await add(kept, referral) == [None]
    async with kept.referrals() as repository:
        assert await repository.get(PACKAGE) == referral
        assert await repository.get_about(PACKAGE) == some_person_details()
    assert await kept.ask.find_by_package(PACKAGE) == referral


async def test_what_changes_is_kept(kept: Repositories) -> None:
    await add(kept, a_referral())
    withdrawn = a_referral(
        status=Status.WITHDRAWN, placed_with=a_provider_id("Alder"), withdrawal_reason=WithdrawalReason.MOVED_AWAY
    )
    await save(kept, withdrawn)
    assert await kept.ask.find_by_package(PACKAGE) == withdrawn


async def test_a_second_open_referral_of_a_person_is_not_kept_and_the_first_is_named(kept: Repositories) -> None:
    first, second = a_referral(), another("second")
    assert await add(kept, first, second) == [None, first.referral_id]
    async with kept.referrals() as repository:
        assert await repository.get(second.package_id) is None
        assert await repository.get_about(second.package_id) is None


async def test_another_person_service_or_council_is_not_in_the_way(kept: Repositories) -> None:
    await add(kept, a_referral())
    night = some_care(service_type=ServiceType.NIGHT_SLEEP)
    assert await add(kept, another("service", care=night)) == [None]
    assert await add(kept, another("council", council=CouncilKey("another"))) == [None]
    assert await add(kept, another("person"), key="another key") == [None]


async def test_a_reason_lets_a_second_one_in_and_both_stand_in_the_way_of_a_third(kept: Repositories) -> None:
    first = a_referral()
    second = another("second", despite_open_referral=DespiteOpenReferral.SEPARATE_PACKAGE)
    assert await add(kept, first, second) == [None, None]
    await save(kept, replace(first, status=Status.WITHDRAWN))
    assert await add(kept, another("third")) == [second.referral_id]


async def test_a_withdrawn_one_is_in_nobodys_way(kept: Repositories) -> None:
    first = a_referral()
    await add(kept, first)
    await save(kept, replace(first, status=Status.WITHDRAWN))
    assert await add(kept, another("second")) == [None]


async def test_history_is_told_in_the_order_in_which_it_was_noted(kept: Repositories) -> None:
    lines = [
        HistoryEntry(What.REQUESTED, MONDAY_NINE),
        HistoryEntry(What.OFFER_MADE, MONDAY_NINE, stage="tier-1", provider_id=a_provider_id("Alder")),
        HistoryEntry(
            What.OFFER_DECLINED, MONDAY_NINE - timedelta(hours=1), provider_id=a_provider_id("Alder"), reason="too far"
        ),
    ]
    await add(kept, a_referral(), another("other"), key="two people")
    async with kept.referrals() as repository:
        for line in lines:
            await repository.add_history_entry(PACKAGE, line)
    seen = await kept.ask.find_referral(a_referral().referral_id)
    assert seen is not None
    assert (list(seen.history), seen.about) == (lines, some_person_details())


async def test_a_list_is_the_councils_own_the_newest_first_page_by_page(kept: Repositories) -> None:
    listed = [another(str(number), requested_at=MONDAY_NINE + timedelta(minutes=number // 2)) for number in range(5)]
    for each in listed:
        await add(kept, each, key=str(each.package_id))
    await add(kept, another("foreign", council=CouncilKey("another")))
    newest_first = sorted(listed, key=lambda each: (each.requested_at, each.referral_id), reverse=True)
    first = await kept.ask.list_referrals(COUNCIL, status=None, after=None, limit=3)
    last = first[-1].referral
    rest = await kept.ask.list_referrals(COUNCIL, status=None, after=(last.requested_at, last.referral_id), limit=3)
    assert [each.referral for each in (*first, *rest)] == newest_first
    assert {each.reference for each in first} == {"OUR-REFERENCE-1"}


async def test_a_list_can_be_asked_for_one_status(kept: Repositories) -> None:
    await add(kept, a_referral())
    await add(kept, another("placed", status=Status.PLACED), key="another")
    placed = await kept.ask.list_referrals(COUNCIL, status=Status.PLACED, after=None, limit=9)
    assert [each.referral.status for each in placed] == [Status.PLACED]


async def test_a_list_can_be_asked_for_those_that_are_open_to_all(kept: Repositories) -> None:
    await add(kept, a_referral())
    await save(kept, a_referral(status=Status.LISTED))
    listed = await kept.ask.list_referrals(COUNCIL, status=Status.LISTED, after=None, limit=9)
    assert [each.referral.package_id for each in listed] == [PACKAGE]


async def test_a_councils_endpoint_has_one_secret_told_once_until_it_is_rotated(kept: Repositories) -> None:
    async with kept.endpoints() as endpoints:
        first = await endpoints.put(COUNCIL, URL)
        again = await endpoints.put(COUNCIL, f"{URL}/new")
        rotated = await endpoints.rotate_secret(COUNCIL, overlap=timedelta(hours=1))
        endpoint = await endpoints.get(COUNCIL)
    assert first is not None
    assert (again, rotated.startswith("whsec_"), rotated != first) == (None, True, True)
    assert endpoint is not None
    assert endpoint.previous_secret_until == MONDAY_NINE + timedelta(hours=1)
    assert await kept.ask.find_endpoint(COUNCIL) == EndpointState(f"{URL}/new", None)
    assert await kept.ask.find_endpoint(CouncilKey("another")) is None


async def test_a_councils_endpoint_is_disabled_once_and_enabled_by_putting_it_again(kept: Repositories) -> None:
    async with kept.endpoints() as endpoints:
        await endpoints.put(COUNCIL, URL)
        assert await endpoints.disable(COUNCIL, because="gone")
        assert not await endpoints.disable(COUNCIL, because="gone")
    assert await kept.ask.find_endpoint(COUNCIL) == EndpointState(URL, "gone")
    async with kept.endpoints() as endpoints:
        await endpoints.put(COUNCIL, URL)
    assert await kept.ask.find_endpoint(COUNCIL) == EndpointState(URL, None)


async def test_there_is_nothing_to_rotate_or_disable_where_a_council_has_no_endpoint(kept: Repositories) -> None:
    async with kept.endpoints() as endpoints:
        assert await endpoints.get(COUNCIL) is None
        assert not await endpoints.disable(COUNCIL, because="gone")
        with pytest.raises(EndpointNotFound):
            await endpoints.rotate_secret(COUNCIL, overlap=timedelta(hours=1))
