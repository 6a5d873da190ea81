"""Converts the events of `judge_events` to the judge's input: Kafka records and webhook receipts, intact or faulty."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from contracts.catalogue import encode, find_entry
from contracts.envelope import Envelope
from contracts.events.base import Event
from contracts.events.listings import PackageListed
from contracts.events.offers import OfferDelivered
from contracts.examples import an_envelope_of, an_id
from devstack.home import FRAMEWORK_FILES
from judge import Evidence
from judge.rules import read_rules
from testkit.judge_market import ALDER, GORSE, TimedEvent
from testkit.topics import TopicRecord


def to_topic_records(events: Sequence[TimedEvent]) -> list[TopicRecord]:
    """Converts events to records as the services' outbox relays send them: each stream numbered and chained."""
    last: dict[tuple[str, str], Envelope] = {}
    records: list[TopicRecord] = []
    for offset, each in enumerate(events):
        entry, payload = find_entry(type(each.event)), encode(each.event)
        stream = entry.owner, each.event.key
        envelope = an_envelope_of(each.event, after=last.get(stream), at=each.at)
        last[stream] = envelope.model_copy(update={"id": an_id(f"event {offset}")}).seal(payload)
        records.append(TopicRecord(entry.topic, 0, offset, each.event.key, last[stream].to_headers(), payload))
    return records


def build_receipts(events: Sequence[TimedEvent]) -> list[dict[str, object]]:
    """Builds the webhooks that the providers' systems log: each delivered offer, and each listing to two providers."""
    return [receipt for each in events for receipt in _build_event_receipts(each.event)]


def _build_event_receipts(event: Event) -> list[dict[str, object]]:
    if isinstance(event, OfferDelivered):
        return [a_receipt(event.provider_id, offer_id=event.offer_id, package_id=event.package_id)]
    if isinstance(event, PackageListed):
        body = event.advert.model_dump_json()
        return [a_receipt(each, reference=event.advert.reference, body=body) for each in (ALDER, GORSE)]
    return []


def a_receipt(provider: UUID, **about: object) -> dict[str, object]:
    """A line of a provider's webhook log; `about` sets the ids and the body."""
    ids = {name: str(value) for name, value in about.items()}
    empty = {"offer_id": None, "package_id": None, "reference": None, "body": None}
    webhook = {
        "headers": {"webhook-id": "msg-1"},
        "verified": True,
        "reaction": "acknowledged",
        "provider_id": str(provider),
    }
    return {**webhook, **empty, **ids}


def build_evidence(events: Sequence[TimedEvent]) -> Evidence:
    return Evidence(
        records=to_topic_records(events),
        webhook_requests=build_receipts(events),
        rules=read_rules(FRAMEWORK_FILES),
        now=events[-1].at,
    )


def change_event(
    events: Sequence[TimedEvent], event_type: type[Event], index: int = 0, **fields: object
) -> list[TimedEvent]:
    """Returns the events with other `fields` in one of them: the one with this `index` among those of its type."""
    at = [position for position, each in enumerate(events) if isinstance(each.event, event_type)][index]
    event = events[at].event.model_copy(update=fields)
    return [*events[:at], replace(events[at], event=event), *events[at + 1 :]]


def move_event(
    events: Sequence[TimedEvent], event_type: type[Event], by: timedelta, index: int = 0
) -> list[TimedEvent]:
    """Returns the events with one of them moved in time by `by`."""
    at = [position for position, each in enumerate(events) if isinstance(each.event, event_type)][index]
    return [*events[:at], replace(events[at], at=events[at].at + by), *events[at + 1 :]]


def remove_event(events: Sequence[TimedEvent], event_type: type[Event], index: int = 0) -> list[TimedEvent]:
    """Returns the events without one of them."""
    at = [position for position, each in enumerate(events) if isinstance(each.event, event_type)][index]
    return [*events[:at], *events[at + 1 :]]
