"""What officers have to act on in a framework: notice of an extension, the end of a suspension, too few providers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from contracts.framework.definition import FrameworkDefinition
from contracts.ids import AreaCode, ProviderId
from contracts.office_time import to_office_date
from provider_registry.domain.dates import format_day
from provider_registry.domain.places import ProviderPlace

NOTICE_AHEAD: Final = timedelta(days=90)
"""The alarm of an extension is due so long before the day of its notice, until the framework ends."""
SUSPENSION_AHEAD: Final = timedelta(days=30)
"""The alarm of a suspension is due so long before it ends."""


class AlarmKind(StrEnum):
    EXTENSION_NOTICE = "extension notice"
    SUSPENSION_ENDS = "suspension ends"
    FEWEST_PROVIDERS = "fewest providers"


@dataclass(frozen=True)
class Alarm:
    """Something that is due; it has a day or an area."""

    kind: AlarmKind
    text: str
    day: date | None = None
    area: AreaCode | None = None


def find_alarms(
    definition: FrameworkDefinition, places: Mapping[ProviderId, Sequence[ProviderPlace]], *, at: datetime
) -> tuple[Alarm, ...]:
    """Returns what is due at an instant; `places` are those of the framework by provider."""
    today = to_office_date(at)
    return (
        *_find_notices(definition, today),
        *_find_end_of_suspension(definition, today),
        *_find_areas_with_too_few(definition, places, at),
    )


def _find_notices(definition: FrameworkDefinition, today: date) -> Iterator[Alarm]:
    for extension in definition.extensions:
        notice_by = extension.notice_by
        if notice_by is not None and notice_by - NOTICE_AHEAD <= today <= definition.runs_until:
            verb = "is due" if today <= notice_by else "was due"
            until = format_day(extension.until)
            text = f"notice of the extension until {until} {verb} by {format_day(notice_by)}"
            yield Alarm(AlarmKind.EXTENSION_NOTICE, text, day=notice_by)


def _find_end_of_suspension(definition: FrameworkDefinition, today: date) -> Iterator[Alarm]:
    suspended = definition.joining.suspended
    if suspended is not None and suspended.until - SUSPENSION_AHEAD <= today <= suspended.until:
        text = f"applications are suspended until {format_day(suspended.until)} only; decide what follows"
        yield Alarm(AlarmKind.SUSPENSION_ENDS, text, day=suspended.until)


def _find_areas_with_too_few(
    definition: FrameworkDefinition, places: Mapping[ProviderId, Sequence[ProviderPlace]], at: datetime
) -> Iterator[Alarm]:
    active = {(provider, each.place.area) for provider, held in places.items() for each in held if each.is_active(at)}
    for area in definition.areas:
        count = sum(code == area.code for _, code in active)
        if area.fewest_providers is not None and area.outside is None and count < area.fewest_providers:
            text = f"{area.name} has {count} active providers; at least {area.fewest_providers} are asked"
            yield Alarm(AlarmKind.FEWEST_PROVIDERS, text, area=area.code)
