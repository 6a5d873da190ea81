"""The engine of a rehearsal: every decision by sourcing's pure rules, on one queue of simulated instants."""

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from random import Random
from typing import Final
from uuid import UUID

from contracts.events.base import PackageEvent
from contracts.events.listings import AwardAwaitsApproval, PackageListed
from contracts.events.lists import ListKind, ListRowAdded
from contracts.events.offers import (
    AcceptanceReceived,
    OfferDeclined,
    OfferDelivered,
    OfferExpired,
    OfferMade,
    OfferWithdrawn,
)
from contracts.events.orders import SpotPriceApproved
from contracts.events.packages import PackageRequested
from contracts.events.searches import PackagePlaced
from contracts.framework.definition import FrameworkDefinition
from contracts.framework.stages import BatchingList
from contracts.ids import PackageId
from contracts.values import AgeBand, Care, Channel
from simulator.rehearsal.behaviour import ProviderBehaviour
from simulator.rehearsal.market import RehearsalMarket
from simulator.rehearsal.referrals import RehearsalReferral
from sourcing.domain.decisions import decide
from sourcing.domain.search import Search, SearchStatus
from sourcing.domain.steps import CancelledTimer, ScheduledTimer, TimerKind
from sourcing.domain.triggers import AwardProposal, Trigger, build_timer_trigger

DELIVERY: Final = timedelta(seconds=5)
AWARD_AFTER: Final = timedelta(hours=24)
"""How long officers wait for proposals before they award the cheapest one."""
APPROVAL_AFTER: Final = timedelta(hours=2)
LAST_DAYS: Final = timedelta(days=30)
"""How long after the last referral the rehearsal goes on."""
LIST_TIMERS: Final = frozenset({TimerKind.LIST_CUT_OFF, TimerKind.LIST_CLOSES, TimerKind.LIST_GOES_OUT})
OWN_TRIGGERS: Final = (AcceptanceReceived, OfferDeclined, OfferExpired, OfferWithdrawn)


@dataclass(frozen=True)
class PackageResult:
    """What became of one referral; `placed_at` and what follows are None while nobody took it."""

    requested_at: datetime
    served: bool
    offers: int = 0
    placed_at: datetime | None = None
    stage: str | None = None
    tier: str | None = None
    provider_id: UUID | None = None
    weekly_hours: Decimal = Decimal(0)
    weekly_cost: Decimal = Decimal(0)
    fixed_cost: Decimal = Decimal(0)


@dataclass
class _Package:
    number: int
    search: Search | None = None
    care: Care | None = None
    offers: int = 0
    tiers: dict[UUID, str] = field(default_factory=dict[UUID, str])
    placed: PackagePlaced | None = None
    placed_at: datetime | None = None
    timers: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])


Action = Callable[[datetime], None]


class Rehearsal:
    """Runs referrals through one definition. The same arguments give the same results."""

    def __init__(self, market: RehearsalMarket, *, seed: int) -> None:
        self._market = market
        self._behaviour = ProviderBehaviour(market, seed=seed)
        self._queue: list[tuple[datetime, bool, int, Action]] = []
        self._numbers = count(1)
        self._ids = Random(f"{seed}/ids")

    def run(self, referrals: Sequence[RehearsalReferral]) -> Sequence[PackageResult]:
        """Returns the result of each referral, in their order."""
        packages = [_Package(number) for number in range(len(referrals))]
        for package, referral in zip(packages, referrals, strict=True):
            self._schedule(referral.requested_at, lambda at, p=package, r=referral: self._request(p, r, at))
        end = max((each.requested_at + LAST_DAYS for each in referrals), default=None)
        while end is not None and self._queue and self._queue[0][0] <= end:
            at, _, _, action = heapq.heappop(self._queue)
            action(at)
        return [_to_result(package, referral) for package, referral in zip(packages, referrals, strict=True)]

    def _schedule(self, at: datetime, action: Action, *, is_of_list: bool = False) -> int:
        """Schedules an action; at one instant lists come after everything else."""
        number = next(self._numbers)
        heapq.heappush(self._queue, (at, is_of_list, number, action))
        return number

    def _request(self, package: _Package, referral: RehearsalReferral, at: datetime) -> None:
        care = build_care(self._market.definition, referral)
        if care is None:
            return
        package.care = care
        event = PackageRequested(package_id=PackageId(UUID(int=package.number + 1)), care=care)
        self._decide(package, event, at)

    def _decide(self, package: _Package, trigger: Trigger, at: datetime) -> None:
        """Decides on the trigger, and on everything that follows from it in the same instant."""
        triggers: list[Trigger] = [trigger]
        while triggers:
            care = package.care
            assert care is not None, "a package without care was never requested"
            step = decide(
                package.search,
                triggers.pop(0),
                market=self._market.get_snapshot(care),
                at=at,
                new_id=self._draw_id,
            )
            package.search = step.search
            for timer in step.timers:
                self._change_timer(package, timer)
            for event in step.events:
                self._follow(package, care, event, at)
                if isinstance(event, OWN_TRIGGERS):
                    triggers.append(event)

    def _draw_id(self) -> UUID:
        return UUID(int=self._ids.getrandbits(128))

    def _change_timer(self, package: _Package, timer: ScheduledTimer | CancelledTimer) -> None:
        key = (timer.kind.value, timer.about)
        package.timers.pop(key, None)
        if isinstance(timer, ScheduledTimer):
            trigger = build_timer_trigger(timer.kind, timer.about)
            number: int = self._schedule(
                timer.at,
                lambda at: self._fire(package, key, number, trigger, at),
                is_of_list=timer.kind in LIST_TIMERS,
            )
            package.timers[key] = number

    def _fire(self, package: _Package, key: tuple[str, str], number: int, trigger: Trigger, at: datetime) -> None:
        if package.timers.get(key) == number:
            del package.timers[key]
            self._decide(package, trigger, at)

    def _follow(self, package: _Package, care: Care, event: PackageEvent, at: datetime) -> None:
        """Lets providers and officers do what they do after an event."""
        match event:
            case OfferMade():
                package.offers += 1
                package.tiers[event.offer_id] = event.tier
                self._deliver_and_answer(package, event, at)
            case PackageListed():
                self._propose(package, event, event.opens_at or at)
            case ListRowAdded(kind=ListKind.BATCHING_LIST):
                for after, tick in self._behaviour.draw_ticks(package.number, event):
                    self._schedule(at + after, lambda later, t=tick: self._decide(package, t, later))
            case AwardAwaitsApproval():
                approval = SpotPriceApproved(
                    package_id=event.package_id,
                    award_id=event.award_id,
                    proposal_id=event.proposal_id,
                    provider_id=event.provider_id,
                    rate=event.terms.rate,
                    officer="officer:second",
                )
                self._schedule(at + APPROVAL_AFTER, lambda later: self._decide(package, approval, later))
            case PackagePlaced():
                package.placed, package.placed_at = event, at
                self._market.record_placement(care, event.provider_id, at)
            case _:
                pass

    def _deliver_and_answer(self, package: _Package, offer: OfferMade, at: datetime) -> None:
        delivered = OfferDelivered(
            package_id=offer.package_id,
            offer_id=offer.offer_id,
            provider_id=offer.provider_id,
            channel=Channel.WEBHOOK,
            delivered_at=at + DELIVERY,
        )
        self._schedule(at + DELIVERY, lambda later: self._decide(package, delivered, later))
        answer = self._behaviour.draw_answer(package.number, offer, ticked=self._is_of_list(offer.stage))
        if answer is not None:
            self._schedule(at + answer.after, lambda later: self._decide(package, answer.command, later))

    def _is_of_list(self, stage: str) -> bool:
        return isinstance(self._market.definition.get_stage(stage), BatchingList)

    def _propose(self, package: _Package, listed: PackageListed, at: datetime) -> None:
        """Lets providers propose from `at` on, when the package is open: at once, or with its first list."""
        care = package.care
        assert care is not None, "a listed package was requested"
        for after, proposal in self._behaviour.draw_proposals(package.number, care, listed):
            self._schedule(at + after, lambda later, p=proposal: self._decide_if_listed(package, p, later))
        self._schedule(at + AWARD_AFTER, lambda later: self._award(package, later))

    def _decide_if_listed(self, package: _Package, trigger: Trigger, at: datetime) -> None:
        if package.search is not None and package.search.status is SearchStatus.LISTED:
            self._decide(package, trigger, at)

    def _award(self, package: _Package, at: datetime) -> None:
        """Awards the cheapest proposal; without one, looks again a day later."""
        search = package.search
        if search is None or search.status is not SearchStatus.LISTED or search.listing is None:
            return
        if search.listing.award is None and search.listing.proposals:
            best = min(search.listing.proposals, key=lambda each: (each.terms.total_cost, each.received_at))
            self._decide(package, AwardProposal(search.package_id, best.proposal_id, "officer:first"), at)
        else:
            self._schedule(at + AWARD_AFTER, lambda later: self._award(package, later))


def build_care(definition: FrameworkDefinition, referral: RehearsalReferral) -> Care | None:
    """Returns the care of a referral in the first lot that serves it; None if the definition does not serve it."""
    route = definition.find_route(referral.route)
    lots = (lot for lot in definition.lots if lot.serves(referral.area, referral.service_type, referral.route))
    lot = next(lots, None)
    if route is None or lot is None or not definition.has_area(referral.area):
        return None
    return Care(
        framework=definition.framework,
        lot=lot.lot,
        area=referral.area,
        outward_code=referral.outward_code,
        service_type=referral.service_type,
        visits=referral.visits,
        starts_on=referral.starts_on,
        route=referral.route,
        urgent=route.urgent,
        needs=tuple(need for need in referral.needs if need in definition.needs),
        age_band=AgeBand.FROM_75,
    )


def _to_result(package: _Package, referral: RehearsalReferral) -> PackageResult:
    placed = package.placed
    if placed is None:
        return PackageResult(referral.requested_at, served=package.care is not None, offers=package.offers)
    return PackageResult(
        requested_at=referral.requested_at,
        served=True,
        offers=package.offers,
        placed_at=package.placed_at,
        stage=placed.stage,
        tier=package.tiers.get(placed.offer_id) if placed.offer_id is not None else None,
        provider_id=placed.provider_id,
        weekly_hours=placed.weekly_hours,
        weekly_cost=placed.terms.weekly_cost,
        fixed_cost=placed.terms.fixed_cost,
    )
