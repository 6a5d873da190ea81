"""The framework's rules, parsed from its definition file without the services' code."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, cast

import yaml

from judge.calendar import BrokerageHours

_NO_RATING: Final = "not rated"
_RATINGS: Final = (_NO_RATING, "Inadequate", "Requires improvement", "Good", "Outstanding")


@dataclass(frozen=True)
class FrameworkRules:
    """One version of one framework."""

    framework: str
    version: int
    hours: BrokerageHours
    # Plain YAML, because the services' models could hide mistakes.
    definition: Mapping[str, Any]
    proclaimed: tuple[Mapping[str, Any], ...] = ()
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

    def get_stage(self, name: str) -> Mapping[str, Any]:
        return next(each for each in self.definition["sourcing"] if each["stage"] == name)

    def get_minutes_to_answer(self, stage: str, channel: str, *, urgent: bool) -> int:
        spelled: str = self.get_stage(stage)["answer_within"]["urgent" if urgent else channel]
        return _parse_minutes(spelled)

    def get_calls_before_expiry(self, stage: str) -> int:
        return self.get_stage(stage)["calls_before_expiry"]

    def is_rating_sufficient(self, rating: str, tier: int) -> bool:
        rules = next(each for each in self.definition["tiers"] if each["tier"] == tier)
        if rating == _NO_RATING and rules["accepts_not_rated"]:
            return True
        return _RATINGS.index(rating) >= _RATINGS.index(rules["minimum_rating"])

    def get_unit(self, service_type: str) -> str:
        return self._get_price_line(service_type)["unit"]

    def get_rate(self, service_type: str, number: int) -> Decimal:
        """Return the rate with this number: 1 is `rate`, the others are in `further_rates`."""
        line = self._get_price_line(service_type)
        return [Decimal(each) for each in (line["rate"], *line.get("further_rates", []))][number - 1]

    @property
    def price_list(self) -> str:
        return self.definition["prices"]["price_list"]

    @property
    def selected_by_providers(self) -> bool:
        return self.definition["prices"].get("selected_by_providers", False)

    def get_ceiling(self, stage: str, service_type: str) -> Decimal:
        ceilings = self.get_stage(stage)["ceilings"]
        return next(Decimal(each["rate"]) for each in ceilings if each["service_type"] == service_type)

    def _get_price_line(self, service_type: str) -> Mapping[str, Any]:
        return next(each for each in self.definition["prices"]["matrix"] if each["service_type"] == service_type)


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
    return int(spelled.removeprefix("PT").removesuffix("M"))
