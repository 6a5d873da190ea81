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
from provider_registry.domain.memberships import check_places_are_free, validate_places, validate_spot_areas
from provider_registry.domain.provider import Branch, Definitions, FrameworkPlace, Profile, Provider
from provider_registry.domain.ratings import check_published_on
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
class PutBranch:
    provider_id: ProviderId
    branch: Branch


@dataclass(frozen=True)
class SetPlaces:
    """All places of the provider, in the caller's order."""

    provider_id: ProviderId
    places: tuple[FrameworkPlace, ...]


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

    provider: Provider
    definitions: Definitions
    is_new: bool


async def register_provider(command: RegisterProvider, work: RegistryWork) -> RegistrationResult:
    """Registers a provider without places, reached by telephone only. Raises ProviderIdTaken."""
    council = CouncilKey(work.cause.council)
    known = await work.providers.get(command.provider_id)
    if known is not None and (known.council, known.profile) != (council, command.profile):
        raise ProviderIdTaken
    if known is not None:
        return RegistrationResult(known, await load_definitions(known, work), is_new=False)
    fresh = Provider(command.provider_id, council, command.profile, registered_at=work.now)
    changed = await save_and_publish(None, fresh, work)
    return RegistrationResult(changed.provider, changed.definitions, is_new=True)


async def change_profile(command: ChangeProfile, work: RegistryWork) -> ProviderChange:
    provider = await load_provider(command.provider_id, work)
    command.expect(provider.version)
    return await save_and_publish(provider, replace(provider, profile=command.profile), work)


async def put_branch(command: PutBranch, work: RegistryWork) -> ProviderChange:
    """Raises InvalidInput for a rating that is published more than a year ahead."""
    check_published_on(command.branch.published_on, today=to_office_date(work.now))
    provider = await load_provider(command.provider_id, work)
    return await save_and_publish(provider, provider.add_or_replace_branch(command.branch), work)


async def set_places(command: SetPlaces, work: RegistryWork) -> ProviderChange:
    """Sets all places or none. Raises InvalidInput or NoPlaceLeft."""
    provider = await load_provider(command.provider_id, work)
    asked_for = {place.framework for place in command.places}
    definitions = await load_definitions(provider, work, also=asked_for)
    own = {key: each for key, each in definitions.items() if each.council == provider.council}
    places = validate_places(command.places, own)
    touched = sorted({*places} ^ {*provider.places})
    members = await work.providers.watch_members(touched)
    new = [place for place in places if place not in provider.places]
    check_places_are_free(new, {place: len(found) for place, found in members.items()}, own)
    return await save_and_publish(provider, replace(provider, places=places), work)


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
        raise InvalidInput(FieldError("#/area", "is not an area in which the provider is a member of a framework"))
    declared = CapacityDeclared(
        provider_id=provider.provider_id, area=command.area, free_hours=command.free_hours, declared_at=work.now
    )
    await work.providers.declare_capacity(provider.provider_id, declared.area, declared.free_hours)
    work.publish(declared)
    return declared


async def reassess_provider(timer: DueTimer, work: RegistryWork) -> None:
    """Reassesses the provider after a definition of one of its frameworks changed."""
    await reassess(ProviderId(UUID(timer.stream.key)), work)
