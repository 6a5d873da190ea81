"""Records from Kafka: envelopes are parsed, and headers are stored without change."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from contracts.catalogue import PACKAGES, encode
from contracts.envelope import Headers
from contracts.events.packages import OfferDeclined
from contracts.examples import an_envelope_of, an_example_of
from service_runtime.kafka.client import KafkaRecord
from service_runtime.kafka.records import Record, read_event_type
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


@pytest.mark.parametrize("name", ["ce_id", "ce_time", "ce_sequence", "ce_subject"])
@pytest.mark.parametrize("value", [b"\xff", None])
def test_an_envelope_with_an_unreadable_value_raises_a_validation_error(name: str, value: bytes | None) -> None:
    headers = [(each, value if each == name else known) for each, known in ENVELOPE.to_headers()]
    with pytest.raises(ValidationError):
        Record.from_kafka(make_record(headers))  # pyright: ignore[reportArgumentType]  aiokafka delivers None too


def test_a_key_in_binary_raises_an_error() -> None:
    with pytest.raises(UnicodeDecodeError):
        Record.from_kafka(make_record(ENVELOPE.to_headers(), key=b"\xff"))


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
