"""Referrals of a rehearsal: drawn from a seed, or read from a file of JSON lines."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Annotated, Final

from pydantic import AwareDatetime, Field, ValidationError

from contracts.errors import FieldError, InvalidInput
from contracts.framework.definition import FrameworkDefinition
from contracts.framework.stages import PackageKind
from contracts.ids import AreaCode, NeedKey, RouteKey, ServiceTypeKey
from contracts.review.kinds import list_kinds
from contracts.values import OutwardCode, UnitKind, Value, Visit, Weekday

DAYS: Final = 20
"""Days over which generated referrals are spread."""
_WINDOWS: Final = ((7, 9), (12, 14), (17, 19))
_NIGHT_MINUTES: Final = 600
_WEEK_MINUTES: Final = 10_080
_LONGEST_FILE: Final = 1_000_000


class RehearsalReferral(Value):
    """One referral, without anything of a person; a line of the file."""

    requested_at: AwareDatetime
    area: AreaCode
    service_type: ServiceTypeKey
    route: RouteKey
    visits: Annotated[tuple[Visit, ...], Field(min_length=1, max_length=50)]
    starts_on: date
    needs: tuple[NeedKey, ...] = ()
    outward_code: OutwardCode = "ZZ9"

    @property
    def weekly_hours(self) -> Decimal:
        """Commissioned hours a week."""
        return (Decimal(sum(visit.weekly_minutes for visit in self.visits)) / 60).quantize(Decimal("0.01"))


class NothingInCommon(InvalidInput):
    title = "Nothing to compare"


@dataclass(frozen=True)
class _Draw:
    kinds: Sequence[PackageKind]
    definition: FrameworkDefinition


def generate_referrals(
    definitions: Sequence[FrameworkDefinition], *, count: int, seed: int, first_day: date
) -> Sequence[RehearsalReferral]:
    """Draws referrals for areas, service types and routes that every definition serves, in the order of their instants.

    Raises NothingInCommon.
    """
    draw = _Draw(_list_common_kinds(definitions), definitions[0])
    referrals = (_draw_referral(draw, Random(f"{seed}/{number}"), first_day) for number in range(count))
    return sorted(referrals, key=lambda each: each.requested_at)


def read_referrals(file: Path) -> Sequence[RehearsalReferral]:
    """Reads a file of JSON lines. Raises InvalidInput that names the first wrong line."""
    return sorted(_parse_lines(file), key=lambda each: each.requested_at)


def _parse_lines(file: Path) -> Iterator[RehearsalReferral]:
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            if number > _LONGEST_FILE:
                raise InvalidInput(FieldError(f"line {number}", f"is one too many; at most {_LONGEST_FILE:,} lines"))
            if not line.strip():
                continue
            try:
                yield RehearsalReferral.model_validate_json(line)
            except ValidationError as error:
                first = error.errors(include_url=False, include_input=False)[0]
                place = ".".join(map(str, first["loc"])) or "the line"
                raise InvalidInput(FieldError(f"line {number}", f"{place}: {first['msg']}")) from None


def _list_common_kinds(definitions: Sequence[FrameworkDefinition]) -> Sequence[PackageKind]:
    served: list[Mapping[tuple[str, str, str], PackageKind]] = [
        {(kind.area, kind.service_type, kind.route): kind for kind in list_kinds(definition)}
        for definition in definitions
    ]
    common = [kind for key, kind in served[0].items() if all(key in each for each in served[1:])]
    if not common:
        detail = "the definitions serve no area, service type and route in common; rehearse two versions of one council"
        raise NothingInCommon(FieldError("--against", detail))
    return common


def _draw_referral(draw: _Draw, chance: Random, first_day: date) -> RehearsalReferral:
    kind = chance.choice(draw.kinds)
    day = first_day + timedelta(days=chance.randrange(DAYS))
    urgent = next(route.urgent for route in draw.definition.routes if route.route == kind.route)
    hour = chance.randrange(24) if urgent else chance.randrange(8, 18)
    at = datetime.combine(day, time(hour, chance.randrange(60)), UTC)
    lines = draw.definition.find_price_lines(kind.service_type, kind.area)
    skills = [skill.skill for skill in draw.definition.skills]
    return RehearsalReferral(
        requested_at=at,
        area=kind.area,
        service_type=kind.service_type,
        route=kind.route,
        visits=_draw_visits(chance, draw.definition.get_unit_kind(lines[0].unit)),
        starts_on=day + timedelta(days=chance.randint(1, 7)),
        needs=tuple(chance.sample(skills, min(len(skills), chance.choice((0, 0, 1, 2))))),
    )


def _draw_visits(chance: Random, unit: UnitKind) -> tuple[Visit, ...]:
    """Draws one to three visits a day; for nights and weeks the one visit that the unit means."""
    if unit in {UnitKind.NIGHT, UnitKind.WEEK}:
        days = tuple(Weekday) if unit is UnitKind.NIGHT else (Weekday.MON,)
        minutes = _NIGHT_MINUTES if unit is UnitKind.NIGHT else _WEEK_MINUTES
        return (Visit(days=days, earliest=time(21), latest=time(23), minutes=minutes),)
    carers = 2 if chance.random() < 0.15 else 1
    return tuple(
        Visit(
            days=tuple(Weekday),
            earliest=time(opens),
            latest=time(closes),
            minutes=chance.choice((30, 45, 60)),
            carers=carers,
        )
        for opens, closes in _WINDOWS[: chance.randint(1, 3)]
    )


def to_json_lines(referrals: Sequence[RehearsalReferral]) -> str:
    """Returns the referrals as the text of a file that `read_referrals` reads."""
    return "".join(f"{json.dumps(each.model_dump(mode='json'))}\n" for each in referrals)
