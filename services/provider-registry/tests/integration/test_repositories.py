"""One suite over the registry in memory and on PostgreSQL: a fake that passes it can stand in for the real one."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
import pytest_asyncio

from contracts.catalogue import PROVIDERS
from contracts.events.providers import EmbargoReason
from contracts.examples import COLCHESTER, ESSEX, an_id
from contracts.ids import AreaCode, CouncilKey, FrameworkKey, OfferId, PackageId
from contracts.values import Rating, Tier
from provider_registry.domain.errors import NoPlaceLeft, ProviderIdTaken, ProviderNotFound, VersionOutOfTurn
from provider_registry.domain.provider import BranchStatus
from provider_registry.handlers.frameworks import (
    PublishFramework,
    PublishRankedList,
    publish_framework,
    publish_ranked_list,
)
from provider_registry.handlers.providers import (
    DeclareCapacity,
    PutBranch,
    RegisterProvider,
    SetEmbargo,
    SetPlaces,
    SetSpotAreas,
    declare_capacity,
    put_branch,
    register_provider,
    set_embargo,
    set_places,
    set_spot_areas,
)
from provider_registry.ports import RegistryWork
from provider_registry.store import TABLES
from provider_registry.store.unit_of_work import PostgresRegistryWork
from service_runtime.postgres.database import Database
from service_runtime.unit_of_work import streams
from service_runtime.unit_of_work.streams import Cause, StreamKey
from service_runtime.unit_of_work.unit_of_work import WorkContext
from service_runtime.webhooks.addresses import AddressRules
from service_runtime.webhooks.endpoints import EndpointNotFound
from service_runtime.webhooks.secret_box import SecretBox
from testkit.clocks import MONDAY_NINE
from testkit.databases import a_database
from testkit.provider_registry.builders import (
    COUNCIL,
    TENDRING,
    TERMS,
    a_branch,
    a_framework,
    a_place,
    a_profile,
    a_provider_id,
)
from testkit.provider_registry.fakes import InMemoryMarket, build_unit_of_work
from testkit.servers import TestPostgres

ALDER, BIRCH = a_provider_id("Alder"), a_provider_id("Birch")
URL = "https://alder.example/offers"
SECRET_BOX = SecretBox(["MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="])


@dataclass(frozen=True)
class Registry:
    """Opens units of work of a council, one after the other, over the same market."""

    open: Callable[[str], AbstractAsyncContextManager[RegistryWork]]

    def __call__(self, council: str = COUNCIL) -> AbstractAsyncContextManager[RegistryWork]:
        return self.open(council)


def open_memory() -> Registry:
    market = InMemoryMarket()

    @asynccontextmanager
    async def work(council: str) -> AsyncGenerator[RegistryWork]:
        yield build_unit_of_work(market, council=council)

    return Registry(work)


def open_postgres(database: Database) -> Registry:
    @asynccontextmanager
    async def work(council: str) -> AsyncGenerator[RegistryWork]:
        async with database.begin_transaction() as connection:
            stream = await streams.lock_stream(connection, StreamKey(PROVIDERS, "a stream"))
            cause = Cause("command:test", "system:test", council)
            context = WorkContext("provider-registry", stream, MONDAY_NINE, cause)
            opened = PostgresRegistryWork(
                connection, context, secret_box=SECRET_BOX, rules=AddressRules(), delivery_terms=TERMS
            )
            yield opened
            await opened.flush()

    return Registry(work)


@pytest_asyncio.fixture(params=["in memory", "on PostgreSQL"])
async def registry(request: pytest.FixtureRequest, postgres: TestPostgres) -> AsyncGenerator[Registry]:
    if request.param == "in memory":
        yield open_memory()
        return
    async with a_database(postgres, TABLES, name="registry") as database:
        yield open_postgres(database)


async def publish(registry: Registry, *versions: int, framework: FrameworkKey = ESSEX, cap: int = 10) -> None:
    for version in versions:
        async with registry() as work:
            definition = a_framework(framework=framework, version=version, cap=cap)
            await publish_framework(PublishFramework(definition), work)


async def register(registry: Registry, *names: str) -> None:
    for name in names:
        async with registry() as work:
            await register_provider(RegisterProvider(a_provider_id(name), a_profile(f"{name} Care Ltd")), work)


async def test_a_provider_is_found_as_it_was_registered(registry: Registry) -> None:
    async with registry() as work:
        outcome = await register_provider(RegisterProvider(ALDER, a_profile()), work)
    assert outcome.is_new
    async with registry() as work:
        assert await work.providers.get(ALDER) == outcome.provider
        assert await work.providers.get(BIRCH) is None


async def test_registering_the_same_again_changes_nothing_and_something_else_is_refused(registry: Registry) -> None:
    await register(registry, "Alder")
    async with registry() as work:
        again = await register_provider(RegisterProvider(ALDER, a_profile()), work)
        assert (again.is_new, again.provider.version) == (False, 1)
        with pytest.raises(ProviderIdTaken):
            await register_provider(RegisterProvider(ALDER, a_profile("Elder Care Ltd")), work)


async def test_another_councils_provider_is_unknown(registry: Registry) -> None:
    await register(registry, "Alder")
    async with registry("oxfordshire") as work:
        with pytest.raises(ProviderNotFound):
            await set_embargo(SetEmbargo(ALDER, EmbargoReason.SAFEGUARDING), work)
        with pytest.raises(ProviderIdTaken):
            await register_provider(RegisterProvider(ALDER, a_profile()), work)


async def test_branches_are_saved_and_replaced_by_id(registry: Registry) -> None:
    await register(registry, "Alder")
    harwich = a_branch("Alder Harwich", rating=Rating.NOT_RATED)
    dormant = replace(a_branch(), status=BranchStatus.DORMANT, rating=Rating.OUTSTANDING)
    for branch in (a_branch(), harwich, dormant):
        async with registry() as work:
            changed = await put_branch(PutBranch(ALDER, branch), work)
    async with registry() as work:
        found = await work.providers.get(ALDER)
    assert found == changed.provider
    assert found is not None
    assert set(found.branches) == {harwich, dormant}


async def test_an_embargo_is_saved_and_lifted(registry: Registry) -> None:
    await register(registry, "Alder")
    seen: list[EmbargoReason | None] = []
    for reason in (EmbargoReason.CONTRACT_BREACH, None):
        async with registry() as work:
            await set_embargo(SetEmbargo(ALDER, reason), work)
            found = await work.providers.get(ALDER)
            assert found is not None
            seen.append(found.embargo)
    assert seen == [EmbargoReason.CONTRACT_BREACH, None]


async def test_places_are_taken_left_and_counted(registry: Registry) -> None:
    await publish(registry, 1)
    await register(registry, "Alder", "Birch")
    here, there = a_place(), a_place(TENDRING, Tier.TWO)
    for who, places in ((ALDER, (here, there)), (BIRCH, (here,)), (ALDER, (there,))):
        async with registry() as work:
            await set_places(SetPlaces(who, places), work)
    async with registry() as work:
        members = await work.providers.lock_members([here, there, a_place(TENDRING)])
        alder = await work.providers.get(ALDER)
    assert members == {here: {BIRCH}, there: {ALDER}}
    assert alder is not None
    assert alder.places == (there,)
    assert [each.eligible for each in alder.published.memberships or ()] == [False]


async def test_spot_areas_are_saved_and_removed(registry: Registry) -> None:
    await register(registry, "Alder")
    kept: list[tuple[AreaCode, ...]] = []
    for areas in ((TENDRING, COLCHESTER), ()):
        async with registry() as work:
            changed = await set_spot_areas(SetSpotAreas(ALDER, areas, expect=lambda _: None), work)
        async with registry() as work:
            found = await work.providers.get(ALDER)
        assert found == changed.provider
        kept.append(changed.provider.spot_areas)
    assert kept == [(COLCHESTER, TENDRING), ()]


async def test_recipients_of_open_packages_serve_the_area_have_an_endpoint_and_no_embargo(registry: Registry) -> None:
    names = ("Alder", "Birch", "Cedar", "Damson", "Elder")
    alder, birch, cedar, damson, elder = (a_provider_id(name) for name in names)
    await publish(registry, 1)
    await register(registry, *names)
    for who, place in ((ALDER, a_place()), (BIRCH, a_place(tier=Tier.TWO)), (damson, a_place(TENDRING))):
        async with registry() as work:
            await set_places(SetPlaces(who, (place,)), work)
    for who in (alder, cedar, elder):
        async with registry() as work:
            await set_spot_areas(SetSpotAreas(who, (COLCHESTER,), expect=lambda _: None), work)
    async with registry() as work:
        for each in (alder, birch, cedar, damson):
            await work.endpoints.put(str(each), URL)
        providers = work.providers
        spot = await providers.find_open_package_recipients(ESSEX, COLCHESTER, council=COUNCIL, spot=True)
        framework = await providers.find_open_package_recipients(ESSEX, COLCHESTER, council=COUNCIL, spot=False)
        foreign = await providers.find_open_package_recipients(
            ESSEX, COLCHESTER, council=CouncilKey("another"), spot=True
        )
        other = FrameworkKey("essex-live-in-2027")
        others = await providers.find_open_package_recipients(other, COLCHESTER, council=COUNCIL, spot=True)
    assert (spot, framework, foreign) == (sorted((alder, birch, cedar)), sorted((alder, birch)), [])
    assert others == sorted((alder, cedar))
    async with registry() as work:
        await set_embargo(SetEmbargo(ALDER, EmbargoReason.SAFEGUARDING), work)
        await work.endpoints.disable(str(birch), because="gone")
        left = await work.providers.find_open_package_recipients(ESSEX, COLCHESTER, council=COUNCIL, spot=True)
    assert left == [cedar]


async def test_a_full_place_refuses_the_whole_request(registry: Registry) -> None:
    await publish(registry, 1, cap=1)
    await register(registry, "Alder", "Birch")
    async with registry() as work:
        await set_places(SetPlaces(ALDER, (a_place(),)), work)
    async with registry() as work:
        with pytest.raises(NoPlaceLeft):
            await set_places(SetPlaces(BIRCH, (a_place(), a_place(TENDRING))), work)
    async with registry() as work:
        birch = await work.providers.get(BIRCH)
        again = await set_places(SetPlaces(ALDER, (a_place(),)), work)
    assert birch is not None
    assert birch.places == ()
    assert again.provider.places == (a_place(),)


async def test_definitions_are_found_by_version_and_the_newest_by_framework(registry: Registry) -> None:
    another = FrameworkKey("another-framework")
    await publish(registry, 1, 2)
    await publish(registry, 1, framework=another)
    async with registry() as work:
        newest = await work.frameworks.load_newest([ESSEX, another, FrameworkKey("no-framework")])
        first = await work.frameworks.load_version(ESSEX, 1)
        third = await work.frameworks.load_version(ESSEX, 3)
    assert {key: definition.version for key, definition in newest.items()} == {ESSEX: 2, another: 1}
    assert (first, third) == (a_framework(version=1), None)


async def test_an_identical_definition_is_not_new(registry: Registry) -> None:
    await publish(registry, 1)
    async with registry() as work:
        assert not (await publish_framework(PublishFramework(a_framework(version=1)), work)).is_new
        with pytest.raises(VersionOutOfTurn):
            await publish_framework(PublishFramework(a_framework(version=3)), work)


async def test_ranked_lists_keep_their_order(registry: Registry) -> None:
    await publish(registry, 1)
    await register(registry, "Alder", "Birch")
    for who in (ALDER, BIRCH):
        async with registry() as work:
            await set_places(SetPlaces(who, (a_place(),)), work)
    command = PublishRankedList(a_place(), 1, date(2026, 1, 1), date(2026, 1, 5), (BIRCH, ALDER))
    for is_new in (True, False):
        async with registry() as work:
            assert (await publish_ranked_list(command, work)).is_new is is_new
    async with registry() as work:
        assert await work.frameworks.load_ranked_list(a_place(), 1) == command.as_event()
        assert await work.frameworks.get_newest_list_version(a_place()) == 1
        assert await work.frameworks.get_newest_list_version(a_place(TENDRING)) == 0
        assert await work.frameworks.load_ranked_list(a_place(TENDRING), 1) is None


async def test_capacity_is_declared_where_the_provider_works(registry: Registry) -> None:
    await publish(registry, 1)
    await register(registry, "Alder")
    async with registry() as work:
        await set_places(SetPlaces(ALDER, (a_place(),)), work)
    for hours in ("12.50", "8.00"):
        async with registry() as work:
            declared = await declare_capacity(DeclareCapacity(ALDER, COLCHESTER, Decimal(hours)), work)
            assert (declared.free_hours, declared.declared_at) == (Decimal(hours), MONDAY_NINE)


async def test_an_endpoint_has_one_secret_returned_once_until_rotation(registry: Registry) -> None:
    async with registry() as work:
        first = await work.endpoints.put(str(ALDER), URL)
        again = await work.endpoints.put(str(ALDER), f"{URL}/new")
        rotated = await work.endpoints.rotate_secret(str(ALDER), overlap=timedelta(hours=1))
        endpoint = await work.endpoints.get(str(ALDER))
    assert first is not None
    assert again is None
    assert rotated.startswith("whsec_")
    assert rotated != first
    assert endpoint is not None
    assert (endpoint.url, endpoint.disabled_because) == (f"{URL}/new", None)
    assert endpoint.previous_secret_until == MONDAY_NINE + timedelta(hours=1)


async def test_an_endpoint_is_disabled_once_and_enabled_by_putting_it_again(registry: Registry) -> None:
    async with registry() as work:
        await work.endpoints.put(str(ALDER), URL)
        assert await work.endpoints.disable(str(ALDER), because="gone")
        assert not await work.endpoints.disable(str(ALDER), because="gone")
        disabled = await work.endpoints.get(str(ALDER))
        await work.endpoints.put(str(ALDER), URL)
        enabled = await work.endpoints.get(str(ALDER))
    assert disabled is not None
    assert enabled is not None
    assert (disabled.disabled_because, enabled.disabled_because) == ("gone", None)


async def test_without_an_endpoint_there_is_nothing_to_rotate_or_disable(registry: Registry) -> None:
    async with registry() as work:
        assert await work.endpoints.get(str(BIRCH)) is None
        assert not await work.endpoints.disable(str(BIRCH), because="gone")
        with pytest.raises(EndpointNotFound):
            await work.endpoints.rotate_secret(str(BIRCH), overlap=timedelta(hours=1))


async def test_a_mailbox_exists_until_it_is_removed(registry: Registry) -> None:
    async with registry() as work:
        await work.endpoints.put(str(BIRCH), URL)
        await work.mailboxes.put(str(ALDER), "offers@alder.example")
        await work.mailboxes.put(str(ALDER), "office@alder.example")
    async with registry() as work:
        there = [await work.mailboxes.has_mailbox(str(each)) for each in (ALDER, BIRCH)]
        await work.mailboxes.remove(str(ALDER))
        await work.mailboxes.remove(str(BIRCH))
        left = await work.mailboxes.has_mailbox(str(ALDER))
        assert await work.endpoints.get(str(ALDER)) is None
        assert await work.endpoints.get(str(BIRCH)) is not None
    assert (there, left) == ([True, False], False)


async def test_an_unknown_offer_was_not_sent(registry: Registry) -> None:
    async with registry() as work:
        assert await work.sent_offers.find_summary(PackageId(an_id("package")), OfferId(an_id("offer"))) is None
