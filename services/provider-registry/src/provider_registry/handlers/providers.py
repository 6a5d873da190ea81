"""Providers: every change is made to the value, and whatever others have to know of it is published once."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from decimal import Decimal
from uuid import UUID

from contracts.errors import FieldError, InvalidInput
from contracts.events.providers import CapacityDeclared, EmbargoReason, EndpointDisabled
from contracts.ids import AreaCode, CouncilKey, FrameworkKey, ProviderId
from provider_registry.domain.errors import ProviderIdTaken, ProviderNotFound
from provider_registry.domain.news import announce, channels_of
from provider_registry.domain.places import check_room, places_asked_for, spot_areas_asked_for
from provider_registry.domain.provider import Branch, Definitions, Place, Profile, Provider
from provider_registry.ports import DISABLED_BY_OFFICER, RegistryWork
from service_runtime.timers.timers import DueTimer


@dataclass(frozen=True)
class RegisterProvider:
    provider_id: ProviderId
    profile: Profile


@dataclass(frozen=True)
class ChangeProfile:
    """`expect` says whether the provider's version is the one that the caller has seen; it raises when it is not."""

    provider_id: ProviderId
    profile: Profile
    expect: Callable[[int], None]


@dataclass(frozen=True)
class PutBranch:
    provider_id: ProviderId
    branch: Branch


@dataclass(frozen=True)
class SetPlaces:
    """All places of the provider, in the order in which the caller named them."""

    provider_id: ProviderId
    places: tuple[Place, ...]


@dataclass(frozen=True)
class SetSpotAreas:
    """All areas that the provider serves outside any framework; `expect` as for ChangeProfile."""

    provider_id: ProviderId
    areas: tuple[AreaCode, ...]
    expect: Callable[[int], None]


@dataclass(frozen=True)
class SetEmbargo:
    """No new offers from now on, for a reason; None lifts the embargo."""

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
    """`address` may name a person, and stands in nothing that is logged."""

    provider_id: ProviderId
    address: str = field(repr=False)


@dataclass(frozen=True)
class RemoveMailbox:
    provider_id: ProviderId


@dataclass(frozen=True)
class Registered:
    """The provider as it stands; `is_new` is False where it was registered before."""

    provider: Provider
    definitions: Definitions
    is_new: bool


@dataclass(frozen=True)
class Changed:
    """The provider after a change, with the definitions by which it was looked at."""

    provider: Provider
    definitions: Definitions


async def register_provider(command: RegisterProvider, work: RegistryWork) -> Registered:
    """A provider is known from now on: by telephone, and without a place in any framework yet."""
    council = CouncilKey(work.cause.council)
    known = await work.providers.get(command.provider_id)
    if known is not None and (known.council, known.profile) != (council, command.profile):
        raise ProviderIdTaken
    if known is not None:
        return Registered(known, await _definitions(known, work), is_new=False)
    fresh = Provider(command.provider_id, council, command.profile, registered_at=work.now)
    changed = await _keep(None, fresh, work)
    return Registered(changed.provider, changed.definitions, is_new=True)


async def change_profile(command: ChangeProfile, work: RegistryWork) -> Changed:
    provider = await _known(command.provider_id, work)
    command.expect(provider.version)
    return await _keep(provider, replace(provider, profile=command.profile), work)


async def put_branch(command: PutBranch, work: RegistryWork) -> Changed:
    provider = await _known(command.provider_id, work)
    return await _keep(provider, provider.with_branch(command.branch), work)


async def set_places(command: SetPlaces, work: RegistryWork) -> Changed:
    """All or nothing: a place that is full refuses the others too."""
    provider = await _known(command.provider_id, work)
    asked_for = {place.framework for place in command.places}
    definitions = await _definitions(provider, work, also=asked_for)
    own = {key: each for key, each in definitions.items() if each.council == provider.council}
    places = places_asked_for(command.places, own)
    touched = sorted({*places} ^ {*provider.places})
    members = await work.providers.members(touched)
    new = [place for place in places if place not in provider.places]
    check_room(new, {place: len(found) for place, found in members.items()}, own)
    return await _keep(provider, replace(provider, places=places), work)


async def set_spot_areas(command: SetSpotAreas, work: RegistryWork) -> Changed:
    """No framework and no cap has a say here; an officer looks at each price that is proposed."""
    provider = await _known(command.provider_id, work)
    command.expect(provider.version)
    return await _keep(provider, replace(provider, spot_areas=spot_areas_asked_for(command.areas)), work)


async def set_embargo(command: SetEmbargo, work: RegistryWork) -> Changed:
    provider = await _known(command.provider_id, work)
    return await _keep(provider, replace(provider, embargo=command.reason), work)


async def declare_capacity(command: DeclareCapacity, work: RegistryWork) -> CapacityDeclared:
    """Each declaration counts from its own instant, also one that says the same again."""
    provider = await _known(command.provider_id, work)
    if not provider.works_in(command.area):
        raise InvalidInput(FieldError("#/area", "is not an area in which the provider is a member of a framework"))
    declared = CapacityDeclared(
        provider_id=provider.provider_id, area=command.area, free_hours=command.free_hours, declared_at=work.now
    )
    await work.providers.declare_capacity(provider.provider_id, declared.area, declared.free_hours)
    work.publish(declared)
    return declared


async def put_endpoint(command: PutEndpoint, work: RegistryWork) -> str | None:
    """Offers go to this URL from now on. The secret of a new endpoint; None where it has one already."""
    provider = await _known(command.provider_id, work)
    secret = await work.endpoints.put(str(provider.provider_id), command.url)
    await _keep(provider, provider, work)
    return secret


async def rotate_secret(command: RotateSecret, work: RegistryWork) -> str:
    """A new secret; for a while webhooks are signed with the old one too."""
    provider = await _known(command.provider_id, work)
    overlap = work.delivery_terms.secret_overlap
    return await work.endpoints.rotate_secret(str(provider.provider_id), overlap=overlap)


async def disable_endpoint(command: DisableEndpoint, work: RegistryWork) -> None:
    """Nothing is sent there any more; offers are made by telephone."""
    provider = await _known(command.provider_id, work)
    if await work.endpoints.disable(str(provider.provider_id), because=DISABLED_BY_OFFICER):
        work.publish(EndpointDisabled(provider_id=provider.provider_id, reason=DISABLED_BY_OFFICER))
        await _keep(provider, provider, work)


async def put_mailbox(command: PutMailbox, work: RegistryWork) -> None:
    """Offers can be mailed from now on, where there is a mail server."""
    provider = await _known(command.provider_id, work)
    await work.mailboxes.put(str(provider.provider_id), command.address)
    await _keep(provider, provider, work)


async def remove_mailbox(command: RemoveMailbox, work: RegistryWork) -> None:
    """No mail any more; where there is no mailbox, nothing happens."""
    provider = await _known(command.provider_id, work)
    await work.mailboxes.remove(str(provider.provider_id))
    await _keep(provider, provider, work)


async def follow_endpoint(event: EndpointDisabled, work: RegistryWork) -> None:
    """Our own event, heard again on the provider's stream: an endpoint that is gone changes the channels."""
    await _look_again(event.provider_id, work)


async def reconsider(timer: DueTimer, work: RegistryWork) -> None:
    """A definition changed by which the provider is looked at."""
    await _look_again(ProviderId(UUID(timer.stream.key)), work)


async def _look_again(provider_id: ProviderId, work: RegistryWork) -> None:
    provider = await work.providers.get(provider_id)
    if provider is not None:
        await _keep(provider, provider, work)


async def _known(provider_id: ProviderId, work: RegistryWork) -> Provider:
    """Another council's provider is as unknown as one that does not exist."""
    provider = await work.providers.get(provider_id)
    if provider is None or provider.council != work.cause.council:
        raise ProviderNotFound
    return provider


async def _keep(before: Provider | None, after: Provider, work: RegistryWork) -> Changed:
    """The one way a provider changes: what it is worth by now, saved, and told where that is news."""
    definitions = await _definitions(after, work)
    endpoint = await work.endpoints.get(str(after.provider_id))
    channels = channels_of(
        webhook=endpoint is not None and endpoint.disabled_because is None,
        email=work.delivery_terms.mail is not None and await work.mailboxes.is_there(str(after.provider_id)),
    )
    provider, events = announce(before, after, definitions=definitions, channels=channels, on=work.now.date())
    if provider != before:
        await work.providers.save(provider, before=before)
    work.publish(*events)
    return Changed(provider, definitions)


async def _definitions(provider: Provider, work: RegistryWork, *, also: Collection[FrameworkKey] = ()) -> Definitions:
    return await work.frameworks.newest({*(place.framework for place in provider.places), *also})
