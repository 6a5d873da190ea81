"""Definitions and ranked lists: one suite over the registry in memory and on PostgreSQL."""

from datetime import date

import pytest

from contracts.examples import COUNCIL, FRAMEWORK
from contracts.ids import FrameworkKey, GroupKey
from provider_registry.domain.errors import VersionOutOfTurn
from provider_registry.domain.places import ListScope
from provider_registry.domain.proposals import Proposal
from provider_registry.handlers.frameworks import ProposeFramework, propose_framework
from provider_registry.handlers.ranked_lists import PublishRankedList, publish_ranked_list
from testkit.clocks import MONDAY_NINE
from testkit.provider_registry.builders import OTHER_COUNCIL, TENDRING, a_framework, a_place, to_provider_id
from testkit.provider_registry.repositories import (
    RegistryWorkFactory,
    give_places,
    publish_definition,
    publish_definitions,
    register_providers,
)

ALDER, BIRCH = to_provider_id("Alder"), to_provider_id("Birch")
HERE, THERE = ListScope(a_place()), ListScope(a_place(TENDRING))


async def test_definitions_are_found_by_version_and_the_newest_by_framework(registry: RegistryWorkFactory) -> None:
    another = FrameworkKey("another-framework")
    await publish_definitions(registry, 1, 2)
    await publish_definitions(registry, 1, framework=another)
    async with registry() as work:
        newest = await work.frameworks.load_newest([FRAMEWORK, another, FrameworkKey("no-framework")])
        first = await work.frameworks.load_version(FRAMEWORK, 1)
        third = await work.frameworks.load_version(FRAMEWORK, 3)
    assert {key: definition.version for key, definition in newest.items()} == {FRAMEWORK: 2, another: 1}
    assert (first, third) == (a_framework(version=1), None)


async def test_the_version_in_force_is_the_newest_whose_first_day_has_come(registry: RegistryWorkFactory) -> None:
    another = FrameworkKey("another-framework")
    first_day = date(2026, 4, 1)
    await publish_definition(registry, a_framework())
    await publish_definition(registry, a_framework(version=2, in_force_from=first_day))
    await publish_definition(registry, a_framework(framework=another, in_force_from=first_day))
    keys = [FRAMEWORK, another]
    async with registry() as work:
        for day, versions in ((date(2026, 3, 31), [1, 1]), (first_day, [2, 1])):
            found = await work.frameworks.load_in_force(keys, on=day)
            assert [found[key].version for key in keys] == versions
            assert await work.frameworks.load_of_council(COUNCIL, on=day) == found
        assert await work.frameworks.load_of_council(OTHER_COUNCIL, on=first_day) == {}
        assert set(await work.frameworks.list_first_days(keys, after=date(2026, 3, 31))) == {first_day}
        assert set(await work.frameworks.list_first_days(keys, after=first_day)) == set()


async def test_a_proposal_is_kept_until_it_is_approved(registry: RegistryWorkFactory) -> None:
    async with registry() as work:
        await propose_framework(ProposeFramework(a_framework()), work)
    async with registry() as work:
        assert await work.frameworks.find_proposal(FRAMEWORK) == Proposal(a_framework(), "officer:first", MONDAY_NINE)
        assert await work.frameworks.load_newest([FRAMEWORK]) == {}
    await publish_definitions(registry, 1)
    async with registry() as work:
        assert await work.frameworks.find_proposal(FRAMEWORK) is None


async def test_an_identical_definition_is_not_proposed_again(registry: RegistryWorkFactory) -> None:
    await publish_definitions(registry, 1)
    async with registry() as work:
        assert (await propose_framework(ProposeFramework(a_framework(version=1)), work)).proposal is None
        with pytest.raises(VersionOutOfTurn):
            await propose_framework(ProposeFramework(a_framework(version=3)), work)


async def test_ranked_lists_keep_their_order_and_each_group_has_its_own(registry: RegistryWorkFactory) -> None:
    await publish_definitions(registry, 1)
    await register_providers(registry, "Alder", "Birch")
    for who in (ALDER, BIRCH):
        await give_places(registry, who, a_place())
    command = PublishRankedList(HERE, 1, date(2026, 1, 1), date(2026, 1, 5), (BIRCH, ALDER))
    for is_new in (True, False):
        async with registry() as work:
            assert (await publish_ranked_list(command, work)).is_new is is_new
    of_group = ListScope(a_place(), GroupKey("live-in"))
    async with registry() as work:
        grouped = PublishRankedList(of_group, 1, date(2026, 1, 1), date(2026, 1, 5), (ALDER,)).as_event()
        await work.frameworks.add_list(grouped)
    async with registry() as work:
        assert await work.frameworks.load_ranked_list(HERE, 1) == command.as_event()
        assert await work.frameworks.load_ranked_list(of_group, 1) == grouped
        assert await work.frameworks.get_newest_list_version(HERE) == 1
        assert await work.frameworks.get_newest_list_version(THERE) == 0
        assert await work.frameworks.load_ranked_list(THERE, 1) is None
