"""One suite over webhook endpoints in memory and on PostgreSQL, with the commands that change them."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import pytest
import pytest_asyncio

from contracts.errors import InvalidInput
from service_runtime.postgres.database import Database
from service_runtime.unit_of_work.executor import Executor
from service_runtime.unit_of_work.streams import StreamKey
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork
from service_runtime.unit_of_work.wakeups import Wakeups
from service_runtime.webhooks.addresses import AddressRules
from service_runtime.webhooks.endpoint_commands import (
    DeletePreviousSecrets,
    DisableEndpoint,
    EndpointRepository,
    PutEndpoint,
    RotateSecret,
    delete_previous_secrets,
    disable_endpoint,
    put_endpoint,
    rotate_secret,
)
from service_runtime.webhooks.endpoint_queries import EndpointState, find_endpoint_state
from service_runtime.webhooks.endpoints import Endpoint, EndpointNotFound, Endpoints
from service_runtime.webhooks.secret_box import SecretBox
from testkit.clocks import MONDAY_NINE, FixedClock
from testkit.databases import a_database
from testkit.fake_endpoints import InMemoryEndpoints
from testkit.servers import TestPostgres
from testkit.units_of_work import UnitsOfWork

ResultT = TypeVar("ResultT")

OWNER, OTHER_OWNER = "Alder", "Birch"
URL = "https://alder.example/webhooks"
SECRET_BOX = SecretBox(["MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="])
PUT = PutEndpoint(OWNER, URL)
DISABLE = DisableEndpoint(OWNER, "closed")


@dataclass(frozen=True)
class Work:
    """A unit of work with endpoints."""

    endpoints: EndpointRepository
    secret_overlap: timedelta = timedelta(hours=1)


@dataclass(frozen=True)
class StoredEndpoints:
    """Endpoints on PostgreSQL; each call is a unit of work of its own."""

    database: Database

    async def _run(self, call: Callable[[Endpoints], Awaitable[ResultT]]) -> ResultT:
        executor = Executor(
            service="test",
            database=self.database,
            clock=FixedClock(),
            unit_of_work=PostgresUnitOfWork,
            wakeups=Wakeups(),
        )

        async def handle(work: PostgresUnitOfWork) -> ResultT:
            return await call(Endpoints(work, secret_box=SECRET_BOX, rules=AddressRules()))

        return await UnitsOfWork(executor).run(StreamKey("owners", OWNER), handle)

    async def put(self, owner: str, url: str) -> str | None:
        return await self._run(lambda endpoints: endpoints.put(owner, url))

    async def get(self, owner: str) -> Endpoint | None:
        return await self._run(lambda endpoints: endpoints.get(owner))

    async def rotate_secret(self, owner: str, *, overlap: timedelta) -> str:
        return await self._run(lambda endpoints: endpoints.rotate_secret(owner, overlap=overlap))

    async def delete_previous_secrets(self, owner: str) -> None:
        await self._run(lambda endpoints: endpoints.delete_previous_secrets(owner))

    async def disable(self, owner: str, *, because: str) -> bool:
        return await self._run(lambda endpoints: endpoints.disable(owner, because=because))


@asynccontextmanager
async def open_endpoints(kind: str, postgres: TestPostgres) -> AsyncGenerator[EndpointRepository]:
    if kind == "in memory":
        yield InMemoryEndpoints({}, MONDAY_NINE)
        return
    async with a_database(postgres, name="endpoints") as database:
        if kind == "on PostgreSQL":
            yield StoredEndpoints(database)
            return
        executor = Executor(
            service="test", database=database, clock=FixedClock(), unit_of_work=PostgresUnitOfWork, wakeups=Wakeups()
        )
        async with UnitsOfWork(executor).open(StreamKey("owners", OWNER)) as work:
            yield Endpoints(work, secret_box=SECRET_BOX, rules=AddressRules())


@pytest_asyncio.fixture(params=["in memory", "on PostgreSQL", "in one unit of work"])
async def work(request: pytest.FixtureRequest, postgres: TestPostgres) -> AsyncGenerator[Work]:
    async with open_endpoints(request.param, postgres) as endpoints:
        yield Work(endpoints)


async def test_the_secret_of_an_endpoint_is_returned_once_and_stays_until_it_is_rotated(work: Work) -> None:
    first = await put_endpoint(PUT, work)
    again = await put_endpoint(PutEndpoint(OWNER, f"{URL}/new"), work)
    rotated = await rotate_secret(RotateSecret(OWNER), work)
    endpoint = await work.endpoints.get(OWNER)
    assert first is not None
    assert again is None
    assert rotated.startswith("whsec_")
    assert rotated != first
    assert endpoint is not None
    assert (endpoint.url, endpoint.disabled_because) == (f"{URL}/new", None)
    assert endpoint.previous_secret_until == MONDAY_NINE + timedelta(hours=1)


async def test_the_overlap_of_a_rotation_ends_at_once_on_request(work: Work) -> None:
    await put_endpoint(PUT, work)
    await rotate_secret(RotateSecret(OWNER), work)
    await delete_previous_secrets(DeletePreviousSecrets(OWNER), work)
    endpoint = await work.endpoints.get(OWNER)
    assert endpoint is not None
    assert endpoint.previous_secret_until is None
    with pytest.raises(EndpointNotFound):
        await delete_previous_secrets(DeletePreviousSecrets(OTHER_OWNER), work)


async def test_an_endpoint_is_disabled_once_and_enabled_by_putting_it_again(work: Work) -> None:
    await put_endpoint(PUT, work)
    assert await disable_endpoint(DISABLE, work)
    assert not await disable_endpoint(DISABLE, work)
    disabled = await work.endpoints.get(OWNER)
    await put_endpoint(PUT, work)
    enabled = await work.endpoints.get(OWNER)
    assert disabled is not None
    assert enabled is not None
    assert (disabled.disabled_because, enabled.disabled_because) == ("closed", None)


async def test_without_an_endpoint_there_is_nothing_to_rotate_or_disable(work: Work) -> None:
    await put_endpoint(PutEndpoint(OTHER_OWNER, URL), work)
    assert await work.endpoints.get(OWNER) is None
    assert not await disable_endpoint(DISABLE, work)
    with pytest.raises(EndpointNotFound):
        await rotate_secret(RotateSecret(OWNER), work)
    other = await work.endpoints.get(OTHER_OWNER)
    assert other is not None
    assert (other.disabled_because, other.previous_secret_until) == (None, None)


async def test_the_state_of_an_endpoint_is_its_url_and_the_reason_if_it_is_disabled(postgres: TestPostgres) -> None:
    async with a_database(postgres, name="endpoints") as database:
        work = Work(StoredEndpoints(database))

        async def find_state(owner: str) -> EndpointState | None:
            async with database.open_read_connection() as connection:
                return await find_endpoint_state(connection, owner)

        await put_endpoint(PUT, work)
        assert await find_state(OWNER) == EndpointState(URL, None)
        await disable_endpoint(DISABLE, work)
        assert await find_state(OWNER) == EndpointState(URL, "closed")
        assert await find_state(OTHER_OWNER) is None


@pytest.mark.parametrize("url", ["http://alder.example/", "https://127.0.0.1/", "https://user:word@alder.example/"])
async def test_an_endpoint_is_on_the_public_internet(postgres: TestPostgres, url: str) -> None:
    async with a_database(postgres, name="endpoints") as database:
        with pytest.raises(InvalidInput) as refusal:
            await put_endpoint(PutEndpoint(OWNER, url), Work(StoredEndpoints(database)))
        assert [field.pointer for field in refusal.value.fields] == ["#/url"]
