"""The sentences of events about packages that are open to all, and about prices and purchase orders."""

from typing import Final

from audit.domain.names import (
    Names,
    format_costs,
    format_day,
    format_instant,
    format_pounds,
    format_rate,
    format_terms,
    format_word,
    join_phrases,
)
from audit.domain.narration import Narration
from contracts.events.listings import (
    AwardAwaitsApproval,
    AwardLapsed,
    AwardRefused,
    PackageListed,
    ProposalAwarded,
    ProposalReceived,
    ProposalRefused,
    SecondOfficerNeeded,
    StillListed,
)
from contracts.events.orders import (
    LateDecisionRefused,
    PurchaseOrderCancelled,
    PurchaseOrderIssued,
    SpotPriceApproved,
    SpotPriceRefused,
)


def _narrate_package_listed(event: PackageListed, _: Names) -> str:
    whom = join_phrases(
        filter(
            None,
            [
                "the framework's providers of the area" if event.members else "",
                "spot providers of the area" if event.spot else "",
            ],
        )
    )
    ceiling = format_rate(event.ceiling, event.unit)
    award = (
        "every award needs a second officer"
        if event.second_officer_always
        else f"one officer may award up to {ceiling}"
    )
    return f"The package was opened to {whom or 'nobody'}; {award}"


def _narrate_still_listed(event: StillListed, _: Names) -> str:
    opened_at = format_instant(event.listed_at)
    return f"Nobody had taken the package since it was opened to all on {opened_at}; an officer has to look"


def _narrate_proposal_received(event: ProposalReceived, names: Names) -> str:
    sentence = f"{names.find_name(event.provider_id)} (rated {event.rating.value}) proposed {format_terms(event.terms)}"
    if event.variations:
        sentence += f", {join_phrases(format_word(each) for each in event.variations)}"
    if event.can_start_on is not None:
        sentence += f", from {format_day(event.can_start_on)}"
    if event.counter_offer_id is not None:
        sentence += ", as the council's counter-offer"
    if event.entered_by is not None:
        sentence += f", entered by {names.name_actor(event.entered_by)}"
    return f"{sentence}; it replaces its earlier proposal" if event.replaces is not None else sentence


def _narrate_award_lapsed(event: AwardLapsed, names: Names) -> str:
    why = "" if event.officer_reason is None else f" ({format_word(event.officer_reason)})"
    return f"The award to {names.find_name(event.provider_id)} lapsed: {event.reason.value}{why}"


def _narrate_proposal_refused(event: ProposalRefused, names: Names) -> str:
    reasons = join_phrases(each.value for each in event.reasons)
    return f"A proposal of {names.find_name(event.provider_id)} at {format_pounds(event.rate)} was refused: {reasons}"


def _narrate_award_awaits_approval(event: AwardAwaitsApproval, names: Names) -> str:
    sentence = (
        f"{names.name_actor(event.officer)} awarded the package to {names.find_name(event.provider_id)} "
        f"at {format_terms(event.terms)}, "
        f"{_format_second_officer(event)}; a second officer decides"
    )
    return (
        f"{sentence} (rated Inadequate: {format_word(event.inadequate_reason)})"
        if event.inadequate_reason
        else sentence
    )


def _format_second_officer(event: AwardAwaitsApproval) -> str:
    """Returns why one officer cannot award alone."""
    because = [
        f"above the ceiling of {format_pounds(event.ceiling)}"
        if each is SecondOfficerNeeded.ABOVE_CEILING
        else each.value
        for each in event.because
    ]
    why = "" if event.overrule_reason is None else f" ({format_word(event.overrule_reason)})"
    return f"{join_phrases(because)}{why}"


def _narrate_award_refused(event: AwardRefused, names: Names) -> str:
    reasons = join_phrases(each.value for each in event.reasons)
    provider, officer = names.find_name(event.provider_id), names.name_actor(event.officer)
    return f"The award to {provider} by {officer} was not carried out: {reasons}"


def _narrate_proposal_awarded(event: ProposalAwarded, names: Names) -> str:
    officers = join_phrases(
        names.name_actor(each) for each in (event.officer, event.second_officer) if each is not None
    )
    terms = names.proposals.get(event.proposal_id)
    sentence = f"{officers} awarded the package to {names.find_name(event.provider_id)} (rated {event.rating.value})"
    sentence += "" if terms is None else f" at {format_terms(terms)}"
    return (
        f"{sentence}, although Inadequate: {format_word(event.inadequate_reason)}"
        if event.inadequate_reason
        else sentence
    )


def _narrate_spot_price_refused(event: SpotPriceRefused, names: Names) -> str:
    officer, whose = names.name_actor(event.officer), names.find_name(event.provider_id)
    return f"{officer} did not agree to the price of {whose}: {format_word(event.reason)}"


def _narrate_late_decision_refused(event: LateDecisionRefused, names: Names) -> str:
    officer, whose = names.name_actor(event.officer), names.find_name(event.provider_id)
    decision = "agreed to" if event.refusal is None else "refused"
    why = "" if event.refusal is None else f" ({format_word(event.refusal)})"
    return f"{officer} {decision} the price of {whose}{why}, which was not used: {event.reason.value}"


def _narrate_purchase_order_issued(event: PurchaseOrderIssued, names: Names) -> str:
    lines = join_phrases(
        f"{line.quantity} × {format_rate(line.rate, line.unit)} of {format_word(line.item)}" for line in event.lines
    )
    return (
        f"Purchase order {event.reference} was issued to {names.find_name(event.provider_id)}: {lines}, "
        f"{format_costs(event.weekly_cost, event.fixed_cost)} from {format_day(event.starts_on)}, by {event.price_list}"
    )


LISTING_NARRATIONS: Final = (
    Narration(PackageListed, _narrate_package_listed),
    Narration(StillListed, _narrate_still_listed),
    Narration(ProposalReceived, _narrate_proposal_received),
    Narration(ProposalRefused, _narrate_proposal_refused),
    Narration(AwardAwaitsApproval, _narrate_award_awaits_approval),
    Narration(AwardRefused, _narrate_award_refused),
    Narration(AwardLapsed, _narrate_award_lapsed),
    Narration(ProposalAwarded, _narrate_proposal_awarded),
    Narration(
        SpotPriceApproved,
        lambda event, names: (
            f"{names.name_actor(event.officer)} agreed to {format_pounds(event.rate)} "
            f"for {names.find_name(event.provider_id)}"
        ),
    ),
    Narration(SpotPriceRefused, _narrate_spot_price_refused),
    Narration(LateDecisionRefused, _narrate_late_decision_refused),
    Narration(PurchaseOrderIssued, _narrate_purchase_order_issued),
    Narration(
        PurchaseOrderCancelled,
        lambda event, names: (
            f"Purchase order {event.reference} to {names.find_name(event.provider_id)} was cancelled: "
            f"{format_word(event.reason)}"
        ),
    ),
)
