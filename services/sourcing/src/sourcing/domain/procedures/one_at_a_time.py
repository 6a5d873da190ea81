"""Procedures that make one offer at a time, in the order that was pinned when the stage began.

They are `sequential-offers`, `designated`, and the offers to those who ticked a Batching List.
"""

from sourcing.domain.draft import Draft
from sourcing.domain.holding import hold_for
from sourcing.domain.making_offers import is_waiting_for_opening, offer_or_pass_over
from sourcing.domain.procedures.batching_list import (
    enter_stage_of_ticks,
    is_closed_for_stage,
    is_suspended,
    leave_stage,
)


def offer_to_next_candidate(draft: Draft) -> bool:
    """Handle the next candidate, or the end of the stage; True when another step may follow now."""
    if is_suspended(draft.search) or is_waiting_for_opening(draft):
        return False
    if is_closed_for_stage(draft.search):
        return enter_stage_of_ticks(draft)
    untried = draft.stage.untried
    if not untried:
        return leave_stage(draft)
    care = draft.search.care
    if draft.market.find_missing_facts(care, untried[:1]):
        return not hold_for(draft, draft.market.find_missing_facts(care, untried))
    offer_or_pass_over(draft, untried[0])
    return True
