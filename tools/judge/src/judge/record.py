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
class Said:
    """One event."""

    kind: str
    source: str
    key: str
    at: datetime
    # A checker that knew the event's class would share its mistakes.
    data: Mapping[str, Any]


Story = Sequence[Said]
"""Everything that was said about one subject, in the order in which Kafka has it."""


def said(record: Kept) -> Said:
    kind = record.header("ce_type").removeprefix("calloff.").rpartition(".v")[0]
    at = datetime.fromisoformat(record.header("ce_time"))
    return Said(kind, record.header("ce_source"), record.key, at, json.loads(record.value))


def stories_in(records: Iterable[Kept], topic: str) -> dict[str, list[Said]]:
    """By subject, without repeats."""
    found: dict[str, list[Said]] = {}
    for record in first_occurrences(record for record in records if record.topic == topic):
        found.setdefault(record.key, []).append(said(record))
    return found


def of_kind(story: Story, *kinds: str) -> list[Said]:
    return [each for each in story if each.kind in kinds]


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
