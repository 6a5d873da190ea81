"""Records from Kafka: envelopes are parsed, and headers are stored without change."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.catalogue import PACKAGES, encode
from contracts.envelope import Headers
from contracts.events.offers import OfferDeclined
from contracts.examples import an_envelope_of, an_example_of
from service_runtime.kafka.client import KafkaRecord
from service_runtime.kafka.records import Record, UnreadableRecord, read_event_type
from service_runtime.observability.messaging import KafkaMessage
from service_runtime.outbox.journal import decode_headers, encode_headers
from service_runtime.unit_of_work.streams import StreamKey

DECLINED = an_example_of(OfferDeclined)
ENVELOPE = an_envelope_of(DECLINED)
FOREIGN = [("b3", b"\xff\x00"), ("note", "ü".encode()), ("empty", b"")]
NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def make_record(headers: Headers, *, key: bytes | None = DECLINED.key.encode()) -> KafkaRecord:
    return KafkaRecord(
        topic=PACKAGES,
        partition=3,
        offset=7,
        timestamp=0,
        timestamp_type=0,
        key=key,
        value=encode(DECLINED),
        checksum=None,
        serialized_key_size=0,
        serialized_value_size=0,
        headers=tuple(headers),
    )


def test_a_record_is_the_same_from_kafka_and_as_it_is_stored() -> None:
    headers = [*ENVELOPE.to_headers(), *FOREIGN]
    record = Record.from_kafka(make_record(headers))
    stored = Record.from_stored(record.stream, record.headers, record.payload)
    assert (record.envelope, record.stream) == (ENVELOPE, StreamKey(PACKAGES, DECLINED.key))
    assert (record.partition, record.offset) == (3, 7)
    assert (stored.envelope, stored.stream, stored.payload) == (record.envelope, record.stream, record.payload)
    assert stored.headers == record.headers
    assert decode_headers(stored.headers) == headers


@pytest.mark.parametrize("name", ["ce_id", "ce_time", "ce_sequence", "ce_subject", "ce_type", "ce_actor", "ce_hash"])
@pytest.mark.parametrize("value", [b"\xff", None])
def test_an_envelope_with_an_unreadable_value_is_unreadable(name: str, value: bytes | None) -> None:
    headers = [(each, value if each == name else known) for each, known in ENVELOPE.to_headers()]
    with pytest.raises(UnreadableRecord, match="envelope"):
        Record.from_kafka(make_record(headers))  # pyright: ignore[reportArgumentType]  aiokafka delivers None too


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ce_sequence", b"9223372036854775808"),
        ("ce_sequence", b"-1"),
        ("ce_sequence", b"one"),
        ("ce_sequence", b"9" * 5_000),
        ("ce_time", b"0001-01-01T00:00:00+14:00"),
        ("ce_time", b"9999-12-31T23:59:59-14:00"),
        ("ce_time", b"99999999999999999999"),
        ("ce_time", b"2026-02-30T00:00:00Z"),
        ("ce_council", b"ess\0ex"),
        ("ce_actor", b"a" * 10_000),
    ],
)
def test_an_attribute_that_no_service_can_use_makes_the_envelope_unreadable(name: str, value: bytes) -> None:
    headers = [(each, value if each == name else known) for each, known in ENVELOPE.to_headers()]
    with pytest.raises(UnreadableRecord, match="envelope"):
        Record.from_kafka(make_record(headers))


@pytest.mark.parametrize("trace", [None, b"\xff\xfe", b"00-\0", b"x" * 10_000])
def test_a_foreign_trace_context_is_left_out_and_the_record_is_read(trace: bytes | None) -> None:
    headers = [*ENVELOPE.to_headers(), ("traceparent", trace)]
    record = Record.from_kafka(make_record(headers))  # pyright: ignore[reportArgumentType]  as above
    assert record.envelope == ENVELOPE
    message = KafkaMessage(PACKAGES, 3, 7, b"\xff", headers)  # pyright: ignore[reportArgumentType]  as above
    assert message.traceparent == ""
    assert message.message.type == ENVELOPE.type


@pytest.mark.parametrize("key", [None, b""])
def test_a_record_without_a_key_is_unreadable(key: bytes | None) -> None:
    with pytest.raises(UnreadableRecord, match="key is missing"):
        Record.from_kafka(make_record(ENVELOPE.to_headers(), key=key))


@pytest.mark.parametrize("key", [b"\xff", b"a\0b", b"k" * 301])
def test_a_key_that_no_service_can_store_is_unreadable(key: bytes) -> None:
    with pytest.raises(UnreadableRecord, match="key is not text"):
        Record.from_kafka(make_record(ENVELOPE.to_headers(), key=key))


def test_a_tombstone_is_unreadable() -> None:
    with pytest.raises(UnreadableRecord, match="payload is missing"):
        Record.from_kafka(replace(make_record(ENVELOPE.to_headers()), value=None))


def test_a_record_whose_bytes_were_changed_is_unreadable() -> None:
    with pytest.raises(UnreadableRecord, match="hash"):
        Record.from_kafka(replace(make_record(ENVELOPE.to_headers()), value=encode(DECLINED) + b" "))


@pytest.mark.parametrize(
    ("headers", "event_type"),
    [
        (ENVELOPE.to_headers(), "calloff.OfferDeclined.v1"),
        ([], ""),
        ([("ce_type", None)], ""),
        ([("ce_type", b"\xff")], "\ufffd"),
        ([("ce_type", b"first"), ("ce_type", b"last")], "last"),
    ],
)
def test_the_event_type_is_read_from_any_headers(headers: Headers, event_type: str) -> None:
    assert read_event_type(make_record(headers)) == event_type


@given(st.lists(st.tuples(NAMES, st.binary(max_size=40) | NAMES.map(str.encode)), max_size=20))
def test_headers_are_decoded_from_the_journal_unchanged(headers: Headers) -> None:
    assert decode_headers(encode_headers(headers)) == headers


@given(st.lists(st.tuples(NAMES, NAMES), max_size=20))
def test_headers_are_stored_as_json(pairs: list[tuple[str, str]]) -> None:
    assert encode_headers([(name, text.encode()) for name, text in pairs]) == json.dumps(pairs).encode()


def test_a_header_without_a_value_is_stored_as_an_empty_one() -> None:
    record = Record.from_kafka(make_record([*ENVELOPE.to_headers(), ("b3", None)]))  # pyright: ignore[reportArgumentType]  as above
    assert decode_headers(record.headers)[-1] == ("b3", b"")
    assert replace(record, offset=8).headers == record.headers
