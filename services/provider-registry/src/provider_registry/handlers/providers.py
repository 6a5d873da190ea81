"""Commands on providers: each changes the value, saves it and publishes what changed."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from decimal import Decimal
from uuid import UUID

from contracts.errors import FieldError, InvalidInput
from contracts.events.providers import CapacityDeclared, EmbargoReason, EndpointDisabled
from contracts.ids import AreaCode, CouncilKey, FrameworkKey, ProviderId
from provider_registry.domain.announcements import announce_changes, list_channels
from provider_registry.domain.errors import ProviderIdTaken, ProviderNotFound
from provider_registry.domain.memberships import check_places_are_free, validate_places, validate_spot_areas
from provider_registry.domain.provider import Branch, Definitions, FrameworkPlace, Profile, Provider
from provider_registry.ports import DISABLED_BY_OFFICER, RegistryWork
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
class PutEndpoint:
    provider_id: ProviderId
    url: str


@dataclass(frozen=True)
class RotateSecret:
    provider_id: ProviderId


@dataclass(frozen=True)
class DisableEndpoint:
    provider_id: ProviderId


@dataclass(frozen=True)
class PutMailbox:
    """`address` may name a person and is never logged."""

    provider_id: ProviderId
    address: str = field(repr=False)


@dataclass(frozen=True)
class RemoveMailbox:
    provider_id: ProviderId


@dataclass(frozen=True)
class RegistrationResult:
    """The registered provider; `is_new` is False if it was registered before."""

    provider: Provider
    definitions: Definitions
    is_new: bool


@dataclass(frozen=True)
class ProviderChange:
    """The provider after a change, with the definitions used to assess it."""

    provider: Provider
    definitions: Definitions


async def register_provider(command: RegisterProvider, work: RegistryWork) -> RegistrationResult:
    """Registers a provider without places, reached by telephone only. Raises ProviderIdTaken."""
    council = CouncilKey(work.cause.council)
    known = await work.providers.get(command.provider_id)
    if known is not None and (known.council, known.profile) != (council, command.profile):
        raise ProviderIdTaken
    if known is not None:
        return RegistrationResult(known, await _load_definitions(known, work), is_new=False)
    fresh = Provider(command.provider_id, council, command.profile, registered_at=work.now)
    changed = await _save_and_announce(None, fresh, work)
    return RegistrationResult(changed.provider, changed.definitions, is_new=True)


async def change_profile(command: ChangeProfile, work: RegistryWork) -> ProviderChange:
    provider = await _load_provider(command.provider_id, work)
    command.expect(provider.version)
    return await _save_and_announce(provider, replace(provider, profile=command.profile), work)


async def put_branch(command: PutBranch, work: RegistryWork) -> ProviderChange:
    provider = await _load_provider(command.provider_id, work)
    return await _save_and_announce(provider, provider.with_branch(command.branch), work)


async def set_places(command: SetPlaces, work: RegistryWork) -> ProviderChange:
    """Sets all places or none. Raises InvalidInput or NoPlaceLeft."""
    provider = await _load_provider(command.provider_id, work)
    asked_for = {place.framework for place in command.places}
    definitions = await _load_definitions(provider, work, also=asked_for)
    own = {key: each for key, each in definitions.items() if each.council == provider.council}
    places = validate_places(command.places, own)
    touched = sorted({*places} ^ {*provider.places})
    members = await work.providers.lock_members(touched)
    new = [place for place in places if place not in provider.places]
    check_places_are_free(new, {place: len(found) for place, found in members.items()}, own)
    return await _save_and_announce(provider, replace(provider, places=places), work)


async def set_spot_areas(command: SetSpotAreas, work: RegistryWork) -> ProviderChange:
    """Sets the areas served outside frameworks. No cap applies: an officer decides on each proposed price."""
    provider = await _load_provider(command.provider_id, work)
    command.expect(provider.version)
    return await _save_and_announce(provider, replace(provider, spot_areas=validate_spot_areas(command.areas)), work)


async def set_embargo(command: SetEmbargo, work: RegistryWork) -> ProviderChange:
    provider = await _load_provider(command.provider_id, work)
    return await _save_and_announce(provider, replace(provider, embargo=command.reason), work)


async def declare_capacity(command: DeclareCapacity, work: RegistryWork) -> CapacityDeclared:
    """Publishes CapacityDeclared, also for an unchanged figure: a declaration counts from its own instant."""
    provider = await _load_provider(command.provider_id, work)
    if not provider.has_place_in(command.area):
        raise InvalidInput(FieldError("#/area", "is not an area in which the provider is a member of a framework"))
    declared = CapacityDeclared(
        provider_id=provider.provider_id, area=command.area, free_hours=command.free_hours, declared_at=work.now
    )
    await work.providers.declare_capacity(provider.provider_id, declared.area, declared.free_hours)
    work.publish(declared)
    return declared


async def put_endpoint(command: PutEndpoint, work: RegistryWork) -> str | None:
    """Sets the URL of the endpoint. Returns the secret of a new endpoint, None for an existing one."""
    provider = await _load_provider(command.provider_id, work)
    secret = await work.endpoints.put(str(provider.provider_id), command.url)
    await _save_and_announce(provider, provider, work)
    return secret


async def rotate_secret(command: RotateSecret, work: RegistryWork) -> str:
    """Returns a new secret; webhooks carry signatures by both secrets during the overlap."""
    provider = await _load_provider(command.provider_id, work)
    overlap = work.delivery_terms.secret_overlap
    return await work.endpoints.rotate_secret(str(provider.provider_id), overlap=overlap)


async def disable_endpoint(command: DisableEndpoint, work: RegistryWork) -> None:
    """Disables the endpoint; offers use the provider's other channels."""
    provider = await _load_provider(command.provider_id, work)
    if await work.endpoints.disable(str(provider.provider_id), because=DISABLED_BY_OFFICER):
        work.publish(EndpointDisabled(provider_id=provider.provider_id, reason=DISABLED_BY_OFFICER))
        await _save_and_announce(provider, provider, work)


async def put_mailbox(command: PutMailbox, work: RegistryWork) -> None:
    """Sets the mailbox for offers."""
    provider = await _load_provider(command.provider_id, work)
    await work.mailboxes.put(str(provider.provider_id), command.address)
    await _save_and_announce(provider, provider, work)


async def remove_mailbox(command: RemoveMailbox, work: RegistryWork) -> None:
    """Removes the mailbox, if there is one."""
    provider = await _load_provider(command.provider_id, work)
    await work.mailboxes.remove(str(provider.provider_id))
    await _save_and_announce(provider, provider, work)


async def update_channels(event: EndpointDisabled, work: RegistryWork) -> None:
    """Reassesses the provider's channels on its own stream after its endpoint was disabled."""
    await _reassess(event.provider_id, work)


async def reassess_provider(timer: DueTimer, work: RegistryWork) -> None:
    """Reassesses the provider after a definition of one of its frameworks changed."""
    await _reassess(ProviderId(UUID(timer.stream.key)), work)


async def _reassess(provider_id: ProviderId, work: RegistryWork) -> None:
    provider = await work.providers.get(provider_id)
    if provider is not None:
        await _save_and_announce(provider, provider, work)


async def _load_provider(provider_id: ProviderId, work: RegistryWork) -> Provider:
    """Returns the provider. Raises ProviderNotFound, also for another council's provider."""
    provider = await work.providers.get(provider_id)
    if provider is None or provider.council != work.cause.council:
        raise ProviderNotFound
    return provider


async def _save_and_announce(before: Provider | None, after: Provider, work: RegistryWork) -> ProviderChange:
    """Saves `after` and publishes what differs from the published state. Every change of a provider ends here."""
    definitions = await _load_definitions(after, work)
    endpoint = await work.endpoints.get(str(after.provider_id))
    channels = list_channels(
        webhook=endpoint is not None and endpoint.disabled_because is None,
        email=work.delivery_terms.mail is not None and await work.mailboxes.has_mailbox(str(after.provider_id)),
    )
    provider, events = announce_changes(before, after, definitions=definitions, channels=channels, on=work.now.date())
    if provider != before:
        await work.providers.save(provider, before=before)
    work.publish(*events)
    return ProviderChange(provider, definitions)


async def _load_definitions(
    provider: Provider, work: RegistryWork, *, also: Collection[FrameworkKey] = ()
) -> Definitions:
    return await work.frameworks.load_newest({*(place.framework for place in provider.places), *also})
