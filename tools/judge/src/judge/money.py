"""Checks every price against the price matrix, the provider's selected rates and the minutes of the visits."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from judge.events import PackageHistory, select_kinds
from judge.market import MarketHistory, get_item
from judge.offer_order import Candidates, index_candidates
from judge.requirements import sum_minutes
from judge.rules import FrameworkRules, Json


def check_offer_prices(
    story: PackageHistory, care: Json, rules: FrameworkRules, market: MarketHistory
) -> Iterator[str]:
    candidates: Candidates = {}
    for event in story:
        if event.kind == "StageEntered":
            candidates = index_candidates(event)
        if event.kind == "OfferMade":
            provider = event.data["provider_id"]
            area = candidates.get(provider, {}).get("area", care["area"])
            right = list(_list_possible_terms(Quote(provider, area, event.at), care, rules, market))
            if event.data["terms"] not in right:
                yield f"offer {event.data['offer_id']} is made at {event.data['terms']}, not {right}"


@dataclass(frozen=True)
class Quote:
    """A provider's price, by its rates in the area of its place, at an instant."""

    provider: str
    area: str
    at: datetime


def list_possible_prices(quote: Quote, care: Json, rules: FrameworkRules, market: MarketHistory) -> list[str | None]:
    """List the total costs at which the package may have been offered to a provider; None: it has no rate."""
    prices: list[str | None] = [compute_total(each) for each in _list_possible_terms(quote, care, rules, market)]
    return prices or [None]


def compute_total(terms: Json) -> str:
    """Return the figure by which prices are compared: one week, and what is paid once."""
    return f"{Decimal(terms['weekly_cost']) + Decimal(terms['fixed_cost']):.2f}"


def _list_possible_terms(quote: Quote, care: Json, rules: FrameworkRules, market: MarketHistory) -> Iterator[Json]:
    lines = rules.list_price_lines(care["service_type"], quote.area)
    if rules.rates_set_by == "framework":
        yield compute_terms(care, rules, [(line, Decimal(line["rate"])) for line in lines], rules.price_list)
        return
    for known in market.list_possible_states(quote.provider, quote.at):
        selection = known.find_selection(care["framework"], quote.area, rules.hours.get_day(quote.at))
        if selection is not None:
            yield from _apply_selection(care, rules, lines, selection)


def _apply_selection(care: Json, rules: FrameworkRules, lines: Sequence[Json], selection: Json) -> Iterator[Json]:
    """Yield the terms by a provider's rates, unless one is missing, or is none that the matrix allows."""
    selected = {each["item"]: each for each in selection["rates"]}
    if not lines or any(get_item(line) not in selected for line in lines):
        return
    chosen = [(line, selected[get_item(line)]) for line in lines]
    if not all(_is_allowed(line, rate) for line, rate in chosen):
        return
    labels = ["own rate" if rate["number"] is None else f"rate {rate['number']}" for _, rate in chosen]
    verb = "named" if labels[0] == "own rate" else "selected"
    price_list = f"{rules.price_list} {' and '.join(dict.fromkeys(labels))}, {verb} from {selection['valid_from']}"
    yield compute_terms(care, rules, [(line, Decimal(rate["rate"])) for line, rate in chosen], price_list)


def _is_allowed(line: Json, rate: Json) -> bool:
    """Return whether a selected rate is that of its number, or an own rate between the lowest and the highest one."""
    value, lowest = Decimal(rate["rate"]), Decimal(line["rate"])
    if rate["number"] is None:
        return "highest" in line and lowest <= value <= Decimal(line["highest"])
    number: int = rate["number"]
    rates = [lowest, *(Decimal(each) for each in line.get("further_rates", []))]
    return number <= len(rates) and rates[number - 1] == value


def check_proposal_prices(story: PackageHistory, care: Json, rules: FrameworkRules) -> Iterator[str]:
    """Check that a proposal has one line, for the unit of the service type's first price."""
    line = rules.list_price_lines(care["service_type"], care["area"])[0]
    for event in select_kinds(story, "ProposalReceived"):
        stated = event.data["terms"]
        plain = {**line, "item": care["service_type"]}
        right = compute_terms(care, rules, [(plain, Decimal(stated["lines"][0]["rate"]))], stated["price_list"])
        if stated != right:
            yield f"proposal {event.data['proposal_id']} comes to {stated}, not {right}"


def check_placement_terms(story: PackageHistory) -> Iterator[str]:
    agreed = {each.data["offer_id"]: each.data for each in select_kinds(story, "OfferMade")}
    agreed |= {each.data["proposal_id"]: each.data for each in select_kinds(story, "ProposalReceived")}
    agreed |= {each.data["bid_id"]: each.data for each in select_kinds(story, "BidOpened")}
    for placed in select_kinds(story, "PackagePlaced"):
        origins = (placed.data["offer_id"], placed.data.get("proposal_id"), placed.data.get("bid_id"))
        source = next((agreed[each] for each in origins if each in agreed), None)
        if source is None:
            yield f"placement {placed.data['placement_id']} has no offer, proposal or bid"
        elif (source["terms"], source["provider_id"]) != (placed.data["terms"], placed.data["provider_id"]):
            yield f"placement {placed.data['placement_id']} differs from the agreed terms"


def check_purchase_orders(story: PackageHistory) -> Iterator[str]:
    """Check that each placement has one order at its price, and that a voided placement's order is cancelled."""
    placed = {each.data["placement_id"]: each.data for each in select_kinds(story, "PackagePlaced")}
    issued = select_kinds(story, "PurchaseOrderIssued")
    if sorted(each.data["placement_id"] for each in issued) != sorted(placed):
        yield f"placements {sorted(placed)}, orders for {sorted(each.data['placement_id'] for each in issued)}"
    for order in issued:
        at = placed.get(order.data["placement_id"])
        if at is not None and not _is_order_of(order.data, at):
            yield f"order {order.data['reference']} is not at the price of its placement"
    voided = sorted(each.data["placement_id"] for each in select_kinds(story, "PlacementVoided"))
    cancelled = sorted(each.data["placement_id"] for each in select_kinds(story, "PurchaseOrderCancelled"))
    if voided != cancelled:
        yield f"placements {voided} were voided, orders of {cancelled} cancelled"


def _is_order_of(order: Json, placed: Json) -> bool:
    """Return whether the order has the lines and costs of the placement's terms."""
    terms = placed["terms"]
    lines = [{"service_type": placed["service_type"], **line} for line in terms["lines"]]
    costs = ("price_list", "weekly_cost", "fixed_cost")
    return (
        order["lines"] == lines
        and order["provider_id"] == placed["provider_id"]
        and all(order[name] == terms[name] for name in costs)
    )


def compute_terms(care: Json, rules: FrameworkRules, lines: Sequence[tuple[Json, Decimal]], price_list: str) -> Json:
    """Compute the terms of a package with a rate for each line; each line is rounded to the penny, half up."""
    computed = [_compute_line(care, rules.get_unit_kind(line["unit"]), line, rate) for line, rate in lines]
    costs = {
        name: sum((Decimal(each["cost"]) for each in computed if (each["unit_kind"] == "episode") is once), Decimal(0))
        for name, once in (("weekly_cost", False), ("fixed_cost", True))
    }
    return {"price_list": price_list, "lines": computed, **{name: f"{cost:.2f}" for name, cost in costs.items()}}


def _compute_line(care: Json, kind: str, line: Json, rate: Decimal) -> Json:
    exact = _compute_quantity(care, kind, each_carer=line.get("each_carer", True))
    return {
        "item": get_item(line),
        "unit": line["unit"],
        "unit_kind": kind,
        "rate": f"{rate:.2f}",
        "quantity": _format_half_up(exact),
        "cost": _format_half_up(exact * Fraction(rate)),
    }


def _format_half_up(exact: Fraction) -> str:
    """Format hundredths, rounded half up from the exact fraction: a decimal of a third of an hour is not exact."""
    whole, rest = divmod(int(exact * 200), 2)
    return f"{Decimal(whole + rest) / 100:.2f}"


def _compute_quantity(care: Json, kind: str, *, each_carer: bool) -> Fraction:
    """Return hours or nights a week, or for a week and an episode the number of carers, or 1."""
    if kind == "hour":
        return Fraction(sum_minutes(care), 60)
    if kind == "night":
        return Fraction(sum(len(each["days"]) * each["carers"] for each in care["visits"]))
    return Fraction(max(each["carers"] for each in care["visits"]) if each_carer else 1)
