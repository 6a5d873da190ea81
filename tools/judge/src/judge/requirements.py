"""What a package requires of a provider, derived from its request and the candidate's place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from judge.events import RecordedEvent
from judge.rules import FrameworkRules


@dataclass(frozen=True)
class PlaceKey:
    """The place by which a provider is asked."""

    framework: str
    lot: str
    area: str
    tier: str


@dataclass(frozen=True)
class Requirement:
    """What a package requires of a provider."""

    place: PlaceKey
    area: str
    """Where the care is given; a neighbour's place is in another area."""
    service_type: str
    hours: Decimal
    skills: frozenset[str]
    refused: Sequence[str]
    day: date


def derive_requirement(
    request: RecordedEvent, candidate: Mapping[str, Any], rules: FrameworkRules, event: RecordedEvent
) -> Requirement:
    """Derive what is required at `event` of the provider that is asked as `candidate`; {} is the package's own area."""
    care = request.data["care"]
    place = PlaceKey(
        care["framework"],
        candidate.get("lot", care["lot"]),
        candidate.get("area", care["area"]),
        candidate.get("tier", ""),
    )
    return Requirement(
        place=place,
        area=care["area"],
        service_type=care["service_type"],
        hours=compute_hours(care),
        skills=frozenset(rules.list_required_skills(care["needs"])),
        refused=request.data["wishes"]["refused"],
        day=rules.hours.get_day(event.at),
    )


def compute_hours(care: Mapping[str, Any]) -> Decimal:
    return (Decimal(sum_minutes(care)) / 60).quantize(Decimal("0.01"))


def sum_minutes(care: Mapping[str, Any]) -> int:
    """Sum the commissioned minutes a week: a visit with two carers counts twice."""
    return sum(len(each["days"]) * each["minutes"] * each["carers"] for each in care["visits"])
