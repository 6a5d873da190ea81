"""Chains: in each stream the numbers have no gap, and every event names the hash of the one before it.

A producer's own order within a partition is Kafka's promise, so whatever comes out of its order is a fault of whoever
produced it, even where it fills a gap; only the same event once more is none.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from uuid import UUID

from audit.domain.records import Fault, FaultKind, Recorded, StreamName
from contracts.envelope import GENESIS, Envelope


@dataclass(frozen=True)
class Link:
    """One event's place in its stream."""

    sequence: int
    event_id: UUID
    prevhash: str
    hash: str

    @classmethod
    def of(cls, envelope: Envelope) -> "Link":
        return cls(envelope.sequence, envelope.id, envelope.prevhash, envelope.hash)


class Chain:
    """What is known of one stream; whoever came first to a place has it."""

    def __init__(self, links: Iterable[Link] = ()) -> None:
        self._links: dict[int, Link] = {}
        for link in links:
            self._links.setdefault(link.sequence, link)
        self._end = max(self._links, default=0)

    def follow(self, link: Link) -> tuple[FaultKind, ...]:
        """Adds the next event that came, and tells what is wrong with its place."""
        first = self._links.get(link.sequence)
        if first is not None:
            return _compared(first, link)
        faults = [FaultKind.LATE] if link.sequence < self._end else []
        if link.sequence > self._end + 1:
            faults.append(FaultKind.GAP)
        if not self._joins(link):
            faults.append(FaultKind.BROKEN_CHAIN)
        self._links[link.sequence] = link
        self._end = max(self._end, link.sequence)
        return tuple(faults)

    def _joins(self, link: Link) -> bool:
        before, after = self._links.get(link.sequence - 1), self._links.get(link.sequence + 1)
        if after is not None and after.prevhash != link.hash:
            return False
        if before is not None:
            return link.prevhash == before.hash
        return link.sequence > 1 or link.prevhash == GENESIS


def _compared(first: Link, link: Link) -> tuple[FaultKind, ...]:
    if link.event_id != first.event_id:
        return (FaultKind.FORK,)
    return () if link.hash == first.hash else (FaultKind.CHANGED_REPEAT,)


def judge(entries: Iterable[Recorded], chains: Mapping[StreamName, Chain]) -> Iterator[Fault]:
    """What is wrong with `entries`, which come in their order after what `chains` know; the chains grow by them."""
    for entry in entries:
        yield from map(entry.fault, entry.faults)
        if entry.envelope is not None:
            yield from map(entry.fault, chains[entry.stream].follow(Link.of(entry.envelope)))
