"""Loads, saves and publishes providers; every handler that changes a provider uses it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from contracts.ids import FrameworkKey, ProviderId
from contracts.office_time import to_office_date
from contracts.precedence import Precedence
from provider_registry.domain.announcements import build_change_events, list_channels
from provider_registry.domain.dates import get_start_of_day
from provider_registry.domain.errors import ProviderNotFound
from provider_registry.domain.next_change import find_next_change
from provider_registry.domain.provider import Definitions, Provider
from provider_registry.ports import NEXT_DAY, REASSESS, RegistryWork
from service_runtime.timers.timers import Timer


@dataclass(frozen=True)
class ProviderChange:
    """The provider after a change, with the definitions and the instant of its assessment."""

    provider: Provider
    definitions: Definitions
    at: datetime


async def load_provider(provider_id: ProviderId, work: RegistryWork) -> Provider:
    """Returns the provider. Raises ProviderNotFound, also for another council's provider."""
    provider = await work.providers.get(provider_id)
    if provider is None or provider.council != work.cause.council:
        raise ProviderNotFound
    return provider


async def save_and_publish(before: Provider | None, after: Provider, work: RegistryWork) -> ProviderChange:
    """Saves `after`, publishes what differs from the published state, and arms the timer of its next change."""
    definitions = await load_definitions(after, work)
    endpoint = await work.endpoints.get(str(after.provider_id))
    channels = list_channels(
        webhook=endpoint is not None and endpoint.disabled_because is None,
        email=work.delivery_terms.mail is not None and await work.mailboxes.has_mailbox(str(after.provider_id)),
    )
    provider, events = build_change_events(before, after, definitions=definitions, channels=channels, at=work.now)
    if provider != before:
        await work.providers.save(provider, before=before)
    work.publish(*events)
    await _schedule_next_change(provider, definitions, work)
    return ProviderChange(provider, definitions, work.now)


async def load_definitions(
    provider: Provider, work: RegistryWork, *, also: Collection[FrameworkKey] = ()
) -> Definitions:
    """Returns the definitions in force of the provider's frameworks and of those in `also`."""
    return await work.frameworks.load_in_force({*_list_frameworks(provider), *also}, on=to_office_date(work.now))


async def reassess(provider_id: ProviderId, work: RegistryWork) -> None:
    """Publishes what has changed about the provider without a command, if the registry has this provider."""
    provider = await work.providers.get(provider_id)
    if provider is not None:
        await save_and_publish(provider, provider, work)


async def _schedule_next_change(provider: Provider, definitions: Definitions, work: RegistryWork) -> None:
    """Arms the timer for the beginning of the next day on which the provider's eligibility may change."""
    today = to_office_date(work.now)
    first_days = await work.frameworks.list_first_days(_list_frameworks(provider), after=today)
    day = find_next_change(provider, definitions, first_days=first_days, today=today)
    if day is None:
        work.cancel(REASSESS, NEXT_DAY)
    else:
        work.schedule(Timer(REASSESS, NEXT_DAY, get_start_of_day(day), Precedence.FACT))


def _list_frameworks(provider: Provider) -> set[FrameworkKey]:
    return {each.place.framework for each in provider.places}
