"""Replays the decisions about one package from the record, and states where the result differs.

Each decision is made again by `decide` on the recorded trigger, instant and ids, and on the market as it was recorded;
its events must equal those on record, prices included.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from contracts.errors import CallOffError
from contracts.events.base import PackageEvent
from contracts.events.competitions import CompetitionExtended
from contracts.events.offers import OfferExpired, OfferExtended, OfferRedirected
from contracts.events.packages import PackageRequested
from contracts.events.reasons import ExtensionCause
from contracts.events.searches import SourcingHeld
from sourcing.domain.decisions import decide
from sourcing.domain.evolution import apply_event
from sourcing.domain.market import MarketSnapshot
from sourcing.domain.recorded_ids import RecordedIds
from sourcing.domain.recorded_market import RecordedMarket
from sourcing.domain.replay_comparison import compare_events
from sourcing.domain.replay_triggers import RecordedDecision, RecordedEvent, find_trigger
from sourcing.domain.search import Search
from sourcing.domain.triggers import Outage, TimerTrigger, Trigger

_FAILURES: Final = (CallOffError, LookupError, ValueError, AssertionError, StopIteration)
"""What a decision raises where the record is incomplete, or was changed so that it contradicts itself."""


@dataclass(frozen=True)
class ReplayedDecision:
    """A decision that was made again; without differences it is the same."""

    decision: RecordedDecision
    differences: tuple[str, ...]

    @property
    def is_same(self) -> bool:
        return not self.differences


def replay_package(
    record: Sequence[RecordedEvent], market: RecordedMarket, *, runtime_timers: Mapping[str, TimerTrigger]
) -> Sequence[ReplayedDecision]:
    """Replay every decision of sourcing; `record` has the package's events of all services, in the topic's order."""
    causes = {str(each.event_id): each.event for each in record}
    search: Search | None = None
    replayed = list[ReplayedDecision]()
    for is_sourcing, events in _group_by_step(record):
        if not is_sourcing:
            search, _ = _apply_events(search, events)
            continue
        first = events[0]
        decision = RecordedDecision(first.cause, first.at, tuple(each.event for each in events))
        before = _begin_now(search, first.at)
        differences = _replay(before, decision, causes, market, runtime_timers)
        search, impossible = _apply_events(before, events)
        replayed.append(ReplayedDecision(decision, (*differences, *impossible)))
    return replayed


def _apply_events(search: Search | None, events: Iterable[RecordedEvent]) -> tuple[Search | None, Sequence[str]]:
    """Return the search after the events, and a sentence for each that cannot follow from those before it."""
    impossible = list[str]()
    for each in events:
        try:
            search = apply_event(search, each.event, each.at)
        except ValueError as error:
            impossible.append(f"{type(each.event).__name__} cannot follow the events before it: {error}")
    return search, impossible


def _group_by_step(record: Sequence[RecordedEvent]) -> Iterator[tuple[bool, Sequence[RecordedEvent]]]:
    """Yield the events of each step of sourcing together, and each event of another service alone.

    What other services publish meanwhile may stand between the events of one step, and changes nothing in them.
    """
    waiting = iter(_split_into_steps(each for each in record if each.is_sourcing))
    started = set[UUID]()
    for each in record:
        if not each.is_sourcing:
            yield False, (each,)
        elif each.event_id not in started:
            step = next(waiting)
            started |= {one.event_id for one in step}
            yield True, step


def _split_into_steps(own: Iterable[RecordedEvent]) -> Sequence[Sequence[RecordedEvent]]:
    steps = list[list[RecordedEvent]]()
    for each in own:
        before = steps[-1][-1] if steps else None
        if before is None or (before.cause, before.at) != (each.cause, each.at) or _ends_step(before):
            steps.append([])
        steps[-1].append(each)
    return steps


def _ends_step(event: RecordedEvent) -> bool:
    """Return whether no event of the same step follows; timers of one kind may fire at the same instant."""
    if isinstance(event.event, OfferExpired):
        return event.cause.startswith("timer:")
    return isinstance(event.event, SourcingHeld | OfferRedirected)


def _begin_now(search: Search | None, at: datetime) -> Search | None:
    """Return the search with the instant of its first decision, at which sourcing handled the request."""
    is_new = search is not None and search.search_id is None and not search.missing
    return replace(search, requested_at=at) if search is not None and is_new else search


def _replay(
    search: Search | None,
    decision: RecordedDecision,
    causes: Mapping[str, PackageEvent],
    market: RecordedMarket,
    runtime_timers: Mapping[str, TimerTrigger],
) -> Sequence[str]:
    """Make the decision again and return the differences: none if it is the same with or without ties counted."""
    differences = _make_again(search, decision, causes, market, runtime_timers)
    if differences and any(each.at == decision.at for each in market.placements):
        with_ties = _make_again(search, decision, causes, replace(market, counts_ties=True), runtime_timers)
        return with_ties and differences
    return differences


def _make_again(
    search: Search | None,
    decision: RecordedDecision,
    causes: Mapping[str, PackageEvent],
    market: RecordedMarket,
    runtime_timers: Mapping[str, TimerTrigger],
) -> Sequence[str]:
    try:
        trigger = find_trigger(
            decision,
            causes,
            search=search,
            definition=market.find_definition(search, decision.at),
            runtime_timers=runtime_timers,
        )
        before = _remove_request(search, trigger)
        step = decide(
            before,
            trigger,
            market=MarketSnapshot() if search is None else market.read(before, search.care, trigger, decision),
            at=decision.at,
            new_id=RecordedIds(decision).draw,
            outages=_list_outages(decision),
        )
    except _FAILURES as error:
        return (f"cannot be made again: {error or type(error).__name__}",)
    return tuple(compare_events(decision.events, step.events))


def _remove_request(search: Search | None, trigger: Trigger) -> Search | None:
    """Return None where the trigger is the request itself: the search begins with the decision about it."""
    has_begun = search is not None and (search.search_id is not None or search.missing)
    return search if has_begun or not isinstance(trigger, PackageRequested) else None


def _list_outages(decision: RecordedDecision) -> Sequence[Outage]:
    extended = (each for each in decision.events if isinstance(each, OfferExtended | CompetitionExtended))
    return [Outage(each.down_from, each.up_at) for each in extended if each.cause is ExtensionCause.OUTAGE]
