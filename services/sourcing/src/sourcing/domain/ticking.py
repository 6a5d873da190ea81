"""Ticks of providers on a Batching List; a tick that cannot be used is on record too."""

from contracts.events.lists import InterestNotUsed, InterestRefusal, InterestRegistered, InterestWithdrawn
from sourcing.domain.batching_entry import BatchingEntry, EntryStatus
from sourcing.domain.draft import Draft
from sourcing.domain.errors import ListRowNotFound
from sourcing.domain.search import SearchStatus
from sourcing.domain.steps import Result, Ticked, TickNotUsed
from sourcing.domain.triggers import RegisterInterest


def register_interest(draft: Draft, command: RegisterInterest) -> Result:
    """Record whether the provider is interested in the package; the newest word of a provider counts.

    Raises ListRowNotFound where the package was not on this list.
    """
    entry = draft.search.batching
    if entry is None or entry.list_id != command.list_id:
        raise ListRowNotFound
    refusal = _find_refusal(draft, entry, command)
    if refusal is not None:
        return Result(_refuse(draft, entry, command, refusal))
    if command.interested != (command.provider_id in entry.ticks):
        kind = InterestRegistered if command.interested else InterestWithdrawn
        draft.publish(
            kind(
                package_id=draft.search.package_id,
                search_id=draft.search_id,
                list_id=entry.list_id,
                provider_id=command.provider_id,
            )
        )
    return Result(Ticked(interested=command.interested, is_for_officer=draft.search.is_urgent))


def _find_refusal(draft: Draft, entry: BatchingEntry, command: RegisterInterest) -> InterestRefusal | None:
    status = draft.search.status
    if command.provider_id not in entry.providers:
        return InterestRefusal.NOT_A_RECIPIENT
    if status is SearchStatus.PLACED:
        return InterestRefusal.PLACED
    if status is SearchStatus.STOPPED:
        return InterestRefusal.WITHDRAWN
    if entry.status is EntryStatus.REMOVED:
        return InterestRefusal.OFF_THE_LIST
    return None if entry.can_be_ticked(draft.at) else InterestRefusal.LATE


def _refuse(draft: Draft, entry: BatchingEntry, command: RegisterInterest, reason: InterestRefusal) -> TickNotUsed:
    """Record a tick that is not used; the same late tick again, and a late No, leave no second record."""
    is_repeated = reason is InterestRefusal.LATE and command.provider_id in entry.late_ticks
    if command.interested and not is_repeated:
        draft.publish(
            InterestNotUsed(
                package_id=draft.search.package_id,
                search_id=draft.search_id,
                list_id=entry.list_id,
                provider_id=command.provider_id,
                reason=reason,
            )
        )
    return TickNotUsed(reason)
