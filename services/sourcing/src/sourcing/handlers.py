"""The handler behind every event, timer and command of a search: load it, decide, save it, publish.

What follows from each trigger is in `domain.decisions.DECISIONS`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final
from uuid import UUID

from contracts.events.lists import ListKind, ListReturned, ListRowAdded, ReturnChannel, ReturnedListRow
from contracts.events.packages import PackageRequested
from contracts.ids import ListId, PackageId, ProviderId
from contracts.precedence import Precedence
from service_runtime.heartbeat import OUTAGE_OVER
from service_runtime.projections.projections import PROJECTION_UPDATED
from service_runtime.timers.timers import DueTimer, Timer
from sourcing.domain.competitions.competition import CompetitionStatus
from sourcing.domain.competitions.contents import parse_content
from sourcing.domain.competitions.texts import list_dropped_texts, list_kept_texts
from sourcing.domain.competitions.triggers import CompetitionCommand, CompetitionDue
from sourcing.domain.decisions import decide, is_stale
from sourcing.domain.market import MarketSnapshot, parse_missing
from sourcing.domain.market_selection import find_named_provider
from sourcing.domain.milestones import FirstOfferMilestone, Milestone, OfferMilestone, find_milestones
from sourcing.domain.search import Search
from sourcing.domain.sent_list import build_available_list, build_batching_list, build_closing, split_into_parts
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
from sourcing.ports import (
    CLOSE_LIST,
    OFFERS,
    OFFERS_PER_PLACEMENT,
    SEND_LIST,
    TIME_TO_FIRST_OFFER,
    TIME_TO_PLACE,
    NewText,
    SourcingWork,
)

PRECEDENCE: Final = {
    TimerKind.OFFER_EXPIRES: Precedence.EXPIRY,
    TimerKind.DELIVERY_OVERDUE: Precedence.UNDELIVERABLE,
    TimerKind.NEXT_OFFER_DUE: Precedence.OPENING,
    TimerKind.LISTED_TOO_LONG: Precedence.LIST_GOES_OUT,
    TimerKind.LIST_CUT_OFF: Precedence.LIST_GOES_OUT,
    TimerKind.LIST_CLOSES: Precedence.LIST_CLOSES,
    TimerKind.LIST_GOES_OUT: Precedence.LIST_GOES_OUT,
    TimerKind.COMPETITION_CLOSES: Precedence.LIST_CLOSES,
}
RUNTIME_TIMERS: Final[Mapping[str, TimerTrigger]] = {
    OUTAGE_OVER: OutageOver(),
    PROJECTION_UPDATED: ProjectionUpdated(),
}
"""Timers that the runtime schedules; every other kind is a TimerKind."""
SEND_LIST_RETRY: Final = timedelta(seconds=1)
"""How long a list waits before it looks again whether all packages have joined it."""
MAX_READS: Final = 16
"""Reads of the projections for one decision; more mean that it asks for an entry that no read contains."""


@dataclass(frozen=True)
class CommandResult:
    """The outcome of a command, and the search after it."""

    outcome: Outcome
    search: Search


@dataclass(frozen=True)
class RecordReturn:
    """A provider, or an officer for it, returned a list; the rows were applied before."""

    list_id: ListId
    provider_id: ProviderId
    channel: ReturnChannel
    entered_by: str | None
    file_hash: str
    rows: tuple[ReturnedListRow, ...]


async def handle_event(event: EventTrigger, work: SourcingWork) -> None:
    """Advance the search of the event's package."""
    await _advance_search(event, event.package_id, work)


async def handle_timer(timer: DueTimer, work: SourcingWork) -> None:
    """Advance the search of the package whose timer is due."""
    trigger = RUNTIME_TIMERS.get(timer.kind) or build_timer_trigger(TimerKind(timer.kind), timer.about)
    package_id = PackageId(UUID(timer.stream.key))
    if isinstance(trigger, CompetitionDue):
        trigger = await _unseal_bids(trigger, package_id, work)
    await _advance_search(trigger, package_id, work)


async def handle_command(command: Command, work: SourcingWork) -> CommandResult:
    """Advance the search of the command's package and return what came of the command. Raises what `decide` raises."""
    step = await _advance_search(command, command.package_id, work)
    assert step.search is not None, "decide() refuses a command about a package that was never requested"
    return CommandResult(step.outcome, step.search)


@dataclass(frozen=True)
class CommandWithTexts:
    """A command about a competition, and the texts that it names by their ids."""

    command: CompetitionCommand
    texts: tuple[NewText, ...] = ()


async def handle_command_with_texts(request: CommandWithTexts, work: SourcingWork) -> CommandResult:
    """As `handle_command`; the texts that are on record are stored, and those of replaced bids deleted."""
    step = await _advance_search(request.command, request.command.package_id, work)
    assert step.search is not None, "decide() refuses a command about a package that was never requested"
    kept = set(list_kept_texts(step.events))
    for each in request.texts:
        if each.text_id in kept:
            work.texts.put(each)
    for text_id in list_dropped_texts(step.events):
        work.texts.delete(text_id)
    return CommandResult(step.outcome, step.search)


async def _unseal_bids(trigger: CompetitionDue, package_id: PackageId, work: SourcingWork) -> CompetitionDue:
    """Return the trigger with the contents of the competition's bids; the close is the first to read them."""
    search = await work.searches.get(package_id)
    competition = None if search is None else search.competition
    if competition is None or competition.competition_id != trigger.competition_id:
        return trigger
    found = await work.texts.find([bid.bid_id for bid in competition.bids])
    contents = {bid.bid_id: found[bid.bid_id] for bid in competition.bids if bid.bid_id in found}
    return replace(trigger, bids=tuple(parse_content(text).to_unsealed(bid_id) for bid_id, text in contents.items()))


async def _advance_search(trigger: Trigger, package_id: PackageId, work: SourcingWork) -> Step:
    search = await work.searches.get(package_id)
    step = await _decide_or_hold(search, trigger, work)
    if step.search is not None and step.search is not search:
        await work.searches.save(step.search, before=search)
        _observe_milestones(find_milestones(search, step.search), work)
    work.publish(*step.events)
    for event in step.events:
        if isinstance(event, ListRowAdded):
            work.lists.add_row(event)
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
    """List the outages since the first live offer was made, or the competition opened; none unless a time runs."""
    if search is None:
        return ()
    running = [offer.made_at for offer in search.live_offers if offer.answer_by is not None]
    competition = search.competition
    if competition is not None and competition.status is CompetitionStatus.OPEN:
        running.append(competition.opened_at)
    return await work.outages.list_since(min(running)) if running else ()


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


async def send_list(timer: DueTimer, work: SourcingWork) -> None:
    """Send the rows of a list that were not sent yet, when all packages that are due have joined it."""
    list_id = ListId(UUID(timer.about))
    unsent = await work.lists.list_unsent_rows(list_id)
    if unsent is None:
        return
    sent, rows = unsent
    definition = work.lists.find_definition(sent.framework)
    if definition is None or await work.lists.has_rows_to_come(sent):
        work.schedule(Timer(SEND_LIST, timer.about, work.now + SEND_LIST_RETRY, Precedence.LIST_SENT))
        return
    build = build_batching_list if sent.kind is ListKind.BATCHING_LIST else build_available_list
    market = work.lists.list_market()
    for part in split_into_parts(rows):
        sent, issued = build(sent, part, definition, market, at=work.now)
        work.publish(issued)
        work.lists.mark_sent(part, issued)
    work.lists.save(sent, issued_at=work.now)
    if sent.closes_at is not None:
        work.schedule(Timer(CLOSE_LIST, timer.about, sent.closes_at, Precedence.LIST_CLOSES))


async def close_list(_: DueTimer, work: SourcingWork) -> None:
    """Publish that a Batching List is closed; its packages go on in their own streams."""
    sent = work.lists.get()
    if sent is None or sent.closed_at is not None:
        return
    rows, rows_with_interest = await work.lists.count_rows(sent.list_id)
    closed, event = build_closing(sent, rows, rows_with_interest, at=work.now)
    work.publish(event)
    work.lists.save(closed, issued_at=work.now)


async def record_return(command: RecordReturn, work: SourcingWork) -> None:
    """Publish what came of a returned list, row by row."""
    work.publish(
        ListReturned(
            list_id=command.list_id,
            provider_id=command.provider_id,
            channel=command.channel,
            entered_by=command.entered_by,
            file_hash=command.file_hash,
            rows=command.rows,
        )
    )
