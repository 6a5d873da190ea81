"""What an offers mailbox is told: what the webhook says, in words for people, and the link behind which to answer."""

from dataclasses import dataclass
from decimal import Decimal

from contracts.ids import OfferId
from contracts.values import AnswerBy, Care, Terms, Visit
from provider_registry.domain.messages import OFFER_MAILED, Message


@dataclass(frozen=True)
class OfferSaid:
    """What a provider has been told of an offer, or is to be told."""

    care: Care
    weekly_hours: Decimal
    terms: Terms


def offer_mail(offer_id: OfferId, said: OfferSaid | None, answer_by: AnswerBy, *, link: str) -> Message:
    """The offer as a mail; where nobody knows any more what was said of it, the page behind the link tells it."""
    lines = ["A package of care at home is offered to you.", ""]
    lines += [] if said is None else [*_lines(said), ""]
    time = "of brokerage time" if answer_by.brokerage_time else "of plain time"
    lines += [
        f"Time to answer: {answer_by.minutes} minutes {time}, from when this mail reached your mail server.",
        f"See it in full and answer it here: {link}",
        "",
        "Whoever has this link can answer for you; do not pass it on.",
    ]
    return Message(OFFER_MAILED, str(offer_id), {"subject": _subject(said), "text": "\n".join(lines)})


def _subject(said: OfferSaid | None) -> str:
    return (
        "Offer of a package of care" if said is None else f"Offer: {said.care.service_type}, {said.care.outward_code}"
    )


def _lines(said: OfferSaid) -> list[str]:
    care, terms = said.care, said.terms
    return [
        f"Service: {care.service_type}",
        f"Where: {care.outward_code}, {care.area}",
        f"From: {care.starts_on:%d/%m/%Y} ({care.urgency})",
        f"Hours a week: {said.weekly_hours:.2f}",
        *(f"Visit: {_visit(each)}" for each in care.visits),
        f"Adult: {care.age_band}; carers: {care.carer_gender}",
        f"Needs: {', '.join(care.needs) or 'none given'}",
        f"Price: £{terms.rate:.2f} for each {terms.unit}, £{terms.weekly_cost:.2f} a week ({terms.price_list})",
    ]


def _visit(visit: Visit) -> str:
    days = " ".join(visit.days)
    carers = "1 carer" if visit.carers == 1 else f"{visit.carers} carers"
    critical = ", time-critical" if visit.time_critical else ""
    return f"{days}, {visit.earliest:%H:%M} to {visit.latest:%H:%M}, {visit.minutes} minutes, {carers}{critical}"
