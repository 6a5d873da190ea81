"""Checks the stages of a package: which it went through, whom each asked, and by which figures in which order."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any

from judge import money
from judge.events import PackageHistory, RecordedEvent, parse_instant
from judge.list_rules import BATCHING_LIST
from judge.market import MarketHistory, ProviderState
from judge.offer_order import parse_ranking, select_sourcing
from judge.requirements import PlaceKey
from judge.rules import FrameworkRules, Json


@dataclass(frozen=True)
class RankedList:
    """One published ranked list."""

    version: int
    live_from: date
    ranking: tuple[str, ...]


RankedLists = Mapping[str, Sequence[RankedList]]
"""By `framework/lot/area/tier`, and the group if there is one."""


def collect_ranked_lists(stories: Mapping[str, PackageHistory]) -> RankedLists:
    found: dict[str, list[RankedList]] = {}
    for key, story in stories.items():
        for each in story:
            if each.kind == "RankedListPublished":
                ranking = sorted(each.data["ranking"], key=lambda ranked: ranked["rank"])
                found.setdefault(key, []).append(
                    RankedList(
                        each.data["list_version"],
                        date.fromisoformat(each.data["live_from"]),
                        tuple(ranked["provider_id"] for ranked in ranking),
                    )
                )
    return found


def check_stages(story: PackageHistory, care: Json, rules: FrameworkRules) -> Iterator[str]:
    """Check that the search entered the stages that are meant for the package, in their order."""
    kinds = {"StageEntered", "PackageListed"}
    entered = [event.data["stage"] for event in select_sourcing(story) if event.kind in kinds]
    meant = [stage for stage in rules.list_stages(care) if not _is_passed(stage, story, rules)]
    if entered != meant[: len(entered)]:
        yield f"went through the stages {entered}, not {meant}"
    exhausted = [event for event in select_sourcing(story) if event.kind == "SourcingExhausted"]
    if exhausted and entered != meant:
        yield f"was exhausted after the stages {entered} of {meant}"


def _is_passed(stage: str, story: PackageHistory, rules: FrameworkRules) -> bool:
    """Return whether a stage is left out: that of a Batching List which nobody ticked, or on which it never was."""
    ticked = any(each.data["providers"] for each in select_sourcing(story) if each.kind == "InterestClosed")
    return rules.get_stage(stage)["procedure"] == BATCHING_LIST and not ticked


def check_candidates(
    story: PackageHistory,
    request: RecordedEvent,
    rules: FrameworkRules,
    market: MarketHistory,
    lists: RankedLists,
) -> Iterator[str]:
    """Check the candidates of each stage: by the live ranked lists, or by the places that providers have."""
    for event in select_sourcing(story):
        if event.kind == "StageEntered":
            yield from _StageChecks(event, request, rules, market).check(lists)


class _StageChecks:
    """The checks of one stage."""

    def __init__(
        self, event: RecordedEvent, request: RecordedEvent, rules: FrameworkRules, market: MarketHistory
    ) -> None:
        self._event, self._request, self._rules, self._market = event, request, rules, market
        self._care: Json = request.data["care"]
        self._stage: str = event.data["stage"]
        self._order = rules.get_order(self._stage)
        self._ranking = parse_ranking(event)

    def check(self, lists: RankedLists) -> Iterator[str]:
        stated = list(self._event.data["order"])
        expected = [] if self._rules.is_to_all(self._stage) else list(self._order)
        if stated != expected:
            yield f"{self._stage} states the order {stated}, not {expected}"
        if list(self._event.data["tiers"]) != list(self._rules.get_tiers(self._stage)):
            yield f"{self._stage} asks the tiers {self._event.data['tiers']}"
        if self._rules.get_stage(self._stage)["procedure"] == BATCHING_LIST:
            return  # those who ticked, in their order: see `suspension`
        if "ranked-list" in self._order:
            yield from self._check_lists(lists)
        else:
            yield from self._check_places()
            yield from check_figures(self._event, self._care, self._rules, self._market, order=expected)
            yield from self._check_order(expected)

    def _check_lists(self, lists: RankedLists) -> Iterator[str]:
        """Check that the stage worked through the lists that were live, tier after tier."""
        day, expected = self._rules.hours.get_day(self._event.at), list[str]()
        for tier in self._rules.get_tiers(self._stage):
            live = [each for each in lists.get(self._make_list_key(tier), ()) if each.live_from <= day]
            newest = max(live, key=lambda each: each.version, default=None)
            if newest is None:
                yield f"{self._stage} did not work through the list that was live: there was none of {tier}"
                return
            expected += newest.ranking
        if list(self._ranking) != expected:
            yield f"{self._stage} did not work through the list that was live"

    def _make_list_key(self, tier: str) -> str:
        group = self._rules.find_list_group(self._care)
        key = f"{self._care['framework']}/{self._care['lot']}/{self._care['area']}/{tier}"
        return key if group is None else f"{key}/{group}"

    def _check_places(self) -> Iterator[str]:
        """Check that nobody with an active place was left out, and that nobody without a place was asked."""
        followed = self._find_followed_provider()
        for provider in sorted({*self._market.list_providers(), *self._ranking}):
            tiers = [self._list_places(known) for known in self._market.list_possible_states(provider, self._event.at)]
            is_asked = provider in self._ranking
            if not is_asked and all("active" in places for places in tiers) and not self._is_of_own_area(provider):
                yield f"{self._stage} left out {provider}, which has an active place"
            if is_asked and not any(tiers) and provider != followed:
                yield f"{self._stage} asks {provider}, which has no place there"
        if followed is not None and list(self._ranking[:1]) != [followed]:
            yield f"{self._stage} does not begin with {followed}, which delivers the package that this one follows"

    def _list_places(self, known: ProviderState) -> list[str]:
        """List the states of a provider's places in the stage's tiers and areas."""
        keys = (
            PlaceKey(self._care["framework"], self._care["lot"], area, tier)
            for area in self._rules.list_areas_asked(self._stage, self._care["area"])
            for tier in self._rules.get_tiers(self._stage)
        )
        places = (known.find_place(key) for key in keys)
        return [place["state"] for place in places if place is not None]

    def _is_of_own_area(self, provider: str) -> bool:
        """Return whether a stage for the neighbours leaves out a provider because it has a place in the own area."""
        areas = self._rules.list_areas_asked(self._stage, self._care["area"])
        return self._care["area"] not in areas and any(
            known.find_place(PlaceKey(self._care["framework"], self._care["lot"], self._care["area"], tier))
            for known in self._market.list_possible_states(provider, self._event.at)
            for tier in self._rules.get_tiers(self._stage)
        )

    def _find_followed_provider(self) -> str | None:
        """Find the provider of the package that this one follows, if the stage asks it first and it has a place."""
        follows = self._request.data.get("follows")
        lots = self._rules.get_stage(self._stage).get("follows_in", ())
        if follows is None or follows["lot"] not in lots:
            return None
        provider = follows["provider_id"]
        states = list(self._market.list_possible_states(provider, self._event.at))
        wanted = self._care["framework"], follows["lot"]
        has_place = all(any((each["framework"], each["lot"]) == wanted for each in known.places) for known in states)
        return provider if has_place else None

    def _check_order(self, order: Sequence[str]) -> Iterator[str]:
        candidates: list[Json] = self._event.data["candidates"]
        followed = self._find_followed_provider()
        others = [each for each in candidates if each["provider_id"] != followed]
        right = sort_candidates(others, order, self._event.data["seed"], self._rules.get_tiers(self._stage))
        stated = [each for each in self._ranking if each != followed]
        if self._event.data["seed"] is None and _has_tie(others, order, self._rules.get_tiers(self._stage)):
            yield f"{self._stage} has a tie and no seed of a draw"
        if order and stated != right:
            yield f"{self._stage} considers {stated}, but by {list(order)} the order is {right}"


def sort_candidates(
    candidates: Sequence[Json], order: Sequence[str], seed: str | None, tiers: Sequence[str]
) -> list[str]:
    """Sort by tier, by each order in turn, and by the draw: SHA-256 of `seed/provider`, ascending."""
    ranked = sorted(candidates, key=lambda each: each["rank"])
    keys = {each["provider_id"]: _make_sort_key(each, order, seed, tiers) for each in ranked}
    return sorted(keys, key=lambda provider: keys[provider])


def _make_sort_key(
    candidate: Json, order: Sequence[str], seed: str | None, tiers: Sequence[str]
) -> list[tuple[Any, ...]]:
    figures = [_get_figure(candidate, each) for each in order if each not in {"draw", "ranked-list"}]
    draw = () if seed is None else (compute_draw(seed, candidate["provider_id"]),)
    return [(tiers.index(candidate["tier"]) if candidate["tier"] in tiers else -1,), *figures, draw]


def _has_tie(candidates: Sequence[Json], order: Sequence[str], tiers: Sequence[str]) -> bool:
    keys = [_make_sort_key(each, order, None, tiers) for each in candidates]
    return bool(order) and any(key in keys[:position] for position, key in enumerate(keys))


def _get_figure(candidate: Json, order: str) -> tuple[Any, ...]:
    if order == "number":
        return (0, candidate["number"]) if candidate["number"] is not None else (1,)
    if order == "price":
        return (0, Decimal(candidate["price"])) if candidate["price"] is not None else (1,)
    if candidate["last_award_at"] is None:
        return (0, candidate["joined_on"] or "9999")
    return (1, parse_instant(candidate["last_award_at"]))


def compute_draw(seed: str, provider: str) -> str:
    return sha256(f"{seed}/{provider}".encode()).hexdigest()


def check_figures(
    event: RecordedEvent, care: Json, rules: FrameworkRules, market: MarketHistory, *, order: Sequence[str]
) -> Iterator[str]:
    """Check that the figures of the candidates are those of the market at that instant."""
    for candidate in event.data["candidates"]:
        provider = candidate["provider_id"]
        key = PlaceKey(care["framework"], candidate.get("lot", care["lot"]), candidate["area"], candidate["tier"])
        places = [known.find_place(key) for known in market.list_possible_states(provider, event.at)]
        if "number" in order and candidate["number"] not in [place and place["number"] for place in places]:
            yield f"{provider} came by the number {candidate['number']}, which is not its own"
        if "rotation" in order:
            if candidate["joined_on"] not in [place and place["joined_on"] for place in places]:
                yield f"{provider} came by the joining date {candidate['joined_on']}, which is not its own"
            if not _is_last_award(candidate["last_award_at"], provider, care, market, event):
                yield f"{provider} came by a last award at {candidate['last_award_at']}, which is not its last one"
        if "price" in order and event.kind == "StageEntered":
            prices = money.list_possible_prices(money.Quote(provider, candidate["area"], event.at), care, rules, market)
            if candidate["price"] not in prices:
                yield f"{provider} came by the price {candidate['price']}, not {prices}"


def _is_last_award(stated: str | None, provider: str, care: Json, market: MarketHistory, event: RecordedEvent) -> bool:
    """Return whether it is the last award in the area, of which those of the same instant may be counted or not."""
    awards = [each for each in market.list_awards(provider, care["framework"], care["area"]) if each.at <= event.at]
    standing = [each for each in awards if each.voided_at is None]
    histories = [[each.at for each in found] for found in (awards, standing)]
    histories += [[at for at in instants if at < event.at] for instants in histories]
    return _parse_optional(stated) in {max(instants, default=None) for instants in histories}


def _parse_optional(stated: str | None) -> datetime | None:
    return None if stated is None else parse_instant(stated)
