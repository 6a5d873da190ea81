"""Handlers of sourcing: load, decide, save, publish, and arm timers."""

from datetime import timedelta
from uuid import UUID

import pytest

from contracts.events.offers import (
    CallRecorded,
    CallResult,
    LateAnswerRefused,
    OfferAccepted,
    OfferClockStarted,
    OfferDeclined,
    OfferExpired,
    OfferMade,
    OfferRedirected,
    OfferUndeliverable,
    OfferWithdrawn,
)
from contracts.events.reasons import LateReason
from contracts.events.searches import PackagePlaced, SourcingStarted, SourcingStopped, StageEntered
from contracts.ids import OfferId
from contracts.precedence import Precedence
from contracts.values import Channel
from service_runtime.heartbeat import OUTAGE_OVER
from service_runtime.projections.projections import PROJECTION_UPDATED
from sourcing.domain.errors import OfferNotFound
from sourcing.domain.offer import Accept, OfferStatus
from sourcing.domain.search import SearchStatus
from sourcing.domain.steps import AnswerNotUsed, Declined, Placed, TimerKind
from sourcing.domain.triggers import AnswerOffer, RecordCall
from sourcing.handlers import PRECEDENCE, handle_command, handle_event
from sourcing.ports import CLOSE_LIST, SEND_LIST
from sourcing.subscriptions import TIMERS
from testkit.sourcing.builders import PACKAGE, a_decline, a_market, a_request, a_withdrawal, on_monday, to_provider_id
from testkit.sourcing.handler_steps import (
    a_delivery,
    answer_offer,
    build_work,
    fire_timer,
    get_live_offer,
    get_search,
    list_event_types,
    list_timers,
    make_delivered_offer,
    make_offer,
)


async def test_a_request_starts_a_search_makes_the_first_offer_and_watches_its_delivery() -> None:
    work = build_work(a_market("Alder", "Birch"))
    await handle_event(a_request(), work)
    assert list_event_types(work) == [SourcingStarted, StageEntered, OfferMade]
    offer = await get_live_offer(work)
    assert offer.provider_id == to_provider_id("Alder")
    assert list(work.timers) == [(TimerKind.DELIVERY_OVERDUE, str(offer.offer_id))]
    assert list_timers(work) == [(TimerKind.DELIVERY_OVERDUE, Precedence.UNDELIVERABLE)]


async def test_a_repeated_request_changes_nothing() -> None:
    work = await make_offer("Alder")
    before, timers = await get_search(work), dict(work.timers)
    await handle_event(a_request(), work)
    assert (await get_search(work), work.timers, list_event_types(work)) == (before, timers, [])


async def test_the_delivery_starts_the_clock_and_cancels_the_delivery_timer() -> None:
    work = await make_offer("Alder")
    await handle_event(a_delivery(await get_live_offer(work), at=work.now), work)
    assert list_event_types(work) == [OfferClockStarted]
    assert list_timers(work) == [(TimerKind.OFFER_EXPIRES, Precedence.EXPIRY)]


async def test_an_acceptance_places_the_package_and_cancels_all_timers() -> None:
    work = await make_delivered_offer("Alder")
    answered = await answer_offer(work, "Alder", Accept())
    assert list_event_types(work) == [OfferAccepted, PackagePlaced]
    assert isinstance(answered.outcome, Placed)
    assert (answered.search.offers[0].status, answered.search) == (OfferStatus.ACCEPTED, await get_search(work))
    assert work.timers == {}


async def test_after_a_decline_its_event_continues_the_search_and_a_timer_backs_it_up() -> None:
    work = await make_delivered_offer("Alder", "Birch")
    answered = await answer_offer(work, "Alder", a_decline())
    assert answered.outcome == Declined(answered.search.offers[0].offer_id)
    assert list_timers(work) == [(TimerKind.NEXT_OFFER_DUE, Precedence.OPENING)]
    [declined] = work.published
    assert isinstance(declined, OfferDeclined)
    work.published.clear()

    await handle_event(declined, work)
    assert list_event_types(work) == [OfferMade]
    assert (await get_live_offer(work)).provider_id == to_provider_id("Birch")
    assert [kind for kind, _ in work.timers] == [TimerKind.DELIVERY_OVERDUE]


async def test_events_about_an_ended_offer_need_no_projection() -> None:
    """Systems answer sooner than their delivery is heard of."""
    work = await make_offer("Alder", "Birch")
    offer = await get_live_offer(work)
    await answer_offer(work, "Alder", a_decline())
    [declined] = [event for event in work.published if isinstance(event, OfferDeclined)]
    looks, before = work.markets.read_count, await get_search(work)
    work.published.clear()

    await handle_event(a_delivery(offer, at=work.now), work)
    assert (work.markets.read_count, list_event_types(work), await get_search(work)) == (looks, [], before)
    await handle_event(declined, work)
    assert (work.markets.read_count, list_event_types(work)) == (looks + 1, [OfferMade])
    after = await get_search(work)
    await handle_event(declined, work)
    assert (list_event_types(work), await get_search(work)) == ([], after)


async def test_the_timer_makes_the_next_offer_if_no_event_has_done_so() -> None:
    work = await make_delivered_offer("Alder", "Birch")
    await answer_offer(work, "Alder", a_decline())
    work.published.clear()
    await fire_timer(work, TimerKind.NEXT_OFFER_DUE)
    assert list_event_types(work) == [OfferMade]


async def test_an_offer_expires_at_its_end_and_not_before() -> None:
    work = await make_delivered_offer("Alder")
    timer = work.timers[TimerKind.OFFER_EXPIRES, str((await get_live_offer(work)).offer_id)]
    await fire_timer(work, TimerKind.OFFER_EXPIRES, at=timer.at - timedelta(seconds=1))
    assert list_event_types(work) == []
    work.schedule(timer)
    await fire_timer(work, TimerKind.OFFER_EXPIRES)
    assert list_event_types(work) == [OfferExpired]


async def test_a_late_answer_is_a_returned_outcome_and_so_recorded() -> None:
    work = await make_delivered_offer("Alder")
    await fire_timer(work, TimerKind.OFFER_EXPIRES)
    work.published.clear()
    answered = await answer_offer(work, "Alder", Accept())
    assert answered.outcome == AnswerNotUsed(LateReason.AFTER_THE_END)
    assert list_event_types(work) == [LateAnswerRefused]


async def test_an_offer_without_delivery_report_goes_to_the_telephone_and_a_call_can_place_it() -> None:
    work = await make_offer("Alder")
    await fire_timer(work, TimerKind.DELIVERY_OVERDUE)
    assert list_event_types(work) == [OfferRedirected]
    assert work.timers == {}
    offer = await get_live_offer(work)
    answered = await handle_command(RecordCall(PACKAGE, offer.offer_id, CallResult.REACHED, Accept()), work)
    assert isinstance(answered.outcome, Placed)
    assert list_event_types(work)[0] is CallRecorded


async def test_an_undeliverable_offer_goes_to_the_telephone() -> None:
    work = await make_offer("Alder")
    offer = await get_live_offer(work)
    undeliverable = OfferUndeliverable(
        package_id=PACKAGE,
        offer_id=offer.offer_id,
        provider_id=offer.provider_id,
        channel=Channel.WEBHOOK,
        first_attempt_at=work.now,
        reason="timed out",
    )
    await handle_event(undeliverable, work)
    assert list_event_types(work) == [OfferRedirected]
    assert (await get_live_offer(work)).awaits_call


async def test_a_request_while_the_brokerage_is_closed_waits_for_its_opening() -> None:
    work = build_work(a_market("Alder"), at=on_monday("06:00"))
    await handle_event(a_request(), work)
    assert OfferMade not in list_event_types(work)
    assert work.timers[TimerKind.NEXT_OFFER_DUE, str(PACKAGE)].at == on_monday("08:30")
    await fire_timer(work, TimerKind.NEXT_OFFER_DUE)
    assert list_event_types(work) == [OfferMade]


async def test_a_withdrawal_stops_the_search_and_every_timer() -> None:
    work = await make_delivered_offer("Alder")
    await handle_event(a_withdrawal(), work)
    assert list_event_types(work) == [OfferWithdrawn, SourcingStopped]
    assert (await get_search(work)).status is SearchStatus.STOPPED
    assert work.timers == {}


async def test_a_withdrawal_before_any_request_is_answered_and_begins_no_search() -> None:
    work = build_work(a_market("Alder"))
    await handle_event(a_withdrawal(), work)
    assert list_event_types(work) == [SourcingStopped]
    assert await work.searches.get(PACKAGE) is None


async def test_an_answer_to_an_unknown_offer_is_refused_without_reading_projections() -> None:
    work = build_work(a_market("Alder"))
    nobodys = OfferId(UUID(int=1))
    with pytest.raises(OfferNotFound):
        await handle_command(AnswerOffer(PACKAGE, nobodys, to_provider_id("Alder"), Accept()), work)
    with pytest.raises(OfferNotFound):
        await handle_command(RecordCall(PACKAGE, nobodys, CallResult.REACHED, Accept()), work)
    assert (work.markets.read_count, list_event_types(work)) == (0, [])


def test_every_timer_has_a_handler_and_a_precedence() -> None:
    assert {each.kind for each in TIMERS} == {*TimerKind, SEND_LIST, CLOSE_LIST, OUTAGE_OVER, PROJECTION_UPDATED}
    assert set(PRECEDENCE) == set(TimerKind)
    assert PRECEDENCE[TimerKind.OFFER_EXPIRES] < PRECEDENCE[TimerKind.DELIVERY_OVERDUE]
