"""Measures how fast queued webhooks reach their endpoints: signed, logged, in order per endpoint and package."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from typing import Final
from uuid import UUID

from bench.databases import connect
from bench.environment import BenchEnvironment
from bench.figures import FigureLine, NotMeasured, compute_count
from bench.market import build_market
from bench.webhook_receiver import ReceivedWebhook
from contracts.catalogue import PACKAGES
from contracts.events.reasons import OfferEnd
from contracts.ids import uuid7
from devstack.names import REGISTRY
from service_runtime.webhooks.deliveries import Webhook, encode_body

_GOAL: Final = 1_500
_COUNT: Final = 5_500
_WARM_UP: Final = 500
"""Webhooks that warm up the service and are not measured."""
_PACKAGES: Final = 1_500
_KIND: Final = "offer.withdrawn"
"""A webhook type whose delivery triggers no further work."""
_GIVE_UP_AFTER: Final = timedelta(hours=1)
_WAIT_TIMEOUT: Final = 60.0
_DATABASE: Final = "provider_registry"
_COLUMNS: Final = (
    *("id", "owner", "topic", "key", "kind", "about", "council", "caused_by", "traceparent", "body"),
    *("queued_at", "next_attempt_at", "give_up_after"),
)
_LOGGED: Final = """
    SELECT count(*) FROM deliveries JOIN delivery_attempts ON delivery_id = deliveries.id
    WHERE deliveries.id = ANY($1) AND outcome = 'delivered' AND finished_at IS NOT NULL AND status = 204
"""


@dataclass(frozen=True)
class QueuedWebhook:
    """One webhook row of the queue."""

    id: UUID
    owner: UUID
    package_id: UUID
    offer_id: UUID

    def to_row(self, at: datetime) -> tuple[object, ...]:
        """Return the row in the order of `_COLUMNS`."""
        owner, about = str(self.owner), str(self.offer_id)
        data = {"offer_id": about, "package_id": str(self.package_id), "reason": OfferEnd.PACKAGE_WITHDRAWN.value}
        body = encode_body(Webhook(owner, _KIND, about, data, _GIVE_UP_AFTER), at=at)
        values = (self.id, owner, PACKAGES, str(self.package_id), _KIND, about, "essex", "bench", "", body)
        return (*values, at, at, _GIVE_UP_AFTER)


@dataclass(frozen=True)
class WebhookFigures:
    per_second: float
    count: int

    def to_numbers(self) -> Mapping[str, object]:
        return {"webhooks_per_s": round(self.per_second)}

    def to_lines(self) -> Sequence[FigureLine]:
        what = f"webhooks, {self.count:,}, signed, logged, in order per endpoint and package"
        return (
            FigureLine(what, f"≥ {_GOAL:,} a second", f"{self.per_second:,.0f} a second", self.per_second >= _GOAL),
        )


async def measure(environment: BenchEnvironment, share: float = 1.0) -> WebhookFigures:
    """Fill the queue while the provider registry is stopped, then start it."""
    queued = list(islice(_generate_queue(), compute_count(_COUNT, share)))
    forged, seen = environment.receiver.forged, len(environment.receiver.other_webhooks)
    async with environment.stop_services([REGISTRY]):
        await _fill(environment, queued)
    received = await _wait_for_webhooks(environment, queued, seen)
    if environment.receiver.forged > forged:
        raise NotMeasured("webhooks did not carry their endpoint's signature")
    if astray := _find_out_of_order(queued, received):
        message = f"webhooks about package {astray} did not come in their order"
        raise NotMeasured(message)
    await _wait_for_log(environment, queued)
    first = compute_count(_WARM_UP, share)
    return WebhookFigures((len(received) - first) / (received[-1].at - received[first - 1].at), len(received) - first)


def _generate_queue() -> Iterator[QueuedWebhook]:
    """Build one webhook of each package in turn; a package has one endpoint."""
    now, providers = datetime.now(UTC), [each.provider_id for each in build_market().providers]
    packages = [uuid7(now) for _ in range(_PACKAGES)]
    for package, provider in cycle(list(zip(packages, cycle(providers), strict=False))):
        yield QueuedWebhook(uuid7(now), provider, package, uuid7(now))


async def _fill(environment: BenchEnvironment, queued: Sequence[QueuedWebhook]) -> None:
    now = datetime.now(UTC)
    async with connect(environment.stack.config.postgres, _DATABASE) as connection:
        rows = (each.to_row(now) for each in queued)
        await connection.copy_records_to_table("deliveries", records=rows, columns=_COLUMNS)


async def _wait_for_webhooks(
    environment: BenchEnvironment, queued: Sequence[QueuedWebhook], seen: int
) -> list[ReceivedWebhook]:
    """Return the first arrival of each webhook, in order."""
    ids, give_up = {str(each.id) for each in queued}, time.monotonic() + _WAIT_TIMEOUT
    received: dict[str, ReceivedWebhook] = {}
    while len(received) < len(ids):
        if time.monotonic() > give_up:
            message = f"{len(received)} of {len(ids)} webhooks came within a minute"
            raise NotMeasured(message)
        await asyncio.sleep(0.1)
        for each in environment.receiver.other_webhooks[seen:]:
            if each.id in ids:
                received.setdefault(each.id, each)
        seen = len(environment.receiver.other_webhooks)
    return list(received.values())


def _find_out_of_order(queued: Sequence[QueuedWebhook], received: Sequence[ReceivedWebhook]) -> UUID | None:
    """Find the first package whose webhooks arrived out of order."""
    place = {each.id: number for number, each in enumerate(received)}
    places: dict[UUID, list[int]] = defaultdict(list)
    for each in queued:
        places[each.package_id].append(place[str(each.id)])
    return next((package for package, numbers in places.items() if numbers != sorted(numbers)), None)


async def _wait_for_log(environment: BenchEnvironment, queued: Sequence[QueuedWebhook]) -> None:
    """Wait until the delivery log includes the last responses."""
    ids, give_up = [each.id for each in queued], time.monotonic() + _WAIT_TIMEOUT
    async with connect(environment.stack.config.postgres, _DATABASE) as connection:
        while (logged := await connection.fetchval(_LOGGED, ids)) < len(queued):
            if time.monotonic() > give_up:
                message = f"{logged} of {len(queued)} webhooks were in the log a minute after they came"
                raise NotMeasured(message)
            await asyncio.sleep(0.2)
