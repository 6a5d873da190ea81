"""Loads, saves and publishes providers; every handler that changes a provider uses it."""

from collections.abc import Collection
from dataclasses import dataclass

from contracts.ids import FrameworkKey, ProviderId
from provider_registry.domain.announcements import build_change_events, list_channels
from provider_registry.domain.errors import ProviderNotFound
from provider_registry.domain.provider import Definitions, Provider
from provider_registry.ports import RegistryWork


@dataclass(frozen=True)
class ProviderChange:
    """The provider after a change, with the definitions used to assess it."""

    provider: Provider
    definitions: Definitions


async def load_provider(provider_id: ProviderId, work: RegistryWork) -> Provider:
    """Returns the provider. Raises ProviderNotFound, also for another council's provider."""
    provider = await work.providers.get(provider_id)
    if provider is None or provider.council != work.cause.council:
        raise ProviderNotFound
    return provider


async def save_and_publish(before: Provider | None, after: Provider, work: RegistryWork) -> ProviderChange:
    """Saves `after` and publishes what differs from the published state."""
    definitions = await load_definitions(after, work)
    endpoint = await work.endpoints.get(str(after.provider_id))
    channels = list_channels(
        webhook=endpoint is not None and endpoint.disabled_because is None,
        email=work.delivery_terms.mail is not None and await work.mailboxes.has_mailbox(str(after.provider_id)),
    )
    provider, events = build_change_events(
        before, after, definitions=definitions, channels=channels, on=work.now.date()
    )
    if provider != before:
        await work.providers.save(provider, before=before)
    work.publish(*events)
    return ProviderChange(provider, definitions)


async def load_definitions(
    provider: Provider, work: RegistryWork, *, also: Collection[FrameworkKey] = ()
) -> Definitions:
    """Returns the newest definitions of the provider's frameworks and of those in `also`."""
    return await work.frameworks.load_newest({*(place.framework for place in provider.places), *also})


async def reassess(provider_id: ProviderId, work: RegistryWork) -> None:
    """Publishes what has changed about the provider without a command, if the registry has this provider."""
    provider = await work.providers.get(provider_id)
    if provider is not None:
        await save_and_publish(provider, provider, work)
