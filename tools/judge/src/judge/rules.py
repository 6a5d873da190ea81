"""The framework's rules, parsed from its definition file without the services' code."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, cast

import yaml

from judge.calendar import BrokerageHours

_NO_RATING: Final = "not rated"
_RATINGS: Final = (_NO_RATING, "Inadequate", "Requires improvement", "Good", "Outstanding")
_MINUTES_TO_ANSWER: Final = {"webhook": "PT30M", "email": "PT30M", "phone": "PT15M", "urgent": "PT30M"}
_DEADLINES: Final = {"routine": "PT2H", "urgent": "PT30M"}
_ORDERS: Final = {
    "sequential-offers": ("ranked-list",),
    "designated": ("number",),
    "offer-to-all": ("price", "rotation"),
}
"""What a definition that says nothing means."""

# Plain JSON and YAML, because the services' models could hide mistakes.
Json = Mapping[str, Any]


@dataclass(frozen=True)
class FrameworkRules:
    """One version of one framework."""

    framework: str
    version: int
    hours: BrokerageHours
    definition: Json
    proclaimed: tuple[Json, ...] = ()
    """Bank holidays that newer versions of the framework proclaim for running searches."""

    def add_proclaimed_holidays(self, versions: Iterable["FrameworkRules"]) -> "FrameworkRules":
        newer = [each for each in versions if each.framework == self.framework and each.version > self.version]
        overrides = [override for each in newer for override in each.definition["brokerage"].get("overrides", [])]
        return replace(self, proclaimed=tuple(each for each in overrides if each.get("proclaimed_on")))

    @property
    def present_hours(self) -> BrokerageHours:
        """The hours with the bank holidays that were proclaimed since the search started."""
        return self.hours.add_overrides(self.proclaimed)

    @classmethod
    def from_yaml(cls, text: str) -> "FrameworkRules":
        # Amounts are strings, so that 24.10 keeps its last digit.
        read = cast("dict[str, Any]", yaml.load(text, Loader=_StringLoader))  # noqa: S506  a SafeLoader without floats
        return cls(read["framework"], read["version"], BrokerageHours.from_definition(read["brokerage"]), read)

    def get_stage(self, name: str) -> Json:
        return next(each for each in self.definition["sourcing"] if each["stage"] == name)

    def list_stages(self, care: Json) -> Sequence[str]:
        """List the stages that are meant for a package, up to one that stops the search.

        Nobody is asked from a Batching List for an urgent package.
        """
        found = list[str]()
        for stage in self.definition["sourcing"]:
            is_skipped = stage["procedure"] == "batching-list" and care["urgent"]
            if self._is_meant_for(stage.get("when", {}), care) and not is_skipped:
                found.append(stage["stage"])
                if stage.get("exhausted") == "stop":
                    break
        return found

    def _is_meant_for(self, conditions: Json, care: Json) -> bool:
        named = {
            "lots": care["lot"],
            "areas": care["area"],
            "service_types": care["service_type"],
            "routes": care["route"],
            "travel_bands": self._find_travel_band(care),
        }
        fits = all(word in conditions[name] for name, word in named.items() if conditions.get(name))
        needs = conditions.get("needs")
        return (
            fits
            and conditions.get("urgent") in {None, care["urgent"]}
            and (not needs or bool({*needs} & {*care["needs"]}))
        )

    def _find_travel_band(self, care: Json) -> str | None:
        for band in self.definition.get("travel_bands", []):
            if care["outward_code"] in band.get("outward_codes", []):
                return band["band"]
        return self._get_area(care["area"]).get("travel_band")

    def _get_area(self, code: str) -> Json:
        nothing: Json = {}
        return next((each for each in self.definition["areas"] if each["code"] == code), nothing)

    def is_to_all(self, stage: str) -> bool:
        return self.get_stage(stage)["procedure"] == "offer-to-all"

    def get_order(self, stage: str) -> Sequence[str]:
        read = self.get_stage(stage)
        if read["procedure"] == "batching-list":
            return self.get_order(read["cut_off"]["while_in"])
        return tuple(read.get("order", _ORDERS[read["procedure"]]))

    def get_tiers(self, stage: str) -> Sequence[str]:
        return tuple(self.get_stage(stage)["to"].get("tiers", ()))

    def list_areas_asked(self, stage: str, area: str) -> Sequence[str]:
        """List the areas in which the providers of a stage have their places."""
        if self.get_stage(stage)["to"].get("reach", "area") == "area":
            return (area,)
        return tuple(self._get_area(area).get("neighbours", ()))

    def get_minutes_to_answer(self, stage: str, channel: str, *, urgent: bool) -> int:
        read = self.get_stage(stage)
        if self.is_to_all(stage):
            return _parse_minutes({**_DEADLINES, **read.get("deadline", {})}["urgent" if urgent else "routine"])
        return _parse_minutes({**_MINUTES_TO_ANSWER, **read.get("answer_within", {})}["urgent" if urgent else channel])

    def get_minutes_to_deliver(self, stage: str) -> int:
        return _parse_minutes(self.get_stage(stage).get("undeliverable_after", "PT2M"))

    def get_calls_before_expiry(self, stage: str) -> int:
        return self.get_stage(stage).get("calls_before_expiry", 3)

    def is_rating_sufficient(self, rating: str, tier: str) -> bool:
        rules = next(each for each in self.definition["tiers"] if each["tier"] == tier)
        for rule in rules.get("entry", []):
            if rule["rule"] == "overall-rating":
                if rating == _NO_RATING and rule.get("accepts_not_rated", False):
                    return True
                return _RATINGS.index(rating) >= _RATINGS.index(rule["at_least"])
        return True

    def list_required_skills(self, needs: Iterable[str]) -> set[str]:
        required = {each["skill"] for each in self.definition.get("skills", []) if each.get("required", False)}
        return required & set(needs)

    def find_list_group(self, care: Json) -> str | None:
        for group in self.definition.get("list_groups", []):
            types, needs = group.get("service_types", []), group.get("needs", [])
            if (not types or care["service_type"] in types) and (not needs or {*needs} & {*care["needs"]}):
                return group["group"]
        return None

    def list_price_lines(self, service_type: str, area: str) -> Sequence[Json]:
        """List the lines of a service type: those of the area's price band, else those without a band."""
        band = self._get_area(area).get("price_band")
        lines = [each for each in self.definition["prices"]["matrix"] if each["service_type"] == service_type]
        in_band = [each for each in lines if band is not None and each.get("band") == band]
        return in_band or [each for each in lines if each.get("band") is None]

    def get_unit_kind(self, unit: str) -> str:
        return next(each["kind"] for each in self.definition["units"] if each["unit"] == unit)

    @property
    def price_list(self) -> str:
        return self.definition["prices"]["price_list"]

    @property
    def rates_set_by(self) -> str:
        return self.definition["prices"].get("rates_set_by", "framework")

    def get_ceiling(self, stage: str, service_type: str) -> Decimal:
        ceilings = self.get_stage(stage)["ceilings"]
        return next(Decimal(each["rate"]) for each in ceilings if each["service_type"] == service_type)

    def needs_second_officer(self, stage: str, service_type: str, rate: Decimal) -> bool:
        is_always = self.get_stage(stage).get("second_officer", "above the ceiling") == "always"
        return is_always or rate > self.get_ceiling(stage, service_type)


RuleBook = Mapping[tuple[str, int], FrameworkRules]


def read_rules(files: Iterable[Path]) -> RuleBook:
    found = [FrameworkRules.from_yaml(file.read_text()) for file in files]
    return {(each.framework, each.version): each for each in found}


class _StringLoader(yaml.SafeLoader):
    """A YAML loader that leaves decimal numbers as strings."""


def _build_string(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> str:
    return str(loader.construct_scalar(node))


_StringLoader.add_constructor("tag:yaml.org,2002:float", _build_string)


def _parse_minutes(spelled: str) -> int:
    """Parse `PT30M`, `PT2H` or `PT1H30M`."""
    hours, _, minutes = spelled.removeprefix("PT").rpartition("H")
    return int(hours or 0) * 60 + int(minutes.removesuffix("M") or 0)
