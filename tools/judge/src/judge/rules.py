"""The framework as its definition file has it, read without the code that the services read it with."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, cast

import yaml

from judge.calendar import Calendar

_NO_RATING: Final = "not rated"
_RATINGS: Final = (_NO_RATING, "Inadequate", "Requires improvement", "Good", "Outstanding")


@dataclass(frozen=True)
class Rules:
    """One version of one framework."""

    framework: str
    version: int
    calendar: Calendar
    # A definition file is YAML, and a judge that read it with the services' models would share their mistakes.
    text: Mapping[str, Any]

    @classmethod
    def of(cls, text: str) -> "Rules":
        # As strings, so that 24.10 keeps its pennies.
        read = cast("dict[str, Any]", yaml.load(text, Loader=_Exact))  # noqa: S506  a SafeLoader without floats
        return cls(read["framework"], read["version"], Calendar.of(read["brokerage"]), read)

    def stage(self, name: str) -> Mapping[str, Any]:
        return next(each for each in self.text["sourcing"] if each["stage"] == name)

    def stage_before(self, name: str) -> str | None:
        names = [each["stage"] for each in self.text["sourcing"]]
        position = names.index(name)
        return names[position - 1] if position else None

    def minutes_to_answer(self, stage: str, channel: str, *, urgent: bool) -> int:
        spelled: str = self.stage(stage)["answer_within"]["urgent" if urgent else channel]
        return _minutes(spelled)

    def grace_minutes(self, stage: str) -> int:
        return _minutes(self.stage(stage)["undeliverable_after"])

    def calls_before_expiry(self, stage: str) -> int:
        return self.stage(stage)["calls_before_expiry"]

    def reaches_floor(self, rating: str, tier: int) -> bool:
        rules = next(each for each in self.text["tiers"] if each["tier"] == tier)
        if rating == _NO_RATING and rules["accepts_not_rated"]:
            return True
        return _RATINGS.index(rating) >= _RATINGS.index(rules["minimum_rating"])

    def unit(self, service_type: str) -> str:
        return self._line(service_type)["unit"]

    def rate(self, service_type: str, number: int) -> Decimal:
        """Rate 1 is the line's own, the others are its further ones."""
        line = self._line(service_type)
        return [Decimal(each) for each in (line["rate"], *line.get("further_rates", []))][number - 1]

    @property
    def price_list(self) -> str:
        return self.text["prices"]["price_list"]

    @property
    def selected_by_providers(self) -> bool:
        return self.text["prices"].get("selected_by_providers", False)

    def ceiling(self, stage: str, service_type: str) -> Decimal:
        ceilings = self.stage(stage)["ceilings"]
        return next(Decimal(each["rate"]) for each in ceilings if each["service_type"] == service_type)

    def _line(self, service_type: str) -> Mapping[str, Any]:
        return next(each for each in self.text["prices"]["matrix"] if each["service_type"] == service_type)


RuleBook = Mapping[tuple[str, int], Rules]


def read_rules(files: Iterable[Path]) -> RuleBook:
    found = [Rules.of(file.read_text()) for file in files]
    return {(each.framework, each.version): each for each in found}


class _Exact(yaml.SafeLoader):
    """Plain YAML, in which an amount stays what is written."""


def _as_written(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> str:
    return str(loader.construct_scalar(node))


_Exact.add_constructor("tag:yaml.org,2002:float", _as_written)


def _minutes(spelled: str) -> int:
    return int(spelled.removeprefix("PT").removesuffix("M"))
