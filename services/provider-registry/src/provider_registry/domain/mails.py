"""Content of offer mails: the webhook's content in words, and the link to the answer page."""

from dataclasses import dataclass
from decimal import Decimal

from contracts.ids import OfferId
from contracts.values import AnswerBy, Care, Terms, Visit
from provider_registry.domain.messages import OFFER_MAILED, Message


@dataclass(frozen=True)
class OfferSummary:
    """The part of an offer that a provider sees."""

    care: Care
    weekly_hours: Decimal
    terms: Terms


def build_offer_mail(offer_id: OfferId, summary: OfferSummary | None, answer_by: AnswerBy, *, link: str) -> Message:
    """Builds the mail. Without a summary it carries the link only; the page shows the offer."""
    lines = ["A package of care at home is offered to you.", ""]
    lines += [] if summary is None else [*_format_summary(summary), ""]
    time = "of brokerage time" if answer_by.brokerage_time else "of plain time"
    lines += [
        f"Time to answer: {answer_by.minutes} minutes {time}, from when this mail reached your mail server.",
        f"See it in full and answer it here: {link}",
        "",
        "Anyone with this link can answer for you; do not forward it.",
    ]
    return Message(OFFER_MAILED, str(offer_id), {"subject": _format_subject(summary), "text": "\n".join(lines)})


def _format_subject(summary: OfferSummary | None) -> str:
    return (
        "Offer of a package of care"
        if summary is None
        else f"Offer: {summary.care.service_type}, {summary.care.outward_code}"
    )


def _format_summary(summary: OfferSummary) -> list[str]:
    care, terms = summary.care, summary.terms
    return [
        f"Service: {care.service_type}",
        f"Where: {care.outward_code}, {care.area}",
        f"From: {care.starts_on:%d/%m/%Y} ({care.urgency})",
        f"Hours a week: {summary.weekly_hours:.2f}",
        *(f"Visit: {_format_visit(each)}" for each in care.visits),
        f"Adult: {care.age_band}; carers: {care.carer_gender}",
        f"Needs: {', '.join(care.needs) or 'none given'}",
        f"Price: £{terms.rate:.2f} for each {terms.unit}, £{terms.weekly_cost:.2f} a week ({terms.price_list})",
    ]


def _format_visit(visit: Visit) -> str:
    days = " ".join(visit.days)
    carers = "1 carer" if visit.carers == 1 else f"{visit.carers} carers"
    critical = ", time-critical" if visit.time_critical else ""
    return f"{days}, {visit.earliest:%H:%M} to {visit.latest:%H:%M}, {visit.minutes} minutes, {carers}{critical}"
