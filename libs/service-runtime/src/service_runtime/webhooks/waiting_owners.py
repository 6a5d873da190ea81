"""Waiting owners: whose deliveries wait to be claimed, so that the end of a request is followed by a claim.

A delivery waits because an earlier one of its owner and stream is unfinished, perhaps sent by another process, or
because there was no room. Without a hint it is found by the next poll.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable

from service_runtime.webhooks.deliveries import DueDelivery


class WaitingOwners:
    """Owners with deliveries that this process has queued and not claimed, or that another process has queued."""

    def __init__(self, *, request_timeout: float) -> None:
        """`request_timeout`: seconds after which no request can still stand before another process's delivery."""
        self._request_timeout = request_timeout
        self._unstarted: Counter[str] = Counter()
        self._queued_by_peers: dict[str, float] = {}

    def __contains__(self, owner: str) -> bool:
        """Returns True if a delivery to `owner` may wait for the end of a request."""
        if self._unstarted[owner] > 0:
            return True
        until = self._queued_by_peers.get(owner)
        if until is not None and until < asyncio.get_running_loop().time():
            del self._queued_by_peers[owner]
        return owner in self._queued_by_peers

    def add(self, owner: str) -> None:
        """Notes a delivery that this process has queued and not claimed."""
        self._unstarted[owner] += 1

    def add_for_peer(self, owner: str) -> None:
        """Notes a delivery that another process has queued and not claimed."""
        self._queued_by_peers[owner] = asyncio.get_running_loop().time() + self._request_timeout

    def remove_claimed(self, claimed: Iterable[DueDelivery]) -> None:
        """Drops deliveries that this process has claimed for the first time."""
        for due in claimed:
            self._unstarted[due.owner] -= due.attempts <= 1
        self._unstarted = +self._unstarted
