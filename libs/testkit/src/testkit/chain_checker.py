"""Checks the hash chains of records in Kafka with the CloudEvents headers and SHA-256 alone, not with production code.

In each stream (source and key) the first occurrences of events are in order without gaps, repeats are identical byte
for byte, and every hash binds its event to the previous one.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence

from testkit.topics import TopicRecord

_UNHASHED_HEADERS = {"ce_specversion", "ce_hash", "content-type", "traceparent"}


def find_chain_faults(records: Iterable[TopicRecord]) -> list[str]:
    """Lists the faults of the streams in `records`, one line each. An empty list means that all chains are intact."""
    faults: list[str] = []
    streams: dict[tuple[str, str], list[TopicRecord]] = {}
    for record in records:
        streams.setdefault((record.get_header("ce_source"), record.key), []).append(record)
    for (source, key), stream in streams.items():
        faults += [f"{source} {key}: {fault}" for fault in _check_stream(stream)]
    return faults


def remove_repeats(records: Iterable[TopicRecord]) -> list[TopicRecord]:
    """Returns the first occurrence of each event, in order."""
    seen: set[str] = set()
    first: list[TopicRecord] = []
    for record in records:
        if record.get_header("ce_id") not in seen:
            seen.add(record.get_header("ce_id"))
            first.append(record)
    return first


def _check_stream(stream: Sequence[TopicRecord]) -> list[str]:
    faults: list[str] = []
    first: dict[str, TopicRecord] = {}
    before = "0" * 64
    for record in stream:
        known = first.get(record.get_header("ce_id"))
        if known is not None:
            if (known.value, known.headers) != (record.value, record.headers):
                faults.append(f"event {record.get_header('ce_id')} is repeated with other bytes")
            continue
        first[record.get_header("ce_id")] = record
        if int(record.get_header("ce_sequence")) != len(first):
            faults.append(f"event {record.get_header('ce_sequence')} is at the position of event {len(first)}")
        if record.get_header("ce_prevhash") != before:
            faults.append(f"event {record.get_header('ce_sequence')} does not have the previous event's hash")
        if record.get_header("ce_hash") != _digest(record):
            faults.append(f"event {record.get_header('ce_sequence')} has a hash that does not match its bytes")
        before = record.get_header("ce_hash")
    return faults


def _digest(record: TopicRecord) -> str:
    attributes = {
        name.removeprefix("ce_"): value.decode() for name, value in record.headers if name not in _UNHASHED_HEADERS
    }
    canonical = json.dumps(attributes, sort_keys=True, separators=(",", ":")).encode()
    return hashlib.sha256(record.get_header("ce_prevhash").encode() + canonical + record.value).hexdigest()
