"""Every price again: from the matrix, the rates that the provider had selected, and the minutes of the visits."""

from collections.abc import Iterator, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from judge.market import Market
from judge.record import Said, Story, of_kind
from judge.rules import Rules
from judge.turns import minutes_of

_PENNY: Final = Decimal("0.01")

# Terms and care are JSON, which a judge reads by its keys.
Json = Mapping[str, Any]


def offers_cost_what_they_should(story: Story, care: Json, rules: Rules, market: Market) -> Iterator[str]:
    for said in of_kind(story, "OfferMade"):
        right = list(_possible_terms(said, care, rules, market))
        if said.data["terms"] not in right:
            yield f"offer {said.data['offer_id']} is made at {said.data['terms']}, not {right}"


def _possible_terms(said: Said, care: Json, rules: Rules, market: Market) -> Iterator[Json]:
    kind = care["service_type"]
    if not rules.selected_by_providers:
        yield terms(care, rules.unit(kind), rules.rate(kind, 1), rules.price_list)
        return
    for known in market.possible(said.data["provider_id"], said.at):
        selection = known.selection_on(care["framework"], care["area"], rules.calendar.day_of(said.at))
        for each in selection["rates"] if selection is not None else ():
            if selection is not None and each["service_type"] == kind:
                price_list = f"{rules.price_list} rate {each['number']}, selected from {selection['valid_from']}"
                yield terms(care, rules.unit(kind), rules.rate(kind, each["number"]), price_list)


def proposals_cost_what_they_should(story: Story, care: Json, rules: Rules) -> Iterator[str]:
    for said in of_kind(story, "ProposalReceived"):
        stated = said.data["terms"]
        right = terms(care, rules.unit(care["service_type"]), Decimal(stated["rate"]), stated["price_list"])
        if stated != right:
            yield f"proposal {said.data['proposal_id']} comes to {stated}, not {right}"


def placements_keep_their_terms(story: Story) -> Iterator[str]:
    agreed = {each.data["offer_id"]: each.data for each in of_kind(story, "OfferMade")}
    agreed |= {each.data["proposal_id"]: each.data for each in of_kind(story, "ProposalReceived")}
    for placed in of_kind(story, "PackagePlaced"):
        source = agreed.get(placed.data["offer_id"] or placed.data.get("proposal_id"))
        if source is None:
            yield f"placement {placed.data['placement_id']} came of nothing that was offered or proposed"
        elif (source["terms"], source["provider_id"]) != (placed.data["terms"], placed.data["provider_id"]):
            yield f"placement {placed.data['placement_id']} has other terms than what was agreed"


def orders_follow_placements(story: Story) -> Iterator[str]:
    """One order a placement, at the placement's price; cancelled with it."""
    placed = {each.data["placement_id"]: each.data for each in of_kind(story, "PackagePlaced")}
    issued = of_kind(story, "PurchaseOrderIssued")
    if sorted(each.data["placement_id"] for each in issued) != sorted(placed):
        yield f"placements {sorted(placed)}, orders for {sorted(each.data['placement_id'] for each in issued)}"
    for order in issued:
        at = placed.get(order.data["placement_id"])
        if at is not None and not _is_order_of(order.data, at):
            yield f"order {order.data['reference']} is not at the price of its placement"
    voided = sorted(each.data["placement_id"] for each in of_kind(story, "PlacementVoided"))
    cancelled = sorted(each.data["placement_id"] for each in of_kind(story, "PurchaseOrderCancelled"))
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


def terms(care: Json, unit: str, rate: Decimal, price_list: str) -> Json:
    exact = _quantity(care, unit)
    return {
        "price_list": price_list,
        "unit": unit,
        "rate": f"{rate:.2f}",
        "quantity_per_week": f"{exact.quantize(_PENNY, ROUND_HALF_UP):.2f}",
        "weekly_cost": f"{(exact * rate).quantize(_PENNY, ROUND_HALF_UP):.2f}",
    }


def _quantity(care: Json, unit: str) -> Decimal:
    if unit == "hour":
        return Decimal(minutes_of(care)) / 60
    if unit == "night":
        return Decimal(sum(len(each["days"]) * each["carers"] for each in care["visits"]))
    return Decimal(max(each["carers"] for each in care["visits"]))
