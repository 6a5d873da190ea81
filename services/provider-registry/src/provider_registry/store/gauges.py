"""Gauge of alarms, counted when metrics are collected."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from contracts.office_time import to_office_date
from provider_registry.domain.alarms import find_alarms
from provider_registry.store.frameworks import ALL_DEFINITIONS_IN_FORCE, to_definitions
from provider_registry.store.places import load_places
from service_runtime.observability.instruments import GaugeSample, GaugeSpec
from service_runtime.postgres.database import Connection


async def _count_alarms(connection: Connection, now: datetime) -> Sequence[GaugeSample]:
    rows = await connection.execute(ALL_DEFINITIONS_IN_FORCE, {"on": to_office_date(now)})
    definitions = to_definitions(rows)
    places = await load_places(connection, list(definitions))
    counts: Counter[tuple[str, ...]] = Counter()
    for key, definition in definitions.items():
        counts.update((key, each.kind.value) for each in find_alarms(definition, places[key], at=now))
    return [GaugeSample(count, labels) for labels, count in sorted(counts.items())]


GAUGES: Final = (
    GaugeSpec(
        "calloff_framework_alarms",
        "What officers have to act on in a framework: notices, ends of suspensions, areas with too few providers",
        _count_alarms,
        labels=("framework", "kind"),
    ),
)
