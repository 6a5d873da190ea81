"""The state of each provider at each instant, rebuilt from the events on Kafka."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from judge.events import PackageHistory, RecordedEvent, parse_instant
from judge.requirements import PlaceKey, Requirement
from judge.rules import FrameworkRules

_NOT_RATED: Final = "not rated"
_ORDER: Final = (_NOT_RATED, "Inadequate", "Requires improvement", "Good", "Outstanding")
NO_CAPACITY: Final = "declared capacity is less than the package needs"


@dataclass(frozen=True)
class ProviderState:
    """One provider at one instant."""

    places: Sequence[Mapping[str, Any]] = ()
    skills: Sequence[str] = ()
    spot_areas: Sequence[str] = ()
    ratings: Mapping[str, str] = field(default_factory=dict[str, str])
    embargoed: bool = False
    declared_capacity: Mapping[str, tuple[datetime, Decimal]] = field(
        default_factory=dict[str, tuple[datetime, Decimal]]
    )
    rates: Mapping[tuple[str, str], Sequence[Mapping[str, Any]]] = field(
        default_factory=dict[tuple[str, str], Sequence[Mapping[str, Any]]]
    )

    def apply(self, event: RecordedEvent) -> "ProviderState":
        data = event.data
        match event.kind:
            case "EligibilityChanged":
                return replace(
                    self,
                    places=data["places"],
                    skills=data["skills"],
                    spot_areas=data["spot_areas"],
                )
            case "RatingPublished":
                return replace(self, ratings={**self.ratings, data["branch_id"]: data["rating"]})
            case "ProviderEmbargoed" | "EmbargoLifted":
                return replace(self, embargoed=event.kind == "ProviderEmbargoed")
            case "CapacityDeclared":
                free = parse_instant(data["declared_at"]), Decimal(data["free_hours"])
                return replace(self, declared_capacity={**self.declared_capacity, data["area"]: free})
            case "RatesSelected":
                place = data["framework"], data["area"]
                return replace(self, rates={**self.rates, place: data["selections"]})
            case _:
                return self

    @property
    def rating(self) -> str:
        return max(self.ratings.values(), key=_ORDER.index, default=_NOT_RATED)

    def find_selection(self, framework: str, area: str, day: date) -> Mapping[str, Any] | None:
        begun = [
            each for each in self.rates.get((framework, area), ()) if date.fromisoformat(each["valid_from"]) <= day
        ]
        return max(begun, key=lambda each: each["valid_from"], default=None)

    def find_place(self, key: PlaceKey) -> Mapping[str, Any] | None:
        wanted = key.framework, key.lot, key.area, key.tier
        found = (each for each in self.places if _get_place_key(each) == wanted)
        return next(found, None)


@dataclass(frozen=True)
class PlacedHours:
    framework: str
    area: str
    hours: Decimal
    at: datetime
    voided_at: datetime | None


class MarketHistory:
    """All providers over time. The order of changes at one instant is not visible, so every order is possible."""

    def __init__(
        self,
        providers: Mapping[str, PackageHistory],
        rates: Mapping[str, PackageHistory],
        packages: Sequence[PackageHistory],
    ) -> None:
        self._events = {
            key: sorted([*story, *rates.get(key, ())], key=lambda each: each.at) for key, story in providers.items()
        }
        self._placements: dict[str, list[PlacedHours]] = {}
        for story in packages:
            for provider, placed in _list_placements(story):
                self._placements.setdefault(provider, []).append(placed)

    def list_possible_states(self, provider_id: str, at: datetime) -> Iterator[ProviderState]:
        """List the possible states at `at`: before, between and after the changes of that instant."""
        known = ProviderState()
        events = self._events.get(provider_id, [])
        for event in (each for each in events if each.at < at):
            known = known.apply(event)
        yield known
        for event in (each for each in events if each.at == at):
            known = known.apply(event)
            yield known

    def list_providers(self) -> Sequence[str]:
        return list(self._events)

    def list_awards(self, provider_id: str, framework: str, area: str) -> Sequence["PlacedHours"]:
        """List the placements with a provider in an area, voided ones too."""
        placed = self._placements.get(provider_id, ())
        return [each for each in placed if (each.framework, each.area) == (framework, area)]

    def list_possible_reasons(
        self, provider_id: str, need: Requirement, rules: FrameworkRules, at: datetime
    ) -> list[set[str]]:
        """List each set of reasons against the provider that may have applied at `at`."""
        found: list[set[str]] = []
        for known in self.list_possible_states(provider_id, at):
            fixed = {*list_entry_reasons(known, need, rules), *list_bars(known, provider_id, need)}
            fixed |= {*_list_offer_reasons(known, need)}
            if not _has_rate(known, need, rules):
                fixed.add("has selected no rate for this service type")
            lacking = self._compute_capacity_shortage(provider_id, known, need, at)
            found += [fixed | ({NO_CAPACITY} if lacks else set()) for lacks in lacking]
        return found

    def _compute_capacity_shortage(
        self, provider_id: str, known: ProviderState, need: Requirement, at: datetime
    ) -> set[bool]:
        area = need.area
        if area not in known.declared_capacity:
            return {False}
        since, free = known.declared_capacity[area]
        placed = [each for each in self._placements.get(provider_id, ()) if each.area == area and each.at >= since]
        certain = [each for each in placed if each.at < at and (each.voided_at is None or each.voided_at > at)]
        perhaps = [each for each in placed if each.at <= at and (each.voided_at is None or each.voided_at >= at)]
        return {free - sum(each.hours for each in taken) < need.hours for taken in (certain, perhaps)}


def list_entry_reasons(known: ProviderState, need: Requirement, rules: FrameworkRules) -> Iterator[str]:
    place = known.find_place(need.place)
    if place is None:
        yield "not a member of this tier and area"
        return
    if place["state"] != "active":
        yield "place is not active"
    if not rules.is_rating_sufficient(known.rating, need.place.tier):
        yield "rating below the tier's floor"
    # Turnover, ratings of key questions over time and the distance to the border are in no event: the registry's
    # statement is accepted.
    if "entry requirement not met" in place["reasons"]:
        yield "entry requirement not met"


def _list_offer_reasons(known: ProviderState, need: Requirement) -> Iterator[str]:
    place = known.find_place(need.place)
    if place is not None and need.service_type not in place["service_types"]:
        yield "does not offer this service type"
    if need.skills - {*known.skills}:
        yield "no evidence of the skill"


def list_bars(known: ProviderState, provider_id: str, need: Requirement) -> Iterator[str]:
    if known.embargoed:
        yield "embargoed"
    if provider_id in need.refused:
        yield "refused by the person"


def _has_rate(known: ProviderState, need: Requirement, rules: FrameworkRules) -> bool:
    lines = rules.list_price_lines(need.service_type, need.place.area)
    if rules.rates_set_by == "framework":
        return bool(lines)
    selection = known.find_selection(need.place.framework, need.place.area, need.day)
    items = set[str]() if selection is None else {each["item"] for each in selection["rates"]}
    return bool(lines) and all(get_item(line) in items for line in lines)


def get_item(line: Mapping[str, Any]) -> str:
    """Return the key of a line of the price matrix."""
    return line.get("item") or line["service_type"]


def _get_place_key(place: Mapping[str, Any]) -> tuple[str, str, str, str]:
    return place["framework"], place["lot"], place["area"], place["tier"]


def _list_placements(story: PackageHistory) -> Iterator[tuple[str, PlacedHours]]:
    voided = {each.data["placement_id"]: each.at for each in story if each.kind == "PlacementVoided"}
    for each in story:
        if each.kind == "PackagePlaced":
            hours = Decimal(each.data["weekly_hours"])
            ended = voided.get(each.data["placement_id"])
            placed = PlacedHours(each.data["framework"], each.data["area"], hours, each.at, ended)
            yield each.data["provider_id"], placed
