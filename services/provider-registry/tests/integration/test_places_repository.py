"""Places of providers: one suite over the registry in memory and on PostgreSQL."""

from dataclasses import replace
from datetime import date

import pytest

from contracts.example_words import ServiceTypes, Tiers
from contracts.values import PlaceState
from provider_registry.domain.asked_places import AskedPlace
from provider_registry.domain.errors import NoPlaceLeft
from provider_registry.handlers.places import (
    ApprovePlace,
    RequestPlace,
    SetPlaces,
    approve_place,
    request_place,
    set_places,
)
from testkit.provider_registry.builders import TENDRING, a_place, to_provider_id
from testkit.provider_registry.repositories import (
    RegistryWorkFactory,
    give_places,
    publish_definitions,
    register_providers,
)

ALDER, BIRCH = to_provider_id("Alder"), to_provider_id("Birch")


async def test_places_are_occupied_vacated_and_counted(registry: RegistryWorkFactory) -> None:
    await publish_definitions(registry, 1)
    await register_providers(registry, "Alder", "Birch")
    here, there = a_place(), a_place(TENDRING, Tiers.TWO)
    for who, places in ((ALDER, (here, there)), (BIRCH, (here,)), (ALDER, (there,))):
        await give_places(registry, who, *places)
    async with registry() as work:
        holders = await work.providers.watch_holders([here, there, a_place(TENDRING)])
        alder = await work.providers.get(ALDER)
    assert holders == {here: {BIRCH}, there: {ALDER}}
    assert alder is not None
    assert [each.place for each in alder.places] == [there]
    assert [each.eligible for each in alder.published.places or ()] == [False]


async def test_a_place_is_saved_with_its_days_states_and_approval(registry: RegistryWorkFactory) -> None:
    await publish_definitions(registry, 1)
    await register_providers(registry, "Alder")
    full = AskedPlace(
        a_place(),
        service_types=(ServiceTypes.LIVE_IN,),
        number=2,
        applied_on=date(2025, 9, 1),
        awarded_on=date(2025, 10, 1),
        until=date(2027, 3, 31),
    )
    for state in (PlaceState.MOBILISING, PlaceState.ACTIVE):
        async with registry() as work:
            await set_places(SetPlaces(ALDER, (replace(full, state=state),)), work)
    late = AskedPlace(a_place(TENDRING), joined_on=date(2026, 3, 2))
    async with registry() as work:
        await request_place(RequestPlace(ALDER, late, "VAR-17"), work)
    async with registry(actor="officer:second") as work:
        changed = await approve_place(ApprovePlace(ALDER, late.place), work)
    async with registry() as work:
        found = await work.providers.get(ALDER)
    assert found == changed.provider
    assert found is not None
    states = [[change.state for change in each.changes] for each in found.places]
    assert states == [[PlaceState.MOBILISING, PlaceState.ACTIVE], [PlaceState.ACTIVE]]


async def test_an_applied_or_left_place_holds_no_place(registry: RegistryWorkFactory) -> None:
    await publish_definitions(registry, 1, cap=1)
    await register_providers(registry, "Alder", "Birch")
    applied = AskedPlace(a_place(), state=PlaceState.APPLIED)
    awarded, left = replace(applied, state=PlaceState.AWARDED), replace(applied, state=PlaceState.LEFT)
    async with registry() as work:
        await set_places(SetPlaces(ALDER, (applied,)), work)
    await give_places(registry, BIRCH, a_place())
    async with registry() as work:
        assert await work.providers.watch_holders([a_place()]) == {a_place(): {BIRCH}}
    with pytest.raises(NoPlaceLeft):
        async with registry() as work:
            await set_places(SetPlaces(ALDER, (awarded,)), work)
    for who, place in ((BIRCH, left), (ALDER, awarded)):
        async with registry() as work:
            await set_places(SetPlaces(who, (place,)), work)
    async with registry() as work:
        assert await work.providers.watch_holders([a_place()]) == {a_place(): {ALDER}}


async def test_a_full_place_refuses_the_whole_request(registry: RegistryWorkFactory) -> None:
    await publish_definitions(registry, 1, cap=1)
    await register_providers(registry, "Alder", "Birch")
    await give_places(registry, ALDER, a_place())
    with pytest.raises(NoPlaceLeft):
        await give_places(registry, BIRCH, a_place(), a_place(TENDRING))
    await give_places(registry, ALDER, a_place())
    async with registry() as work:
        birch, alder = await work.providers.get(BIRCH), await work.providers.get(ALDER)
    assert birch is not None
    assert alder is not None
    assert (birch.places, [each.place for each in alder.places]) == ((), [a_place()])
