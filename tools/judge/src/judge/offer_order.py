"""Checks the turns of a stage: in the order of its candidates, one for each, and true reasons for each pass-over."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from judge.events import SOURCING, PackageHistory, RecordedEvent
from judge.market import MarketHistory, list_bars, list_entry_reasons
from judge.requirements import Requirement, derive_requirement
from judge.rules import FrameworkRules

LISTED_NO_TICK: Final = "listed, no tick"
"""Why a provider is passed over when a Batching List is closed (`suspension`)."""

TURNS: Final = frozenset({"OfferMade", "ProviderPassedOver", "ProviderSkipped"})
"""A turn of a provider in a stage: an offer, or the decision that it gets none."""

Candidates = Mapping[str, Mapping[str, Any]]
"""The candidates of a stage by provider."""


def check_list_order(story: PackageHistory) -> Iterator[str]:
    """Check that turns follow the candidates' order, each provider once, and that a stage ends after all of them.

    Those who ticked a Batching List have their turn in the stage of the ticks, unless the package is urgent.
    """
    urgent = any(each.data["care"]["urgent"] for each in story if each.kind == "PackageRequested")
    ranking: tuple[str, ...] = ()
    turns: list[str] = []
    for event in select_sourcing(story):
        if event.kind in {"StageEntered", "PackageListed", "SourcingExhausted"} and turns != list(ranking):
            yield f"a stage was left after the turns {turns} of the list {list(ranking)}"
        if event.kind == "StageEntered":
            ranking, turns = parse_ranking(event), []
        if event.kind == "InterestClosed" and not urgent:
            ranking = tuple(each for each in ranking if each in turns or each not in event.data["providers"])
        if event.kind in TURNS:
            turns.append(event.data["provider_id"])
            if turns != list(ranking[: len(turns)]):
                yield f"turns {turns} are not in the order of the list {list(ranking)}"
        if event.kind == "ProviderPassedOver" and not event.data["reasons"]:
            yield f"{event.data['provider_id']} was passed over without a reason"


def check_reasons(
    story: PackageHistory, request: RecordedEvent, rules: FrameworkRules, market: MarketHistory
) -> Iterator[str]:
    """Check that offers went to eligible providers, and that the reasons of each pass-over are true."""
    candidates: Candidates = {}
    for event in select_sourcing(story):
        if event.kind == "StageEntered":
            candidates = index_candidates(event)
        if event.kind in {"OfferMade", "ProviderPassedOver"}:
            stated = set(event.data.get("reasons", ())) - {LISTED_NO_TICK}
            if not stated and event.kind == "ProviderPassedOver":
                continue
            need = derive_requirement(request, candidates.get(event.data["provider_id"], {}), rules, event)
            possible = market.list_possible_reasons(event.data["provider_id"], need, rules, event.at)
            if stated not in possible:
                verb = "was passed over" if event.kind == "ProviderPassedOver" else "was offered the package"
                claim = f"for {sorted(stated)}" if stated else "without reasons"
                yield f"{event.data['provider_id']} {verb} {claim}, but {[sorted(each) for each in possible]} held"


def check_reasons_at_award(
    story: PackageHistory, request: RecordedEvent, rules: FrameworkRules, market: MarketHistory
) -> Iterator[str]:
    """Check the place, the rating, an embargo and the person's refusal again at the award."""
    candidates: Candidates = {}
    offered_as = dict[str, Mapping[str, Any]]()
    for event in select_sourcing(story):
        if event.kind == "StageEntered":
            candidates = index_candidates(event)
        if event.kind == "OfferMade":
            offered_as[event.data["offer_id"]] = candidates.get(event.data["provider_id"], {})
        barred = event.kind in {"LateAnswerRefused", "OfferWithdrawn"} and bool(event.data["passed_over"])
        if (event.kind == "OfferAccepted" or barred) and event.data["offer_id"] in offered_as:
            need = derive_requirement(request, offered_as[event.data["offer_id"]], rules, event)
            possible = list_possible_reasons_at_award(event.data["provider_id"], need, rules, market, event)
            if set(event.data.get("passed_over", ())) not in possible:
                held = [sorted(each) for each in possible]
                yield f"{event.kind} of {event.data['provider_id']}, but {held} held at the award"


def list_possible_reasons_at_award(
    provider: str, need: Requirement, rules: FrameworkRules, market: MarketHistory, event: RecordedEvent
) -> list[set[str]]:
    """List each set of reasons against an award to the provider that may have applied at `event`."""
    return [
        {*list_entry_reasons(known, need, rules), *list_bars(known, provider, need)}
        for known in market.list_possible_states(provider, event.at)
    ]


def index_candidates(event: RecordedEvent) -> Candidates:
    return {each["provider_id"]: each for each in event.data["candidates"]}


def select_sourcing(story: PackageHistory) -> list[RecordedEvent]:
    return [each for each in story if each.source == SOURCING]


def parse_ranking(event: RecordedEvent) -> tuple[str, ...]:
    return tuple(each["provider_id"] for each in sorted(event.data["candidates"], key=lambda each: each["rank"]))
