"""Envelopes survive Kafka headers, and the hash covers every byte."""

import json
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from contracts.catalogue import encode
from contracts.envelope import GENESIS, Envelope
from contracts.events.offers import OfferAccepted, OfferDeclined
from contracts.examples import MONDAY_NINE, an_envelope_of, an_example_of

ACCEPTED = an_example_of(OfferAccepted)
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
TIMES = st.datetimes(datetime(2000, 1, 2), datetime(2200, 1, 1), timezones=ZONES)  # noqa: DTZ001  the zone is drawn
ENVELOPES = st.builds(
    Envelope,
    id=st.uuids(),
    time=TIMES,
    sequence=st.integers(1, 2**63 - 1),
    traceparent=st.text(st.characters(codec="ascii", exclude_characters="\0"), max_size=60),
    **{name: TEXT for name in Envelope.model_fields if name not in {"id", "time", "sequence", "traceparent"}},
)


def test_an_envelope_survives_conversion_to_headers() -> None:
    envelope = an_envelope_of(ACCEPTED).model_copy(update={"traceparent": f"00-{'0af7' * 8}-{'b7ad' * 4}-01"})
    assert Envelope.from_headers(envelope.to_headers()) == envelope


def test_unknown_headers_are_skipped_even_if_they_are_not_text() -> None:
    envelope = an_envelope_of(ACCEPTED)
    unknown = [("b3", b"\xff\xfe"), ("type", b"somebody.else"), ("id", b"not ours"), ("ce_dataschema", b"\xff")]
    assert Envelope.from_headers([*envelope.to_headers(), *unknown]) == envelope


def test_a_header_that_is_not_text_raises_a_validation_error() -> None:
    headers = [
        (name, b"\xff" if name == "ce_subject" else value) for name, value in an_envelope_of(ACCEPTED).to_headers()
    ]
    with pytest.raises(ValidationError, match="subject"):
        Envelope.from_headers(headers)


def test_a_missing_attribute_is_named() -> None:
    headers = [header for header in an_envelope_of(ACCEPTED).to_headers() if header[0] != "ce_sequence"]
    with pytest.raises(ValidationError, match="sequence"):
        Envelope.from_headers(headers)


def test_the_first_event_follows_genesis_and_the_next_one_follows_it() -> None:
    first = an_envelope_of(ACCEPTED)
    second = an_envelope_of(an_example_of(OfferDeclined), after=first)
    assert (first.sequence, first.prevhash) == (1, GENESIS)
    assert (second.sequence, second.prevhash) == (2, first.hash)


def test_every_changed_byte_of_the_payload_changes_the_hash() -> None:
    payload = encode(ACCEPTED)
    envelope = an_envelope_of(ACCEPTED)
    forged = [payload[:at] + bytes([payload[at] ^ 1]) + payload[at + 1 :] for at in range(len(payload))]
    assert envelope.compute_hash(payload) == envelope.hash
    assert all(envelope.compute_hash(forgery) != envelope.hash for forgery in forged)


@pytest.mark.parametrize("name", sorted(set(Envelope.model_fields) - {"hash", "traceparent"}))
def test_the_hash_covers_every_attribute(name: str) -> None:
    envelope = an_envelope_of(ACCEPTED)
    other = {"id": UUID(int=7), "time": MONDAY_NINE.replace(microsecond=1), "sequence": 9}.get(name, "changed")
    assert envelope.model_copy(update={name: other}).compute_hash(encode(ACCEPTED)) != envelope.hash


def test_the_hash_does_not_cover_the_trace_context() -> None:
    traced = an_envelope_of(ACCEPTED).model_copy(update={"traceparent": "00-1-2-01"})
    assert traced.compute_hash(encode(ACCEPTED)) == traced.hash


def test_the_canonical_form_and_the_hash_never_change() -> None:
    """A change would make existing journals unverifiable."""
    envelope = an_envelope_of(ACCEPTED)
    assert envelope.to_canonical_json() == (
        b'{"actor":"service:sourcing","causationid":"a06adfa7-ada1-5670-8aaf-b167928aaafa","correl'
        b'ationid":"91e18368-8faa-578c-8de0-3a43d8a6d8aa","council":"amberside","id":"019cadc6-9a80'
        b'-7000-8000-000000000001","prevhash":"00000000000000000000000000000000000000000000000000000'
        b'00000000000","sequence":"1","source":"/calloff/sourcing","subject":"91e18368-8faa-578c-8de'
        b'0-3a43d8a6d8aa","time":"2026-03-02T09:00:00.000000Z","type":"calloff.OfferAccepted.v1"}'
    )
    assert encode(ACCEPTED) == (
        b'{"package_id":"91e18368-8faa-578c-8de0-3a43d8a6d8aa","offer_id":"4677224e-f8fd-577f-a6fc'
        b'-8408c9d15bbb","provider_id":"5ac19959-effc-5fcf-bebd-42fc07fc0e41"}'
    )
    assert envelope.hash == "556d1f3323c64a7fdd4bb773d6d19971986946d71d53e90a7b15925204033e4e"


@given(ENVELOPES)
def test_the_canonical_form_is_json_with_sorted_keys_and_without_spaces(envelope: Envelope) -> None:
    attributes = {name: str(value) for name, value in envelope if name not in {"hash", "traceparent"}}
    attributes["time"] = f"{envelope.time.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"
    assert envelope.to_canonical_json() == json.dumps(attributes, sort_keys=True, separators=(",", ":")).encode()


@given(ENVELOPES)
def test_any_envelope_survives_conversion_to_headers(envelope: Envelope) -> None:
    assert Envelope.from_headers(envelope.to_headers()) == envelope


@given(ENVELOPES, st.data())
def test_headers_with_a_changed_value_are_parsed_or_raise_a_value_error(
    envelope: Envelope, data: st.DataObject
) -> None:
    headers = envelope.to_headers()
    at = data.draw(st.integers(0, len(headers) - 1))
    headers[at] = (headers[at][0], data.draw(st.binary(max_size=40)))
    try:
        parsed = Envelope.from_headers(headers)
    except ValueError:
        return
    assert Envelope.from_headers(parsed.to_headers()) == parsed


def test_an_instant_in_local_time_has_the_canonical_form_of_the_same_instant() -> None:
    envelope = an_envelope_of(ACCEPTED)
    local = Envelope.model_validate({**envelope.model_dump(), "time": "2026-03-02T10:00:00+01:00"})
    assert local.to_canonical_json() == envelope.to_canonical_json()


def test_the_structured_form_contains_the_payload_and_omits_empty_attributes() -> None:
    document = an_envelope_of(ACCEPTED).to_structured(encode(ACCEPTED))
    assert document["data"] == json.loads(encode(ACCEPTED))
    assert document["specversion"] == "1.0"
    assert "traceparent" not in document
