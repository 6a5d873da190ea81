"""Slots for requests: how many run, or are about to, in one process and to each owner, and how many more can start."""

from collections import Counter
from collections.abc import Iterable
from typing import Final
from uuid import UUID, uuid4

from service_runtime.unit_of_work.changes import QueuedDelivery
from service_runtime.webhooks.config import Limits
from service_runtime.webhooks.delivery_queue import ClaimLimits

MAX_CLAIMED: Final = 100


class RequestSlots:
    """The slots that are taken: by the requests in flight, and by new deliveries that start with a commit."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._in_flight: dict[UUID, str] = {}
        self._reserved: dict[UUID, str] = {}

    @property
    def reserved_count(self) -> int:
        return len(self._reserved)

    @property
    def is_full(self) -> bool:
        """True if no other request can start before one of those in flight ends."""
        return len(self._in_flight) >= self._limits.requests

    def reserve(self, deliveries: Iterable[QueuedDelivery]) -> dict[UUID, UUID]:
        """Reserves slots for new deliveries; returns the id of a lease for each that gets one."""
        busy = self._count_busy()
        leases: dict[UUID, UUID] = {}
        for delivery in deliveries:
            owner = delivery.webhook.owner
            if busy.total() < self._limits.requests and busy[owner] < self._limits.requests_for_each:
                leases[delivery.id] = lease = uuid4()
                self._reserved[lease] = owner
                busy[owner] += 1
        return leases

    def release(self, lease: UUID) -> None:
        """Frees the slot that was reserved under `lease`."""
        self._reserved.pop(lease, None)

    def take(self, delivery: UUID, owner: str) -> None:
        """Takes a slot for the request of a delivery."""
        self._in_flight[delivery] = owner

    def free(self, delivery: UUID) -> None:
        """Frees the slot of a request that has ended."""
        del self._in_flight[delivery]

    def compute_claim_limits(self) -> ClaimLimits:
        for_each, busy = self._limits.requests_for_each, self._count_busy()
        return ClaimLimits(
            total=min(MAX_CLAIMED, self._limits.requests - busy.total()),
            per_owner=for_each,
            per_busy_owner={owner: for_each - count for owner, count in busy.items()},
        )

    def _count_busy(self) -> Counter[str]:
        return Counter([*self._in_flight.values(), *self._reserved.values()])
