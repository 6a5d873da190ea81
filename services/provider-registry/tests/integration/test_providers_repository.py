"""Providers, branches, places and capacity: one suite over the registry in memory and on PostgreSQL."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from contracts.errors import InvalidInput
from contracts.events.providers import EmbargoReason, KeyQuestionRating
from contracts.example_words import Needs
from contracts.examples import COLCHESTER, FRAMEWORK
from contracts.framework.tiers import KeyQuestion
from contracts.ids import AreaCode, NeedKey
from contracts.values import Rating
from provider_registry.domain.errors import ProviderIdTaken, ProviderNotFound
from provider_registry.domain.provider import BranchStatus
from provider_registry.domain.ratings import NewRating
from provider_registry.domain.skills import SkillEvidence
from provider_registry.handlers.branches import PutBranch, RecordLocation, put_branch, record_location
from provider_registry.handlers.providers import (
    DeclareCapacity,
    RegisterProvider,
    SetEmbargo,
    SetSkills,
    SetSpotAreas,
    declare_capacity,
    register_provider,
    set_embargo,
    set_skills,
    set_spot_areas,
)
from testkit.clocks import MONDAY_NINE
from testkit.provider_registry.builders import (
    OTHER_COUNCIL,
    TENDRING,
    a_branch,
    a_held_place,
    a_place,
    a_profile,
    to_provider_id,
)
from testkit.provider_registry.repositories import (
    RegistryWorkFactory,
    give_places,
    publish_definitions,
    register_providers,
)

ALDER, BIRCH = to_provider_id("Alder"), to_provider_id("Birch")


async def test_a_provider_is_loaded_as_it_was_registered(registry: RegistryWorkFactory) -> None:
    async with registry() as work:
        outcome = await register_provider(RegisterProvider(ALDER, a_profile()), work)
    assert outcome.is_new
    async with registry() as work:
        assert await work.providers.get(ALDER) == outcome.change.provider
        assert await work.providers.get(BIRCH) is None


async def test_registering_a_provider_again_changes_nothing_or_is_refused_if_details_differ(
    registry: RegistryWorkFactory,
) -> None:
    await register_providers(registry, "Alder")
    async with registry() as work:
        again = await register_provider(RegisterProvider(ALDER, a_profile()), work)
        assert (again.is_new, again.change.provider.version) == (False, 1)
        with pytest.raises(ProviderIdTaken):
            await register_provider(RegisterProvider(ALDER, a_profile("Elder Care Ltd")), work)


async def test_another_councils_provider_is_not_found(registry: RegistryWorkFactory) -> None:
    await register_providers(registry, "Alder")
    async with registry(OTHER_COUNCIL) as work:
        with pytest.raises(ProviderNotFound):
            await set_embargo(SetEmbargo(ALDER, EmbargoReason.SAFEGUARDING), work)
        with pytest.raises(ProviderIdTaken):
            await register_provider(RegisterProvider(ALDER, a_profile()), work)


async def test_branches_are_saved_and_replaced_by_id_and_keep_their_ratings_and_findings(
    registry: RegistryWorkFactory,
) -> None:
    await publish_definitions(registry, 1)
    await register_providers(registry, "Alder")
    colchester, harwich = a_branch(records=()), a_branch("Alder Harwich", records=())
    safe = KeyQuestionRating(key_question=KeyQuestion.SAFE, rating=Rating.GOOD)
    dormant = replace(colchester, status=BranchStatus.DORMANT)
    for branch, rating in (
        (colchester, NewRating(Rating.GOOD, (safe,), date(2026, 1, 5))),
        (harwich, NewRating()),
        (dormant, NewRating(Rating.OUTSTANDING, None, date(2026, 2, 5), corrects=date(2026, 1, 5))),
    ):
        async with registry() as work:
            await put_branch(PutBranch(ALDER, branch, rating), work)
    async with registry() as work:
        finding = RecordLocation(ALDER, colchester.branch_id, FRAMEWORK, within=False, miles=Decimal("4.25"))
        changed = await record_location(finding, work)
    async with registry() as work:
        found = await work.providers.get(ALDER)
    assert found == changed.provider
    assert found is not None
    assert found.find_branch(harwich.branch_id) == harwich
    saved = found.find_branch(colchester.branch_id)
    assert saved is not None
    assert (saved.status, len(saved.ratings.records), len(saved.findings)) == (BranchStatus.DORMANT, 2, 1)
    assert saved.findings[0].found_by == "officer:first"


@pytest.mark.parametrize("day", [date.min, date.max])
async def test_a_provider_with_a_day_at_the_calendars_end_is_loaded(registry: RegistryWorkFactory, day: date) -> None:
    await register_providers(registry, "Alder")
    async with registry() as work:
        provider = await work.providers.get(ALDER)
        assert provider is not None
        changed = provider.add_or_replace_branch(a_branch(published_on=day))
        changed = changed.add_or_replace_place(a_held_place(until=day))
        await work.providers.save(changed, before=provider)
    async with registry() as work:
        assert await work.providers.get(ALDER) == changed


@pytest.mark.parametrize("day", [date.min, date.max])
async def test_a_rating_with_a_day_at_the_calendars_end_is_loaded(registry: RegistryWorkFactory, day: date) -> None:
    """PostgreSQL shows the last day as `infinity`."""
    await register_providers(registry, "Alder")
    branch = a_branch(records=())
    async with registry() as work:
        await put_branch(PutBranch(ALDER, branch, NewRating(Rating.GOOD, (), date(2026, 1, 5))), work)
    async with registry() as work:
        provider = await work.providers.get(ALDER)
        assert provider is not None
        saved = provider.find_branch(branch.branch_id)
        assert saved is not None
        records = tuple(replace(each, published_on=day) for each in saved.ratings.records)
        changed = provider.add_or_replace_branch(replace(saved, ratings=replace(saved.ratings, records=records)))
        await work.providers.save(changed, before=provider)
    async with registry() as work:
        found = await work.providers.get(ALDER)
    assert found is not None
    assert len(found.branches) == 1


async def test_skills_and_turnover_are_saved_with_their_evidence(registry: RegistryWorkFactory) -> None:
    await publish_definitions(registry, 1)
    await register_providers(registry, "Alder")
    skills = (SkillEvidence(Needs.DEMENTIA, "CERT-17", date(2026, 1, 1), date(2026, 12, 31)),)
    async with registry() as work:
        changed = await set_skills(SetSkills(ALDER, skills), work)
    async with registry() as work:
        assert await work.providers.get(ALDER) == changed.provider
        with pytest.raises(InvalidInput) as refused:
            await set_skills(SetSkills(ALDER, (replace(skills[0], skill=NeedKey("singing")),)), work)
    assert (changed.provider.skills, changed.provider.published.skills) == (skills, (Needs.DEMENTIA,))
    assert [field.pointer for field in refused.value.fields] == ["#/skills/0/skill"]


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


async def test_capacity_is_declared_for_an_area_of_the_provider(registry: RegistryWorkFactory) -> None:
    await publish_definitions(registry, 1)
    await register_providers(registry, "Alder")
    await give_places(registry, ALDER, a_place())
    for hours in ("12.50", "8.00"):
        async with registry() as work:
            declared = await declare_capacity(DeclareCapacity(ALDER, COLCHESTER, Decimal(hours)), work)
            assert (declared.free_hours, declared.declared_at) == (Decimal(hours), MONDAY_NINE)
