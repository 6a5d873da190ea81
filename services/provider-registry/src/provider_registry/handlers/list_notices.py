"""Notices of lists: each recipient gets its rows by its own channel."""

from collections.abc import Iterator

from contracts.events.lists import AvailablePackagesIssued, BatchingListClosed, BatchingListIssued, ListRecipient
from provider_registry.domain.list_rows import select_available_packages, select_batching_rows
from provider_registry.domain.notices import AVAILABLE_PACKAGES_ISSUED, BATCHING_LIST_ISSUED, Announcement
from provider_registry.handlers.notices import lapse, notify_providers
from provider_registry.ports import RegistryWork


async def send_batching_list(event: BatchingListIssued, work: RegistryWork) -> None:
    """Sends each provider the rows of its areas; one without any row gets nothing."""
    work.issued_lists.save(event)
    await notify_providers(list(_announce_batching_list(event, work)), work, list_id=event.list_id)


def _announce_batching_list(event: BatchingListIssued, work: RegistryWork) -> Iterator[Announcement]:
    for recipient in event.recipients:
        part = select_batching_rows(event, recipient)
        if part is not None:
            yield BATCHING_LIST_ISSUED.announce(part, recipient.provider_id, work.delivery_terms.addresses)


async def send_available_packages(event: AvailablePackagesIssued, work: RegistryWork) -> None:
    """Sends each recipient all rows, those of the areas that it serves first."""
    work.issued_lists.save(event)
    announcements = [_announce_available_packages(event, each, work) for each in event.recipients]
    await notify_providers(announcements, work, list_id=event.list_id)


def _announce_available_packages(
    event: AvailablePackagesIssued, recipient: ListRecipient, work: RegistryWork
) -> Announcement:
    part = select_available_packages(event, recipient)
    return AVAILABLE_PACKAGES_ISSUED.announce(part, recipient.provider_id, work.delivery_terms.addresses)


async def end_batching_list(event: BatchingListClosed, work: RegistryWork) -> None:
    """Ends the notices of a list that can no longer be returned."""
    await lapse(await work.notices.list_open_of_list(event.list_id), work)
