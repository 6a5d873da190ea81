"""A record is read as far as it can be; whatever came is kept byte for byte, and what is wrong with it is named."""

from dataclasses import replace

import pytest

from audit.domain.records import FaultKind, decode_headers, encode_headers, parse_record
from contracts.catalogue import PACKAGES, PROVIDERS, encode
from contracts.envelope import Envelope
from contracts.events.operations import KeyParked
from contracts.events.packages import OfferDeclined, PackageRequested
from contracts.examples import an_example_of
from testkit.audit.builders import PACKAGE, RecordBuilder, make_provider_id

REQUESTED = an_example_of(PackageRequested)


def test_a_proper_event_has_no_fault() -> None:
    (record,) = RecordBuilder().publish(REQUESTED)
    entry = parse_record(record)
    assert (entry.event, entry.faults) == (REQUESTED, ())


def test_any_bytes_in_a_header_come_back_as_they_were() -> None:
    headers = [("ce_id", b"\xff\x00\xfe"), ("plain", b"text"), ("again", b"1"), ("again", b"2"), ("empty", b"")]
    assert decode_headers(encode_headers(headers)) == headers


@pytest.mark.parametrize(
    "change",
    [
        {"sequence": 2**63},
        {"type": "x" * 301},
        {"source": "nul\0"},
        {"council": "c" * 5_000},
    ],
)
def test_what_no_index_could_hold_counts_as_unreadable_and_is_kept(change: dict[str, object]) -> None:
    press = RecordBuilder()
    envelope = press.make_envelope(REQUESTED).model_copy(update=change)
    entry = parse_record(press.make_record(envelope, REQUESTED))
    assert (entry.envelope, entry.faults) == (None, (FaultKind.UNREADABLE_ENVELOPE,))


@pytest.mark.parametrize("key", [None, b"", b"\xff", b"nul\0", b"k" * 3_000])
def test_a_key_that_is_no_name_makes_a_record_unreadable(key: bytes | None) -> None:
    press = RecordBuilder()
    entry = parse_record(press.make_raw_record(PACKAGES, key, press.make_envelope(REQUESTED), encode(REQUESTED)))
    assert entry.faults == (FaultKind.UNREADABLE_ENVELOPE,)


def test_a_record_without_headers_is_unreadable() -> None:
    entry = parse_record(RecordBuilder().make_raw_record(PACKAGES, b"key", None, None))
    assert (entry.faults, entry.event_id) == ((FaultKind.UNREADABLE_ENVELOPE,), None)


def test_a_type_that_is_not_in_the_catalogue_is_kept_and_named() -> None:
    press = RecordBuilder()
    envelope = _seal(press, type="calloff.SomethingNew.v1")
    entry = parse_record(press.make_record(envelope, REQUESTED))
    assert (entry.event, entry.faults) == (None, (FaultKind.UNKNOWN_TYPE,))


def test_only_the_owner_may_publish_a_type() -> None:
    press = RecordBuilder()
    entry = parse_record(press.make_record(_seal(press, source="/calloff/sourcing"), REQUESTED))
    assert entry.faults == (FaultKind.WRONG_OWNER,)


def test_any_service_may_tell_that_a_key_is_parked() -> None:
    press, parked = RecordBuilder(), an_example_of(KeyParked)
    entry = parse_record(press.make_record(press.make_envelope(parked, source="/calloff/referral"), parked))
    assert entry.faults == ()


def test_a_type_belongs_on_its_topic() -> None:
    press = RecordBuilder()
    envelope = press.make_envelope(REQUESTED)
    entry = parse_record(press.make_raw_record(PROVIDERS, str(PACKAGE).encode(), envelope, encode(REQUESTED)))
    assert entry.faults == (FaultKind.WRONG_TOPIC,)


def test_key_subject_and_payload_speak_of_the_same() -> None:
    press = RecordBuilder()
    other = parse_record(
        press.make_raw_record(
            PACKAGES, str(make_provider_id("Alder")).encode(), press.make_envelope(REQUESTED), encode(REQUESTED)
        )
    )
    assert other.faults == (FaultKind.WRONG_KEY,)


def test_a_payload_that_is_no_such_event_is_named() -> None:
    press = RecordBuilder()
    envelope = press.make_envelope(REQUESTED)
    entry = parse_record(press.make_raw_record(PACKAGES, str(PACKAGE).encode(), envelope.seal(b"{}"), b"{}"))
    assert (entry.event, entry.faults) == (None, (FaultKind.UNREADABLE_PAYLOAD,))


def test_a_hash_that_is_not_that_of_the_bytes_is_forged() -> None:
    declined = an_example_of(OfferDeclined)
    (record,) = RecordBuilder().publish(declined)
    assert record.payload is not None
    changed = replace(record, payload=record.payload.replace(b"no capacity", b"too far to"))
    assert FaultKind.FORGED_HASH in parse_record(changed).faults


def test_the_seal_tells_every_byte_apart() -> None:
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


def _seal(press: RecordBuilder, **changed: object) -> Envelope:
    return press.make_envelope(REQUESTED).model_copy(update=changed).seal(encode(REQUESTED))
