"""The texts of the pages behind the links in emails: an offer, how it ended, or why an answer was not used."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from contracts.events.reasons import LateReason, OfferEnd
from contracts.framework.definition import FrameworkDefinition
from contracts.framework.titles import Titles
from contracts.framework.words import Reason
from contracts.office_time import to_office_time
from contracts.values import Care, CarerGender, PassOverReason, Terms, TermsLine, UnitKind, Visit, Weekday
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
class Fact:
    """A named fact about a package; several values are shown one below the other."""

    name: str
    values: tuple[str, ...]


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
        facts = _list_facts(search.care, offer, definition)
        reasons = definition.reasons.decline if definition is not None else ()
        return OfferPage(
            "Offer of a package of care", paragraphs, facts, can_be_answered=True, reasons=reasons, mistake=mistake
        )
    heading, paragraphs = _describe_end(search, offer, Titles(definition))
    if offer.status is OfferStatus.ACCEPTED:
        return OfferPage(heading, paragraphs, _list_facts(search.care, offer, definition), mistake=mistake)
    return OfferPage(heading, paragraphs, _list_key_facts(search.care, definition), mistake=mistake)


def build_answer_page(
    outcome: Outcome, search: Search, offer: Offer, definition: FrameworkDefinition | None
) -> OfferPage:
    """Build the page after an answer; a repeated answer gets the same page."""
    if isinstance(outcome, AnswerNotUsed):
        paragraphs = (
            _explain_refusal(outcome, offer),
            "Your answer is on record, and no other one is needed. Thank you.",
        )
        return OfferPage(_HEADINGS[outcome.reason], paragraphs, _list_key_facts(search.care, definition))
    if isinstance(offer.answer, Decline):
        reason = _name_reason(offer.answer, Titles(definition))
        paragraphs = (f"Your reason: {reason}.", f"Nothing more is needed from you. {CORRECTION_HINT}")
        return OfferPage("We have recorded that you decline", paragraphs, _list_key_facts(search.care, definition))
    _, paragraphs = _describe_end(search, offer, Titles(definition))
    return OfferPage("We have recorded that you accept", paragraphs, _list_facts(search.care, offer, definition))


# --- deadline


def _describe_deadline(offer: Offer) -> tuple[str, ...]:
    if offer.answer_by is not None:
        end = _format_instant(offer.answer_by)
        return (f"Answer before {end}.", "An answer that comes at that time or later is too late.")
    counted = (
        "Only the brokerage's working hours count" if offer.in_brokerage_time else "Every minute counts, day and night"
    )
    length = _format_length(offer.answer_minutes)
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
    return "This offer was accepted", _describe_acceptance(search, offer)


def _describe_withdrawal(offer: Offer) -> tuple[str, tuple[str, ...]]:
    if offer.award_refused_for:
        return _HEADINGS[LateReason.NO_LONGER_ELIGIBLE], (
            _explain_ineligibility(offer.award_refused_for),
            "Your answer is on record.",
        )
    if offer.withdrawn_because is OfferEnd.PLACED_WITH_ANOTHER:
        return _HEADINGS[LateReason.ANOTHER_CAME_FIRST], (
            "Another provider that accepted comes first in the framework's order. Thank you for your offer.",
            "Nothing is needed from you.",
        )
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
    return f"It could be answered before {_format_instant(offer.answer_by)}."


# --- why an answer was not used

_HEADINGS: Final = {
    LateReason.AFTER_THE_END: "Your answer came too late",
    LateReason.ALREADY_ANSWERED: "This offer was already answered",
    LateReason.WITHDRAWN: "Your answer came too late",
    LateReason.NO_LONGER_ELIGIBLE: "This package cannot be placed with you",
    LateReason.ANOTHER_CAME_FIRST: "This package is placed with another provider",
}


def _explain_refusal(late: AnswerNotUsed, offer: Offer) -> str:
    match late.reason:
        case LateReason.AFTER_THE_END:
            return f"The time to answer was over. {_describe_expiry(offer)}"
        case LateReason.ALREADY_ANSWERED:
            return f"Another answer to it came first: it was {offer.status}. {CORRECTION_HINT}"
        case LateReason.WITHDRAWN:
            return "The council had taken the offer back before."
        case LateReason.NO_LONGER_ELIGIBLE:
            return _explain_ineligibility(late.passed_over)
        case LateReason.ANOTHER_CAME_FIRST:
            return "Another provider that accepted comes first in the framework's order."


def _explain_ineligibility(reasons: tuple[PassOverReason, ...]) -> str:
    """Explain why the provider is no longer eligible, without revealing the person's refusal."""
    shown = [reason for reason in reasons if reason is not PassOverReason.REFUSED_BY_PERSON]
    why = f" The reason: {', '.join(shown)}." if shown else ""
    return f"You accepted in time, but the council may not place it with you any more.{why}"


# --- content of the offer


def _list_facts(care: Care, offer: Offer, definition: FrameworkDefinition | None) -> tuple[Fact, ...]:
    titles = Titles(definition)
    only = () if care.carer_gender is CarerGender.ANY else (Fact("Carers", (_capitalize(care.carer_gender),)),)
    return (
        *_list_key_facts(care, definition),
        Fact("Starts on", (_format_day(care.starts_on),)),
        Fact("Route", (_describe_route(care, titles),)),
        Fact("Hours a week", (f"{offer.weekly_hours:.2f}{_format_carer_note(care)}",)),
        Fact("Visits", tuple(map(_format_visit, care.visits))),
        Fact("Needs", tuple(_capitalize(titles.get_need(need)) for need in care.needs) or ("None given",)),
        Fact("Age", (care.age_band,)),
        *only,
        Fact("Price", _format_price(offer.terms, titles)),
    )


def _list_key_facts(care: Care, definition: FrameworkDefinition | None) -> tuple[Fact, ...]:
    """List the facts that distinguish an offer from others."""
    titles = Titles(definition)
    return (
        Fact("Service", (_capitalize(titles.get_service_type(care.service_type)),)),
        Fact("Where", (f"{care.outward_code}, {titles.get_area(care.area)}",)),
        Fact("Framework", (titles.get_framework(care.framework),)),
    )


def _describe_route(care: Care, titles: Titles) -> str:
    urgent = ", urgent" if care.urgent else ""
    return f"{_capitalize(titles.get_route(care.route))}{urgent}"


def _format_carer_note(care: Care) -> str:
    return ", the time of each carer counted" if care.carers_at_once > 1 else ""


def _format_visit(visit: Visit) -> str:
    window = f"{visit.earliest:%H:%M} to {visit.latest:%H:%M}"
    carers = "1 carer" if visit.carers == 1 else f"{visit.carers} carers"
    critical = ", time-critical" if visit.time_critical else ""
    return f"{_format_days(visit.days)}: {window}, {_format_length(visit.minutes)}, {carers}{critical}"


def _format_days(days: tuple[Weekday, ...]) -> str:
    if len(days) == len(Weekday):
        return "Every day"
    return ", ".join(day.capitalize() for day in Weekday if day in days)


def _format_price(terms: Terms, titles: Titles) -> tuple[str, ...]:
    once = (f"£{terms.fixed_cost:,.2f} once",) if terms.fixed_cost else ()
    weekly = (f"£{terms.weekly_cost:,.2f} a week",) if terms.weekly_cost or not once else ()
    return (
        *(_format_rate(line, titles, named=len(terms.lines) > 1) for line in terms.lines),
        *weekly,
        *once,
        f"Price list: {terms.price_list}",
    )


def _format_rate(line: TermsLine, titles: Titles, *, named: bool) -> str:
    unit = titles.get_unit(line.unit)
    article = "an" if unit[0] in "aeiouh" and line.unit_kind is not UnitKind.NIGHT else "a"
    name = f"{_capitalize(line.item.replace('-', ' '))}: " if named else ""
    return f"{name}£{line.rate:,.2f} {article} {unit}"


def _capitalize(text: str) -> str:
    return text[0].upper() + text[1:]


def _format_length(minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    if hours == 0 or rest:
        return f"{minutes} minutes"
    return "1 hour" if hours == 1 else f"{hours} hours"


def _format_day(on: date) -> str:
    return f"{on:%A} {on.day} {on:%B %Y}"


def _format_instant(at: datetime) -> str:
    """Format local time, with seconds unless they are 0: `10:30 on Monday 2 March 2026, UK time (GMT)`."""
    local = to_office_time(at)
    clock = f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"
    return f"{clock} on {_format_day(local.date())}, UK time ({local:%Z})"
