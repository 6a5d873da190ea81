"""Who was asked when: in the order of the list, everybody's turn once, each pass-over true."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from judge.market import Market, Need, bars, entry_reasons
from judge.record import SOURCING, Said, Story
from judge.rules import Rules


@dataclass(frozen=True)
class List:
    """One published ranked list."""

    version: int
    live_from: date
    ranking: tuple[str, ...]


Lists = Mapping[str, Sequence[List]]
"""By `framework/area/tier`."""


def lists_in(stories: Mapping[str, Story]) -> Lists:
    found: dict[str, list[List]] = {}
    for key, story in stories.items():
        for each in story:
            if each.kind == "RankedListPublished":
                found.setdefault(key, []).append(
                    List(
                        each.data["list_version"], date.fromisoformat(each.data["live_from"]), _ranking(each, "ranking")
                    )
                )
    return found


def order_of_asking(story: Story) -> Iterator[str]:
    """Turns are a prefix of the ranked list, each provider once; a stage that is left was worked through."""
    ranking: tuple[str, ...] = ()
    turns: list[str] = []
    for said in _sourcing(story):
        if said.kind in {"StageEntered", "PackageListed", "SourcingExhausted"} and turns != list(ranking):
            yield f"a stage was left after the turns {turns} of the list {list(ranking)}"
        if said.kind == "StageEntered":
            ranking, turns = _ranking(said, "candidates"), []
        if said.kind in {"OfferMade", "ProviderPassedOver"}:
            turns.append(said.data["provider_id"])
            if turns != list(ranking[: len(turns)]):
                yield f"turns {turns} are not in the order of the list {list(ranking)}"
        if said.kind == "ProviderPassedOver" and not said.data["reasons"]:
            yield f"{said.data['provider_id']} was passed over without a reason"


def lists_used(story: Story, care: Mapping[str, str], rules: Rules, lists: Lists) -> Iterator[str]:
    """Each stage worked through the list that was live for its tier and area, as it was published."""
    for said in _sourcing(story):
        if said.kind == "StageEntered":
            key = f"{care['framework']}/{care['area']}/{said.data['tier']}"
            day = rules.calendar.day_of(said.at)
            live = [each for each in lists.get(key, ()) if each.live_from <= day]
            newest = max(live, key=lambda each: each.version, default=None)
            if newest is None or newest.ranking != _ranking(said, "candidates"):
                yield f"{said.data['stage']} did not work through the list that was live"


def truth_of_turns(story: Story, request: Said, rules: Rules, market: Market) -> Iterator[str]:
    """Whoever was offered the package could be, and whoever was passed over could not, for just these reasons."""
    tier = 0
    for said in _sourcing(story):
        if said.kind == "StageEntered":
            tier = said.data["tier"]
        if said.kind in {"OfferMade", "ProviderPassedOver"}:
            stated = set(said.data.get("reasons", ()))
            need = need_of(request, tier, rules, said)
            possible = market.reasons(said.data["provider_id"], need, rules, said.at)
            if stated not in possible:
                verb = "was passed over" if said.kind == "ProviderPassedOver" else "was offered the package"
                told = f"for {sorted(stated)}" if stated else "with nothing against it"
                yield f"{said.data['provider_id']} {verb} {told}, but {[sorted(each) for each in possible]} held"


def truth_of_awards(story: Story, request: Said, rules: Rules, market: Market) -> Iterator[str]:
    """At the award rating, embargo and the person's refusal are looked at once more."""
    tier, offered_in = 0, dict[str, int]()
    for said in _sourcing(story):
        if said.kind == "StageEntered":
            tier = said.data["tier"]
        if said.kind == "OfferMade":
            offered_in[said.data["offer_id"]] = tier
        barred = said.kind == "LateAnswerRefused" and bool(said.data["passed_over"])
        if (said.kind == "OfferAccepted" or barred) and said.data["offer_id"] in offered_in:
            need = need_of(request, offered_in[said.data["offer_id"]], rules, said)
            provider = said.data["provider_id"]
            possible = [
                {*entry_reasons(known, need, rules), *bars(known, provider, need)}
                for known in market.possible(provider, said.at)
            ]
            if set(said.data.get("passed_over", ())) not in possible:
                yield f"{said.kind} of {provider}, but {[sorted(each) for each in possible]} held at the award"


def need_of(request: Said, tier: int, rules: Rules, said: Said) -> Need:
    care = request.data["care"]
    return Need(
        framework=care["framework"],
        area=care["area"],
        service_type=care["service_type"],
        hours=hours_of(care),
        tier=tier,
        refused=request.data["wishes"]["refused"],
        day=rules.calendar.day_of(said.at),
    )


def hours_of(care: Mapping[str, object]) -> Decimal:
    return (Decimal(minutes_of(care)) / 60).quantize(Decimal("0.01"))


# Visits are JSON: what is in them is known by its key alone.
def minutes_of(care: Mapping[str, object]) -> int:
    visits = care["visits"]
    assert isinstance(visits, list), "care without visits is no care"
    return sum(len(each["days"]) * each["minutes"] * each["carers"] for each in visits)  # pyright: ignore


def _sourcing(story: Story) -> list[Said]:
    return [each for each in story if each.source == SOURCING]


def _ranking(said: Said, name: str) -> tuple[str, ...]:
    return tuple(each["provider_id"] for each in sorted(said.data[name], key=lambda each: each["rank"]))
