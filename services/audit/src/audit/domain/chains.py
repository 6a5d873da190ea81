"""Chains: the sequence numbers of a stream have no gap, and every event contains the hash of the event before it.

Kafka keeps a producer's order within a partition. An event out of order is therefore a fault of its producer, even if
it fills a gap. A repeat of the same event is not a fault.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from uuid import UUID

from audit.domain.records import Fault, FaultKind, ParsedRecord, StreamName
from contracts.envelope import GENESIS, Envelope


@dataclass(frozen=True)
class Link:
    """The position of one event in its stream, with its hashes."""

    sequence: int
    event_id: UUID
    prevhash: str
    hash: str

    @classmethod
    def from_envelope(cls, envelope: Envelope) -> "Link":
        return cls(envelope.sequence, envelope.id, envelope.prevhash, envelope.hash)


class Chain:
    """The known links of one stream. The first event at a sequence number counts.

    `archived` is the last link in an archive: links before it are not known, and the chain continues after it.
    """

    def __init__(self, links: Iterable[Link] = (), *, archived: Link | None = None) -> None:
        self._links: dict[int, Link] = {} if archived is None else {archived.sequence: archived}
        self._archived_to = 0 if archived is None else archived.sequence
        for link in links:
            self._links.setdefault(link.sequence, link)
        self._end = max(self._links, default=0)

    def append(self, link: Link) -> tuple[FaultKind, ...]:
        """Adds the next event, and returns the faults of its position."""
        first = self._links.get(link.sequence)
        if first is not None:
            return _compare_links(first, link)
        if link.sequence < self._archived_to:
            return (FaultKind.IN_ARCHIVE,)
        faults = [FaultKind.LATE] if link.sequence < self._end else []
        if link.sequence > self._end + 1:
            faults.append(FaultKind.GAP)
        if not self._has_matching_neighbours(link):
            faults.append(FaultKind.BROKEN_CHAIN)
        self._links[link.sequence] = link
        self._end = max(self._end, link.sequence)
        return tuple(faults)

    def _has_matching_neighbours(self, link: Link) -> bool:
        before, after = self._links.get(link.sequence - 1), self._links.get(link.sequence + 1)
        if after is not None and after.prevhash != link.hash:
            return False
        if before is not None:
            return link.prevhash == before.hash
        return link.sequence > 1 or link.prevhash == GENESIS


def _compare_links(first: Link, link: Link) -> tuple[FaultKind, ...]:
    if link.event_id != first.event_id:
        return (FaultKind.FORK,)
    return () if link.hash == first.hash else (FaultKind.CHANGED_REPEAT,)


def find_faults(entries: Iterable[ParsedRecord], chains: Mapping[StreamName, Chain]) -> Iterator[Fault]:
    """Yields the faults of `entries`, which follow the known links of `chains`; adds the entries to the chains."""
    for entry in entries:
        yield from map(entry.make_fault, entry.faults)
        if entry.envelope is not None:
            yield from map(entry.make_fault, chains[entry.stream].append(Link.from_envelope(entry.envelope)))
