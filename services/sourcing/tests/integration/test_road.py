"""The road of a package on real PostgreSQL and Kafka: requested, offered, answered, placed, withdrawn, explained."""

import asyncio
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from statistics import quantiles
from uuid import uuid4

import pytest

from contracts.catalogue import BY_TYPE, PACKAGES, decode
from contracts.envelope import Envelope
from contracts.events.base import PackageEvent
from contracts.ids import PackageId
from contracts.values import Channel, DeclineReason, PassOverReason, ServiceType, Tier
from service_runtime.kafka.client import Consumer
from sourcing.domain.evolution import replay_search
from sourcing.store.queries import PostgresSearchQueries
from testkit.chain_checker import first_occurrences
from testkit.running_services import Reply
from testkit.sourcing.builders import LONDON, london
from testkit.sourcing.harness import WAIT_TIMEOUT, SourcingHarness
from testkit.sourcing.responses import OfferResponse
from testkit.sourcing.scenario_market import ScenarioMarket
from testkit.topics import Kept
from testkit.waiting import until

pytestmark = pytest.mark.xdist_group("sourcing")


def detail_of(answer: Reply) -> str:
    """What a refusal says."""
    detail: str = answer.body["detail"]
    return detail


# --- offered and answered


async def test_the_first_of_the_list_is_asked_and_may_take_the_package(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    package = await market.request_package()
    offer = await market.wait_for_offer("Alder", package)
    assert (offer.status, offer.allowed_actions) == ("made", ["accept", "decline"])

    answer = await market.accept("Alder", offer)

    assert (answer.status, answer.body["status"]) == (200, "accepted")
    decision = await harness.wait_for_decision(package)
    assert (decision.status, decision.placed_with) == ("placed", market.get_provider_id("Alder"))
    assert decision.event_types == ["SourcingStarted", "StageEntered", "OfferMade", "OfferAccepted", "PackagePlaced"]
    assert await harness.find_faults([package]) == []


async def test_a_decline_sends_the_package_to_the_next_in_rank(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    package = await market.request_package()
    answer = await market.decline("Alder", await market.wait_for_offer("Alder", package), DeclineReason.TOO_FAR)
    assert (answer.status, answer.body["status"], answer.body["allowed_actions"]) == (200, "declined", [])
    await market.wait_for_offer("Birch", package)
    assert await market.list_offers("Alder") == []
    assert await harness.find_faults([package]) == []


async def test_an_offer_that_was_not_answered_goes_to_the_next_when_its_time_is_over(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    package = await market.request_package()
    offer = await market.receive_offer("Alder", await market.wait_for_offer("Alder", package))
    assert offer.answer_by == harness.now + timedelta(minutes=30)
    harness.advance_clock(timedelta(minutes=30))
    await market.wait_for_offer("Birch", package)
    assert (await market.read_offer("Alder", offer)).status == "expired"


async def test_an_answer_a_moment_before_the_end_counts(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    offer = await market.receive_offer("Alder", await market.wait_for_offer("Alder", await market.request_package()))
    harness.advance_clock(timedelta(minutes=30) - timedelta(microseconds=1))
    assert (await market.accept("Alder", offer)).status == 200


async def test_an_answer_at_the_very_end_is_late_and_the_next_is_asked(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    package = await market.request_package()
    offer = await market.receive_offer("Alder", await market.wait_for_offer("Alder", package))
    harness.advance_clock(timedelta(minutes=30))

    answer = await market.accept("Alder", offer)

    assert (answer.status, answer.body["title"]) == (409, "Too late")
    assert "had ended when the answer came" in detail_of(answer)
    await market.wait_for_offer("Birch", package)
    happened = (await harness.wait_for_decision(package)).event_types
    assert happened.index("OfferExpired") < happened.index("LateAnswerRefused")
    assert happened.count("OfferExpired") == 1


async def test_identical_repeats_are_answered_alike_and_are_no_news(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    declined, accepted = await market.request_package(), await market.request_package()
    first, second = await market.wait_for_offer("Alder", declined), await market.wait_for_offer("Alder", accepted)
    answers = [await market.decline("Alder", first) for _ in range(3)]
    answers += [await market.accept("Alder", second) for _ in range(3)]
    assert [answer.status for answer in answers] == [200] * 6
    assert answers[0].body == answers[1].body == answers[2].body
    assert answers[3].body == answers[4].body == answers[5].body
    assert (await harness.wait_for_decision(declined)).event_types.count("OfferDeclined") == 1
    assert (await harness.wait_for_decision(accepted)).event_types.count("PackagePlaced") == 1


async def test_another_answer_than_the_first_is_on_record_and_refused(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    package = await market.request_package()
    offer = await market.wait_for_offer("Alder", package)
    assert (await market.accept("Alder", offer)).status == 200
    answer = await market.decline("Alder", offer)
    assert (answer.status, answer.body["title"]) == (409, "Too late")
    decision = await harness.wait_for_decision(package)
    assert (decision.status, decision.event_types[-1]) == ("placed", "LateAnswerRefused")


# --- passed over


async def test_all_reasons_for_passing_a_provider_over_are_on_record(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder", "Birch", "Cedar", "Damson", "Elm", "Fir")
    await market.publish_eligibility("Alder", against=(PassOverReason.RATING_BELOW_FLOOR,))
    await market.embargo("Birch")
    await market.declare_capacity("Birch", free="3.49")
    await market.declare_capacity("Damson", free="1.00")
    await market.publish_eligibility("Elm", service_types=(ServiceType.LIVE_IN,))
    await market.declare_capacity("Fir", free="3.50")
    await market.wait_until_projected()

    package = await market.request_package(refused=["Cedar"])

    await market.wait_for_offer("Fir", package)
    decision = await harness.wait_for_decision(package)
    assert [(turn.outcome, turn.reasons) for turn in decision.turns] == [
        ("passed over", ["rating below the tier's floor"]),
        ("passed over", ["embargoed", "declared capacity is less than the package needs"]),
        ("passed over", ["refused by the person"]),
        ("passed over", ["declared capacity is less than the package needs"]),
        ("passed over", ["does not offer this service type"]),
        ("offered", []),
    ]


async def test_capacity_shrinks_with_each_placement_and_grows_when_one_is_voided(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    await market.declare_capacity("Alder", free="5.00")
    await market.wait_until_projected()
    first = await market.request_package()
    assert (await market.accept("Alder", await market.wait_for_offer("Alder", first))).status == 200
    await market.wait_for_offer("Birch", await market.request_package())  # 1.5 hours are left of five

    await market.withdraw(first)
    await harness.wait_for_event(first, "PlacementVoided")

    await market.wait_for_offer("Alder", await market.request_package())


async def test_what_was_placed_before_the_capacity_was_declared_is_not_taken_off_again(
    harness: SourcingHarness,
) -> None:
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    assert (
        await market.accept("Alder", await market.wait_for_offer("Alder", await market.request_package()))
    ).status == 200
    harness.advance_clock(timedelta(minutes=1))
    await market.declare_capacity("Alder", free="3.50")
    await market.wait_until_projected()
    await market.wait_for_offer("Alder", await market.request_package())


@pytest.mark.parametrize("change", ["embargo", "rating"])
async def test_an_acceptance_is_refused_once_the_provider_may_not_be_awarded(
    harness: SourcingHarness, change: str
) -> None:
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    package = await market.request_package()
    offer = await market.wait_for_offer("Alder", package)
    if change == "embargo":
        await market.embargo("Alder")
    else:
        await market.publish_eligibility("Alder", against=(PassOverReason.RATING_BELOW_FLOOR,))
    await market.wait_until_projected()

    answers = [await market.accept("Alder", offer) for _ in range(2)]

    assert [answer.status for answer in answers] == [409, 409]
    assert detail_of(answers[0]) == detail_of(answers[1])
    assert ("embargoed" if change == "embargo" else "rating below") in detail_of(answers[0])
    await market.wait_for_offer("Birch", package)
    assert (await harness.wait_for_decision(package)).event_types.count("LateAnswerRefused") == 1


async def test_an_embargo_that_was_lifted_stands_in_nobodys_way(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder")
    await market.embargo("Alder")
    await market.lift_embargo("Alder")
    await market.wait_until_projected()
    await market.wait_for_offer("Alder", await market.request_package())


# --- nobody left


async def test_a_package_that_nobody_took_goes_through_the_tiers_and_then_to_the_officers(
    harness: SourcingHarness,
) -> None:
    market = await ScenarioMarket.create(harness, "Alder", "Birch", tiers=(Tier.ONE, Tier.TWO))
    await market.publish_list("Birch", "Alder", tier=Tier.TWO)
    await market.wait_until_projected()
    package = await market.request_package()
    for name in ("Alder", "Birch", "Birch", "Alder"):
        assert (await market.decline(name, await market.wait_for_offer(name, package))).status == 200
    decision = await harness.wait_for_status(package, "exhausted")
    assert [(stage.stage, [turn.outcome for turn in stage.turns]) for stage in decision.stages] == [
        ("tier-1", ["declined", "declined"]),
        ("tier-2", ["declined", "declined"]),
    ]
    assert (await harness.wait_for_work_item(package)).what == "exhausted"
    assert await harness.find_faults([package]) == []


async def test_an_empty_list_is_not_a_missing_one(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness)
    package = await market.request_package()
    await harness.wait_for_status(package, "exhausted")
    assert (await harness.wait_for_work_item(package)).what == "exhausted"


# --- by telephone


async def test_an_offer_that_could_not_be_delivered_goes_to_the_officers_call_list(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    package = await market.request_package()
    offer = await market.wait_for_offer("Alder", package)
    await market.report_undeliverable("Alder", offer)
    item = await harness.wait_for_work_item(package)
    assert (item.what, item.offer_id, item.attempt) == ("call to make", offer.offer_id, 1)

    answer = await market.record_call(offer.offer_id, answer="accept")

    assert (answer.status, answer.body["status"]) == (200, "accepted")
    assert not await harness.is_on_work_list(package)
    decision = await harness.wait_for_decision(package)
    assert decision.placed_with == market.get_provider_id("Alder")
    assert decision.record[-1].actor == "officer:officer-1"


async def test_a_provider_that_was_reached_has_fifteen_minutes_of_its_own(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    await market.publish_channel("Alder", Channel.PHONE)
    await market.wait_until_projected()
    package = await market.request_package()
    item = await harness.wait_for_work_item(package)
    assert item.offer_id is not None
    harness.advance_clock(timedelta(minutes=1))
    answer = await market.record_call(item.offer_id)
    offer = OfferResponse.model_validate(answer.body)
    assert (offer.answer_minutes, offer.answer_by) == (15, harness.now + timedelta(minutes=15))
    assert not await harness.is_on_work_list(package)
    harness.advance_clock(timedelta(minutes=15))
    await market.wait_for_offer("Birch", package)


async def test_a_provider_whom_nobody_reaches_three_times_is_left_for_the_next(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    await market.publish_channel("Alder", Channel.PHONE)
    await market.wait_until_projected()
    package = await market.request_package()
    for attempt in (1, 2, 3):
        item = await harness.wait_for_work_item(package)
        assert (item.attempt, item.provider_id) == (attempt, market.get_provider_id("Alder"))
        assert item.offer_id is not None
        assert (await market.record_call(item.offer_id, "nobody reached")).status == 200
    await market.wait_for_offer("Birch", package)
    assert (await harness.wait_for_decision(package)).event_types[-3:] == ["CallRecorded", "OfferExpired", "OfferMade"]


async def test_a_call_about_an_offer_that_goes_by_webhook_or_has_ended_is_refused(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    offer = await market.wait_for_offer("Alder", await market.request_package())
    assert (await market.record_call(offer.offer_id)).body["type"].endswith("offer-not-by-phone")
    await market.report_undeliverable("Alder", offer)
    await until(lambda: goes_by_phone(market, offer), within=WAIT_TIMEOUT)
    assert (await market.decline("Alder", offer)).status == 200
    assert (await market.record_call(offer.offer_id)).body["type"].endswith("offer-already-ended")


async def goes_by_phone(market: ScenarioMarket, offer: OfferResponse) -> bool:
    return (await market.read_offer("Alder", offer)).channel == "phone"


async def test_an_offer_of_which_nothing_is_heard_goes_to_the_call_list_after_a_while(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    package = await market.request_package()
    offer = await market.wait_for_offer("Alder", package)
    harness.advance_clock(timedelta(minutes=12))
    assert (await harness.wait_for_work_item(package)).offer_id == offer.offer_id


# --- brokerage time


async def test_a_routine_package_waits_for_the_opening_and_an_urgent_one_does_not(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder")
    today = harness.now.astimezone(LONDON).date()
    harness.set_clock(london(today, "17:00"))
    routine, urgent = await market.request_package(), await market.request_package(urgent=True)
    await market.wait_for_offer("Alder", urgent)
    assert (await harness.wait_for_event(routine, "StageEntered")).event_types[-1] == "StageEntered"
    assert await harness.find_faults([routine, urgent]) == []
    harness.set_clock(london(today + timedelta(days=1), "08:30"))
    await market.wait_for_offer("Alder", routine)


async def test_a_decline_in_the_evening_is_followed_at_the_opening(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    package = await market.request_package()
    offer = await market.wait_for_offer("Alder", package)
    today = harness.now.astimezone(LONDON).date()
    harness.set_clock(london(today, "19:45"))
    assert (await market.decline("Alder", offer)).status == 200
    assert await harness.find_faults([package]) == []
    harness.set_clock(london(today + timedelta(days=1), "08:30"))
    await market.wait_for_offer("Birch", package)


# --- withdrawn


async def test_a_package_that_was_never_requested_is_withdrawn_all_the_same(harness: SourcingHarness) -> None:
    market = ScenarioMarket.create_empty(harness)
    package = PackageId(uuid4())
    await market.withdraw(package)
    assert await until(lambda: types_on_kafka(harness, package), within=WAIT_TIMEOUT) == ["SourcingStopped"]


async def types_on_kafka(harness: SourcingHarness, package: PackageId) -> list[str]:
    """What sourcing has said about the package."""
    return [
        each.header("ce_type").split(".")[1]
        for each in await harness.read_kafka_records([package])
        if is_sourcings(harness, each)
    ]


def is_sourcings(harness: SourcingHarness, record: Kept) -> bool:
    return record.header("ce_source") == f"/calloff/{harness.sourcing.service.name}"


async def test_a_held_package_is_withdrawn(harness: SourcingHarness) -> None:
    market = ScenarioMarket.create_empty(harness)
    package = await market.request_package()
    await harness.wait_for_work_item(package)
    await market.withdraw(package)
    assert (await harness.wait_for_status(package, "stopped")).event_types == ["SourcingHeld", "SourcingStopped"]
    assert not await harness.is_on_work_list(package)


async def test_a_live_offer_is_withdrawn_with_its_package_and_cannot_be_taken_any_more(
    harness: SourcingHarness,
) -> None:
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    package = await market.request_package()
    offer = await market.wait_for_offer("Alder", package)
    await market.withdraw(package)
    decision = await harness.wait_for_status(package, "stopped")
    assert decision.event_types[-2:] == ["OfferWithdrawn", "SourcingStopped"]
    answer = await market.accept("Alder", offer)
    assert (answer.status, "withdrawn" in detail_of(answer)) == (409, True)
    assert await market.list_offers("Birch") == []


async def test_a_placement_is_voided_and_a_second_withdrawal_is_no_news(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    package, other = await market.request_package(), await market.request_package()
    assert (await market.accept("Alder", await market.wait_for_offer("Alder", package))).status == 200
    await market.withdraw(package)
    await market.withdraw(package)
    await market.withdraw(other)
    await market.withdraw(other)
    decision = await harness.wait_for_status(package, "stopped")
    assert decision.placed_with is None
    assert decision.event_types[-1] == "PlacementVoided"
    assert [each.voided for each in await harness.list_placements([package])] == [True]
    assert (await harness.wait_for_status(other, "stopped")).event_types.count("SourcingStopped") == 1
    assert await harness.find_faults([package, other]) == []


# --- held


async def test_a_package_goes_on_by_itself_as_what_is_missing_is_published(harness: SourcingHarness) -> None:
    market = ScenarioMarket.create_empty(harness)
    package = await market.request_package()
    alder, birch = market.get_provider_id("Alder"), market.get_provider_id("Birch")

    async def until_missing(*what: str) -> None:
        await until(lambda: is_missing(*what), within=WAIT_TIMEOUT)

    async def is_missing(*what: str) -> bool:
        item = await harness.wait_for_work_item(package)
        return (item.what, item.missing) == ("held", list(what))

    await until_missing(f"definitions/{market.framework}")
    await market.publish_definition()
    await until_missing(f"ranked-lists/{market.framework}/{market.area}/1")
    await market.publish_list("Alder", "Birch")
    await until_missing(*(f"{view}/{each}" for each in (alder, birch) for view in ("eligibility", "channels")))
    await market.publish_eligibility("Alder")
    await until_missing(f"channels/{alder}", f"eligibility/{birch}", f"channels/{birch}")
    assert await harness.find_faults([package]) == []
    await market.publish_channel("Alder")

    offer = await market.wait_for_offer("Alder", package)  # Birch's turn has not come

    assert not await harness.is_on_work_list(package)
    assert (await market.decline("Alder", offer)).status == 200
    await until_missing(f"eligibility/{birch}", f"channels/{birch}")
    await market.introduce("Birch")
    await market.wait_for_offer("Birch", package)
    assert await harness.find_faults([package]) == []


async def test_a_list_that_goes_live_by_its_date_alone_ends_the_wait_for_it(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder")
    today = harness.now.astimezone(LONDON).date()
    later = ScenarioMarket.create_empty(harness)
    await later.publish_definition()
    await later.introduce("Alder")
    await later.publish_list("Alder", live_from=today + timedelta(days=1))
    await later.wait_until_projected()
    package = await later.request_package()
    assert (await harness.wait_for_work_item(package)).missing == [f"ranked-lists/{later.framework}/{later.area}/1"]
    harness.set_clock(london(today + timedelta(days=1), "08:30"))
    await later.wait_for_offer("Alder", package)
    assert await market.list_offers("Alder") == []


async def test_a_search_keeps_the_definition_and_the_list_that_it_started_with(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    package = await market.request_package()
    offer = await market.wait_for_offer("Alder", package)
    await market.publish_definition(version=2)
    await market.introduce("Cedar")
    await market.publish_list("Alder", "Cedar", "Birch", version=2)
    await market.wait_until_projected()
    assert (await market.decline("Alder", offer)).status == 200
    await market.wait_for_offer("Birch", package)
    newer = await market.request_package()
    assert (await market.decline("Alder", await market.wait_for_offer("Alder", newer))).status == 200
    await market.wait_for_offer("Cedar", newer)
    decisions = [await harness.wait_for_decision(package), await harness.wait_for_decision(newer)]
    assert [each.definition_version for each in decisions] == [1, 2]
    assert [each.stages[0].list_version for each in decisions] == [1, 2]


# --- on record


async def test_the_decision_is_what_kafka_holds_and_the_record_alone_gives_the_search_again(
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

    kept = first_occurrences(await harness.read_kafka_records([package]))
    decision = await harness.wait_for_decision(package)

    assert [
        (int(each.header("ce_sequence")), each.header("ce_type"), each.header("ce_hash"))
        for each in kept
        if is_sourcings(harness, each)
    ] == [(each.sequence, each.type, each.hash) for each in decision.record]
    known = await PostgresSearchQueries(harness.database).find_search(package)
    assert known is not None
    assert replay_search(map(told, in_order_of_cause(harness, kept))) == known.search


def in_order_of_cause(harness: SourcingHarness, records: list[Kept]) -> list[Kept]:
    """The request, then what sourcing made of everything that followed."""
    requests = [each for each in records if each.header("ce_type") == "calloff.PackageRequested.v1"]
    return requests + [each for each in records if is_sourcings(harness, each)]


def told(record: Kept) -> tuple[PackageEvent, datetime]:
    event = decode(BY_TYPE[record.header("ce_type")].event, record.value)
    assert isinstance(event, PackageEvent)
    return event, Envelope.from_headers(record.headers).time


# --- how quick


async def test_how_long_a_request_takes_to_become_an_offer_as_a_consumer_sees_it(
    harness: SourcingHarness, capsys: pytest.CaptureFixture[str]
) -> None:
    """Printed, not judged: the machine may be busy with other tests."""
    market = await ScenarioMarket.create(harness, "Alder")
    async with listening(harness) as heard:
        took = [
            each for _ in range(25) for each in await asyncio.gather(*(time_to_offer(market, heard) for _ in range(8)))
        ]
    cuts = quantiles(took, n=100)
    with capsys.disabled():
        sys.stderr.write(f"\nrequest -> offer, {len(took)} packages: p50 {cuts[49]:.1f} ms, p99 {cuts[98]:.1f} ms\n")


@asynccontextmanager
async def listening(harness: SourcingHarness) -> AsyncGenerator[dict[bytes, float]]:
    """Somebody who hears the packages' topic from now on, and notes when each package's offer was heard."""
    consumer = Consumer(harness.bootstrap, group=None, client_id="test-listener")
    await consumer.start([PACKAGES])
    heard: dict[bytes, float] = {}

    async def listen() -> None:
        while True:
            for record in await consumer.read(timeout_ms=200, max_records=500):
                if ("ce_type", b"calloff.OfferMade.v1") in list(record.headers):
                    heard.setdefault(record.key or b"", time.perf_counter())

    while await consumer.read(timeout_ms=300, max_records=5_000):
        pass  # what was said before
    listening_on = asyncio.create_task(listen())
    try:
        yield heard
    finally:
        listening_on.cancel()
        await asyncio.gather(listening_on, return_exceptions=True)
        await consumer.stop(within=5)


async def time_to_offer(market: ScenarioMarket, heard: dict[bytes, float]) -> float:
    """Milliseconds from before the request until its offer is heard."""
    started = time.perf_counter()
    key = str(await market.request_package(urgent=True)).encode()
    return (await until(lambda: heard.get(key), within=WAIT_TIMEOUT) - started) * 1000
