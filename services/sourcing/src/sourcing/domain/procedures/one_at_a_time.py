"""`sequential-offers` and `designated`: one offer at a time, in the order that was pinned when the stage began."""

from sourcing.domain.draft import Draft
from sourcing.domain.holding import hold_for
from sourcing.domain.making_offers import is_waiting_for_opening, offer_or_pass_over
from sourcing.domain.stage_entry import enter_next_stage


def offer_to_next_candidate(draft: Draft) -> bool:
    """Handle the next candidate, or the end of the stage; True when another step may follow now."""
    if is_waiting_for_opening(draft):
        return False
    untried = draft.stage.untried
    if not untried:
        return enter_next_stage(draft, draft.stage.name)
    care = draft.search.care
    if draft.market.find_missing_facts(care, untried[:1]):
        return not hold_for(draft, draft.market.find_missing_facts(care, untried))
    offer_or_pass_over(draft, untried[0])
    return True
