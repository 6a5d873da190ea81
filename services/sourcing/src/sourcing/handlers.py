"""What sourcing does when something happens: load, decide, save, publish."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from contracts.events.orders import SpotPriceApproved, SpotPriceRefused
from contracts.events.packages import (
    CallResult,
    OfferDeclined,
    OfferDelivered,
    OfferExpired,
    OfferUndeliverable,
    OfferWithdrawn,
    PackageRequested,
    WithdrawalRequested,
)
from contracts.ids import OfferId, PackageId, ProviderId
from service_runtime.timers.timers import DueTimer, Precedence, Timer
from sourcing.domain.decisions import decide, is_old_news
from sourcing.domain.errors import OfferNotFound
from sourcing.domain.market import Market, awaited_entry
from sourcing.domain.milestones import FirstOffer, Milestone, milestones
from sourcing.domain.search import Offer, Reply, Search
from sourcing.domain.steps import Alarm, AlarmKind, Cancelled, Outcome, Step
from sourcing.domain.triggers import (
    AnswerOffer,
    Award,
    Happening,
    NextOfferDue,
    Outage,
    OutageOver,
    Propose,
    RecordCall,
    Retry,
    what_is_due,
)
from sourcing.ports import OFFERS_PER_PLACEMENT, TIME_TO_FIRST_OFFER, TIME_TO_PLACE, SourcingWork

PRECEDENCE: Final = {
    AlarmKind.OFFER_EXPIRES: Precedence.EXPIRY,
    AlarmKind.DELIVERY_OVERDUE: Precedence.UNDELIVERABLE,
    AlarmKind.NEXT_OFFER_DUE: Precedence.OPENING,
    AlarmKind.LISTED_TOO_LONG: Precedence.LIST_GOES_OUT,
}


async def start_sourcing(event: PackageRequested, work: SourcingWork) -> None:
    """A package is to be sourced: the search starts, and its first offer goes out if it can."""
    await _take(event, event.package_id, work)


async def note_delivery(event: OfferDelivered, work: SourcingWork) -> None:
    """The provider has the offer: its time to answer begins."""
    await _take(event, event.package_id, work)


async def note_undeliverable(event: OfferUndeliverable, work: SourcingWork) -> None:
    """The offer reached nobody: an officer telephones."""
    await _take(event, event.package_id, work)


async def offer_next(event: OfferDeclined | OfferExpired | OfferWithdrawn, work: SourcingWork) -> None:
    """An offer has ended without a placement: the package moves on, to the next provider or the next stage."""
    await _take(event, event.package_id, work)


async def stop_sourcing(event: WithdrawalRequested, work: SourcingWork) -> None:
    """The council wants the package back: the search stops, or the placement is undone; never both."""
    await _take(event, event.package_id, work)


async def place_what_is_approved(event: SpotPriceApproved, work: SourcingWork) -> None:
    """A second officer agrees to a price above the ceiling."""
    await _take(event, event.package_id, work)


async def reopen(event: SpotPriceRefused, work: SourcingWork) -> None:
    """A second officer does not agree: the package stays open to all."""
    await _take(event, event.package_id, work)


async def give_back_lost_time(timer: DueTimer, work: SourcingWork) -> None:
    """We were down: the live offer gains the time in which nobody could answer."""
    await _take(OutageOver(), _package(timer), work)


async def watch_the_clock(timer: DueTimer, work: SourcingWork) -> None:
    """An offer's time is over, nobody has said how its delivery went, or a package is open for too long."""
    await _take(what_is_due(AlarmKind(timer.kind), timer.about), _package(timer), work)


async def look_for_next_provider(timer: DueTimer, work: SourcingWork) -> None:
    """The brokerage opens, or the next provider should have been asked by now."""
    await _take(NextOfferDue(), _package(timer), work)


async def try_again(timer: DueTimer, work: SourcingWork) -> None:
    """Something that the search was held for has moved."""
    await _take(Retry(), _package(timer), work)


@dataclass(frozen=True)
class AnswerAnOffer:
    """A provider answers one of its offers."""

    package_id: PackageId
    offer_id: OfferId
    provider_id: ProviderId
    reply: Reply


@dataclass(frozen=True)
class RecordACall:
    """An officer telephoned about an offer, and perhaps got an answer."""

    package_id: PackageId
    offer_id: OfferId
    result: CallResult
    reply: Reply | None


@dataclass(frozen=True)
class ProposeToTake:
    """A provider proposes to take an open package."""

    package_id: PackageId
    proposal: Propose


@dataclass(frozen=True)
class AwardAProposal:
    """An officer takes a provider's proposal."""

    package_id: PackageId
    award: Award


@dataclass(frozen=True)
class Decided:
    """What came of an order about an open package, with the search as it stands after it."""

    outcome: Outcome
    search: Search


@dataclass(frozen=True)
class Answered:
    """What an answer was worth, with the offer as it stands after it."""

    outcome: Outcome
    offer: Offer
    search: Search


async def answer_offer(command: AnswerAnOffer, work: SourcingWork) -> Answered:
    order = AnswerOffer(command.offer_id, command.provider_id, command.reply)
    return _answered(await _take(order, command.package_id, work), command.offer_id)


async def record_call(command: RecordACall, work: SourcingWork) -> Answered:
    order = RecordCall(command.offer_id, command.result, command.reply)
    return _answered(await _take(order, command.package_id, work), command.offer_id)


async def propose_to_take(command: ProposeToTake, work: SourcingWork) -> Decided:
    return _decided(await _take(command.proposal, command.package_id, work))


async def award_a_proposal(command: AwardAProposal, work: SourcingWork) -> Decided:
    return _decided(await _take(command.award, command.package_id, work))


async def _take(happening: Happening, package_id: PackageId, work: SourcingWork) -> Step:
    """The one way a search moves on: load it, decide on what the views say, save, publish."""
    search = await work.searches.get(package_id)
    step = await _decide(search, happening, work)
    if step.search is not None and step.search is not search:
        await work.searches.save(step.search, before=search)
        _measure(milestones(search, step.search), work)
    work.publish(*step.events)
    for alarm in step.timers:
        _set(alarm, work)
    return step


async def _decide(search: Search | None, happening: Happening, work: SourcingWork) -> Step:
    """A step that is either complete or held; a view that moves while it is being held is looked at again."""
    care = search.care if search is not None else happening.care if isinstance(happening, PackageRequested) else None
    if care is None:
        return decide(None, happening, market=Market(), at=work.now, new_id=work.new_id)
    if search is not None and is_old_news(search, happening):
        return Step(search)
    outages = await _outages(search, work)
    about = happening.provider_id if isinstance(happening, Propose) else None
    while True:
        market = await work.markets.read(care, search, at=work.now, about=about)
        step = decide(search, happening, market=market, at=work.now, new_id=work.new_id, outages=outages)
        if step.search is None or not step.search.missing:
            return step
        awaited = map(awaited_entry, step.search.missing)
        if await work.hold((entry.view, entry.key) for entry in awaited):
            return step


async def _outages(search: Search | None, work: SourcingWork) -> Sequence[Outage]:
    """Those that matter: since the live offer was made, where its clock runs."""
    offer = search.live_offer if search is not None else None
    if offer is None or offer.answer_by is None:
        return ()
    return await work.outages.since(offer.made_at)


def _set(alarm: Alarm | Cancelled, work: SourcingWork) -> None:
    if isinstance(alarm, Cancelled):
        work.cancel(alarm.kind, alarm.about)
        return
    work.schedule(Timer(alarm.kind, alarm.about, alarm.at, PRECEDENCE[alarm.kind]))


def _measure(reached: Sequence[Milestone], work: SourcingWork) -> None:
    for milestone in reached:
        if isinstance(milestone, FirstOffer):
            work.observe(TIME_TO_FIRST_OFFER, milestone.after.total_seconds())
            continue
        work.observe(TIME_TO_PLACE, milestone.after.total_seconds())
        work.observe(OFFERS_PER_PLACEMENT, milestone.offers)


def _package(timer: DueTimer) -> PackageId:
    return PackageId(UUID(timer.stream.key))


def _decided(step: Step) -> Decided:
    assert step.search is not None, "an order about a package that was never requested is refused"
    return Decided(step.outcome, step.search)


def _answered(step: Step, offer_id: OfferId) -> Answered:
    offer = step.search.offer(offer_id) if step.search is not None else None
    if step.search is None or offer is None:
        raise OfferNotFound
    return Answered(step.outcome, offer, step.search)
