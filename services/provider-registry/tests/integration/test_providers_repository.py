"""Providers, branches, places and capacity: one suite over the registry in memory and on PostgreSQL."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from contracts.events.providers import EmbargoReason
from contracts.examples import COLCHESTER
from contracts.ids import AreaCode
from contracts.values import Rating, Tier
from provider_registry.domain.errors import NoPlaceLeft, ProviderIdTaken, ProviderNotFound
from provider_registry.domain.provider import BranchStatus
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
from testkit.clocks import MONDAY_NINE
from testkit.provider_registry.builders import (
    TENDRING,
    a_branch,
    a_place,
    a_profile,
    to_provider_id,
)
from testkit.provider_registry.repositories import RegistryWorkFactory, publish_definitions, register_providers

ALDER, BIRCH = to_provider_id("Alder"), to_provider_id("Birch")


async def test_a_provider_is_loaded_as_it_was_registered(registry: RegistryWorkFactory) -> None:
    async with registry() as work:
        outcome = await register_provider(RegisterProvider(ALDER, a_profile()), work)
    assert outcome.is_new
    async with registry() as work:
        assert await work.providers.get(ALDER) == outcome.provider
        assert await work.providers.get(BIRCH) is None


async def test_registering_a_provider_again_changes_nothing_or_is_refused_if_details_differ(
    registry: RegistryWorkFactory,
) -> None:
    await register_providers(registry, "Alder")
    async with registry() as work:
        again = await register_provider(RegisterProvider(ALDER, a_profile()), work)
        assert (again.is_new, again.provider.version) == (False, 1)
        with pytest.raises(ProviderIdTaken):
            await register_provider(RegisterProvider(ALDER, a_profile("Elder Care Ltd")), work)


async def test_another_councils_provider_is_not_found(registry: RegistryWorkFactory) -> None:
    await register_providers(registry, "Alder")
    async with registry("oxfordshire") as work:
        with pytest.raises(ProviderNotFound):
            await set_embargo(SetEmbargo(ALDER, EmbargoReason.SAFEGUARDING), work)
        with pytest.raises(ProviderIdTaken):
            await register_provider(RegisterProvider(ALDER, a_profile()), work)


async def test_branches_are_saved_and_replaced_by_id(registry: RegistryWorkFactory) -> None:
    await register_providers(registry, "Alder")
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


@pytest.mark.parametrize("day", [date.min, date.max])
async def test_a_provider_with_a_day_at_the_calendars_end_is_loaded(registry: RegistryWorkFactory, day: date) -> None:
    await register_providers(registry, "Alder")
    async with registry() as work:
        provider = await work.providers.get(ALDER)
        assert provider is not None
        changed = provider.add_or_replace_branch(replace(a_branch(), published_on=day))
        await work.providers.save(changed, before=provider)
    async with registry() as work:
        found = await work.providers.get(ALDER)
    assert found is not None
    assert [(each.name, each.rating) for each in found.branches] == [(a_branch().name, a_branch().rating)]


async def test_an_embargo_is_saved_and_lifted(registry: RegistryWorkFactory) -> None:
    await register_providers(registry, "Alder")
    seen: list[EmbargoReason | None] = []
    for reason in (EmbargoReason.CONTRACT_BREACH, None):
        async with registry() as work:
            await set_embargo(SetEmbargo(ALDER, reason), work)
        async with registry() as work:
            found = await work.providers.get(ALDER)
            assert found is not None
            seen.append(found.embargo)
    assert seen == [EmbargoReason.CONTRACT_BREACH, None]


async def test_places_are_occupied_vacated_and_counted(registry: RegistryWorkFactory) -> None:
    await publish_definitions(registry, 1)
    await register_providers(registry, "Alder", "Birch")
    here, there = a_place(), a_place(TENDRING, Tier.TWO)
    for who, places in ((ALDER, (here, there)), (BIRCH, (here,)), (ALDER, (there,))):
        async with registry() as work:
            await set_places(SetPlaces(who, places), work)
    async with registry() as work:
        members = await work.providers.watch_members([here, there, a_place(TENDRING)])
        alder = await work.providers.get(ALDER)
    assert members == {here: {BIRCH}, there: {ALDER}}
    assert alder is not None
    assert alder.places == (there,)
    assert [each.eligible for each in alder.published.memberships or ()] == [False]


async def test_spot_areas_are_saved_and_removed(registry: RegistryWorkFactory) -> None:
    await register_providers(registry, "Alder")
    saved: list[tuple[AreaCode, ...]] = []
    for areas in ((TENDRING, COLCHESTER), ()):
        async with registry() as work:
            changed = await set_spot_areas(SetSpotAreas(ALDER, areas, expect=lambda _: None), work)
        async with registry() as work:
            found = await work.providers.get(ALDER)
        assert found == changed.provider
        saved.append(changed.provider.spot_areas)
    assert saved == [(COLCHESTER, TENDRING), ()]


async def test_a_full_place_refuses_the_whole_request(registry: RegistryWorkFactory) -> None:
    await publish_definitions(registry, 1, cap=1)
    await register_providers(registry, "Alder", "Birch")
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


async def test_capacity_is_declared_for_an_area_of_the_provider(registry: RegistryWorkFactory) -> None:
    await publish_definitions(registry, 1)
    await register_providers(registry, "Alder")
    async with registry() as work:
        await set_places(SetPlaces(ALDER, (a_place(),)), work)
    for hours in ("12.50", "8.00"):
        async with registry() as work:
            declared = await declare_capacity(DeclareCapacity(ALDER, COLCHESTER, Decimal(hours)), work)
            assert (declared.free_hours, declared.declared_at) == (Decimal(hours), MONDAY_NINE)
