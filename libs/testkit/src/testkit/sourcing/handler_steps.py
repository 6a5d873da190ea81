"""Steps for tests of sourcing's handlers: offers, deliveries, answers and timers in an in-memory unit of work."""

from datetime import datetime
from uuid import uuid4

from contracts.catalogue import PACKAGES
from contracts.events.frameworks import FrameworkPublished
from contracts.events.offers import OfferDelivered
from contracts.examples import COUNCIL
from contracts.precedence import Precedence
from contracts.values import Channel
from service_runtime.projections.projections import PROJECTION_UPDATED
from service_runtime.timers.timers import DueTimer, Timer
from service_runtime.unit_of_work.streams import StreamKey
from sourcing.domain.market import MarketSnapshot
from sourcing.domain.offer import Offer, ProviderAnswer
from sourcing.domain.search import Search
from sourcing.domain.steps import TimerKind
from sourcing.domain.triggers import AnswerOffer
from sourcing.handlers import CommandResult, handle_command, handle_event
from sourcing.ports import DEFINITIONS
from sourcing.subscriptions import TIMERS
from testkit.sourcing.builders import (
    PACKAGE,
    a_market,
    a_request,
    on_monday,
    to_provider_id,
)
from testkit.sourcing.definitions import FRAMEWORK, a_definition
from testkit.sourcing.fakes import InMemoryMarkets, InMemorySourcingWork

DEFINITION = (DEFINITIONS.name, FRAMEWORK)
DEFINITION_PUBLISHED = FrameworkPublished(definition=a_definition())


def build_work(market: MarketSnapshot, *, at: datetime | None = None) -> InMemorySourcingWork:
    return InMemorySourcingWork(now=at or on_monday("09:00"), markets=InMemoryMarkets(lambda: market))


async def make_offer(*ranked: str) -> InMemorySourcingWork:
    """The first of `ranked` has an offer, which is on its way."""
    work = build_work(a_market(*ranked))
    await handle_event(a_request(), work)
    work.published.clear()
    return work


async def make_delivered_offer(*ranked: str) -> InMemorySourcingWork:
    """The first of `ranked` has an offer, and its time to answer runs."""
    work = await make_offer(*ranked)
    await handle_event(a_delivery(await get_live_offer(work), at=work.now), work)
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


async def get_search(work: InMemorySourcingWork) -> Search:
    search = await work.searches.get(PACKAGE)
    assert search is not None
    return search


async def get_live_offer(work: InMemorySourcingWork) -> Offer:
    (offer,) = (await get_search(work)).live_offers
    return offer


def list_event_types(work: InMemorySourcingWork) -> list[type]:
    """What was published since the test last asked."""
    published = [type(event) for event in work.published]
    work.published.clear()
    return published


def list_timers(work: InMemorySourcingWork) -> list[tuple[str, int]]:
    return [(timer.kind, timer.precedence) for timer in work.timers.values()]


async def answer_offer(work: InMemorySourcingWork, name: str, reply: ProviderAnswer) -> CommandResult:
    offer = next(each for each in (await get_search(work)).offers if each.provider_id == to_provider_id(name))
    return await handle_command(AnswerOffer(PACKAGE, offer.offer_id, to_provider_id(name), reply), work)


async def fire_timer(work: InMemorySourcingWork, kind: TimerKind, *, at: datetime | None = None) -> None:
    """The timer of this kind is due; what it is for, the table of timers says."""
    timer = next(timer for timer in work.timers.values() if timer.kind == kind)
    work.now = at or timer.at
    work.cancel(timer.kind, timer.about)
    await handle_due_timer(work, timer)


async def publish_projection_update(work: InMemorySourcingWork) -> None:
    """What the search was held for has moved: who held is woken, once."""
    work.projections.holds.clear()
    await handle_due_timer(work, Timer(PROJECTION_UPDATED, str(uuid4()), work.now, Precedence.FACT))


async def handle_due_timer(work: InMemorySourcingWork, timer: Timer) -> None:
    handler = next(each.handler for each in TIMERS if each.kind == timer.kind)
    stream = StreamKey(PACKAGES, str(PACKAGE))
    await handler(DueTimer(uuid4(), stream, timer.kind, timer.about, timer.at, COUNCIL, "test", ""), work)


class DefinitionArrivesLate:
    """The definition is published just after the first look, when nobody holds for it yet."""

    def __init__(self, work: InMemorySourcingWork) -> None:
        self._work = work

    def __call__(self) -> MarketSnapshot:
        if self._work.markets.read_count > 1:
            return a_market("Alder")
        self._work.projections.apply(DEFINITIONS, DEFINITION_PUBLISHED, sequence=1)
        return MarketSnapshot()
