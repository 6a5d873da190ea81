"""An independent look at what Kafka holds: it knows the CloudEvents headers and SHA-256, and none of our code.

For each stream (source and key): first occurrences without gaps and in order, repeats byte for byte the same, and
every hash binds its event to the one before it.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence

from testkit.topics import Kept

_NOT_IN_THE_HASH = {"ce_specversion", "ce_hash", "content-type", "traceparent"}


def faults_in(records: Iterable[Kept]) -> list[str]:
    """What is wrong with the streams in `records`, a line each; empty when nothing is."""
    faults: list[str] = []
    streams: dict[tuple[str, str], list[Kept]] = {}
    for record in records:
        streams.setdefault((record.header("ce_source"), record.key), []).append(record)
    for (source, key), stream in streams.items():
        faults += [f"{source} {key}: {fault}" for fault in _faults_in_stream(stream)]
    return faults


def first_occurrences(records: Iterable[Kept]) -> list[Kept]:
    """The records without their repeats, in order."""
    seen: set[str] = set()
    first: list[Kept] = []
    for record in records:
        if record.header("ce_id") not in seen:
            seen.add(record.header("ce_id"))
            first.append(record)
    return first


def _faults_in_stream(stream: Sequence[Kept]) -> list[str]:
    faults: list[str] = []
    first: dict[str, Kept] = {}
    before = "0" * 64
    for record in stream:
        known = first.get(record.header("ce_id"))
        if known is not None:
            if (known.value, known.headers) != (record.value, record.headers):
                faults.append(f"event {record.header('ce_id')} was repeated with other bytes")
            continue
        first[record.header("ce_id")] = record
        if int(record.header("ce_sequence")) != len(first):
            faults.append(f"event {record.header('ce_sequence')} stands where {len(first)} belongs")
        if record.header("ce_prevhash") != before:
            faults.append(f"event {record.header('ce_sequence')} does not name the hash before it")
        if record.header("ce_hash") != _digest(record):
            faults.append(f"event {record.header('ce_sequence')} does not have the hash of its bytes")
        before = record.header("ce_hash")
    return faults


def _digest(record: Kept) -> str:
    attributes = {
        name.removeprefix("ce_"): value.decode() for name, value in record.headers if name not in _NOT_IN_THE_HASH
    }
    canonical = json.dumps(attributes, sort_keys=True, separators=(",", ":")).encode()
    return hashlib.sha256(record.header("ce_prevhash").encode() + canonical + record.value).hexdigest()
