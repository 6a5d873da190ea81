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
from sourcing.domain.evolution import replay
from sourcing.store.queries import PostgresSearchQueries
from testkit.chain_checker import first_occurrences
from testkit.running_services import Reply
from testkit.sourcing.builders import LONDON, london
from testkit.sourcing.harness import PATIENCE, House
from testkit.sourcing.responses import OfferRead
from testkit.sourcing.scenario_market import Town
from testkit.topics import Kept
from testkit.waiting import until

pytestmark = pytest.mark.xdist_group("sourcing")


def detail_of(answer: Reply) -> str:
    """What a refusal says."""
    detail: str = answer.body["detail"]
    return detail


# --- offered and answered


async def test_the_first_of_the_list_is_asked_and_may_take_the_package(house: House) -> None:
    town = await Town.of(house, "Alder", "Birch")
    package = await town.requests()
    offer = await town.offer_to("Alder", package)
    assert (offer.status, offer.allowed_actions) == ("made", ["accept", "decline"])

    answer = await town.accepts("Alder", offer)

    assert (answer.status, answer.body["status"]) == (200, "accepted")
    decision = await house.decision(package)
    assert (decision.status, decision.placed_with) == ("placed", town.provider("Alder"))
    assert decision.happened == ["SourcingStarted", "StageEntered", "OfferMade", "OfferAccepted", "PackagePlaced"]
    assert await house.faults([package]) == []


async def test_a_decline_sends_the_package_to_the_next_in_rank(house: House) -> None:
    town = await Town.of(house, "Alder", "Birch")
    package = await town.requests()
    answer = await town.declines("Alder", await town.offer_to("Alder", package), DeclineReason.TOO_FAR)
    assert (answer.status, answer.body["status"], answer.body["allowed_actions"]) == (200, "declined", [])
    await town.offer_to("Birch", package)
    assert await town.offers_of("Alder") == []
    assert await house.faults([package]) == []


async def test_an_offer_that_was_not_answered_goes_to_the_next_when_its_time_is_over(house: House) -> None:
    town = await Town.of(house, "Alder", "Birch")
    package = await town.requests()
    offer = await town.receives("Alder", await town.offer_to("Alder", package))
    assert offer.answer_by == house.now + timedelta(minutes=30)
    house.pass_time(timedelta(minutes=30))
    await town.offer_to("Birch", package)
    assert (await town.reads("Alder", offer)).status == "expired"


async def test_an_answer_a_moment_before_the_end_counts(house: House) -> None:
    town = await Town.of(house, "Alder", "Birch")
    offer = await town.receives("Alder", await town.offer_to("Alder", await town.requests()))
    house.pass_time(timedelta(minutes=30) - timedelta(microseconds=1))
    assert (await town.accepts("Alder", offer)).status == 200


async def test_an_answer_at_the_very_end_is_late_and_the_next_is_asked(house: House) -> None:
    town = await Town.of(house, "Alder", "Birch")
    package = await town.requests()
    offer = await town.receives("Alder", await town.offer_to("Alder", package))
    house.pass_time(timedelta(minutes=30))

    answer = await town.accepts("Alder", offer)

    assert (answer.status, answer.body["title"]) == (409, "Too late")
    assert "had ended when the answer came" in detail_of(answer)
    await town.offer_to("Birch", package)
    happened = (await house.decision(package)).happened
    assert happened.index("OfferExpired") < happened.index("LateAnswerRefused")
    assert happened.count("OfferExpired") == 1


async def test_identical_repeats_are_answered_alike_and_are_no_news(house: House) -> None:
    town = await Town.of(house, "Alder", "Birch")
    declined, accepted = await town.requests(), await town.requests()
    first, second = await town.offer_to("Alder", declined), await town.offer_to("Alder", accepted)
    answers = [await town.declines("Alder", first) for _ in range(3)]
    answers += [await town.accepts("Alder", second) for _ in range(3)]
    assert [answer.status for answer in answers] == [200] * 6
    assert answers[0].body == answers[1].body == answers[2].body
    assert answers[3].body == answers[4].body == answers[5].body
    assert (await house.decision(declined)).happened.count("OfferDeclined") == 1
    assert (await house.decision(accepted)).happened.count("PackagePlaced") == 1


async def test_another_answer_than_the_first_is_on_record_and_refused(house: House) -> None:
    town = await Town.of(house, "Alder", "Birch")
    package = await town.requests()
    offer = await town.offer_to("Alder", package)
    assert (await town.accepts("Alder", offer)).status == 200
    answer = await town.declines("Alder", offer)
    assert (answer.status, answer.body["title"]) == (409, "Too late")
    decision = await house.decision(package)
    assert (decision.status, decision.happened[-1]) == ("placed", "LateAnswerRefused")


# --- passed over


async def test_all_reasons_for_passing_a_provider_over_are_on_record(house: House) -> None:
    town = await Town.of(house, "Alder", "Birch", "Cedar", "Damson", "Elm", "Fir")
    await town.publishes_eligibility("Alder", against=(PassOverReason.RATING_BELOW_FLOOR,))
    await town.embargoes("Birch")
    await town.declares("Birch", free="3.49")
    await town.declares("Damson", free="1.00")
    await town.publishes_eligibility("Elm", service_types=(ServiceType.LIVE_IN,))
    await town.declares("Fir", free="3.50")
    await town.until_heard()

    package = await town.requests(refused=["Cedar"])

    await town.offer_to("Fir", package)
    decision = await house.decision(package)
    assert [(turn.outcome, turn.reasons) for turn in decision.turns] == [
        ("passed over", ["rating below the tier's floor"]),
        ("passed over", ["embargoed", "declared capacity is less than the package needs"]),
        ("passed over", ["refused by the person"]),
        ("passed over", ["declared capacity is less than the package needs"]),
        ("passed over", ["does not offer this service type"]),
        ("offered", []),
    ]


async def test_capacity_shrinks_with_each_placement_and_grows_when_one_is_voided(house: House) -> None:
    town = await Town.of(house, "Alder", "Birch")
    await town.declares("Alder", free="5.00")
    await town.until_heard()
    first = await town.requests()
    assert (await town.accepts("Alder", await town.offer_to("Alder", first))).status == 200
    await town.offer_to("Birch", await town.requests())  # 1.5 hours are left of five

    await town.withdraws(first)
    await house.until_happened(first, "PlacementVoided")

    await town.offer_to("Alder", await town.requests())


async def test_what_was_placed_before_the_capacity_was_declared_is_not_taken_off_again(house: House) -> None:
    town = await Town.of(house, "Alder", "Birch")
    assert (await town.accepts("Alder", await town.offer_to("Alder", await town.requests()))).status == 200
    house.pass_time(timedelta(minutes=1))
    await town.declares("Alder", free="3.50")
    await town.until_heard()
    await town.offer_to("Alder", await town.requests())


@pytest.mark.parametrize("change", ["embargo", "rating"])
async def test_an_acceptance_is_refused_once_the_provider_may_not_be_awarded(house: House, change: str) -> None:
    town = await Town.of(house, "Alder", "Birch")
    package = await town.requests()
    offer = await town.offer_to("Alder", package)
    if change == "embargo":
        await town.embargoes("Alder")
    else:
        await town.publishes_eligibility("Alder", against=(PassOverReason.RATING_BELOW_FLOOR,))
    await town.until_heard()

    answers = [await town.accepts("Alder", offer) for _ in range(2)]

    assert [answer.status for answer in answers] == [409, 409]
    assert detail_of(answers[0]) == detail_of(answers[1])
    assert ("embargoed" if change == "embargo" else "rating below") in detail_of(answers[0])
    await town.offer_to("Birch", package)
    assert (await house.decision(package)).happened.count("LateAnswerRefused") == 1


async def test_an_embargo_that_was_lifted_stands_in_nobodys_way(house: House) -> None:
    town = await Town.of(house, "Alder")
    await town.embargoes("Alder")
    await town.lifts_embargo("Alder")
    await town.until_heard()
    await town.offer_to("Alder", await town.requests())


# --- nobody left


async def test_a_package_that_nobody_took_goes_through_the_tiers_and_then_to_the_officers(house: House) -> None:
    town = await Town.of(house, "Alder", "Birch", tiers=(Tier.ONE, Tier.TWO))
    await town.publishes_list("Birch", "Alder", tier=Tier.TWO)
    await town.until_heard()
    package = await town.requests()
    for name in ("Alder", "Birch", "Birch", "Alder"):
        assert (await town.declines(name, await town.offer_to(name, package))).status == 200
    decision = await house.until_status(package, "exhausted")
    assert [(stage.stage, [turn.outcome for turn in stage.turns]) for stage in decision.stages] == [
        ("tier-1", ["declined", "declined"]),
        ("tier-2", ["declined", "declined"]),
    ]
    assert (await house.work_item(package)).what == "exhausted"
    assert await house.faults([package]) == []


async def test_an_empty_list_is_not_a_missing_one(house: House) -> None:
    town = await Town.of(house)
    package = await town.requests()
    await house.until_status(package, "exhausted")
    assert (await house.work_item(package)).what == "exhausted"


# --- by telephone


async def test_an_offer_that_could_not_be_delivered_goes_to_the_officers_call_list(house: House) -> None:
    town = await Town.of(house, "Alder", "Birch")
    package = await town.requests()
    offer = await town.offer_to("Alder", package)
    await town.cannot_be_reached("Alder", offer)
    item = await house.work_item(package)
    assert (item.what, item.offer_id, item.attempt) == ("call to make", offer.offer_id, 1)

    answer = await town.calls(offer.offer_id, answer="accept")

    assert (answer.status, answer.body["status"]) == (200, "accepted")
    assert not await house.is_on_work_list(package)
    decision = await house.decision(package)
    assert decision.placed_with == town.provider("Alder")
    assert decision.record[-1].actor == "officer:officer-1"


async def test_a_provider_that_was_reached_has_fifteen_minutes_of_its_own(house: House) -> None:
    town = await Town.of(house, "Alder", "Birch")
    await town.publishes_channel("Alder", Channel.PHONE)
    await town.until_heard()
    package = await town.requests()
    item = await house.work_item(package)
    assert item.offer_id is not None
    house.pass_time(timedelta(minutes=1))
    answer = await town.calls(item.offer_id)
    offer = OfferRead.model_validate(answer.body)
    assert (offer.answer_minutes, offer.answer_by) == (15, house.now + timedelta(minutes=15))
    assert not await house.is_on_work_list(package)
    house.pass_time(timedelta(minutes=15))
    await town.offer_to("Birch", package)


async def test_a_provider_whom_nobody_reaches_three_times_is_left_for_the_next(house: House) -> None:
    town = await Town.of(house, "Alder", "Birch")
    await town.publishes_channel("Alder", Channel.PHONE)
    await town.until_heard()
    package = await town.requests()
    for attempt in (1, 2, 3):
        item = await house.work_item(package)
        assert (item.attempt, item.provider_id) == (attempt, town.provider("Alder"))
        assert item.offer_id is not None
        assert (await town.calls(item.offer_id, "nobody reached")).status == 200
    await town.offer_to("Birch", package)
    assert (await house.decision(package)).happened[-3:] == ["CallRecorded", "OfferExpired", "OfferMade"]


async def test_a_call_about_an_offer_that_goes_by_webhook_or_has_ended_is_refused(house: House) -> None:
    town = await Town.of(house, "Alder", "Birch")
    offer = await town.offer_to("Alder", await town.requests())
    assert (await town.calls(offer.offer_id)).body["type"].endswith("offer-not-by-phone")
    await town.cannot_be_reached("Alder", offer)
    await until(lambda: goes_by_phone(town, offer), within=PATIENCE)
    assert (await town.declines("Alder", offer)).status == 200
    assert (await town.calls(offer.offer_id)).body["type"].endswith("offer-already-ended")


async def goes_by_phone(town: Town, offer: OfferRead) -> bool:
    return (await town.reads("Alder", offer)).channel == "phone"


async def test_an_offer_of_which_nothing_is_heard_goes_to_the_call_list_after_a_while(house: House) -> None:
    town = await Town.of(house, "Alder", "Birch")
    package = await town.requests()
    offer = await town.offer_to("Alder", package)
    house.pass_time(timedelta(minutes=12))
    assert (await house.work_item(package)).offer_id == offer.offer_id


# --- brokerage time


async def test_a_routine_package_waits_for_the_opening_and_an_urgent_one_does_not(house: House) -> None:
    town = await Town.of(house, "Alder")
    today = house.now.astimezone(LONDON).date()
    house.set_clock(london(today, "17:00"))
    routine, urgent = await town.requests(), await town.requests(urgent=True)
    await town.offer_to("Alder", urgent)
    assert (await house.until_happened(routine, "StageEntered")).happened[-1] == "StageEntered"
    assert await house.faults([routine, urgent]) == []
    house.set_clock(london(today + timedelta(days=1), "08:30"))
    await town.offer_to("Alder", routine)


async def test_a_decline_in_the_evening_is_followed_at_the_opening(house: House) -> None:
    town = await Town.of(house, "Alder", "Birch")
    package = await town.requests()
    offer = await town.offer_to("Alder", package)
    today = house.now.astimezone(LONDON).date()
    house.set_clock(london(today, "19:45"))
    assert (await town.declines("Alder", offer)).status == 200
    assert await house.faults([package]) == []
    house.set_clock(london(today + timedelta(days=1), "08:30"))
    await town.offer_to("Birch", package)


# --- withdrawn


async def test_a_package_that_was_never_requested_is_withdrawn_all_the_same(house: House) -> None:
    town = Town.empty(house)
    package = PackageId(uuid4())
    await town.withdraws(package)
    assert await until(lambda: types_on_kafka(house, package), within=PATIENCE) == ["SourcingStopped"]


async def types_on_kafka(house: House, package: PackageId) -> list[str]:
    """What sourcing has said about the package."""
    return [
        each.header("ce_type").split(".")[1] for each in await house.on_kafka([package]) if is_sourcings(house, each)
    ]


def is_sourcings(house: House, record: Kept) -> bool:
    return record.header("ce_source") == f"/calloff/{house.sourcing.service.name}"


async def test_a_held_package_is_withdrawn(house: House) -> None:
    town = Town.empty(house)
    package = await town.requests()
    await house.work_item(package)
    await town.withdraws(package)
    assert (await house.until_status(package, "stopped")).happened == ["SourcingHeld", "SourcingStopped"]
    assert not await house.is_on_work_list(package)


async def test_a_live_offer_is_withdrawn_with_its_package_and_cannot_be_taken_any_more(house: House) -> None:
    town = await Town.of(house, "Alder", "Birch")
    package = await town.requests()
    offer = await town.offer_to("Alder", package)
    await town.withdraws(package)
    decision = await house.until_status(package, "stopped")
    assert decision.happened[-2:] == ["OfferWithdrawn", "SourcingStopped"]
    answer = await town.accepts("Alder", offer)
    assert (answer.status, "withdrawn" in detail_of(answer)) == (409, True)
    assert await town.offers_of("Birch") == []


async def test_a_placement_is_voided_and_a_second_withdrawal_is_no_news(house: House) -> None:
    town = await Town.of(house, "Alder", "Birch")
    package, other = await town.requests(), await town.requests()
    assert (await town.accepts("Alder", await town.offer_to("Alder", package))).status == 200
    await town.withdraws(package)
    await town.withdraws(package)
    await town.withdraws(other)
    await town.withdraws(other)
    decision = await house.until_status(package, "stopped")
    assert decision.placed_with is None
    assert decision.happened[-1] == "PlacementVoided"
    assert [each.voided for each in await house.placements([package])] == [True]
    assert (await house.until_status(other, "stopped")).happened.count("SourcingStopped") == 1
    assert await house.faults([package, other]) == []


# --- held


async def test_a_package_goes_on_by_itself_as_what_is_missing_is_published(house: House) -> None:
    town = Town.empty(house)
    package = await town.requests()
    alder, birch = town.provider("Alder"), town.provider("Birch")

    async def until_missing(*what: str) -> None:
        await until(lambda: is_missing(*what), within=PATIENCE)

    async def is_missing(*what: str) -> bool:
        item = await house.work_item(package)
        return (item.what, item.missing) == ("held", list(what))

    await until_missing(f"definitions/{town.framework}")
    await town.publishes_definition()
    await until_missing(f"ranked-lists/{town.framework}/{town.area}/1")
    await town.publishes_list("Alder", "Birch")
    await until_missing(*(f"{view}/{each}" for each in (alder, birch) for view in ("eligibility", "channels")))
    await town.publishes_eligibility("Alder")
    await until_missing(f"channels/{alder}", f"eligibility/{birch}", f"channels/{birch}")
    assert await house.faults([package]) == []
    await town.publishes_channel("Alder")

    offer = await town.offer_to("Alder", package)  # Birch's turn has not come

    assert not await house.is_on_work_list(package)
    assert (await town.declines("Alder", offer)).status == 200
    await until_missing(f"eligibility/{birch}", f"channels/{birch}")
    await town.introduces("Birch")
    await town.offer_to("Birch", package)
    assert await house.faults([package]) == []


async def test_a_list_that_goes_live_by_its_date_alone_ends_the_wait_for_it(house: House) -> None:
    town = await Town.of(house, "Alder")
    today = house.now.astimezone(LONDON).date()
    later = Town.empty(house)
    await later.publishes_definition()
    await later.introduces("Alder")
    await later.publishes_list("Alder", live_from=today + timedelta(days=1))
    await later.until_heard()
    package = await later.requests()
    assert (await house.work_item(package)).missing == [f"ranked-lists/{later.framework}/{later.area}/1"]
    house.set_clock(london(today + timedelta(days=1), "08:30"))
    await later.offer_to("Alder", package)
    assert await town.offers_of("Alder") == []


async def test_a_search_keeps_the_definition_and_the_list_that_it_started_with(house: House) -> None:
    town = await Town.of(house, "Alder", "Birch")
    package = await town.requests()
    offer = await town.offer_to("Alder", package)
    await town.publishes_definition(version=2)
    await town.introduces("Cedar")
    await town.publishes_list("Alder", "Cedar", "Birch", version=2)
    await town.until_heard()
    assert (await town.declines("Alder", offer)).status == 200
    await town.offer_to("Birch", package)
    newer = await town.requests()
    assert (await town.declines("Alder", await town.offer_to("Alder", newer))).status == 200
    await town.offer_to("Cedar", newer)
    decisions = [await house.decision(package), await house.decision(newer)]
    assert [each.definition_version for each in decisions] == [1, 2]
    assert [each.stages[0].list_version for each in decisions] == [1, 2]


# --- on record


async def test_the_decision_is_what_kafka_holds_and_the_record_alone_gives_the_search_again(house: House) -> None:
    town = await Town.of(house, "Alder", "Birch", "Cedar")
    await town.embargoes("Alder")
    await town.until_heard()
    package = await town.requests()
    offer = await town.receives("Birch", await town.offer_to("Birch", package))
    house.pass_time(timedelta(minutes=30))
    await town.accepts("Birch", offer)
    cedar = await town.offer_to("Cedar", package)
    await town.cannot_be_reached("Cedar", cedar)
    await house.work_item(package)
    await town.calls(cedar.offer_id, "nobody reached")
    assert (await town.calls(cedar.offer_id, answer="accept")).status == 200

    kept = first_occurrences(await house.on_kafka([package]))
    decision = await house.decision(package)

    assert [
        (int(each.header("ce_sequence")), each.header("ce_type"), each.header("ce_hash"))
        for each in kept
        if is_sourcings(house, each)
    ] == [(each.sequence, each.type, each.hash) for each in decision.record]
    known = await PostgresSearchQueries(house.database).search(package)
    assert known is not None
    assert replay(map(told, in_order_of_cause(house, kept))) == known.search


def in_order_of_cause(house: House, records: list[Kept]) -> list[Kept]:
    """The request, then what sourcing made of everything that followed."""
    requests = [each for each in records if each.header("ce_type") == "calloff.PackageRequested.v1"]
    return requests + [each for each in records if is_sourcings(house, each)]


def told(record: Kept) -> tuple[PackageEvent, datetime]:
    event = decode(BY_TYPE[record.header("ce_type")].event, record.value)
    assert isinstance(event, PackageEvent)
    return event, Envelope.from_headers(record.headers).time


# --- how quick


async def test_how_long_a_request_takes_to_become_an_offer_as_a_consumer_sees_it(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    """Printed, not judged: the machine may be busy with other tests."""
    town = await Town.of(house, "Alder")
    async with listening(house) as heard:
        took = [
            each for _ in range(25) for each in await asyncio.gather(*(time_to_offer(town, heard) for _ in range(8)))
        ]
    cuts = quantiles(took, n=100)
    with capsys.disabled():
        sys.stderr.write(f"\nrequest -> offer, {len(took)} packages: p50 {cuts[49]:.1f} ms, p99 {cuts[98]:.1f} ms\n")


@asynccontextmanager
async def listening(house: House) -> AsyncGenerator[dict[bytes, float]]:
    """Somebody who hears the packages' topic from now on, and notes when each package's offer was heard."""
    consumer = Consumer(house.bootstrap, group=None, client_id="test-listener")
    await consumer.start([PACKAGES])
    heard: dict[bytes, float] = {}

    async def listen() -> None:
        while True:
            for record in await consumer.read(timeout_ms=200, most=500):
                if ("ce_type", b"calloff.OfferMade.v1") in list(record.headers):
                    heard.setdefault(record.key or b"", time.perf_counter())

    while await consumer.read(timeout_ms=300, most=5_000):
        pass  # what was said before
    listening_on = asyncio.create_task(listen())
    try:
        yield heard
    finally:
        listening_on.cancel()
        await asyncio.gather(listening_on, return_exceptions=True)
        await consumer.stop(within=5)


async def time_to_offer(town: Town, heard: dict[bytes, float]) -> float:
    """Milliseconds from before the request until its offer is heard."""
    started = time.perf_counter()
    key = str(await town.requests(urgent=True)).encode()
    return (await until(lambda: heard.get(key), within=PATIENCE) - started) * 1000
