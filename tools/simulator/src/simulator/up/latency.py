"""How long it takes from a posted referral to its first webhook, as both ends saw it on this machine's clock."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from simulator.provider_systems import OFFER_MADE
from simulator.webhook_receivers import Received


@dataclass
class Latencies:
    """Measured for the packages that were posted in this run."""

    posted: dict[UUID, datetime] = field(default_factory=dict[UUID, datetime])
    milliseconds: list[float] = field(default_factory=list[float])
    webhooks: int = 0
    unverified: int = 0
    _first: dict[UUID, datetime] = field(default_factory=dict[UUID, datetime])

    def note_posted(self, package_id: UUID, at: datetime) -> None:
        self.posted[package_id] = at
        self._measure(package_id)

    def note_received(self, line: Received) -> None:
        """Of a package's webhooks the first `offer.made` counts; it may be read before we know that it was posted."""
        self.webhooks += 1
        self.unverified += not line.verified
        if line.type == OFFER_MADE and line.package_id is not None and line.package_id not in self._first:
            self._first[line.package_id] = line.received_at
            self._measure(line.package_id)

    def _measure(self, package_id: UUID) -> None:
        posted, received = self.posted.get(package_id), self._first.get(package_id)
        if posted is not None and received is not None:
            self.milliseconds.append((received - posted).total_seconds() * 1000)

    def at(self, share: float) -> float | None:
        """The latency that `share` of all stay within; None before any was measured."""
        if not self.milliseconds:
            return None
        ordered = sorted(self.milliseconds)
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)]
