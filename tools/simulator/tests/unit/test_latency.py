"""The latency from a posted referral to the first webhook of its package."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from contracts.ids import PackageId, ProviderId
from simulator.behaviour import WebhookReaction
from simulator.up.latency import LatencyTracker
from simulator.webhook_receivers import WebhookLogEntry

PACKAGE = PackageId(UUID("0197a3c0-0000-7000-8000-000000000001"))
ALDER = ProviderId(UUID("0197a3c0-0000-7000-8000-000000000002"))
NINE = datetime(2026, 1, 12, 9, tzinfo=UTC)


def a_webhook(seconds: float, *, kind: str = "offer.made", verified: bool = True) -> WebhookLogEntry:
    return WebhookLogEntry(
        received_at=NINE + timedelta(seconds=seconds),
        provider_id=ALDER,
        headers={},
        verified=verified,
        type=kind,
        queued_at=NINE,
        package_id=PACKAGE,
        offer_id=None,
        attempt=1,
        reaction=WebhookReaction.ACKNOWLEDGED,
    )


def test_latency_runs_from_the_post_to_the_packages_first_offer() -> None:
    latencies = LatencyTracker()
    latencies.record_posted(PACKAGE, NINE)
    latencies.record_received(a_webhook(0.020))
    latencies.record_received(a_webhook(9))
    assert latencies.milliseconds == [20.0]


def test_a_webhook_may_be_read_before_the_post_is_known() -> None:
    latencies = LatencyTracker()
    latencies.record_received(a_webhook(0.5))
    latencies.record_posted(PACKAGE, NINE)
    assert latencies.get_percentile(0.5) == 500.0


def test_webhooks_with_an_invalid_signature_are_counted_separately() -> None:
    latencies = LatencyTracker()
    latencies.record_received(a_webhook(1, verified=False))
    assert (latencies.webhooks, latencies.unverified) == (1, 1)
