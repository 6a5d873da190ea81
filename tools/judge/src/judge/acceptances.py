"""Checks stages that ask all providers at once: whose acceptance counts, in which order, and what follows from it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from judge.events import PackageHistory, RecordedEvent
from judge.market import MarketHistory
from judge.money import compute_total
from judge.offer_order import index_candidates, list_possible_reasons_at_award, select_sourcing
from judge.offers import ENDS
from judge.requirements import derive_requirement
from judge.rules import FrameworkRules, Json
from judge.stage_order import check_figures, sort_candidates

_PLACED_WITH_ANOTHER = "another provider that accepted comes first"


@dataclass(frozen=True)
class _Case:
    """What the checks of one package need beside its events."""

    request: RecordedEvent
    rules: FrameworkRules
    market: MarketHistory

    def is_certainly_eligible(self, candidate: Json, ordered: RecordedEvent) -> bool:
        """Return whether nothing could stand against an award to the candidate."""
        need = derive_requirement(self.request, candidate, self.rules, ordered)
        provider = candidate["provider_id"]
        return not any(list_possible_reasons_at_award(provider, need, self.rules, self.market, ordered))


@dataclass(frozen=True)
class _OfferState:
    """One offer of a stage that asks all."""

    made: Json
    accepted: bool = False
    ended: bool = False


def check_acceptances(
    story: PackageHistory, request: RecordedEvent, rules: FrameworkRules, market: MarketHistory
) -> Iterator[str]:
    offers, case = dict[str, _OfferState](), _Case(request, rules, market)
    was_ordered = False
    events = select_sourcing(story)
    for position, event in enumerate(events):
        offer_id = event.data.get("offer_id")
        if event.kind == "StageEntered":
            offers, was_ordered = {}, False
        if event.kind == "OfferMade":
            yield from _check_offer(event, rules)
            if event.data["asks_all"]:
                offers[event.data["offer_id"]] = _OfferState(event.data)
        if event.kind == "AcceptanceReceived":
            if offer_id not in offers or offers[offer_id].ended:
                yield f"an acceptance of offer {offer_id} waits, although it is not live among several"
                continue
            offers[offer_id] = replace(offers[offer_id], accepted=True)
        if event.kind == "AcceptancesOrdered":
            was_ordered = True
            yield from _check_order(event, offers, case)
            yield from _check_outcome(event, events[position + 1 :], offers, case)
        if event.kind == "OfferAccepted" and offer_id in offers and not was_ordered:
            yield f"offer {offer_id} was accepted before the acceptances were put in order"
        if event.kind in ENDS and offer_id in offers:
            offers[offer_id] = replace(offers[offer_id], ended=True)


def _check_offer(event: RecordedEvent, rules: FrameworkRules) -> Iterator[str]:
    stage, offer_id = event.data["stage"], event.data["offer_id"]
    if event.data["asks_all"] != rules.is_to_all(stage):
        yield f"offer {offer_id} of {stage} asks {'all' if event.data['asks_all'] else 'one provider'}"


def _check_order(event: RecordedEvent, offers: Mapping[str, _OfferState], case: _Case) -> Iterator[str]:
    stage, data, rules = event.data["stage"], event.data, case.rules
    unanswered = [key for key, offer in offers.items() if not offer.ended and not offer.accepted]
    if unanswered:
        yield f"{stage} was closed while {unanswered} could still be answered"
    waiting = {offer.made["provider_id"]: offer.made for offer in offers.values() if offer.accepted and not offer.ended}
    if {each["provider_id"] for each in data["candidates"]} != waiting.keys():
        yield f"{stage} considers {sorted(index_candidates(event))}, but {sorted(waiting)} accepted"
        return
    order = rules.get_order(stage)
    if list(data["order"]) != list(order):
        yield f"{stage} orders the acceptances by {data['order']}, not {list(order)}"
    for candidate in data["candidates"]:
        total = compute_total(waiting[candidate["provider_id"]]["terms"])
        if "price" in order and candidate["price"] != total:
            yield f"{candidate['provider_id']} came by the price {candidate['price']}, its offer costs {total}"
    yield from check_figures(event, case.request.data["care"], rules, case.market, order=order)
    ranked = [each["provider_id"] for each in sorted(data["candidates"], key=lambda each: each["rank"])]
    right = sort_candidates(data["candidates"], order, data["seed"], tiers=())
    if ranked != right:
        yield f"{stage} considers {ranked}, but by {list(order)} the order is {right}"


def _check_outcome(
    ordered: RecordedEvent, following: Sequence[RecordedEvent], offers: Mapping[str, _OfferState], case: _Case
) -> Iterator[str]:
    """Check that the first eligible provider got the package, and that the others were told in the same instant."""
    at_once = [event for event in following if event.at == ordered.at]
    accepted = [event.data["provider_id"] for event in at_once if event.kind == "OfferAccepted"]
    withdrawn = {event.data["provider_id"]: event for event in at_once if event.kind == "OfferWithdrawn"}
    candidates = index_candidates(ordered)
    ranked = sorted(candidates, key=lambda provider: candidates[provider]["rank"])
    stage, winner = ordered.data["stage"], accepted[0] if accepted else None
    before = ranked if winner is None or winner not in ranked else ranked[: ranked.index(winner)]
    for provider in before:
        if case.is_certainly_eligible(candidates[provider], ordered):
            yield f"{stage} was not awarded to {provider}, the first eligible one of {ranked}"
    if winner is None:
        return
    if winner not in ranked:
        yield f"{stage} was awarded to {winner}, which is none of those that accepted"
    for offer in offers.values():
        provider = offer.made["provider_id"]
        if offer.ended or provider == winner:
            continue
        if provider not in withdrawn:
            yield f"{provider} was not told in the instant in which {winner} got the package"
        elif provider not in before and withdrawn[provider].data["reason"] != _PLACED_WITH_ANOTHER:
            yield f"{provider} was told {withdrawn[provider].data['reason']!r}, although {winner} came first"
