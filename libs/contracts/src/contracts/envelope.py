"""The envelope of an event: CloudEvents 1.0 attributes, as Kafka headers (binary mode) and as JSON (structured mode).

Every event is chained to the one before it in its stream (the same source, topic and key): `sequence` counts from 1
without gaps and `hash` is SHA-256 over the previous hash, the canonical envelope and the payload's bytes, so that
whoever holds the bytes can prove that none was changed, added or left out.
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
"""What the first event of a stream names as the hash before it."""
Headers = list[tuple[str, bytes]]


class Envelope(Value):
    """Who says what about which subject, when and why, and where it stands in its stream."""

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

    def sealed(self, payload: bytes) -> "Envelope":
        """This envelope with the hash that binds it to its payload and to everything before it."""
        return self.model_copy(update={"hash": self.digest(payload)})

    def digest(self, payload: bytes) -> str:
        """SHA-256 over previous hash, canonical envelope and payload; trace context is no evidence, so it is not in."""
        return hashlib.sha256(self.prevhash.encode() + self.canonical() + payload).hexdigest()

    def canonical(self) -> bytes:
        """The attributes in a form that every reader computes alike: sorted keys, no spaces, UTC instants."""
        attributes = {name: self._text(name) for name in type(self).model_fields if name not in {"hash", "traceparent"}}
        return json.dumps(attributes, sort_keys=True, separators=(",", ":")).encode()

    def headers(self) -> Headers:
        """Kafka headers in CloudEvents binary mode."""
        attributes = [("ce_specversion", b"1.0"), ("content-type", b"application/json")]
        attributes += [
            (f"ce_{name}", self._text(name).encode()) for name in type(self).model_fields if name != "traceparent"
        ]
        if self.traceparent:
            attributes.append(("traceparent", self.traceparent.encode()))
        return attributes

    @classmethod
    def from_headers(cls, headers: Iterable[tuple[str, bytes]]) -> "Envelope":
        """The envelope that `headers` spell; unknown headers are skipped. Raises pydantic's ValidationError."""
        attributes = {_HEADERS[name]: value for name, value in headers if name in _HEADERS}
        return cls.model_validate(attributes)

    def structured(self, payload: bytes) -> dict[str, object]:
        """The event as one JSON document (CloudEvents structured mode)."""
        attributes: dict[str, object] = {name: self._text(name) for name in type(self).model_fields}
        attributes = {name: value for name, value in attributes.items() if value != ""}
        return {"specversion": "1.0", "datacontenttype": "application/json", **attributes, "data": json.loads(payload)}

    def _text(self, name: str) -> str:
        value: object = getattr(self, name)
        if isinstance(value, datetime):
            return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        return str(value)


_HEADERS: Final = {"traceparent" if name == "traceparent" else f"ce_{name}": name for name in Envelope.model_fields}
