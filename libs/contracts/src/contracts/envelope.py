"""The envelope of an event: CloudEvents 1.0 attributes, as Kafka headers (binary mode) and as JSON (structured mode).

Every event is chained to the one before it in its stream (the same source, topic and key): `sequence` counts from 1
without gaps and `hash` is SHA-256 over the previous hash, the canonical envelope and the payload's bytes. The bytes
alone prove that no event was changed, added or left out.
"""

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from json.encoder import encode_basestring_ascii as _quote
from typing import Final
from uuid import UUID

from pydantic import ConfigDict, Field, field_validator

from contracts.trace_context import keep_valid_traceparent
from contracts.values import Instant, Value

GENESIS: Final = "0" * 64
"""The previous hash of the first event of a stream."""
Headers = list[tuple[str, bytes]]
MAX_ATTRIBUTES_LENGTH: Final = 8_000
"""Bytes of all attributes of an event; ours have below 1,000."""
MAX_SEQUENCE: Final = 2**63 - 1
_EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(3000, 1, 1, tzinfo=UTC)


class Envelope(Value):
    """The CloudEvents attributes of an event: source, type, subject, time, cause, and position in its stream."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: UUID = Field(description="UUIDv7; an event that is sent twice keeps it")
    source: str = Field(description="/calloff/<service>")
    type: str = Field(description="calloff.<Event>.v<version>")
    subject: str = Field(description="the Kafka key: package, provider, framework")
    time: Instant
    council: str
    correlationid: str = Field(description="the package, where there is one")
    causationid: str = Field(description="the event, command or timer that caused this one")
    actor: str = Field(
        description="kind and opaque id: provider:…, link:… (provider's), officer:…, system:…, service:…; never a name"
    )
    sequence: int = Field(ge=1, description="version in its stream")
    prevhash: str
    hash: str = ""
    traceparent: str = ""

    @field_validator("traceparent", mode="before")
    @classmethod
    def drop_foreign_trace_context(cls, value: object) -> str:
        return keep_valid_traceparent(value)

    def seal(self, payload: bytes) -> "Envelope":
        """Returns this envelope with the hash over its payload and the previous hash."""
        return Envelope.model_construct(None, **{**self.__dict__, "hash": self.compute_hash(payload)})

    def compute_hash(self, payload: bytes) -> str:
        """Computes SHA-256 over previous hash, canonical envelope and payload; trace context is not included."""
        return hashlib.sha256(self.prevhash.encode() + self.to_canonical_json() + payload).hexdigest()

    def to_canonical_json(self) -> bytes:
        """Encodes the attributes in canonical form: sorted keys, no spaces, UTC instants.

        The form is written out because `json.dumps` takes several times as long, and every event is hashed.
        """
        return (
            f'{{"actor":{_quote(self.actor)},"causationid":{_quote(self.causationid)}'
            f',"correlationid":{_quote(self.correlationid)},"council":{_quote(self.council)},"id":"{self.id}"'
            f',"prevhash":{_quote(self.prevhash)},"sequence":"{self.sequence}","source":{_quote(self.source)}'
            f',"subject":{_quote(self.subject)},"time":"{_format_instant(self.time)}","type":{_quote(self.type)}}}'
        ).encode()

    def to_headers(self) -> Headers:
        """Returns the Kafka headers in CloudEvents binary mode."""
        headers = [
            ("ce_specversion", b"1.0"),
            ("content-type", b"application/json"),
            ("ce_id", str(self.id).encode()),
            ("ce_source", self.source.encode()),
            ("ce_type", self.type.encode()),
            ("ce_subject", self.subject.encode()),
            ("ce_time", _format_instant(self.time).encode()),
            ("ce_council", self.council.encode()),
            ("ce_correlationid", self.correlationid.encode()),
            ("ce_causationid", self.causationid.encode()),
            ("ce_actor", self.actor.encode()),
            ("ce_sequence", str(self.sequence).encode()),
            ("ce_prevhash", self.prevhash.encode()),
            ("ce_hash", self.hash.encode()),
        ]
        if self.traceparent:
            headers.append(("traceparent", self.traceparent.encode()))
        return headers

    @classmethod
    def from_headers(cls, headers: Iterable[tuple[str, bytes]]) -> "Envelope":
        """Parses Kafka headers; unknown headers are skipped, as is a trace context that is not one.

        Raises ValueError, of which pydantic's ValidationError is a kind, for values that no service can use.
        """
        attributes = {_HEADERS[name]: value for name, value in headers if name in _HEADERS}
        if not keep_valid_traceparent(attributes.get("traceparent")):
            attributes.pop("traceparent", None)
        envelope = cls.model_validate(attributes)
        _check_limits(envelope, b"".join(attributes.values()))
        return envelope

    def to_structured(self, payload: bytes) -> dict[str, object]:
        """Returns the event as one JSON document (CloudEvents structured mode)."""
        attributes = {_HEADERS[name]: value.decode() for name, value in self.to_headers() if name in _HEADERS and value}
        return {"specversion": "1.0", "datacontenttype": "application/json", **attributes, "data": json.loads(payload)}


def _check_limits(envelope: Envelope, attributes: bytes) -> None:
    """Raises ValueError for values that PostgreSQL does not store or that no calendar contains."""
    if len(attributes) > MAX_ATTRIBUTES_LENGTH or b"\0" in attributes:
        message = f"the attributes have over {MAX_ATTRIBUTES_LENGTH} bytes or contain NUL"
        raise ValueError(message)
    if envelope.sequence > MAX_SEQUENCE or not _EARLIEST <= envelope.time < _LATEST:
        message = f"the sequence is above {MAX_SEQUENCE} or the time is not between {_EARLIEST} and {_LATEST}"
        raise ValueError(message)


def _format_instant(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


_HEADERS: Final = {"traceparent" if name == "traceparent" else f"ce_{name}": name for name in Envelope.model_fields}
