"""The one handler behind every event, timer and command: load the search, decide, save it, publish.

What follows from each trigger is in `domain.decisions.DECISIONS`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from contracts.events.packages import PackageRequested
from contracts.ids import PackageId
from contracts.precedence import Precedence
from service_runtime.heartbeat import OUTAGE_OVER
from service_runtime.projections.projections import PROJECTION_UPDATED
from service_runtime.timers.timers import DueTimer, Timer
from sourcing.domain.decisions import decide, is_stale
from sourcing.domain.market import MarketSnapshot, parse_missing
from sourcing.domain.market_selection import find_named_provider
from sourcing.domain.milestones import FirstOfferMilestone, Milestone, OfferMilestone, find_milestones
from sourcing.domain.search import Search
from sourcing.domain.steps import CancelledTimer, Outcome, ScheduledTimer, Step, TimerKind
from sourcing.domain.triggers import (
    ChangeVersion,
    Command,
    EventTrigger,
    Outage,
    OutageOver,
    ProjectionUpdated,
    TimerTrigger,
    Trigger,
    build_timer_trigger,
)
from sourcing.ports import OFFERS, OFFERS_PER_PLACEMENT, TIME_TO_FIRST_OFFER, TIME_TO_PLACE, SourcingWork

PRECEDENCE: Final = {
    TimerKind.OFFER_EXPIRES: Precedence.EXPIRY,
    TimerKind.DELIVERY_OVERDUE: Precedence.UNDELIVERABLE,
    TimerKind.NEXT_OFFER_DUE: Precedence.OPENING,
    TimerKind.LISTED_TOO_LONG: Precedence.LIST_GOES_OUT,
}
RUNTIME_TIMERS: Final[Mapping[str, TimerTrigger]] = {
    OUTAGE_OVER: OutageOver(),
    PROJECTION_UPDATED: ProjectionUpdated(),
}
"""Timers that the runtime schedules; every other kind is a TimerKind."""
MAX_READS: Final = 16
"""Reads of the projections for one decision; more mean that it asks for an entry that no read contains."""


@dataclass(frozen=True)
class CommandResult:
    """The outcome of a command, and the search after it."""

    outcome: Outcome
    search: Search


async def handle_event(event: EventTrigger, work: SourcingWork) -> None:
    """Advance the search of the event's package."""
    await _advance_search(event, event.package_id, work)


async def handle_timer(timer: DueTimer, work: SourcingWork) -> None:
    """Advance the search of the package whose timer is due."""
    trigger = RUNTIME_TIMERS.get(timer.kind) or build_timer_trigger(TimerKind(timer.kind), timer.about)
    await _advance_search(trigger, PackageId(UUID(timer.stream.key)), work)


async def handle_command(command: Command, work: SourcingWork) -> CommandResult:
    """Advance the search of the command's package and return what came of the command. Raises what `decide` raises."""
    step = await _advance_search(command, command.package_id, work)
    assert step.search is not None, "decide() refuses a command about a package that was never requested"
    return CommandResult(step.outcome, step.search)


async def _advance_search(trigger: Trigger, package_id: PackageId, work: SourcingWork) -> Step:
    search = await work.searches.get(package_id)
    step = await _decide_or_hold(search, trigger, work)
    if step.search is not None and step.search is not search:
        await work.searches.save(step.search, before=search)
        _observe_milestones(find_milestones(search, step.search), work)
    work.publish(*step.events)
    for timer in step.timers:
        _change_timer(timer, work)
    return step


async def _decide_or_hold(search: Search | None, trigger: Trigger, work: SourcingWork) -> Step:
    """Decide on the projections as they are, and hold the search where they have gaps.

    If an entry arrives between the read and the hold, the hold fails and the decision is made again.
    """
    care = search.care if search is not None else trigger.care if isinstance(trigger, PackageRequested) else None
    if care is None:
        return decide(None, trigger, market=MarketSnapshot(), at=work.now, new_id=work.new_id)
    if search is not None and is_stale(search, trigger):
        return Step(search)
    outages = await _list_outages(search, work)
    named = find_named_provider(trigger)
    target = trigger.version if isinstance(trigger, ChangeVersion) else None
    for _ in range(MAX_READS):
        market = await work.markets.read(care, search, at=work.now, provider_id=named, target_version=target)
        step = decide(search, trigger, market=market, at=work.now, new_id=work.new_id, outages=outages)
        if step.search is None or not step.search.missing:
            return step
        missing = map(parse_missing, step.search.missing)
        if await work.hold((entry.projection, entry.key) for entry in missing):
            return step
    raise RuntimeError(f"{MAX_READS} reads of the projections did not contain what the decision asks for")


async def _list_outages(search: Search | None, work: SourcingWork) -> Sequence[Outage]:
    """List the outages since the first live offer was made; none unless the time to answer runs."""
    running = [offer for offer in search.live_offers if offer.answer_by is not None] if search is not None else []
    return await work.outages.list_since(min(offer.made_at for offer in running)) if running else ()


def _change_timer(timer: ScheduledTimer | CancelledTimer, work: SourcingWork) -> None:
    if isinstance(timer, CancelledTimer):
        work.cancel(timer.kind, timer.about)
        return
    work.schedule(Timer(timer.kind, timer.about, timer.at, PRECEDENCE[timer.kind]))


def _observe_milestones(milestones: Sequence[Milestone], work: SourcingWork) -> None:
    for milestone in milestones:
        labels = (work.cause.council, milestone.stage)
        if isinstance(milestone, OfferMilestone):
            work.observe(OFFERS, 1, labels=(*labels, milestone.channel))
            continue
        if isinstance(milestone, FirstOfferMilestone):
            work.observe(TIME_TO_FIRST_OFFER, milestone.after.total_seconds(), labels=labels)
            continue
        work.observe(TIME_TO_PLACE, milestone.after.total_seconds(), labels=labels)
        work.observe(OFFERS_PER_PLACEMENT, milestone.offers, labels=labels)
