"""The judge recomputes the Batching List of a package: who was on it, which ticks count, and what follows."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import pytest

from contracts.events.base import Event
from contracts.events.lists import (
    BatchingListClosed,
    InterestClosed,
    InterestNotUsed,
    InterestRefusal,
    InterestRegistered,
    ListRowAdded,
    ListRowRemoved,
    RowEnd,
)
from contracts.events.offers import OfferDeclined, OfferMade
from contracts.events.officer_acts import ProviderSkipped
from contracts.events.searches import ProviderPassedOver, StageEntered
from contracts.example_words import Tiers
from contracts.examples import an_example_of, an_id
from contracts.ids import ProviderId
from contracts.values import PassOverReason
from judge import find_violations
from testkit.judge_events import OPEN_TO_ALL, PackageEventBuilder, build_open_list_events
from testkit.judge_lists import BATCHING_LIST, FOUR_O_CLOCK, BatchingListBuilder
from testkit.judge_market import ALDER, BIRCH, CEDAR, ELM, TimedEvent, build_market_events
from testkit.judge_records import build_evidence, change_event, move_event, remove_event

HOUR: Final = timedelta(hours=1)
PACKAGE: Final = an_id("package on a Batching List")
VALID: Final = [*build_market_events(), *build_open_list_events()]


def judge(events: Sequence[TimedEvent]) -> list[str]:
    """Judges the events; packages that are still open are on the work list."""
    evidence = build_evidence(events)
    packages = {record.key for record in evidence.records}
    return find_violations(replace(evidence, work_list=packages, statuses=dict.fromkeys(packages, "running")))


def insert(events: Sequence[TimedEvent], before: type[Event], *more: TimedEvent, index: int = 0) -> list[TimedEvent]:
    at = [number for number, each in enumerate(events) if isinstance(each.event, before)][index]
    return [*events[:at], *more, *events[at:]]


def tell(kind: type[Event], at: datetime, **fields: object) -> TimedEvent:
    return TimedEvent(an_example_of(kind, package_id=OPEN_TO_ALL, **fields), at)


def listed_while_offered(
    *, ticks: Sequence[ProviderId] = (), missed: Sequence[ProviderId] = (CEDAR,)
) -> list[TimedEvent]:
    """A package that is with Birch at 16:00; Birch declines at 16:05, and Cedar is not asked before the closing."""
    builder, batching = PackageEventBuilder(PACKAGE), BatchingListBuilder(PACKAGE, (ALDER, BIRCH, CEDAR))
    events = [
        *build_market_events(),
        *builder.start_sourcing(),
        builder.enter_stage("tier-1", Tiers.ONE, ALDER, BIRCH, CEDAR),
        builder.pass_over(ALDER, PassOverReason.EMBARGOED),
    ]
    builder.now = FOUR_O_CLOCK - timedelta(minutes=5)
    events += [*builder.make_offer("tier-1", BIRCH), *batching.issue(), builder.decline(BIRCH)]
    events += [batching.tick(each) for each in ticks]
    closed, list_closed = batching.close(*ticks)
    builder.now = batching.closes_at
    passed = [builder.pass_over(each, PassOverReason.LISTED_NO_TICK) for each in missed]
    by_ticks = builder.enter_stage("batching-list", Tiers.ONE, *ticks)
    following = by_ticks if ticks else builder.enter_stage("tier-2", Tiers.TWO, ELM)
    return [*events, closed, *passed, list_closed, following]


def test_a_package_that_goes_the_whole_road_has_no_violation() -> None:
    assert judge(VALID) == []


def test_whoever_was_not_asked_and_does_not_tick_is_passed_over() -> None:
    assert judge(listed_while_offered()) == []
    assert judge(listed_while_offered(ticks=(CEDAR,), missed=())) == []
    assert judge(listed_while_offered(ticks=(BIRCH,), missed=(CEDAR,))) == []


def ask_while_out() -> list[TimedEvent]:
    offer = PackageEventBuilder(OPEN_TO_ALL, FOUR_O_CLOCK + HOUR).make_offer("tier-1", ELM)
    return insert(VALID, InterestRegistered, *offer[:1])


def leave_before_the_list() -> list[TimedEvent]:
    builder = PackageEventBuilder(PACKAGE)
    events = [
        *build_market_events(),
        *builder.start_sourcing(),
        builder.enter_stage("tier-1", Tiers.ONE, ALDER, BIRCH, CEDAR),
        builder.pass_over(ALDER, PassOverReason.EMBARGOED),
    ]
    for provider in (BIRCH, CEDAR):
        events += [*builder.make_offer("tier-1", provider), builder.decline(provider)]
    return [*events, builder.enter_stage("tier-2", Tiers.TWO, ELM), *builder.make_offer("tier-2", ELM)]


def miss_the_list() -> list[TimedEvent]:
    return leave_before_the_list()[:-4]


def wait(events: Sequence[TimedEvent], until: timedelta) -> list[TimedEvent]:
    """Adds an event of another package, so that the evidence is of a later instant."""
    other = PackageEventBuilder(an_id("another package"), events[-1].at + until)
    return [*events, *other.start_sourcing()]


ANOTHER_TICK: Final = {"list_id": BATCHING_LIST, "provider_id": BIRCH}
PLANTED: Final[dict[str, tuple[Sequence[TimedEvent], str]]] = {
    "was with the stage and on no list": (wait(miss_the_list(), 8 * HOUR), "and on no Batching List"),
    "left the stage before the cut-off": (leave_before_the_list(), "did not wait for the list of that day"),
    "listed before the cut-off": (move_event(VALID, ListRowAdded, -HOUR), "which is no cut-off"),
    "listed late without saying so": (move_event(VALID, ListRowAdded, HOUR), "has late False, not True"),
    "said to be late": (change_event(VALID, ListRowAdded, late=True), "has late True, not False"),
    "of another day": (
        change_event(VALID, ListRowAdded, day=(FOUR_O_CLOCK - 24 * HOUR).date()),
        "has day 2026-03-01, not 2026-03-02",
    ),
    "taken from another stage": (change_event(VALID, ListRowAdded, taken_from="tier-2"), "has taken_from tier-2"),
    "open to fewer than the stage has": (
        change_event(VALID, ListRowAdded, providers=(BIRCH, CEDAR)),
        "Batching List has providers",
    ),
    "to be returned a day later": (
        change_event(VALID, ListRowAdded, closes_at=FOUR_O_CLOCK + 42 * HOUR),
        "its list can be returned until",
    ),
    "listed while with tier 2": (
        insert(VALID, OfferMade, *BatchingListBuilder(OPEN_TO_ALL, (ELM,)).issue(), index=3),
        "while it was not with tier-1",
    ),
    "an offer while the list is out": (ask_while_out(), "while it is on the Batching List"),
    "a new stage while the list is out": (move_event(VALID, InterestClosed, HOUR), "closed at"),
    "taken off although it is not urgent": (
        insert(
            VALID,
            InterestRegistered,
            tell(
                ListRowRemoved,
                FOUR_O_CLOCK + HOUR,
                list_id=BATCHING_LIST,
                stage="batching-list",
                reason=RowEnd.STAGE_EXHAUSTED,
            ),
        ),
        "although it is not urgent",
    ),
    "a late tick that counts": (move_event(VALID, InterestRegistered, 17 * HOUR), "although the list is closed"),
    "a tick of a provider that did not get the list": (
        insert(
            VALID, InterestClosed, tell(InterestRegistered, FOUR_O_CLOCK + HOUR, list_id=BATCHING_LIST, provider_id=ELM)
        ),
        "although not a provider to which",
    ),
    "a tick in time that is not used": (
        insert(
            VALID,
            InterestClosed,
            tell(InterestNotUsed, FOUR_O_CLOCK + HOUR, **ANOTHER_TICK, reason=InterestRefusal.LATE),
        ),
        "was not used because the list is closed, which is not so",
    ),
    "a tick refused for a placement that is not": (
        insert(
            VALID,
            InterestClosed,
            tell(InterestNotUsed, FOUR_O_CLOCK + HOUR, **ANOTHER_TICK, reason=InterestRefusal.PLACED),
        ),
        "because the package is placed, which is not so",
    ),
    "closed without its tick": (change_event(VALID, InterestClosed, providers=()), "was closed with the ticks of []"),
    "closed with a tick that nobody made": (
        change_event(VALID, InterestClosed, providers=(BIRCH, CEDAR)),
        "was closed with the ticks of",
    ),
    "closed too early": (move_event(VALID, InterestClosed, -HOUR), "was closed at 2026-03-03T09:00"),
    "offers to those who ticked before it is closed": (remove_event(VALID, InterestClosed), "while it is on the"),
    "never closed": (wait(listed_while_offered()[:-4], 24 * HOUR), "was not closed at"),
    "tier 2 although somebody ticked": (
        change_event(listed_while_offered(ticks=(CEDAR,), missed=()), StageEntered, 1, stage="tier-2"),
        "tier-2 follows its Batching List, although",
    ),
    "an offer of the stage after the closing": (
        remove_event(VALID, StageEntered, 1),
        "was asked by batching-list after the Batching List was closed",
    ),
    "those who ticked in another order": (
        change_event(listed_while_offered(ticks=(BIRCH, CEDAR), missed=()), StageEntered, 1, candidates=()),
        "ticked it in this order",
    ),
    "the stage of the ticks without a tick": (
        change_event(listed_while_offered(), StageEntered, 1, stage="batching-list"),
        "although nobody ticked it",
    ),
    "nobody is passed over for want of a tick": (listed_while_offered(missed=()), "passed over [] for want of a tick"),
    "passed over although it ticked": (
        listed_while_offered(ticks=(CEDAR,), missed=(CEDAR,)),
        "for want of a tick, not []",
    ),
    "nothing follows the closing": (wait(listed_while_offered()[:-1], HOUR), "nothing followed when"),
    "listed twice": (
        insert(VALID, StageEntered, *BatchingListBuilder(OPEN_TO_ALL, (ELM,)).issue(), index=2),
        "was on 2 Batching Lists",
    ),
    "a list that is not closed": (remove_event(VALID, BatchingListClosed), "was closed 0 times"),
    "wrong counts at the closing": (
        change_event(VALID, BatchingListClosed, rows_with_interest=0),
        "was closed with 1 rows, 0 ticked, not 1 and 1",
    ),
}


@pytest.mark.parametrize(("events", "message"), PLANTED.values(), ids=PLANTED.keys())
def test_a_planted_violation_is_found(events: Sequence[TimedEvent], message: str) -> None:
    found = judge(events)
    assert any(message in each for each in found), found


def test_a_package_placed_while_the_list_is_out_needs_no_closing() -> None:
    events = listed_while_offered()
    declined = next(number for number, each in enumerate(events) if isinstance(each.event, OfferDeclined))
    builder = PackageEventBuilder(PACKAGE, events[declined].at - timedelta(minutes=10))
    builder.offers[BIRCH] = builder.build_offer_id(BIRCH)
    closing = [each for each in events[declined:] if isinstance(each.event, BatchingListClosed)]
    assert judge([*events[:declined], *builder.accept("tier-1", BIRCH), *closing]) == []


def urgent_package(*, stays: bool = False) -> list[TimedEvent]:
    """An urgent package: Birch declines at 16:05, Cedar at 16:15; then it comes off the list, and Elm is asked."""
    builder = PackageEventBuilder(PACKAGE, FOUR_O_CLOCK - timedelta(minutes=5), urgent=True)
    batching = BatchingListBuilder(PACKAGE, (ALDER, BIRCH, CEDAR))
    events = [
        *build_market_events(),
        *builder.start_sourcing(),
        builder.enter_stage("tier-1", Tiers.ONE, ALDER, BIRCH, CEDAR),
        builder.pass_over(ALDER, PassOverReason.EMBARGOED),
        *builder.make_offer("tier-1", BIRCH),
        *batching.issue(),
        builder.decline(BIRCH),
        *builder.make_offer("tier-1", CEDAR),
        builder.decline(CEDAR),
    ]
    removed = {"list_id": BATCHING_LIST, "stage": "batching-list", "reason": RowEnd.STAGE_EXHAUSTED}
    if not stays:
        events.append(builder.build_event(ListRowRemoved, **removed))
    return [*events, builder.enter_stage("tier-2", Tiers.TWO, ELM), *builder.make_offer("tier-2", ELM)]


def test_offers_of_an_urgent_package_go_on_and_it_comes_off_the_list_with_the_stage() -> None:
    assert judge(urgent_package()) == []


def test_an_urgent_package_that_stays_on_the_list_after_the_stage_is_found() -> None:
    assert any("while it stayed on the Batching List" in each for each in judge(urgent_package(stays=True)))


def test_an_urgent_package_that_is_held_back_by_the_list_is_found() -> None:
    events = urgent_package()
    declined = next(number for number, each in enumerate(events) if isinstance(each.event, OfferDeclined))
    found = judge(wait(events[: declined + 1], HOUR))
    assert any("nothing followed the end of its offer" in each for each in found), found


def test_a_provider_that_an_officer_skips_has_had_its_turn() -> None:
    events = listed_while_offered()
    passed = next(number for number, each in enumerate(events) if isinstance(each.event, ProviderPassedOver))
    skipped = an_example_of(ProviderSkipped, package_id=PACKAGE, stage="tier-1", provider_id=ALDER)
    assert judge([*events[:passed], TimedEvent(skipped, events[passed].at), *events[passed + 1 :]]) == []
    assert judge([*events[:passed], *events[passed + 1 :]]) != []
