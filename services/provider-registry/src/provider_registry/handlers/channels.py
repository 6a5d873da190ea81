"""Commands on a provider's channels, its webhook endpoint and its mailbox: each publishes the channels that result."""

from dataclasses import dataclass, field
from uuid import UUID

from contracts.events.providers import EndpointDisabled
from contracts.ids import ProviderId
from provider_registry.handlers.provider_changes import load_provider, reassess, save_and_publish
from provider_registry.ports import DISABLED_BY_OFFICER, RegistryWork
from service_runtime.webhooks.endpoint_commands import (
    DeletePreviousSecrets,
    DisableEndpoint,
    PutEndpoint,
    RotateSecret,
    delete_previous_secrets,
    disable_endpoint,
    put_endpoint,
    rotate_secret,
)


@dataclass(frozen=True)
class PutMailbox:
    """`address` may name a person and is never logged."""

    provider_id: ProviderId
    address: str = field(repr=False)


@dataclass(frozen=True)
class RemoveMailbox:
    provider_id: ProviderId


async def put_provider_endpoint(command: PutEndpoint, work: RegistryWork) -> str | None:
    """Sets the URL of the endpoint. Returns the secret of a new endpoint, None for an existing one."""
    provider = await load_provider(_to_provider_id(command.owner), work)
    secret = await put_endpoint(command, work)
    await save_and_publish(provider, provider, work)
    return secret


async def rotate_provider_secret(command: RotateSecret, work: RegistryWork) -> str:
    """Returns a new secret. The channels stay as they are, so nothing is published."""
    await load_provider(_to_provider_id(command.owner), work)
    return await rotate_secret(command, work)


async def delete_previous_provider_secrets(command: DeletePreviousSecrets, work: RegistryWork) -> None:
    """Ends the overlap of a rotation at once."""
    await load_provider(_to_provider_id(command.owner), work)
    await delete_previous_secrets(command, work)


async def disable_provider_endpoint(command: DisableEndpoint, work: RegistryWork) -> bool:
    """Disables the endpoint and publishes EndpointDisabled; offers use the provider's other channels."""
    provider = await load_provider(_to_provider_id(command.owner), work)
    was_enabled = await disable_endpoint(command, work)
    if was_enabled:
        work.publish(EndpointDisabled(provider_id=provider.provider_id, reason=DISABLED_BY_OFFICER))
        await save_and_publish(provider, provider, work)
    return was_enabled


async def put_mailbox(command: PutMailbox, work: RegistryWork) -> None:
    """Sets the mailbox for offers."""
    provider = await load_provider(command.provider_id, work)
    await work.mailboxes.put(str(provider.provider_id), command.address)
    await save_and_publish(provider, provider, work)


async def remove_mailbox(command: RemoveMailbox, work: RegistryWork) -> None:
    """Removes the mailbox, if there is one."""
    provider = await load_provider(command.provider_id, work)
    await work.mailboxes.remove(str(provider.provider_id))
    await save_and_publish(provider, provider, work)


async def update_channels(event: EndpointDisabled, work: RegistryWork) -> None:
    """Reassesses the provider's channels on its own stream after its endpoint was disabled."""
    await reassess(event.provider_id, work)


def _to_provider_id(owner: str) -> ProviderId:
    return ProviderId(UUID(owner))
