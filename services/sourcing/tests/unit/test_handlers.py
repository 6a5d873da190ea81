"""What the handlers do around a decision: load, save, publish, set timers, and hold for what is not known yet."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest

from contracts.catalogue import PACKAGES
from contracts.events.frameworks import FrameworkPublished
from contracts.events.packages import (
    CallRecorded,
    CallResult,
    LateAnswerRefused,
    LateReason,
    OfferAccepted,
    OfferClockStarted,
    OfferDeclined,
    OfferDelivered,
    OfferExpired,
    OfferMade,
    OfferRedirected,
    OfferUndeliverable,
    OfferWithdrawn,
    PackagePlaced,
    SourcingHeld,
    SourcingStarted,
    SourcingStopped,
    StageEntered,
)
from contracts.ids import OfferId
from contracts.values import Channel
from service_runtime.heartbeat import OUTAGE_OVER
from service_runtime.projections.projections import PROJECTION_UPDATED
from service_runtime.timers.timers import DueTimer, Precedence, Timer
from service_runtime.unit_of_work.streams import StreamKey
from sourcing.domain.errors import OfferNotFound
from sourcing.domain.market import MarketSnapshot
from sourcing.domain.search import Accept, Offer, OfferStatus, ProviderAnswer, Search, SearchStatus
from sourcing.domain.steps import AnswerNotUsed, Declined, Placed, TimerKind
from sourcing.domain.triggers import AnswerOffer, RecordCall
from sourcing.handlers import PRECEDENCE, CommandResult, handle_command, handle_event
from sourcing.ports import DEFINITIONS
from sourcing.subscriptions import TIMERS
from testkit.sourcing.builders import (
    FRAMEWORK,
    PACKAGE,
    a_decline,
    a_definition,
    a_market,
    a_request,
    a_withdrawal,
    monday,
    to_provider_id,
)
from testkit.sourcing.fakes import InMemoryMarkets, InMemorySourcingWork

DEFINITION = (DEFINITIONS.name, FRAMEWORK)
DEFINITION_IS_THERE = FrameworkPublished(definition=a_definition())


def work_on(market: MarketSnapshot, *, at: datetime | None = None) -> InMemorySourcingWork:
    return InMemorySourcingWork(now=at or monday("09:00"), markets=InMemoryMarkets(lambda: market))


async def offered_to(*ranked: str) -> InMemorySourcingWork:
    """The first of `ranked` has an offer, which is on its way."""
    work = work_on(a_market(*ranked))
    await handle_event(a_request(), work)
    work.published.clear()
    return work


async def delivered_to(*ranked: str) -> InMemorySourcingWork:
    """The first of `ranked` has an offer, and its time to answer runs."""
    work = await offered_to(*ranked)
    await handle_event(a_delivery(await live_offer(work), at=work.now), work)
    work.published.clear()
    return work


def a_delivery(offer: Offer, *, at: datetime) -> OfferDelivered:
    return OfferDelivered(
        package_id=PACKAGE,
        offer_id=offer.offer_id,
        provider_id=offer.provider_id,
        channel=Channel.WEBHOOK,
        delivered_at=at,
    )


async def search_in(work: InMemorySourcingWork) -> Search:
    search = await work.searches.get(PACKAGE)
    assert search is not None
    return search


async def live_offer(work: InMemorySourcingWork) -> Offer:
    offer = (await search_in(work)).live_offer
    assert offer is not None
    return offer


def happened(work: InMemorySourcingWork) -> list[type]:
    """What was published since the test last asked."""
    published = [type(event) for event in work.published]
    work.published.clear()
    return published


def timers_of(work: InMemorySourcingWork) -> list[tuple[str, Precedence]]:
    return [(timer.kind, timer.precedence) for timer in work.timers.values()]


async def answers(work: InMemorySourcingWork, name: str, reply: ProviderAnswer) -> CommandResult:
    offer = next(each for each in (await search_in(work)).offers if each.provider_id == to_provider_id(name))
    return await handle_command(AnswerOffer(PACKAGE, offer.offer_id, to_provider_id(name), reply), work)


async def rings(work: InMemorySourcingWork, kind: TimerKind, *, at: datetime | None = None) -> None:
    """The timer of this kind is due; what it is for, the table of timers says."""
    timer = next(timer for timer in work.timers.values() if timer.kind == kind)
    work.now = at or timer.at
    work.cancel(timer.kind, timer.about)
    await due(work, timer)


async def view_moved(work: InMemorySourcingWork) -> None:
    """What the search was held for has moved: who held is woken, once."""
    work.projections.holds.clear()
    await due(work, Timer(PROJECTION_UPDATED, str(uuid4()), work.now, Precedence.FACT))


async def due(work: InMemorySourcingWork, timer: Timer) -> None:
    handler = next(each.handler for each in TIMERS if each.kind == timer.kind)
    stream = StreamKey(PACKAGES, str(PACKAGE))
    await handler(DueTimer(uuid4(), stream, timer.kind, timer.about, timer.at, "essex", "test", ""), work)


class TheDefinitionComes:
    """The definition is published just after the first look, when nobody holds for it yet."""

    def __init__(self, work: InMemorySourcingWork) -> None:
        self._work = work

    def __call__(self) -> MarketSnapshot:
        if self._work.markets.reads > 1:
            return a_market("Alder")
        self._work.projections.hear(DEFINITIONS, DEFINITION_IS_THERE, sequence=1)
        return MarketSnapshot()


# --- a search moves on


async def test_a_request_starts_a_search_makes_the_first_offer_and_watches_its_delivery() -> None:
    work = work_on(a_market("Alder", "Birch"))
    await handle_event(a_request(), work)
    assert happened(work) == [SourcingStarted, StageEntered, OfferMade]
    offer = await live_offer(work)
    assert offer.provider_id == to_provider_id("Alder")
    assert list(work.timers) == [(TimerKind.DELIVERY_OVERDUE, str(offer.offer_id))]
    assert timers_of(work) == [(TimerKind.DELIVERY_OVERDUE, Precedence.UNDELIVERABLE)]


async def test_a_request_that_is_heard_again_changes_nothing() -> None:
    work = await offered_to("Alder")
    before, timers = await search_in(work), dict(work.timers)
    await handle_event(a_request(), work)
    assert (await search_in(work), work.timers, happened(work)) == (before, timers, [])


async def test_the_delivery_starts_the_clock_and_is_not_waited_for_any_more() -> None:
    work = await offered_to("Alder")
    await handle_event(a_delivery(await live_offer(work), at=work.now), work)
    assert happened(work) == [OfferClockStarted]
    assert timers_of(work) == [(TimerKind.OFFER_EXPIRES, Precedence.EXPIRY)]


async def test_an_acceptance_places_the_package_and_leaves_nothing_to_wait_for() -> None:
    work = await delivered_to("Alder")
    answered = await answers(work, "Alder", Accept())
    assert happened(work) == [OfferAccepted, PackagePlaced]
    assert isinstance(answered.outcome, Placed)
    assert (answered.search.offers[0].status, answered.search) == (OfferStatus.ACCEPTED, await search_in(work))
    assert work.timers == {}


async def test_a_decline_is_followed_by_its_own_event_and_by_a_timer_should_that_fail() -> None:
    work = await delivered_to("Alder", "Birch")
    answered = await answers(work, "Alder", a_decline())
    assert answered.outcome == Declined(answered.search.offers[0].offer_id)
    assert timers_of(work) == [(TimerKind.NEXT_OFFER_DUE, Precedence.OPENING)]
    [declined] = work.published
    assert isinstance(declined, OfferDeclined)
    work.published.clear()

    await handle_event(declined, work)
    assert happened(work) == [OfferMade]
    assert (await live_offer(work)).provider_id == to_provider_id("Birch")
    assert [kind for kind, _ in work.timers] == [TimerKind.DELIVERY_OVERDUE]


async def test_what_is_heard_of_an_offer_that_has_ended_needs_no_look_at_the_market() -> None:
    """Systems answer sooner than their delivery is heard of."""
    work = await offered_to("Alder", "Birch")
    offer = await live_offer(work)
    await answers(work, "Alder", a_decline())
    [declined] = [event for event in work.published if isinstance(event, OfferDeclined)]
    looks, before = work.markets.reads, await search_in(work)
    work.published.clear()

    await handle_event(a_delivery(offer, at=work.now), work)
    assert (work.markets.reads, happened(work), await search_in(work)) == (looks, [], before)
    await handle_event(declined, work)
    assert (work.markets.reads, happened(work)) == (looks + 1, [OfferMade])
    after = await search_in(work)
    await handle_event(declined, work)
    assert (happened(work), await search_in(work)) == ([], after)


async def test_a_search_that_nothing_moved_on_looks_for_the_next_provider_by_itself() -> None:
    work = await delivered_to("Alder", "Birch")
    await answers(work, "Alder", a_decline())
    work.published.clear()
    await rings(work, TimerKind.NEXT_OFFER_DUE)
    assert happened(work) == [OfferMade]


async def test_an_offer_expires_when_its_time_is_over_and_not_before() -> None:
    work = await delivered_to("Alder")
    timer = work.timers[TimerKind.OFFER_EXPIRES, str((await live_offer(work)).offer_id)]
    await rings(work, TimerKind.OFFER_EXPIRES, at=timer.at - timedelta(seconds=1))
    assert happened(work) == []
    work.schedule(timer)
    await rings(work, TimerKind.OFFER_EXPIRES)
    assert happened(work) == [OfferExpired]


async def test_an_answer_that_comes_too_late_is_an_outcome_so_that_it_stays_on_record() -> None:
    work = await delivered_to("Alder")
    await rings(work, TimerKind.OFFER_EXPIRES)
    work.published.clear()
    answered = await answers(work, "Alder", Accept())
    assert answered.outcome == AnswerNotUsed(LateReason.AFTER_THE_END)
    assert happened(work) == [LateAnswerRefused]


async def test_an_offer_of_whose_delivery_nobody_speaks_goes_to_the_telephone_and_the_call_can_place_it() -> None:
    work = await offered_to("Alder")
    await rings(work, TimerKind.DELIVERY_OVERDUE)
    assert happened(work) == [OfferRedirected]
    assert work.timers == {}
    offer = await live_offer(work)
    answered = await handle_command(RecordCall(PACKAGE, offer.offer_id, CallResult.REACHED, Accept()), work)
    assert isinstance(answered.outcome, Placed)
    assert happened(work)[0] is CallRecorded


async def test_an_undeliverable_offer_goes_to_the_telephone() -> None:
    work = await offered_to("Alder")
    offer = await live_offer(work)
    undeliverable = OfferUndeliverable(
        package_id=PACKAGE,
        offer_id=offer.offer_id,
        provider_id=offer.provider_id,
        channel=Channel.WEBHOOK,
        first_attempt_at=work.now,
        reason="timed out",
    )
    await handle_event(undeliverable, work)
    assert happened(work) == [OfferRedirected]
    assert (await live_offer(work)).awaits_call


async def test_a_request_while_the_brokerage_is_closed_waits_for_its_opening() -> None:
    work = work_on(a_market("Alder"), at=monday("06:00"))
    await handle_event(a_request(), work)
    assert OfferMade not in happened(work)
    assert work.timers[TimerKind.NEXT_OFFER_DUE, str(PACKAGE)].at == monday("08:30")
    await rings(work, TimerKind.NEXT_OFFER_DUE)
    assert happened(work) == [OfferMade]


async def test_a_withdrawal_stops_the_search_and_every_timer() -> None:
    work = await delivered_to("Alder")
    await handle_event(a_withdrawal(), work)
    assert happened(work) == [OfferWithdrawn, SourcingStopped]
    assert (await search_in(work)).status is SearchStatus.STOPPED
    assert work.timers == {}


async def test_a_withdrawal_before_any_request_is_answered_and_begins_no_search() -> None:
    work = work_on(a_market("Alder"))
    await handle_event(a_withdrawal(), work)
    assert happened(work) == [SourcingStopped]
    assert await work.searches.get(PACKAGE) is None


async def test_an_answer_to_what_was_never_offered_is_refused_without_looking_at_the_market() -> None:
    work = work_on(a_market("Alder"))
    nobodys = OfferId(UUID(int=1))
    with pytest.raises(OfferNotFound):
        await handle_command(AnswerOffer(PACKAGE, nobodys, to_provider_id("Alder"), Accept()), work)
    with pytest.raises(OfferNotFound):
        await handle_command(RecordCall(PACKAGE, nobodys, CallResult.REACHED, Accept()), work)
    assert (work.markets.reads, happened(work)) == (0, [])


# --- a search is held


async def test_a_search_is_held_for_the_entry_of_the_view_that_it_misses() -> None:
    work = work_on(MarketSnapshot())
    await handle_event(a_request(), work)
    assert happened(work) == [SourcingHeld]
    assert (await search_in(work)).missing == (f"{DEFINITIONS.name}/{FRAMEWORK}",)
    assert work.projections.holds == {DEFINITION}
    assert work.markets.reads == 1


async def test_a_complete_step_holds_for_nothing_and_looks_once() -> None:
    work = await offered_to("Alder")
    assert (work.projections.holds, work.markets.reads) == (set(), 1)


async def test_a_view_that_moves_before_the_search_can_hold_for_it_is_looked_at_once_more() -> None:
    work = work_on(MarketSnapshot())
    work.markets.market = TheDefinitionComes(work)
    await handle_event(a_request(), work)
    assert happened(work) == [SourcingStarted, StageEntered, OfferMade]
    assert work.markets.reads == 2
    assert work.projections.holds == set()
    assert (await search_in(work)).missing == ()


async def test_a_held_search_goes_on_when_what_it_misses_is_there() -> None:
    work = work_on(MarketSnapshot())
    await handle_event(a_request(), work)
    work.published.clear()
    work.markets.market = lambda: a_market("Alder")
    await view_moved(work)
    assert happened(work) == [SourcingStarted, StageEntered, OfferMade]
    assert work.projections.holds == set()


async def test_a_held_search_that_is_woken_for_nothing_holds_again_and_says_nothing_new() -> None:
    work = work_on(MarketSnapshot())
    await handle_event(a_request(), work)
    work.published.clear()
    await view_moved(work)
    assert happened(work) == []
    assert work.projections.holds == {DEFINITION}


async def test_what_a_search_misses_later_it_holds_for_then() -> None:
    work = await delivered_to("Alder", "Birch")
    market = a_market("Alder", "Birch")
    alder_only = {to_provider_id("Alder"): market.facts[to_provider_id("Alder")]}
    work.markets.market = lambda: replace(market, facts=alder_only)
    await answers(work, "Alder", a_decline())
    [declined] = work.published
    assert isinstance(declined, OfferDeclined)
    await handle_event(declined, work)
    birch = str(to_provider_id("Birch"))
    assert work.projections.holds == {("eligibility", birch), ("channels", birch)}


# --- the table of timers


def test_every_alarm_has_a_handler_and_its_place_among_things_due_at_one_instant() -> None:
    assert {each.kind for each in TIMERS} == {*TimerKind, OUTAGE_OVER, PROJECTION_UPDATED}
    assert set(PRECEDENCE) == set(TimerKind)
    assert PRECEDENCE[TimerKind.OFFER_EXPIRES] < PRECEDENCE[TimerKind.DELIVERY_OVERDUE]
