"""Withdrawing an award before a second officer has decided about its price; the package stays open to proposals."""

from contracts.events.listings import AwardEnd
from sourcing.domain.awarding import lapse_award
from sourcing.domain.draft import Draft
from sourcing.domain.errors import ActNotPossible
from sourcing.domain.officers.allowed_acts import Act, require_allowed
from sourcing.domain.officers.commands import WithdrawAward
from sourcing.domain.officers.reasons import check_officer_reason
from sourcing.domain.steps import Result


def withdraw_waiting_award(draft: Draft, command: WithdrawAward) -> Result:
    """End the award that waits. Raises ActNotPossible where none or another one waits, and InvalidInput."""
    require_allowed(draft, Act.WITHDRAW_AWARD)
    check_officer_reason(draft, command.reason)
    pending = draft.listing.award
    if pending is None or pending.award_id != command.award_id:
        raise ActNotPossible(f"award {command.award_id} does not wait any more; look at the package's proposals")
    lapse_award(
        draft,
        AwardEnd.WITHDRAWN_BY_OFFICER,
        officer=command.officer,
        officer_reason=command.reason,
        note_id=command.note_id,
    )
    return Result()
