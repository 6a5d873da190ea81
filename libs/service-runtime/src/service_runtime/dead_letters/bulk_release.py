"""Bulk release: parked keys are grouped by cause, and keys with the same cause are released in one call.

The longest parked key comes first. A key that fails again stays parked, at its place in this order, and the release
goes on with the next one; `skip` leaves out such keys of an earlier call.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from service_runtime.dead_letters.parked_keys import ParkedKey
from service_runtime.unit_of_work.streams import StreamKey


@dataclass(frozen=True)
class Release:
    """The result of a release: how many events were handled, and whether the key is still parked."""

    handled: int
    still_parked: bool


@dataclass(frozen=True)
class ParkedCause:
    """The keys of a topic that are parked for the same reason."""

    topic: str
    because: str
    event_type: str | None
    keys: int
    waiting: int
    since: datetime


@dataclass(frozen=True)
class ReleaseFilter:
    """Selects parked keys by their reason, the type of the event that failed, or their topic; None selects all."""

    because: str | None = None
    event_type: str | None = None
    topic: str | None = None

    def matches(self, key: ParkedKey) -> bool:
        return (
            self.because in {None, key.because}
            and self.event_type in {None, key.event_type}
            and self.topic in {None, key.stream.topic}
        )


@dataclass(frozen=True)
class ReleasedKey:
    """What came of one key; `release` is None in a dry run."""

    key: ParkedKey
    release: Release | None


@dataclass(frozen=True)
class BulkRelease:
    """What came of the keys that were selected, and how many that match were left for another call."""

    keys: Sequence[ReleasedKey]
    remaining: int


def group_by_cause(keys: Sequence[ParkedKey]) -> list[ParkedCause]:
    """Groups keys by topic, reason and type of the failed event; the cause of the most keys comes first."""
    groups: dict[tuple[str, str, str | None], list[ParkedKey]] = {}
    for key in keys:
        groups.setdefault((key.stream.topic, key.because, key.event_type), []).append(key)
    causes = [
        ParkedCause(
            topic, because, event_type, len(of_cause), sum(each.waiting for each in of_cause), of_cause[0].since
        )
        for (topic, because, event_type), of_cause in groups.items()
    ]
    return sorted(causes, key=lambda cause: -cause.keys)


async def release_matching(
    keys: Sequence[ParkedKey],
    selection: ReleaseFilter,
    *,
    skip: int,
    limit: int,
    release: Callable[[StreamKey], Awaitable[Release | None]] | None,
) -> BulkRelease:
    """Calls `release` for the keys that match, in order; without it nothing is released (dry run).

    A key that another operator has released meanwhile counts as released.
    """
    matching = [key for key in keys if selection.matches(key)][skip:]
    results: list[ReleasedKey] = []
    for key in matching[:limit]:
        result = None if release is None else await release(key.stream) or Release(0, still_parked=False)
        results.append(ReleasedKey(key, result))
    return BulkRelease(results, remaining=max(0, len(matching) - limit))
