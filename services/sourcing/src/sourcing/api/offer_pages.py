"""The texts of the pages behind the links in emails: an offer, how it ended, or why an answer was not used."""

from dataclasses import dataclass
from typing import Final

from contracts.events.reasons import LateReason, OfferEnd
from contracts.framework.definition import FrameworkDefinition
from contracts.framework.titles import Titles
from contracts.framework.words import Reason
from contracts.values import PassOverReason
from sourcing.api.offer_facts import Fact, format_instant, format_length, list_facts, list_key_facts
from sourcing.domain.offer import Decline, Offer, OfferStatus
from sourcing.domain.search import Search
from sourcing.domain.steps import AnswerNotUsed, Outcome

CORRECTION_HINT: Final = "If this answer is not the one you meant, telephone the council's brokerage team."


@dataclass(frozen=True)
class FormMistake:
    """A mistake in a form, and the id of the element on the page where it is corrected."""

    text: str
    anchor: str


@dataclass(frozen=True)
class OfferPage:
    """One page; it has forms only while the offer can be answered."""

    heading: str
    paragraphs: tuple[str, ...]
    facts: tuple[Fact, ...] = ()
    can_be_answered: bool = False
    reasons: tuple[Reason, ...] = ()
    """Among which the provider chooses when it declines."""
    mistake: FormMistake | None = None


NOT_VALID: Final = OfferPage(
    "This link is not valid",
    (
        "It may have ended, or a part of it was lost on the way.",
        "Use the link in the newest mail about the offer, or telephone the council's brokerage team.",
    ),
)
NOT_NOW: Final = OfferPage(
    "This cannot be done just now",
    (
        "Nothing was recorded. Load this page again in a minute.",
        "If that does not help, telephone the council's brokerage team before the time to answer is over.",
    ),
)
TOO_LARGE: Final = OfferPage(
    "This is more than we can read", ("Nothing was recorded. Open the link in the mail again.",)
)


def build_offer_page(
    search: Search, offer: Offer, definition: FrameworkDefinition | None, *, mistake: FormMistake | None = None
) -> OfferPage:
    """Build the page of an offer: its content and deadline while it is live, else how it ended."""
    if offer.is_live:
        paragraphs = _describe_deadline(offer)
        facts = list_facts(search.care, offer, definition)
        reasons = definition.reasons.decline if definition is not None else ()
        return OfferPage(
            "Offer of a package of care", paragraphs, facts, can_be_answered=True, reasons=reasons, mistake=mistake
        )
    heading, paragraphs = _describe_end(search, offer, Titles(definition))
    if offer.status is OfferStatus.ACCEPTED:
        return OfferPage(heading, paragraphs, list_facts(search.care, offer, definition), mistake=mistake)
    return OfferPage(heading, paragraphs, list_key_facts(search.care, definition), mistake=mistake)


def build_answer_page(
    outcome: Outcome, search: Search, offer: Offer, definition: FrameworkDefinition | None
) -> OfferPage:
    """Build the page after an answer; a repeated answer gets the same page."""
    if isinstance(outcome, AnswerNotUsed):
        paragraphs = (
            _explain_refusal(outcome, offer),
            "Your answer is on record, and no other one is needed. Thank you.",
        )
        return OfferPage(_HEADINGS[outcome.reason], paragraphs, list_key_facts(search.care, definition))
    if isinstance(offer.answer, Decline):
        reason = _name_reason(offer.answer, Titles(definition))
        paragraphs = (f"Your reason: {reason}.", f"Nothing more is needed from you. {CORRECTION_HINT}")
        return OfferPage("We have recorded that you decline", paragraphs, list_key_facts(search.care, definition))
    _, paragraphs = _describe_end(search, offer, Titles(definition))
    return OfferPage("We have recorded that you accept", paragraphs, list_facts(search.care, offer, definition))


# --- deadline


def _describe_deadline(offer: Offer) -> tuple[str, ...]:
    if offer.answer_by is not None:
        end = format_instant(offer.answer_by)
        return (f"Answer before {end}.", "An answer that comes at that time or later is too late.")
    counted = (
        "Only the brokerage's working hours count" if offer.in_brokerage_time else "Every minute counts, day and night"
    )
    length = format_length(offer.answer_minutes)
    return (
        f"You have {length} to answer, from when this offer was delivered to you. {counted}.",
        "The delivery is not confirmed yet: load this page again to see until what time you can answer.",
    )


# --- how the offer ended


def _describe_end(search: Search, offer: Offer, titles: Titles) -> tuple[str, tuple[str, ...]]:
    if offer.status is OfferStatus.WITHDRAWN:
        return _describe_withdrawal(offer)
    if offer.status is OfferStatus.DECLINED and isinstance(offer.answer, Decline):
        return "This offer was declined", (
            f"The reason given: {_name_reason(offer.answer, titles)}.",
            f"Nothing is needed from you. {CORRECTION_HINT}",
        )
    if offer.status is OfferStatus.EXPIRED:
        return "The time to answer is over", (
            _describe_expiry(offer),
            "Nothing is needed from you any more. Thank you.",
        )
    if offer.status is OfferStatus.WAITING:
        return "You have accepted this offer", (
            "Other providers were asked at the same time. We tell you as soon as all have answered.",
            _describe_expiry(offer),
        )
    if offer.status is OfferStatus.FELL_THROUGH:
        return _HEADINGS[LateReason.PLACEMENT_UNDONE], (
            "The council has taken the package back, before care began, and sources it again.",
        )
    return "This offer was accepted", _describe_acceptance(search, offer)


def _describe_withdrawal(offer: Offer) -> tuple[str, tuple[str, ...]]:
    if offer.award_refused_for:
        return _HEADINGS[LateReason.NO_LONGER_ELIGIBLE], (
            _explain_ineligibility(offer.award_refused_for),
            "Your answer is on record.",
        )
    if offer.withdrawn_because is OfferEnd.PLACED_WITH_ANOTHER:
        thanks = "Another provider that accepted comes first in the framework's order. Thank you for your offer."
        return _HEADINGS[LateReason.ANOTHER_CAME_FIRST], (thanks, "Nothing is needed from you.")
    return "This offer was withdrawn", ("The council has taken it back. Nothing is needed from you. Thank you.",)


def _name_reason(decline: Decline, titles: Titles) -> str:
    title = titles.get_decline_reason(decline.reason)
    return title[0].lower() + title[1:]


def _describe_acceptance(search: Search, offer: Offer) -> tuple[str, ...]:
    placement = search.placement
    if placement is not None and placement.offer_id == offer.offer_id and placement.voided:
        return ("The council has taken the package back since, before care began.", "Nothing is needed from you.")
    return (
        "The package is placed with you, on the terms below.",
        f"The council will tell you who the person is and where they live. {CORRECTION_HINT}",
    )


def _describe_expiry(offer: Offer) -> str:
    if offer.answer_by is None:
        return "Nobody could be reached about this offer in time."
    return f"It could be answered before {format_instant(offer.answer_by)}."


# --- why an answer was not used

_HEADINGS: Final = {
    LateReason.AFTER_THE_END: "Your answer came too late",
    LateReason.ALREADY_ANSWERED: "This offer was already answered",
    LateReason.WITHDRAWN: "Your answer came too late",
    LateReason.NO_LONGER_ELIGIBLE: "This package cannot be placed with you",
    LateReason.ANOTHER_CAME_FIRST: "This package is placed with another provider",
    LateReason.PLACED_OTHERWISE: "This package is placed otherwise",
    LateReason.PLACEMENT_UNDONE: "This placement was undone",
}


def _explain_refusal(late: AnswerNotUsed, offer: Offer) -> str:
    match late.reason:
        case LateReason.AFTER_THE_END:
            return f"The time to answer was over. {_describe_expiry(offer)}"
        case LateReason.ALREADY_ANSWERED:
            return f"Another answer to it came first: it was {offer.status}. {CORRECTION_HINT}"
        case LateReason.NO_LONGER_ELIGIBLE:
            return _explain_ineligibility(late.passed_over)
        case _:
            return _REFUSALS[late.reason]


_REFUSALS: Final = {
    LateReason.WITHDRAWN: "The council had taken the offer back before.",
    LateReason.ANOTHER_CAME_FIRST: "Another provider that accepted comes first in the framework's order.",
    LateReason.PLACED_OTHERWISE: "The council had placed the package otherwise before.",
    LateReason.PLACEMENT_UNDONE: "The placement was undone before care began.",
}


def _explain_ineligibility(reasons: tuple[PassOverReason, ...]) -> str:
    """Explain why the provider is no longer eligible, without revealing the person's refusal."""
    shown = [reason for reason in reasons if reason is not PassOverReason.REFUSED_BY_PERSON]
    why = f" The reason: {', '.join(shown)}." if shown else ""
    return f"You accepted in time, but the council may not place it with you any more.{why}"


# --- content of the offer
