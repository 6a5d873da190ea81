"""The record of a search on Kafka: the decision and the state of the search follow from it alone."""

import asyncio
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from statistics import quantiles

import pytest

from contracts.catalogue import BY_TYPE, PACKAGES, decode
from contracts.envelope import Envelope
from contracts.events.base import PackageEvent
from service_runtime.kafka.client import Consumer
from sourcing.domain.evolution import replay_search
from sourcing.store.offer_index import OfferIndex
from sourcing.store.queries import PostgresSearchQueries
from testkit.chain_checker import remove_repeats
from testkit.sourcing.harness import WAIT_TIMEOUT, SourcingHarness
from testkit.sourcing.scenario_market import ScenarioMarket
from testkit.topics import TopicRecord
from testkit.waiting import wait_until

pytestmark = pytest.mark.xdist_group("sourcing")


def is_from_sourcing(harness: SourcingHarness, record: TopicRecord) -> bool:
    return record.get_header("ce_source") == f"/calloff/{harness.sourcing.service.name}"


async def test_the_decision_matches_kafka_and_the_record_alone_gives_the_search(
    harness: SourcingHarness,
) -> None:
    market = await ScenarioMarket.create(harness, "Alder", "Birch", "Cedar")
    await market.embargo("Alder")
    await market.wait_until_projected()
    package = await market.request_package()
    offer = await market.receive_offer("Birch", await market.wait_for_offer("Birch", package))
    harness.advance_clock(timedelta(minutes=30))
    await market.accept("Birch", offer)
    cedar = await market.wait_for_offer("Cedar", package)
    await market.report_undeliverable("Cedar", cedar)
    await harness.wait_for_work_item(package)
    await market.record_call(cedar.offer_id, "nobody reached")
    assert (await market.record_call(cedar.offer_id, answer="accept")).status == 200

    kept = remove_repeats(await harness.read_kafka_records([package]))
    decision = await harness.wait_for_decision(package)

    assert [
        (int(each.get_header("ce_sequence")), each.get_header("ce_type"), each.get_header("ce_hash"))
        for each in kept
        if is_from_sourcing(harness, each)
    ] == [(each.sequence, each.type, each.hash) for each in decision.record]
    known = await PostgresSearchQueries(harness.database, OfferIndex()).find_search(package)
    assert known is not None
    assert replay_search(map(decode_record, sort_by_cause(harness, kept))) == known.search


def sort_by_cause(harness: SourcingHarness, records: list[TopicRecord]) -> list[TopicRecord]:
    """Returns the request, then all events of sourcing."""
    requests = [each for each in records if each.get_header("ce_type") == "calloff.PackageRequested.v1"]
    return requests + [each for each in records if is_from_sourcing(harness, each)]


def decode_record(record: TopicRecord) -> tuple[PackageEvent, datetime]:
    event = decode(BY_TYPE[record.get_header("ce_type")].event, record.value)
    assert isinstance(event, PackageEvent)
    return event, Envelope.from_headers(record.headers).time


async def test_the_time_from_request_to_offer_is_printed(
    harness: SourcingHarness, capsys: pytest.CaptureFixture[str]
) -> None:
    """The times are printed and not asserted, because other load may slow the machine down."""
    market = await ScenarioMarket.create(harness, "Alder")
    async with listen_for_offers(harness) as offer_times:
        took: list[float] = []
        for _ in range(25):
            took += await asyncio.gather(*(measure_time_to_offer(market, offer_times) for _ in range(8)))
    cuts = quantiles(took, n=100)
    with capsys.disabled():
        sys.stderr.write(f"\nrequest -> offer, {len(took)} packages: p50 {cuts[49]:.1f} ms, p99 {cuts[98]:.1f} ms\n")


@asynccontextmanager
async def listen_for_offers(harness: SourcingHarness) -> AsyncGenerator[dict[bytes, float]]:
    """Somebody who hears the packages' topic from now on, and notes when each package's offer was offer_times."""
    consumer = Consumer(harness.kafka, group=None, client_id="test-listener")
    await consumer.start([PACKAGES])
    offer_times: dict[bytes, float] = {}

    async def listen() -> None:
        while True:
            for record in await consumer.read(timeout_ms=200, max_records=500):
                if ("ce_type", b"calloff.OfferMade.v1") in list(record.headers):
                    offer_times.setdefault(record.key or b"", time.perf_counter())

    while await consumer.read(timeout_ms=300, max_records=5_000):
        pass  # older records
    listener = asyncio.create_task(listen())
    try:
        yield offer_times
    finally:
        listener.cancel()
        await asyncio.gather(listener, return_exceptions=True)
        await consumer.stop(within=5)


async def measure_time_to_offer(market: ScenarioMarket, offer_times: dict[bytes, float]) -> float:
    """Milliseconds from before the request until its offer is offer_times."""
    started = time.perf_counter()
    key = str(await market.request_package(urgent=True)).encode()
    return (await wait_until(lambda: offer_times.get(key), within=WAIT_TIMEOUT) - started) * 1000
