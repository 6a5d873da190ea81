"""Overriding a Batching List's suspension: the offers of a package go on while the list is out."""

from contracts.events.officer_acts import SuspensionOverridden
from sourcing.domain.draft import Draft
from sourcing.domain.offering import advance
from sourcing.domain.officers.allowed_acts import Act, require_allowed
from sourcing.domain.officers.commands import OverrideSuspension
from sourcing.domain.officers.reasons import check_officer_reason
from sourcing.domain.steps import Result


def override_suspension(draft: Draft, command: OverrideSuspension) -> Result:
    """Have the offers go on; ticks count as before, and those who tick are offered the package when the list closes.

    A suspension that was overridden stays so. Raises ActNotPossible, InvalidInput.
    """
    entry = draft.search.batching
    if entry is not None and entry.is_out and not entry.suspends:
        return Result()
    require_allowed(draft, Act.OVERRIDE_SUSPENSION)
    assert entry is not None, "only a package on a list is suspended"
    check_officer_reason(draft, command.reason)
    draft.publish(
        SuspensionOverridden(
            package_id=draft.search.package_id,
            search_id=draft.search_id,
            list_id=entry.list_id,
            officer=command.officer,
            reason=command.reason,
            note_id=command.note_id,
        )
    )
    return advance(draft)
