"""Parsing of records: envelope, event and the faults of a single record."""

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.domain.records import FaultKind, decode_headers, encode_headers, parse_kafka_record, parse_record
from contracts.catalogue import PACKAGES, PROVIDERS, encode
from contracts.envelope import Envelope
from contracts.events.offers import OfferDeclined
from contracts.events.operations import KeyParked
from contracts.events.packages import PackageRequested
from contracts.examples import an_example_of
from testkit.audit.builders import PACKAGE, RecordBuilder, to_provider_id

REQUESTED = an_example_of(PackageRequested)
ENVELOPE = RecordBuilder().make_envelope(REQUESTED)
NAMES = st.sampled_from([name for name, _ in ENVELOPE.to_headers()]) | st.text(st.characters(exclude_categories=["Cs"]))
HEADERS = st.lists(st.tuples(NAMES, st.none() | st.binary(max_size=40)), max_size=8)


def test_a_valid_event_has_no_fault() -> None:
    (record,) = RecordBuilder().publish(REQUESTED)
    entry = parse_record(record)
    assert (entry.event, entry.faults) == (REQUESTED, ())


def test_headers_with_any_bytes_are_decoded_unchanged() -> None:
    headers = [("ce_id", b"\xff\x00\xfe"), ("plain", b"text"), ("again", b"1"), ("again", b"2"), ("empty", b"")]
    assert decode_headers(encode_headers(headers)) == headers


@given(HEADERS)
def test_headers_are_stored_as_json_of_latin_1(headers: Sequence[tuple[str, bytes | None]]) -> None:
    """The seal covers these bytes, so a release that writes others reports each record that is read again."""
    pairs = [(name, None if value is None else value.decode("latin-1")) for name, value in headers]
    assert encode_headers(headers) == json.dumps(pairs).encode()


@given(HEADERS)
def test_a_record_is_parsed_alike_from_kafka_and_from_its_stored_bytes(
    headers: Sequence[tuple[str, bytes | None]],
) -> None:
    (record,) = RecordBuilder().publish(REQUESTED)
    entry = parse_kafka_record(
        record.position, key=record.key, headers=[*ENVELOPE.to_headers(), *headers], payload=record.payload
    )
    assert entry == parse_record(entry.raw)


@pytest.mark.parametrize(
    "change",
    [
        {"sequence": 2**63},
        {"type": "x" * 301},
        {"source": "nul\0"},
        {"council": "c" * 5_000},
    ],
)
def test_values_too_large_for_an_index_make_an_envelope_unreadable(change: dict[str, object]) -> None:
    builder = RecordBuilder()
    envelope = builder.make_envelope(REQUESTED).model_copy(update=change)
    entry = parse_record(builder.make_record(envelope, REQUESTED))
    assert (entry.envelope, entry.faults) == (None, (FaultKind.UNREADABLE_ENVELOPE,))


@pytest.mark.parametrize("key", [None, b"", b"\xff", b"nul\0", b"k" * 3_000])
def test_an_invalid_key_makes_a_record_unreadable(key: bytes | None) -> None:
    builder = RecordBuilder()
    entry = parse_record(builder.make_raw_record(PACKAGES, key, builder.make_envelope(REQUESTED), encode(REQUESTED)))
    assert entry.faults == (FaultKind.UNREADABLE_ENVELOPE,)


def test_a_record_without_headers_is_unreadable() -> None:
    entry = parse_record(RecordBuilder().make_raw_record(PACKAGES, b"key", None, None))
    assert (entry.faults, entry.event_id) == ((FaultKind.UNREADABLE_ENVELOPE,), None)


def test_a_type_that_is_not_in_the_catalogue_is_a_fault() -> None:
    builder = RecordBuilder()
    envelope = make_sealed_envelope(builder, type="calloff.SomethingNew.v1")
    entry = parse_record(builder.make_record(envelope, REQUESTED))
    assert (entry.event, entry.faults) == (None, (FaultKind.UNKNOWN_TYPE,))


def test_only_the_owner_may_publish_a_type() -> None:
    builder = RecordBuilder()
    entry = parse_record(builder.make_record(make_sealed_envelope(builder, source="/calloff/sourcing"), REQUESTED))
    assert entry.faults == (FaultKind.WRONG_OWNER,)


def test_any_service_may_publish_that_a_key_is_parked() -> None:
    builder, parked = RecordBuilder(), an_example_of(KeyParked)
    entry = parse_record(builder.make_record(builder.make_envelope(parked, source="/calloff/referral"), parked))
    assert entry.faults == ()


def test_an_event_on_another_topic_than_that_of_its_type_is_a_fault() -> None:
    builder = RecordBuilder()
    envelope = builder.make_envelope(REQUESTED)
    entry = parse_record(builder.make_raw_record(PROVIDERS, str(PACKAGE).encode(), envelope, encode(REQUESTED)))
    assert entry.faults == (FaultKind.WRONG_TOPIC,)


def test_a_key_that_differs_from_subject_or_payload_is_a_fault() -> None:
    builder = RecordBuilder()
    other = parse_record(
        builder.make_raw_record(
            PACKAGES, str(to_provider_id("Alder")).encode(), builder.make_envelope(REQUESTED), encode(REQUESTED)
        )
    )
    assert other.faults == (FaultKind.WRONG_KEY,)


def test_a_payload_that_does_not_fit_the_type_is_a_fault() -> None:
    builder = RecordBuilder()
    envelope = builder.make_envelope(REQUESTED)
    entry = parse_record(builder.make_raw_record(PACKAGES, str(PACKAGE).encode(), envelope.seal(b"{}"), b"{}"))
    assert (entry.event, entry.faults) == (None, (FaultKind.UNREADABLE_PAYLOAD,))


def test_a_hash_that_differs_from_that_of_the_bytes_is_a_fault() -> None:
    declined = an_example_of(OfferDeclined)
    (record,) = RecordBuilder().publish(declined)
    assert record.payload is not None
    changed = replace(record, payload=record.payload.replace(b"no-capacity", b"too-far-off"))
    assert FaultKind.FORGED_HASH in parse_record(changed).faults


def test_the_seal_depends_on_every_byte() -> None:
    (record,) = RecordBuilder().publish(REQUESTED)
    assert record.payload is not None
    others = [
        replace(record, payload=record.payload + b" "),
        replace(record, payload=None),
        replace(record, headers=record.headers + b" "),
        replace(record, key=None),
        replace(record, position=replace(record.position, offset=1)),
        # A byte that moves from one part to its neighbour.
        replace(record, headers=record.headers[:-1], payload=record.headers[-1:] + record.payload),
    ]
    assert len({record.seal, *(each.seal for each in others)}) == len(others) + 1


def make_sealed_envelope(builder: RecordBuilder, **changed: object) -> Envelope:
    return builder.make_envelope(REQUESTED).model_copy(update=changed).seal(encode(REQUESTED))
