"""The story of a package: a line for each event, in the order in which the record has them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from audit.domain.names import Cast, instant
from audit.domain.sentences import tell
from audit.domain.verification import Checked
from contracts.catalogue import PACKAGES
from contracts.envelope import Envelope
from contracts.events.base import Event
from contracts.events.packages import OfferDelivered, OfferMade, OfferUndeliverable, PackageRequested, StageEntered
from contracts.events.providers import ProviderRegistered
from contracts.ids import CouncilKey, OfferId, ProviderId


@dataclass(frozen=True)
class Why:
    """What caused an event: its id as recorded, the line it has here, and both in words."""

    cause: str
    line: int | None
    words: str


@dataclass(frozen=True)
class Line:
    """One event of the story."""

    number: int
    at: datetime
    local: str
    what: str
    who: str
    why: Why
    event_id: UUID
    type: str
    sequence: int
    hash: str
    verified: bool


def first_occurrences(rows: Iterable[Checked], council: CouncilKey) -> list[Checked]:
    """The council's own events, each once, in the order of their clocks where two topics meet."""
    found: dict[UUID, Checked] = {}
    for row in rows:
        envelope = row.entry.envelope
        if envelope is not None and envelope.council == council:
            found.setdefault(envelope.id, row)
    return list(_merged(list(found.values())))


def _merged(rows: Sequence[Checked]) -> Iterator[Checked]:
    """Those of the packages' topic keep the order that Kafka gave them; the others come in by their clocks."""
    others = [row for row in rows if row.entry.position.topic != PACKAGES]
    for row in (row for row in rows if row.entry.position.topic == PACKAGES):
        while others and _time(others[0]) < _time(row):
            yield others.pop(0)
        yield row
    yield from others


def _time(row: Checked) -> datetime:
    assert row.entry.envelope is not None, "rows of a story have envelopes"
    return row.entry.envelope.time


def events_of(rows: Iterable[Checked]) -> list[Event]:
    return [row.entry.event for row in rows if row.entry.event is not None]


def providers_in(events: Iterable[Event]) -> set[ProviderId]:
    """Everybody whom the story mentions."""
    mentioned: set[ProviderId] = set()
    for event in events:
        provider_id: ProviderId | None = getattr(event, "provider_id", None)
        mentioned |= {provider_id} if provider_id is not None else set()
        if isinstance(event, StageEntered):
            mentioned |= {each.provider_id for each in event.candidates}
        if isinstance(event, PackageRequested):
            mentioned |= {*event.wishes.refused, *event.wishes.preferred}
    return mentioned


def names_in(events: Iterable[Event]) -> Mapping[ProviderId, str]:
    """The newest name of every company that was registered; companies are public."""
    return {event.provider_id: event.name for event in events if isinstance(event, ProviderRegistered)}


def story(rows: Sequence[Checked], cast: Cast) -> list[Line]:
    """The lines of `rows`, which all have envelopes."""
    envelopes = [row.entry.envelope for row in rows if row.entry.envelope is not None]
    told = list(enumerate(zip(rows, envelopes, strict=True), start=1))
    lines = Lines.of(told)
    return [
        Line(
            number=number,
            at=envelope.time,
            local=instant(envelope.time),
            what=_what(row, envelope, cast),
            who=cast.actor(envelope.actor),
            why=_why(row, envelope, lines, cast),
            event_id=envelope.id,
            type=envelope.type,
            sequence=envelope.sequence,
            hash=envelope.hash,
            verified=row.verified,
        )
        for number, (row, envelope) in told
    ]


@dataclass(frozen=True)
class Lines:
    """Which line tells which event, and which one made which offer."""

    by_event: Mapping[str, int]
    by_offer: Mapping[OfferId, int]

    @classmethod
    def of(cls, told: Iterable[tuple[int, tuple[Checked, Envelope]]]) -> "Lines":
        by_event: dict[str, int] = {}
        by_offer: dict[OfferId, int] = {}
        for number, (row, envelope) in told:
            by_event[str(envelope.id)] = number
            if isinstance(row.entry.event, OfferMade):
                by_offer[row.entry.event.offer_id] = number
        return cls(by_event, by_offer)


def _what(row: Checked, envelope: Envelope, cast: Cast) -> str:
    if row.entry.event is None:
        return f"An event of the type {envelope.type}, which cannot be read here"
    return tell(row.entry.event, cast)


def _why(row: Checked, envelope: Envelope, lines: Lines, cast: Cast) -> Why:
    """The cause in words: another line, somebody's command, a timer and what armed it, or a webhook's outcome."""
    cause = envelope.causationid
    kind, _, rest = cause.partition(":")
    match kind:
        case "timer":
            name, _, armed_by = rest.partition(":")
            line = lines.by_event.get(armed_by.rpartition(":")[2])
            words = f"the timer {name.replace('-', ' ')} was due"
            return Why(cause, line, words if line is None else f"{words}, which line {line} had armed")
        case "command":
            return Why(cause, None, f"{cast.actor(envelope.actor)} asked for it")
        case "webhook" if isinstance(row.entry.event, OfferDelivered | OfferUndeliverable):
            line = lines.by_offer.get(row.entry.event.offer_id)
            words = "that is what became of the webhook"
            return Why(cause, line, words if line is None else f"{words} about the offer of line {line}")
        case _:
            line = lines.by_event.get(cause)
            return Why(cause, line, "because of " + (f"line {line}" if line else "something outside this story"))
