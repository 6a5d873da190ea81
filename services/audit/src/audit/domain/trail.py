"""The trail of a package: one line for each event, in order."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from audit.domain.names import Names, format_instant
from audit.domain.sentences import narrate
from audit.domain.verification import VerifiedRecord
from contracts.catalogue import PACKAGES
from contracts.envelope import Envelope
from contracts.events.base import Event, HasProvider
from contracts.events.offers import AcceptancesOrdered, OfferDelivered, OfferMade, OfferUndeliverable
from contracts.events.packages import PackageRequested
from contracts.events.providers import ProviderRegistered
from contracts.events.searches import StageEntered
from contracts.ids import CouncilKey, OfferId, ProviderId


@dataclass(frozen=True)
class Cause:
    """The cause of an event: its id as recorded, its line in the trail, and its description."""

    cause: str
    line: int | None
    text: str


@dataclass(frozen=True)
class TrailLine:
    """One event of the trail."""

    number: int
    at: datetime
    local: str
    what: str
    who: str
    why: Cause
    event_id: UUID
    type: str
    sequence: int
    hash: str
    verified: bool


def select_first_occurrences(rows: Iterable[VerifiedRecord], council: CouncilKey) -> list[VerifiedRecord]:
    """Returns the first record of each of the council's events; events of two topics are merged by time."""
    found: dict[UUID, VerifiedRecord] = {}
    for row in rows:
        envelope = row.entry.envelope
        if envelope is not None and envelope.council == council:
            found.setdefault(envelope.id, row)
    return list(_merge_by_time(list(found.values())))


def _merge_by_time(rows: Sequence[VerifiedRecord]) -> Iterator[VerifiedRecord]:
    """Yields rows of the packages' topic in Kafka's order, and rows of other topics between them by time."""
    others = [row for row in rows if row.entry.position.topic != PACKAGES]
    for row in (row for row in rows if row.entry.position.topic == PACKAGES):
        while others and _get_time(others[0]) < _get_time(row):
            yield others.pop(0)
        yield row
    yield from others


def _get_time(row: VerifiedRecord) -> datetime:
    assert row.entry.envelope is not None, "rows of a trail have envelopes"
    return row.entry.envelope.time


def list_events(rows: Iterable[VerifiedRecord]) -> list[Event]:
    return [row.entry.event for row in rows if row.entry.event is not None]


def find_providers(events: Iterable[Event]) -> set[ProviderId]:
    """Returns every provider that the events mention."""
    mentioned: set[ProviderId] = set()
    for event in events:
        if isinstance(event, HasProvider):
            mentioned.add(event.provider_id)
        if isinstance(event, StageEntered | AcceptancesOrdered):
            mentioned |= {each.provider_id for each in event.candidates}
        if isinstance(event, PackageRequested):
            mentioned |= {*event.wishes.refused, *event.wishes.preferred}
            mentioned |= set() if event.follows is None else {event.follows.provider_id}
    return mentioned


def find_provider_names(events: Iterable[Event]) -> Mapping[ProviderId, str]:
    """Returns the newest name of each registered company, of any council: companies are public."""
    return {event.provider_id: event.name for event in events if isinstance(event, ProviderRegistered)}


def write_trail(rows: Sequence[VerifiedRecord], names: Names) -> list[TrailLine]:
    """Returns the lines of `rows`, which all have envelopes."""
    envelopes = [row.entry.envelope for row in rows if row.entry.envelope is not None]
    numbered_rows = list(enumerate(zip(rows, envelopes, strict=True), start=1))
    lines = LineIndex.from_numbered_rows(numbered_rows)
    return [
        TrailLine(
            number=number,
            at=envelope.time,
            local=format_instant(envelope.time),
            what=_describe_event(row, envelope, names),
            who=names.name_actor(envelope.actor),
            why=_describe_cause(row, envelope, lines, names),
            event_id=envelope.id,
            type=envelope.type,
            sequence=envelope.sequence,
            hash=envelope.hash,
            verified=row.verified,
        )
        for number, (row, envelope) in numbered_rows
    ]


@dataclass(frozen=True)
class LineIndex:
    """The line number of each event, and of each offer."""

    by_event: Mapping[str, int]
    by_offer: Mapping[OfferId, int]

    @classmethod
    def from_numbered_rows(cls, numbered_rows: Iterable[tuple[int, tuple[VerifiedRecord, Envelope]]]) -> "LineIndex":
        by_event: dict[str, int] = {}
        by_offer: dict[OfferId, int] = {}
        for number, (row, envelope) in numbered_rows:
            by_event[str(envelope.id)] = number
            if isinstance(row.entry.event, OfferMade):
                by_offer[row.entry.event.offer_id] = number
        return cls(by_event, by_offer)


def _describe_event(row: VerifiedRecord, envelope: Envelope, names: Names) -> str:
    if row.entry.event is None:
        return f"An event of the type {envelope.type}, which cannot be read here"
    return narrate(row.entry.event, names)


def _describe_cause(row: VerifiedRecord, envelope: Envelope, lines: LineIndex, names: Names) -> Cause:
    """Describes the cause: another line, a command, a timer with the line that set it, or the outcome of a webhook."""
    cause = envelope.causationid
    kind, _, rest = cause.partition(":")
    match kind:
        case "timer":
            name, _, armed_by = rest.partition(":")
            line = lines.by_event.get(armed_by.rpartition(":")[2])
            text = f"the timer {name.replace('-', ' ')} was due"
            return Cause(cause, line, text if line is None else f"{text}, set by line {line}")
        case "command":
            return Cause(cause, None, f"{names.name_actor(envelope.actor)} sent the command")
        case "webhook" if isinstance(row.entry.event, OfferDelivered | OfferUndeliverable):
            line = lines.by_offer.get(row.entry.event.offer_id)
            text = "outcome of the webhook"
            return Cause(cause, line, text if line is None else f"{text} about the offer of line {line}")
        case "webhook":
            return Cause(cause, None, "outcome of the webhook or the mail")
        case _:
            line = lines.by_event.get(cause)
            return Cause(cause, line, "because of " + (f"line {line}" if line else "an event outside this trail"))
