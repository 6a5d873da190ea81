"""The facts about a package that the page of an offer shows: care, visits and price."""

from dataclasses import dataclass
from datetime import date, datetime

from contracts.framework.definition import FrameworkDefinition
from contracts.framework.titles import Titles
from contracts.office_time import to_office_time
from contracts.values import Care, CarerGender, Terms, TermsLine, UnitKind, Visit, Weekday
from sourcing.domain.offer import Offer


@dataclass(frozen=True)
class Fact:
    """A named fact about a package; several values are shown one below the other."""

    name: str
    values: tuple[str, ...]


def list_facts(care: Care, offer: Offer, definition: FrameworkDefinition | None) -> tuple[Fact, ...]:
    titles = Titles(definition)
    only = () if care.carer_gender is CarerGender.ANY else (Fact("Carers", (_capitalize(care.carer_gender),)),)
    return (
        *list_key_facts(care, definition),
        Fact("Starts on", (_format_day(care.starts_on),)),
        Fact("Route", (_describe_route(care, titles),)),
        Fact("Hours a week", (f"{offer.weekly_hours:.2f}{_format_carer_note(care)}",)),
        Fact("Visits", tuple(map(_format_visit, care.visits))),
        Fact("Needs", tuple(_capitalize(titles.get_need(need)) for need in care.needs) or ("None given",)),
        Fact("Age", (care.age_band,)),
        *only,
        Fact("Price", _format_price(offer.terms, titles)),
    )


def list_key_facts(care: Care, definition: FrameworkDefinition | None) -> tuple[Fact, ...]:
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
    return f"{_format_days(visit.days)}: {window}, {format_length(visit.minutes)}, {carers}{critical}"


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


def format_length(minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    if hours == 0 or rest:
        return f"{minutes} minutes"
    return "1 hour" if hours == 1 else f"{hours} hours"


def _format_day(on: date) -> str:
    return f"{on:%A} {on.day} {on:%B %Y}"


def format_instant(at: datetime) -> str:
    """Format local time, with seconds unless they are 0: `10:30 on Monday 2 March 2026, UK time (GMT)`."""
    local = to_office_time(at)
    clock = f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"
    return f"{clock} on {_format_day(local.date())}, UK time ({local:%Z})"
