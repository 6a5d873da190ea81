"""The registry's units of work in memory and on PostgreSQL, for the test suite that both pass."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from contracts.catalogue import PROVIDERS
from contracts.examples import COUNCIL, FRAMEWORK
from contracts.framework.definition import FrameworkDefinition
from contracts.ids import FrameworkKey, ProviderId
from provider_registry.domain.asked_places import AskedPlace
from provider_registry.domain.places import FrameworkPlace
from provider_registry.handlers.frameworks import (
    ApproveFramework,
    ProposeFramework,
    approve_framework,
    propose_framework,
)
from provider_registry.handlers.places import SetPlaces, set_places
from provider_registry.handlers.providers import (
    RegisterProvider,
    register_provider,
)
from provider_registry.ports import RegistryWork
from provider_registry.store.known_endpoints import KnownEndpoints
from provider_registry.store.notices import OPEN_MATTERS_STATE, SAVE_NOTICES
from provider_registry.store.unit_of_work import PostgresRegistryWork
from service_runtime.postgres.database import Database
from service_runtime.unit_of_work.executor import Executor
from service_runtime.unit_of_work.streams import Cause, StreamKey
from service_runtime.unit_of_work.wakeups import Wakeups
from service_runtime.webhooks.addresses import AddressRules
from service_runtime.webhooks.endpoint_health import FailureTerms
from service_runtime.webhooks.secret_box import SecretBox
from testkit.clocks import FixedClock
from testkit.provider_registry.builders import (
    TERMS,
    a_framework,
    a_profile,
    to_provider_id,
)
from testkit.provider_registry.fakes import RegistryTables, build_unit_of_work
from testkit.units_of_work import UnitsOfWork

A_STREAM = StreamKey(PROVIDERS, "a stream")
SECRET_BOX = SecretBox(["MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="])


@dataclass(frozen=True)
class RegistryWorkFactory:
    """Opens units of work of a council's officer, all over the same data."""

    open_work: Callable[[str, str, StreamKey], AbstractAsyncContextManager[RegistryWork]]

    def __call__(
        self, council: str = COUNCIL, *, actor: str = "officer:first", on: StreamKey = A_STREAM
    ) -> AbstractAsyncContextManager[RegistryWork]:
        return self.open_work(council, actor, on)


def build_in_memory() -> RegistryWorkFactory:
    tables = RegistryTables()

    @asynccontextmanager
    async def open_work(council: str, actor: str, _: StreamKey) -> AsyncGenerator[RegistryWork]:
        yield build_unit_of_work(tables, council=council, actor=actor)

    return RegistryWorkFactory(open_work)


def build_on_postgres(database: Database) -> RegistryWorkFactory:
    """A unit of work reads what earlier ones have written, and not what it has collected itself."""
    executor = Executor(
        service="provider-registry",
        database=database,
        clock=FixedClock(),
        unit_of_work=partial(
            PostgresRegistryWork,
            secret_box=SECRET_BOX,
            rules=AddressRules(),
            secret_overlap=timedelta(hours=24),
            failure_terms=FailureTerms(PROVIDERS),
            delivery_terms=TERMS,
            known_endpoints=KnownEndpoints(),
        ),
        wakeups=Wakeups(),
        states=(OPEN_MATTERS_STATE,),
        save_rows=SAVE_NOTICES,
    )

    @asynccontextmanager
    async def open_work(council: str, actor: str, on: StreamKey) -> AsyncGenerator[RegistryWork]:
        cause = Cause("command:test", actor, council)
        async with UnitsOfWork(executor).open(on, cause=cause) as work:
            yield work

    return RegistryWorkFactory(open_work)


async def publish_definitions(
    registry: RegistryWorkFactory, *versions: int, framework: FrameworkKey = FRAMEWORK, cap: int = 10
) -> None:
    """Publishes versions of `a_framework`, each proposed by one officer and approved by another one."""
    for version in versions:
        definition = a_framework(framework=framework, version=version, cap=cap)
        await publish_definition(registry, definition)


async def publish_definition(registry: RegistryWorkFactory, definition: FrameworkDefinition) -> None:
    async with registry(definition.council) as work:
        await propose_framework(ProposeFramework(definition), work)
    approval = ApproveFramework(definition.framework, definition.version, expect=lambda _: None)
    async with registry(definition.council, actor="officer:second") as work:
        await approve_framework(approval, work)


async def register_providers(registry: RegistryWorkFactory, *names: str) -> None:
    for name in names:
        async with registry() as work:
            await register_provider(RegisterProvider(to_provider_id(name), a_profile(f"{name} Care Ltd")), work)


async def give_places(registry: RegistryWorkFactory, provider_id: ProviderId, *places: FrameworkPlace) -> None:
    """Sets the provider's places, active since the framework's start."""
    async with registry() as work:
        await set_places(SetPlaces(provider_id, tuple(map(AskedPlace, places))), work)
