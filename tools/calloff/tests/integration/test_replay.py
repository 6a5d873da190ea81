"""Decisions of a running sourcing service are the same when they are made again from what audit has recorded.

The clock moves only when a test moves it, so that events of several services have the same instant.
"""

import io
import secrets
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

import pytest

from audit import settings as audit_settings
from audit import wiring as audit_wiring
from calloff.replay.evidence import EvidenceResponse
from contracts.catalogue import TOPICS
from contracts.ids import CouncilKey, PackageId
from contracts.values import Order
from service_runtime.kafka.client import get_end_offsets
from service_runtime.kafka.connection import KafkaConnection
from sourcing import settings as sourcing_settings
from sourcing import wiring as sourcing_wiring
from sourcing.domain.replay import ReplayedDecision, replay_package
from sourcing.handlers import RUNTIME_TIMERS
from testkit.clocks import MovableClock
from testkit.databases import fetch_number
from testkit.running_services import EventPublisher, RunningService, run_service
from testkit.servers import TestKafka, TestPostgres
from testkit.sourcing.definitions import a_stage, a_stage_for_all, an_open_list
from testkit.sourcing.harness import LINK_KEY, WAIT_TIMEOUT, SourcingHarness
from testkit.sourcing.scenario_market import ScenarioMarket
from testkit.tokens import TokenIssuer
from testkit.waiting import wait_until

MINUTE = timedelta(minutes=1)


@dataclass
class Stack:
    """Running sourcing and audit; the other services' events are published by the test."""

    harness: SourcingHarness
    audit: RunningService
    records_before: int
    """Records that Kafka held before audit started."""

    async def replay(self, package: PackageId) -> Sequence[ReplayedDecision]:
        """Waits until audit has all that was published, and replays the package."""
        await self.harness.read_kafka_records([package])  # waits until sourcing has sent all its events
        await wait_until(self._has_all_records, within=WAIT_TIMEOUT)
        path = f"/v1/packages/{package}/evidence"
        answer = await self.audit.request("GET", path, "audit:read", council=self.harness.council)
        evidence = EvidenceResponse.model_validate(answer.body)
        assert evidence.verified
        return replay_package(evidence.read_record(), evidence.read_market(), runtime_timers=RUNTIME_TIMERS)

    async def _has_all_records(self) -> bool:
        stored = await fetch_number(self.audit.service.database, "SELECT count(*) FROM records")
        return self.records_before + stored == await count_records(self.harness.kafka)

    async def assert_same(self, package: PackageId, *expected: str) -> None:
        """Checks that every decision is the same, and that these events are among theirs."""
        decisions = await self.replay(package)
        assert [each.differences for each in decisions if not each.is_same] == []
        names = {type(event).__name__ for each in decisions for event in each.decision.events}
        assert set(expected) <= names


async def count_records(kafka: KafkaConnection) -> int:
    return sum((await get_end_offsets(kafka, TOPICS, client_id="test-ends")).values())


@pytest.fixture(scope="module")
async def stack(postgres: TestPostgres, own_kafka: TestKafka) -> AsyncGenerator[Stack]:
    """Uses its own Kafka, because audit reads every topic."""
    council = CouncilKey(f"council-{secrets.token_hex(4)}")
    clock, kafka = MovableClock(), own_kafka.connection
    async with AsyncExitStack() as services:
        issuer = await services.enter_async_context(TokenIssuer().serve())
        registry, referral, pricing = [
            await services.enter_async_context(EventPublisher(kafka, name, council=council))
            for name in ("provider-registry", "referral", "pricing")
        ]
        audit = await services.enter_async_context(
            run_service(
                audit_settings.Settings,
                audit_wiring.build,
                databases=postgres,
                kafka=kafka,
                issuer=issuer,
                clock=clock,
            )
        )
        sourcing = await services.enter_async_context(
            run_service(
                sourcing_settings.Settings,
                sourcing_wiring.build,
                keeps_name=True,
                databases=postgres,
                kafka=kafka,
                issuer=issuer,
                clock=clock,
                offer_link_key=LINK_KEY,
            )
        )
        harness = SourcingHarness(sourcing, registry, referral, pricing, clock, council, kafka, io.StringIO())
        yield Stack(harness, audit, await count_records(kafka))


async def test_offers_in_the_order_of_a_ranked_list_are_the_same(stack: Stack) -> None:
    harness = stack.harness
    harness.move_to_next_monday()
    market = await ScenarioMarket.create(harness, "Alder", "Birch", "Cedar", "Damson")
    await market.embargo("Alder")
    await market.wait_until_projected()
    harness.advance_clock(MINUTE)
    package = await market.request_package()
    await market.decline("Birch", await market.wait_for_offer("Birch", package))
    await market.receive_offer("Cedar", await market.wait_for_offer("Cedar", package))
    harness.advance_clock(30 * MINUTE)
    offer = await market.wait_for_offer("Damson", package)
    await market.embargo("Birch")
    assert (await market.accept("Damson", offer)).status == 200
    await stack.assert_same(package, "ProviderPassedOver", "OfferDeclined", "OfferExpired", "PackagePlaced")


async def test_a_provider_that_has_no_hours_left_is_passed_over_again(stack: Stack) -> None:
    harness = stack.harness
    harness.move_to_next_monday()
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    await market.declare_capacity("Alder", free="3.50")
    await market.wait_until_projected()
    harness.advance_clock(MINUTE)
    first = await market.request_package()
    await market.accept("Alder", await market.wait_for_offer("Alder", first))
    await stack.assert_same(first, "PackagePlaced")
    second = await market.request_package()
    await market.decline("Birch", await market.wait_for_offer("Birch", second))
    await harness.wait_for_status(second, "exhausted")
    await stack.assert_same(second, "ProviderPassedOver", "SourcingExhausted")


async def test_a_search_that_waits_for_what_is_published_late_is_the_same(stack: Stack) -> None:
    stack.harness.move_to_next_monday()
    market = ScenarioMarket.create_empty(stack.harness)
    package = await market.request_package()
    await stack.harness.wait_for_status(package, "held")
    await market.publish_definition()
    await stack.harness.wait_for_event(package, "SourcingHeld", times=2)
    await market.publish_ranked_list("Alder")
    await stack.harness.wait_for_event(package, "SourcingHeld", times=3)
    await market.add_providers("Alder")
    await market.wait_for_offer("Alder", package)
    await stack.assert_same(package, "SourcingHeld", "OfferMade")


async def test_an_offer_to_all_by_price_and_rotation_is_the_same(stack: Stack) -> None:
    harness = stack.harness
    harness.move_to_next_monday()
    market = await ScenarioMarket.create(harness, "Alder", "Birch", "Cedar", stages=(a_stage_for_all(),))
    for _ in range(2):
        package = await market.request_package()
        offers = {name: await market.wait_for_offer(name, package) for name in ("Alder", "Birch", "Cedar")}
        for name in ("Alder", "Birch"):
            await market.accept(name, offers[name])
        harness.advance_clock(timedelta(days=1))
        await harness.wait_for_status(package, "placed")
        await stack.assert_same(package, "AcceptancesOrdered", "OfferExpired", "PackagePlaced")


async def test_a_rotation_is_the_same(stack: Stack) -> None:
    harness = stack.harness
    harness.move_to_next_monday()
    stage = a_stage(order=(Order.ROTATION,))
    market = await ScenarioMarket.create(harness, "Alder", "Birch", stages=(stage,))
    placed = list[str]()
    for _ in range(3):
        harness.advance_clock(MINUTE)
        package = await market.request_package()
        await harness.wait_for_event(package, "OfferMade")
        (name,) = [each for each in ("Alder", "Birch") if await market.list_offers(each)]
        await market.accept(name, await market.wait_for_offer(name, package))
        placed.append(name)
        await stack.assert_same(package, "StageEntered", "PackagePlaced")
    assert placed[0] != placed[1]


async def test_an_offer_that_is_redirected_and_accepted_by_telephone_is_the_same(stack: Stack) -> None:
    stack.harness.move_to_next_monday()
    market = await ScenarioMarket.create(stack.harness, "Alder")
    package = await market.request_package()
    offer = await market.wait_for_offer("Alder", package)
    await market.report_undeliverable("Alder", offer)
    await stack.harness.wait_for_work_item(package)
    await market.record_call(offer.offer_id, "nobody reached")
    await market.record_call(offer.offer_id, "reached", answer="accept")
    await stack.harness.wait_for_status(package, "placed")
    await stack.assert_same(package, "OfferRedirected", "CallRecorded", "PackagePlaced")


async def test_an_award_above_the_ceiling_is_the_same(stack: Stack) -> None:
    harness = stack.harness
    harness.move_to_next_monday()
    market = await ScenarioMarket.create(harness, open_list=an_open_list(ceiling=Decimal("29.00")))
    await market.add_spot_providers("Spruce")
    await market.wait_until_projected()
    ((package, reference),) = (await market.request_listed_packages(1)).items()
    assert (await market.propose("Spruce", reference, "31.00")).status < 300
    proposal = await market.find_proposal("Spruce", package)
    answer = await harness.award(package, proposal.proposal_id)
    assert answer.status < 300
    await harness.approve_price(package, answer.body["award_id"], proposal)
    await harness.wait_for_status(package, "placed")
    await stack.assert_same(package, "PackageListed", "ProposalReceived", "AwardAwaitsApproval", "ProposalAwarded")
