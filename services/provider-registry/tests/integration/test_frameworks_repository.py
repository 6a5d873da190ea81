"""Definitions and ranked lists: one suite over the registry in memory and on PostgreSQL."""

from datetime import date

import pytest

from contracts.examples import ESSEX
from contracts.ids import FrameworkKey
from provider_registry.domain.errors import VersionOutOfTurn
from provider_registry.handlers.frameworks import (
    PublishFramework,
    PublishRankedList,
    publish_framework,
    publish_ranked_list,
)
from provider_registry.handlers.providers import (
    SetPlaces,
    set_places,
)
from testkit.provider_registry.builders import (
    TENDRING,
    a_framework,
    a_place,
    to_provider_id,
)
from testkit.provider_registry.repositories import RegistryWorkFactory, publish_definitions, register_providers

ALDER, BIRCH = to_provider_id("Alder"), to_provider_id("Birch")


async def test_definitions_are_found_by_version_and_the_newest_by_framework(registry: RegistryWorkFactory) -> None:
    another = FrameworkKey("another-framework")
    await publish_definitions(registry, 1, 2)
    await publish_definitions(registry, 1, framework=another)
    async with registry() as work:
        newest = await work.frameworks.load_newest([ESSEX, another, FrameworkKey("no-framework")])
        first = await work.frameworks.load_version(ESSEX, 1)
        third = await work.frameworks.load_version(ESSEX, 3)
    assert {key: definition.version for key, definition in newest.items()} == {ESSEX: 2, another: 1}
    assert (first, third) == (a_framework(version=1), None)


async def test_an_identical_definition_is_not_new(registry: RegistryWorkFactory) -> None:
    await publish_definitions(registry, 1)
    async with registry() as work:
        assert not (await publish_framework(PublishFramework(a_framework(version=1)), work)).is_new
        with pytest.raises(VersionOutOfTurn):
            await publish_framework(PublishFramework(a_framework(version=3)), work)


async def test_ranked_lists_keep_their_order(registry: RegistryWorkFactory) -> None:
    await publish_definitions(registry, 1)
    await register_providers(registry, "Alder", "Birch")
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
