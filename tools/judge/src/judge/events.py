"""What Kafka holds, as the judge reads it: events without the classes that wrote them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from testkit.chain_checker import first_occurrences
from testkit.topics import Kept

REFERRAL: Final = "/calloff/referral"
SOURCING: Final = "/calloff/sourcing"
REGISTRY: Final = "/calloff/provider-registry"
PRICING: Final = "/calloff/pricing"


@dataclass(frozen=True)
class RecordedEvent:
    """One event."""

    kind: str
    source: str
    key: str
    at: datetime
    # A checker that knew the event's class would share its mistakes.
    data: Mapping[str, Any]


PackageHistory = Sequence[RecordedEvent]
"""Everything that was said about one subject, in the order in which Kafka has it."""


def read_event(record: Kept) -> RecordedEvent:
    kind = record.header("ce_type").removeprefix("calloff.").rpartition(".v")[0]
    at = datetime.fromisoformat(record.header("ce_time"))
    return RecordedEvent(kind, record.header("ce_source"), record.key, at, json.loads(record.value))


def group_by_key(records: Iterable[Kept], topic: str) -> dict[str, list[RecordedEvent]]:
    """By subject, without repeats."""
    found: dict[str, list[RecordedEvent]] = {}
    for record in first_occurrences(record for record in records if record.topic == topic):
        found.setdefault(record.key, []).append(read_event(record))
    return found


def select_kinds(story: PackageHistory, *kinds: str) -> list[RecordedEvent]:
    return [each for each in story if each.kind in kinds]


def parse_instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
