"""The latency from a posted referral to its first webhook, measured with this machine's clock."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from simulator.provider_systems import OFFER_MADE
from simulator.webhook_receivers import WebhookLogEntry


@dataclass
class LatencyTracker:
    """Measures the latency of the packages that were posted in this run."""

    posted: dict[UUID, datetime] = field(default_factory=dict[UUID, datetime])
    milliseconds: list[float] = field(default_factory=list[float])
    webhooks: int = 0
    unverified: int = 0
    _first: dict[UUID, datetime] = field(default_factory=dict[UUID, datetime])

    def record_posted(self, package_id: UUID, at: datetime) -> None:
        self.posted[package_id] = at
        self._measure(package_id)

    def record_received(self, line: WebhookLogEntry) -> None:
        """Record the first `offer.made` of a package. It may be read before the post is recorded."""
        self.webhooks += 1
        self.unverified += not line.verified
        if line.type == OFFER_MADE and line.package_id is not None and line.package_id not in self._first:
            self._first[line.package_id] = line.received_at
            self._measure(line.package_id)

    def _measure(self, package_id: UUID) -> None:
        posted, received = self.posted.get(package_id), self._first.get(package_id)
        if posted is not None and received is not None:
            self.milliseconds.append((received - posted).total_seconds() * 1000)

    def get_percentile(self, share: float) -> float | None:
        """Return the latency in milliseconds at this percentile, 0 to 1; None without a measurement."""
        if not self.milliseconds:
            return None
        ordered = sorted(self.milliseconds)
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)]
