"""The envelope of an event: CloudEvents 1.0 attributes, as Kafka headers (binary mode) and as JSON (structured mode).

Every event is chained to the one before it in its stream (the same source, topic and key): `sequence` counts from 1
without gaps and `hash` is SHA-256 over the previous hash, the canonical envelope and the payload's bytes. The bytes
alone prove that no event was changed, added or left out.
"""

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from pydantic import ConfigDict, Field

from contracts.values import Instant, Value

GENESIS: Final = "0" * 64
"""The previous hash of the first event of a stream."""
Headers = list[tuple[str, bytes]]


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

    def seal(self, payload: bytes) -> "Envelope":
        """Returns this envelope with the hash over its payload and the previous hash."""
        return self.model_copy(update={"hash": self.compute_hash(payload)})

    def compute_hash(self, payload: bytes) -> str:
        """Computes SHA-256 over previous hash, canonical envelope and payload; trace context is not included."""
        return hashlib.sha256(self.prevhash.encode() + self.to_canonical_json() + payload).hexdigest()

    def to_canonical_json(self) -> bytes:
        """Encodes the attributes in canonical form: sorted keys, no spaces, UTC instants."""
        attributes = {
            name: self._format_attribute(name)
            for name in type(self).model_fields
            if name not in {"hash", "traceparent"}
        }
        return json.dumps(attributes, sort_keys=True, separators=(",", ":")).encode()

    def to_headers(self) -> Headers:
        """Returns the Kafka headers in CloudEvents binary mode."""
        attributes = [("ce_specversion", b"1.0"), ("content-type", b"application/json")]
        attributes += [
            (f"ce_{name}", self._format_attribute(name).encode())
            for name in type(self).model_fields
            if name != "traceparent"
        ]
        if self.traceparent:
            attributes.append(("traceparent", self.traceparent.encode()))
        return attributes

    @classmethod
    def from_headers(cls, headers: Iterable[tuple[str, bytes]]) -> "Envelope":
        """Parses Kafka headers; unknown headers are skipped. Raises pydantic's ValidationError."""
        attributes = {_HEADERS[name]: value for name, value in headers if name in _HEADERS}
        return cls.model_validate(attributes)

    def to_structured(self, payload: bytes) -> dict[str, object]:
        """Returns the event as one JSON document (CloudEvents structured mode)."""
        attributes: dict[str, object] = {name: self._format_attribute(name) for name in type(self).model_fields}
        attributes = {name: value for name, value in attributes.items() if value != ""}
        return {"specversion": "1.0", "datacontenttype": "application/json", **attributes, "data": json.loads(payload)}

    def _format_attribute(self, name: str) -> str:
        value: object = getattr(self, name)
        if isinstance(value, datetime):
            return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        return str(value)


_HEADERS: Final = {"traceparent" if name == "traceparent" else f"ce_{name}": name for name in Envelope.model_fields}
