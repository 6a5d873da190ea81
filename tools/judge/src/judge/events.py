"""Events as the judge reads them from Kafka, without the services' classes."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from testkit.chain_checker import remove_repeats
from testkit.topics import TopicRecord

REFERRAL: Final = "/calloff/referral"
SOURCING: Final = "/calloff/sourcing"
REGISTRY: Final = "/calloff/provider-registry"
PRICING: Final = "/calloff/pricing"


@dataclass(frozen=True)
class RecordedEvent:
    """One event on Kafka."""

    kind: str
    source: str
    key: str
    at: datetime
    # Plain JSON, because the event's class could hide mistakes.
    data: Mapping[str, Any]


PackageHistory = Sequence[RecordedEvent]
"""The events of one subject in the order of the topic."""


def read_event(record: TopicRecord) -> RecordedEvent:
    kind = record.get_header("ce_type").removeprefix("calloff.").rpartition(".v")[0]
    at = datetime.fromisoformat(record.get_header("ce_time"))
    return RecordedEvent(kind, record.get_header("ce_source"), record.key, at, json.loads(record.value))


def group_by_key(records: Iterable[TopicRecord], topic: str) -> dict[str, list[RecordedEvent]]:
    """Group a topic's events by subject, without repeats."""
    found: dict[str, list[RecordedEvent]] = {}
    for record in remove_repeats(record for record in records if record.topic == topic):
        found.setdefault(record.key, []).append(read_event(record))
    return found


def select_kinds(story: PackageHistory, *kinds: str) -> list[RecordedEvent]:
    return [each for each in story if each.kind in kinds]


def parse_instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
