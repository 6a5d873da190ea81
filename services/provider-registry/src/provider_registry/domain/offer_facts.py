"""An offer in words, a line for each fact."""

from contracts.framework.titles import Titles
from contracts.ids import ServiceTypeKey
from contracts.values import Terms, TermsLine, Visit
from provider_registry.domain.mail_layout import Fact
from provider_registry.domain.offer_summary import OfferSummary


def describe_offer(summary: OfferSummary, titles: Titles) -> list[Fact]:
    care, terms = summary.care, summary.terms
    urgency = "urgent" if care.urgent else "not urgent"
    needs = ", ".join(titles.get_need(each) for each in care.needs)
    return [
        Fact("Service", titles.get_service_type(care.service_type)),
        Fact("Where", f"{care.outward_code}, {titles.get_area(care.area)}"),
        Fact("From", f"{care.starts_on:%d/%m/%Y} ({titles.get_route(care.route)}, {urgency})"),
        Fact("Hours a week", f"{summary.weekly_hours:.2f}"),
        *(Fact("Visit", _format_visit(each)) for each in care.visits),
        Fact("Adult", f"{care.age_band}; carers: {care.carer_gender}"),
        Fact("Needs", needs or "none given"),
        *(Fact("Price", _format_line(each, titles)) for each in terms.lines),
        Fact("In all", f"{_format_total(terms)} ({terms.price_list})"),
    ]


def _format_line(line: TermsLine, titles: Titles) -> str:
    item, unit = titles.get_service_type(ServiceTypeKey(line.item)), titles.get_unit(line.unit)
    return f"{item}, £{line.rate:.2f} for each {unit}, {line.quantity:.2f} {_format_period(line)}"


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
