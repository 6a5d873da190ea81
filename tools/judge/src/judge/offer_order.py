"""Checks the order of offers: list order, one turn for each provider, and true reasons for each pass-over."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from judge.events import SOURCING, PackageHistory, RecordedEvent
from judge.market import MarketHistory, Requirement, list_bars, list_entry_reasons
from judge.rules import FrameworkRules


@dataclass(frozen=True)
class RankedList:
    """One published ranked list."""

    version: int
    live_from: date
    ranking: tuple[str, ...]


RankedLists = Mapping[str, Sequence[RankedList]]
"""By `framework/area/tier`."""


def collect_ranked_lists(stories: Mapping[str, PackageHistory]) -> RankedLists:
    found: dict[str, list[RankedList]] = {}
    for key, story in stories.items():
        for each in story:
            if each.kind == "RankedListPublished":
                found.setdefault(key, []).append(
                    RankedList(
                        each.data["list_version"],
                        date.fromisoformat(each.data["live_from"]),
                        _parse_ranking(each, "ranking"),
                    )
                )
    return found


def check_list_order(story: PackageHistory) -> Iterator[str]:
    """Check that turns follow the ranked list, each provider once, and that a stage ends after its whole list."""
    ranking: tuple[str, ...] = ()
    turns: list[str] = []
    for event in _select_sourcing(story):
        if event.kind in {"StageEntered", "PackageListed", "SourcingExhausted"} and turns != list(ranking):
            yield f"a stage was left after the turns {turns} of the list {list(ranking)}"
        if event.kind == "StageEntered":
            ranking, turns = _parse_ranking(event, "candidates"), []
        if event.kind in {"OfferMade", "ProviderPassedOver"}:
            turns.append(event.data["provider_id"])
            if turns != list(ranking[: len(turns)]):
                yield f"turns {turns} are not in the order of the list {list(ranking)}"
        if event.kind == "ProviderPassedOver" and not event.data["reasons"]:
            yield f"{event.data['provider_id']} was passed over without a reason"


def check_lists_used(
    story: PackageHistory, care: Mapping[str, str], rules: FrameworkRules, lists: RankedLists
) -> Iterator[str]:
    """Check that each stage used the list that was live for its tier and area."""
    for event in _select_sourcing(story):
        if event.kind == "StageEntered":
            key = f"{care['framework']}/{care['area']}/{event.data['tier']}"
            day = rules.hours.get_day(event.at)
            live = [each for each in lists.get(key, ()) if each.live_from <= day]
            newest = max(live, key=lambda each: each.version, default=None)
            if newest is None or newest.ranking != _parse_ranking(event, "candidates"):
                yield f"{event.data['stage']} did not work through the list that was live"


def check_reasons(
    story: PackageHistory, request: RecordedEvent, rules: FrameworkRules, market: MarketHistory
) -> Iterator[str]:
    """Check that offers went to eligible providers, and that the reasons of each pass-over are true."""
    tier = 0
    for event in _select_sourcing(story):
        if event.kind == "StageEntered":
            tier = event.data["tier"]
        if event.kind in {"OfferMade", "ProviderPassedOver"}:
            stated = set(event.data.get("reasons", ()))
            need = derive_requirement(request, tier, rules, event)
            possible = market.list_possible_reasons(event.data["provider_id"], need, rules, event.at)
            if stated not in possible:
                verb = "was passed over" if event.kind == "ProviderPassedOver" else "was offered the package"
                claim = f"for {sorted(stated)}" if stated else "without reasons"
                yield f"{event.data['provider_id']} {verb} {claim}, but {[sorted(each) for each in possible]} held"


def check_reasons_at_award(
    story: PackageHistory, request: RecordedEvent, rules: FrameworkRules, market: MarketHistory
) -> Iterator[str]:
    """Check rating, embargo and the person's refusal again at the award."""
    tier, offered_in = 0, dict[str, int]()
    for event in _select_sourcing(story):
        if event.kind == "StageEntered":
            tier = event.data["tier"]
        if event.kind == "OfferMade":
            offered_in[event.data["offer_id"]] = tier
        barred = event.kind == "LateAnswerRefused" and bool(event.data["passed_over"])
        if (event.kind == "OfferAccepted" or barred) and event.data["offer_id"] in offered_in:
            need = derive_requirement(request, offered_in[event.data["offer_id"]], rules, event)
            provider = event.data["provider_id"]
            possible = [
                {*list_entry_reasons(known, need, rules), *list_bars(known, provider, need)}
                for known in market.list_possible_states(provider, event.at)
            ]
            if set(event.data.get("passed_over", ())) not in possible:
                yield f"{event.kind} of {provider}, but {[sorted(each) for each in possible]} held at the award"


def derive_requirement(request: RecordedEvent, tier: int, rules: FrameworkRules, event: RecordedEvent) -> Requirement:
    care = request.data["care"]
    return Requirement(
        framework=care["framework"],
        area=care["area"],
        service_type=care["service_type"],
        hours=compute_hours(care),
        tier=tier,
        refused=request.data["wishes"]["refused"],
        day=rules.hours.get_day(event.at),
    )


def compute_hours(care: Mapping[str, object]) -> Decimal:
    return (Decimal(sum_minutes(care)) / 60).quantize(Decimal("0.01"))


# Visits are plain JSON, so their values have no types.
def sum_minutes(care: Mapping[str, object]) -> int:
    visits = care["visits"]
    assert isinstance(visits, list), "care must have visits"
    return sum(len(each["days"]) * each["minutes"] * each["carers"] for each in visits)  # pyright: ignore


def _select_sourcing(story: PackageHistory) -> list[RecordedEvent]:
    return [each for each in story if each.source == SOURCING]


def _parse_ranking(event: RecordedEvent, name: str) -> tuple[str, ...]:
    return tuple(each["provider_id"] for each in sorted(event.data[name], key=lambda each: each["rank"]))
