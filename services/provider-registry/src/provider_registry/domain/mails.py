"""Content of offer mails: the webhook's content in words, and the link to the answer page."""

from dataclasses import dataclass
from decimal import Decimal

from contracts.ids import OfferId
from contracts.values import AnswerBy, Care, Terms, TermsLine, Visit
from provider_registry.domain.messages import OFFER_MAILED, Message
from provider_registry.domain.titles import Titles


@dataclass(frozen=True)
class OfferSummary:
    """The part of an offer that a provider sees."""

    care: Care
    weekly_hours: Decimal
    terms: Terms


def build_offer_mail(
    offer_id: OfferId, summary: OfferSummary | None, answer_by: AnswerBy, *, link: str, titles: Titles
) -> Message:
    """Builds the mail. Without a summary it carries the link only; the page shows the offer."""
    lines = ["A package of care at home is offered to you.", ""]
    lines += [] if summary is None else [*_format_summary(summary, titles), ""]
    time = "of brokerage time" if answer_by.brokerage_time else "of plain time"
    lines += [
        f"Time to answer: {answer_by.minutes} minutes {time}, from when this mail reached your mail server.",
        f"See it in full and answer it here: {link}",
        "",
        "Anyone with this link can answer for you; do not forward it.",
    ]
    return Message(OFFER_MAILED, str(offer_id), {"subject": _format_subject(summary, titles), "text": "\n".join(lines)})


def _format_subject(summary: OfferSummary | None, titles: Titles) -> str:
    if summary is None:
        return "Offer of a package of care"
    return f"Offer: {titles.get_service_type(summary.care.service_type)}, {summary.care.outward_code}"


def _format_summary(summary: OfferSummary, titles: Titles) -> list[str]:
    care, terms = summary.care, summary.terms
    urgency = "urgent" if care.urgent else "not urgent"
    needs = ", ".join(titles.get_need(each) for each in care.needs)
    return [
        f"Service: {titles.get_service_type(care.service_type)}",
        f"Where: {care.outward_code}, {titles.get_area(care.area)}",
        f"From: {care.starts_on:%d/%m/%Y} ({titles.get_route(care.route)}, {urgency})",
        f"Hours a week: {summary.weekly_hours:.2f}",
        *(f"Visit: {_format_visit(each)}" for each in care.visits),
        f"Adult: {care.age_band}; carers: {care.carer_gender}",
        f"Needs: {needs or 'none given'}",
        *(f"Price: {_format_line(each, titles)}" for each in terms.lines),
        f"In all: {_format_total(terms)} ({terms.price_list})",
    ]


def _format_line(line: TermsLine, titles: Titles) -> str:
    unit = titles.get_unit(line.unit)
    return f"{titles.get_item(line.item)}, £{line.rate:.2f} for each {unit}, {line.quantity:.2f} {_format_period(line)}"


def _format_period(line: TermsLine) -> str:
    return "a week" if line.unit_kind.recurs else "once"


def _format_total(terms: Terms) -> str:
    if not terms.fixed_cost:
        return f"£{terms.weekly_cost:.2f} a week"
    weekly = f", £{terms.weekly_cost:.2f} a week" if terms.weekly_cost else ""
    return f"£{terms.fixed_cost:.2f} once{weekly}"


def _format_visit(visit: Visit) -> str:
    days = " ".join(visit.days)
    carers = "1 carer" if visit.carers == 1 else f"{visit.carers} carers"
    critical = ", time-critical" if visit.time_critical else ""
    return f"{days}, {visit.earliest:%H:%M} to {visit.latest:%H:%M}, {visit.minutes} minutes, {carers}{critical}"
