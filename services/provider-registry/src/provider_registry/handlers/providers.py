"""Commands on providers: each changes the value, saves it and publishes what changed."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from uuid import UUID

from contracts.errors import FieldError, InvalidInput
from contracts.events.providers import CapacityDeclared, EmbargoReason
from contracts.ids import AreaCode, CouncilKey, ProviderId
from contracts.office_time import to_office_date
from provider_registry.domain.errors import ProviderIdTaken
from provider_registry.domain.place_rules import validate_spot_areas
from provider_registry.domain.provider import Profile, Provider
from provider_registry.domain.skills import SkillEvidence, validate_skills
from provider_registry.handlers.provider_changes import (
    ProviderChange,
    load_definitions,
    load_provider,
    reassess,
    save_and_publish,
)
from provider_registry.ports import RegistryWork
from service_runtime.timers.timers import DueTimer


@dataclass(frozen=True)
class RegisterProvider:
    provider_id: ProviderId
    profile: Profile


@dataclass(frozen=True)
class ChangeProfile:
    """`expect` raises if the provider's version differs from the one that the caller has read."""

    provider_id: ProviderId
    profile: Profile
    expect: Callable[[int], None]


@dataclass(frozen=True)
class SetSkills:
    """All skills of the provider, with their evidence."""

    provider_id: ProviderId
    skills: tuple[SkillEvidence, ...]


@dataclass(frozen=True)
class SetSpotAreas:
    """All areas that the provider serves outside frameworks; `expect` as in ChangeProfile."""

    provider_id: ProviderId
    areas: tuple[AreaCode, ...]
    expect: Callable[[int], None]


@dataclass(frozen=True)
class SetEmbargo:
    """Sets an embargo with a reason; None lifts it."""

    provider_id: ProviderId
    reason: EmbargoReason | None


@dataclass(frozen=True)
class DeclareCapacity:
    provider_id: ProviderId
    area: AreaCode
    free_hours: Decimal


@dataclass(frozen=True)
class RegistrationResult:
    """The registered provider; `is_new` is False if it was registered before."""

    change: ProviderChange
    is_new: bool


async def register_provider(command: RegisterProvider, work: RegistryWork) -> RegistrationResult:
    """Registers a provider without places, reached by telephone only. Raises ProviderIdTaken."""
    council = CouncilKey(work.cause.council)
    known = await work.providers.get(command.provider_id)
    if known is not None and (known.council, known.profile) != (council, command.profile):
        raise ProviderIdTaken
    if known is not None:
        known_now = ProviderChange(known, await load_definitions(known, work), work.now)
        return RegistrationResult(known_now, is_new=False)
    fresh = Provider(command.provider_id, council, command.profile, registered_at=work.now)
    return RegistrationResult(await save_and_publish(None, fresh, work), is_new=True)


async def change_profile(command: ChangeProfile, work: RegistryWork) -> ProviderChange:
    provider = await load_provider(command.provider_id, work)
    command.expect(provider.version)
    return await save_and_publish(provider, replace(provider, profile=command.profile), work)


async def set_skills(command: SetSkills, work: RegistryWork) -> ProviderChange:
    """Raises InvalidInput for a skill that is no word of the council's frameworks."""
    provider = await load_provider(command.provider_id, work)
    definitions = await work.frameworks.load_of_council(provider.council, on=to_office_date(work.now))
    known = {skill.skill for each in definitions.values() for skill in each.skills}
    return await save_and_publish(
        provider, replace(provider, skills=validate_skills(command.skills, known=known)), work
    )


async def set_spot_areas(command: SetSpotAreas, work: RegistryWork) -> ProviderChange:
    """Sets the areas served outside frameworks. No cap applies: an officer decides on each proposed price."""
    provider = await load_provider(command.provider_id, work)
    command.expect(provider.version)
    return await save_and_publish(provider, replace(provider, spot_areas=validate_spot_areas(command.areas)), work)


async def set_embargo(command: SetEmbargo, work: RegistryWork) -> ProviderChange:
    provider = await load_provider(command.provider_id, work)
    return await save_and_publish(provider, replace(provider, embargo=command.reason), work)


async def declare_capacity(command: DeclareCapacity, work: RegistryWork) -> CapacityDeclared:
    """Publishes CapacityDeclared, also for an unchanged figure: a declaration counts from its own instant."""
    provider = await load_provider(command.provider_id, work)
    if not provider.has_place_in(command.area):
        raise InvalidInput(FieldError("#/area", "is not an area in which the provider has a place on a framework"))
    declared = CapacityDeclared(
        provider_id=provider.provider_id, area=command.area, free_hours=command.free_hours, declared_at=work.now
    )
    await work.providers.declare_capacity(provider.provider_id, declared.area, declared.free_hours)
    work.publish(declared)
    return declared


async def reassess_provider(timer: DueTimer, work: RegistryWork) -> None:
    """Reassesses the provider after a definition of one of its frameworks changed, or on a day of its own."""
    await reassess(ProviderId(UUID(timer.stream.key)), work)
