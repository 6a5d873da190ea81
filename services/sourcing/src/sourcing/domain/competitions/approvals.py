"""What pricing's second officer decided about an award: of a bid where a competition has it, else of a proposal."""

from contracts.events.orders import SpotPriceApproved, SpotPriceRefused
from sourcing.domain.awarding import drop_refused_award, place_approved_award
from sourcing.domain.competitions.awarding import drop_refused_bid, place_approved_bid
from sourcing.domain.draft import Draft
from sourcing.domain.steps import Result


def place_after_approval(draft: Draft, event: SpotPriceApproved) -> Result:
    return Result() if place_approved_bid(draft, event) else place_approved_award(draft, event)


def drop_after_refusal(draft: Draft, event: SpotPriceRefused) -> Result:
    return Result() if drop_refused_bid(draft, event) else drop_refused_award(draft, event)
