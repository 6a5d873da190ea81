"""Checks every price against the price matrix, the provider's selected rates and the minutes of the visits."""

from collections.abc import Iterator, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from judge.events import PackageHistory, RecordedEvent, select_kinds
from judge.market import MarketHistory
from judge.offer_order import sum_minutes
from judge.rules import FrameworkRules

_PENNY: Final = Decimal("0.01")

# Terms and care are plain JSON.
Json = Mapping[str, Any]


def check_offer_prices(
    story: PackageHistory, care: Json, rules: FrameworkRules, market: MarketHistory
) -> Iterator[str]:
    for event in select_kinds(story, "OfferMade"):
        right = list(_list_possible_terms(event, care, rules, market))
        if event.data["terms"] not in right:
            yield f"offer {event.data['offer_id']} is made at {event.data['terms']}, not {right}"


def _list_possible_terms(
    event: RecordedEvent, care: Json, rules: FrameworkRules, market: MarketHistory
) -> Iterator[Json]:
    kind = care["service_type"]
    if not rules.selected_by_providers:
        yield compute_terms(care, rules.get_unit(kind), rules.get_rate(kind, 1), rules.price_list)
        return
    for known in market.list_possible_states(event.data["provider_id"], event.at):
        selection = known.find_selection(care["framework"], care["area"], rules.hours.get_day(event.at))
        for each in selection["rates"] if selection is not None else ():
            if selection is not None and each["service_type"] == kind:
                price_list = f"{rules.price_list} rate {each['number']}, selected from {selection['valid_from']}"
                yield compute_terms(care, rules.get_unit(kind), rules.get_rate(kind, each["number"]), price_list)


def check_proposal_prices(story: PackageHistory, care: Json, rules: FrameworkRules) -> Iterator[str]:
    for event in select_kinds(story, "ProposalReceived"):
        stated = event.data["terms"]
        right = compute_terms(care, rules.get_unit(care["service_type"]), Decimal(stated["rate"]), stated["price_list"])
        if stated != right:
            yield f"proposal {event.data['proposal_id']} comes to {stated}, not {right}"


def check_placement_terms(story: PackageHistory) -> Iterator[str]:
    agreed = {each.data["offer_id"]: each.data for each in select_kinds(story, "OfferMade")}
    agreed |= {each.data["proposal_id"]: each.data for each in select_kinds(story, "ProposalReceived")}
    for placed in select_kinds(story, "PackagePlaced"):
        source = agreed.get(placed.data["offer_id"] or placed.data.get("proposal_id"))
        if source is None:
            yield f"placement {placed.data['placement_id']} has no offer or proposal"
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
    agreed, lines = placed["terms"], order["lines"]
    same = ("unit", "quantity_per_week", "rate", "weekly_cost")
    return (
        len(lines) == 1
        and all(lines[0][name] == agreed[name] for name in same)
        and (order["weekly_cost"], order["price_list"]) == (agreed["weekly_cost"], agreed["price_list"])
        and (order["provider_id"], lines[0]["service_type"]) == (placed["provider_id"], placed["service_type"])
    )


def compute_terms(care: Json, unit: str, rate: Decimal, price_list: str) -> Json:
    exact = _compute_quantity(care, unit)
    return {
        "price_list": price_list,
        "unit": unit,
        "rate": f"{rate:.2f}",
        "quantity_per_week": f"{exact.quantize(_PENNY, ROUND_HALF_UP):.2f}",
        "weekly_cost": f"{(exact * rate).quantize(_PENNY, ROUND_HALF_UP):.2f}",
    }


def _compute_quantity(care: Json, unit: str) -> Decimal:
    if unit == "hour":
        return Decimal(sum_minutes(care)) / 60
    if unit == "night":
        return Decimal(sum(len(each["days"]) * each["carers"] for each in care["visits"]))
    return Decimal(max(each["carers"] for each in care["visits"]))
