"""Computes who gets a list: a Batching List its stage's providers, available packages everybody who may propose."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from judge.list_rules import BATCHING_LIST
from judge.market import MarketHistory, ProviderState
from judge.requirements import PlaceKey
from judge.rules import FrameworkRules, Json


def find_recipients(
    provider: str, rows: Sequence[Json], rules: FrameworkRules, market: MarketHistory, at: datetime
) -> list[list[str]]:
    """List the areas for which the provider may have got the list at `at`; [] where it may have got none."""
    find = _find_ticking_areas if rows[0]["kind"] == BATCHING_LIST else _find_proposing_areas
    found = (set(find(provider, known, rows, rules)) for known in market.list_possible_states(provider, at))
    return [[area["code"] for area in rules.definition["areas"] if area["code"] in areas] for areas in found]


def _find_ticking_areas(
    provider: str, known: ProviderState, rows: Sequence[Json], rules: FrameworkRules
) -> Iterator[str]:
    """Find the areas with a row that is open to the provider, by an active place whose entry rules it meets."""
    for row in rows:
        advert, tiers = row["advert"], rules.get_tiers(row["stage"])
        places = (known.find_place(PlaceKey(row["framework"], advert["lot"], advert["area"], tier)) for tier in tiers)
        can_be_asked = any(
            place is not None and place["state"] == "active" and _meets_entry(known, place, rules) for place in places
        )
        if provider in row["providers"] and can_be_asked:
            yield advert["area"]


def _meets_entry(known: ProviderState, place: Json, rules: FrameworkRules) -> bool:
    """Return whether the provider meets the tier's entry rules; what no event shows is taken from the registry."""
    return "entry requirement not met" not in place["reasons"] and rules.is_rating_sufficient(
        known.rating, place["tier"]
    )


def _find_proposing_areas(_: str, known: ProviderState, rows: Sequence[Json], rules: FrameworkRules) -> Iterator[str]:
    """Find the areas in which the provider works, if it may propose for a row: in the whole council, or there alone."""
    stage = rules.get_stage(rows[0]["stage"])
    areas = {*list_served_areas(known, rules, stage)}
    if stage.get("reach", "council") == "council" or areas & {row["advert"]["area"] for row in rows}:
        yield from areas


def list_served_areas(
    known: ProviderState, rules: FrameworkRules, stage: Json, *, by_any_place: bool = False
) -> Iterator[str]:
    """List the areas of the council where a provider works that an open list goes to: by active places, or by any."""
    own = {each["code"] for each in rules.definition["areas"]}
    if stage.get("members", True):
        places = (each for each in known.places if each["framework"] == rules.framework)
        yield from (each["area"] for each in places if by_any_place or each["state"] == "active")
    if stage.get("spot", True):
        yield from (area for area in known.spot_areas if area in own)


def may_propose(known: ProviderState, area: str, rules: FrameworkRules, stage: Json) -> bool:
    """Return whether a provider may propose for a package of an area: as the definition says, or there alone."""
    areas = {*list_served_areas(known, rules, stage, by_any_place=True)}
    return bool(areas) if stage.get("reach", "council") == "council" else area in areas
