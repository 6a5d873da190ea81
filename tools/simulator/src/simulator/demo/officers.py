"""Two officers: one works through the list, telephones and awards; the other decides about prices above the ceiling."""

from collections import Counter
from collections.abc import Awaitable, Iterator, Mapping
from datetime import datetime, time, timedelta
from random import Random
from typing import Final
from uuid import UUID

from calloff.client import ApiClient, ApiResponse, ResponseModel
from contracts.events.listings import InadequateReason
from contracts.values import DeclineReason, Rating
from devstack.errors import ServiceRefused
from service_runtime.timers.timers import Precedence
from simulator.behaviour import Answering, CallOutcome
from simulator.demo.days import Days
from simulator.demo.schedule import PlayClock
from simulator.officer import AwardIn, CallIn, RefusalIn, WorkItem, WorkList, recorded

_EVERY: Final = timedelta(minutes=30)
_FIRST, _LAST = time(8, 45), time(16, 45)
_WAITS_FOR_OTHERS: Final = timedelta(minutes=30)
"""So long after an open package's first sight an officer looks whether there are more proposals."""


class Rounds:
    """When somebody sits down to work: the instants of their day, one after the other."""

    def __init__(self, instants: Iterator[datetime]) -> None:
        self._instants = list(instants)

    def next_wake(self) -> datetime | None:
        return self._instants[0] if self._instants else None

    def begin(self, now: datetime) -> None:
        while self._instants and self._instants[0] <= now:
            self._instants.pop(0)


class ProposalSeen(ResponseModel):
    proposal_id: UUID
    rating: Rating


class Proposals(ResponseModel):
    items: tuple[ProposalSeen, ...]


class PendingPrice(ResponseModel):
    award_id: UUID
    package_id: UUID


class PendingPrices(ResponseModel):
    items: tuple[PendingPrice, ...]


class FirstOfficer:
    """Telephones whom no system reaches, and awards open packages."""

    name = "first officer"
    precedence = Precedence.AWARD

    def __init__(
        self, caller: ApiClient, sourcing: str, *, numbers: Mapping[UUID, int], days: Days, clock: PlayClock, seed: int
    ) -> None:
        self._caller = caller
        self._sourcing = sourcing
        self._numbers = numbers
        self._rounds = Rounds(days.rounds(_FIRST, _LAST, every=_EVERY))
        self._clock = clock
        self._seed = seed
        self._seen: dict[UUID, datetime] = {}
        self._calls: Counter[UUID] = Counter()
        self._awards: Counter[UUID] = Counter()

    def next_wake(self) -> datetime | None:
        return self._rounds.next_wake()

    async def act(self, now: datetime) -> int:
        self._rounds.begin(now)
        answer = await self._caller.get(f"{self._sourcing}/v1/work-list", limit="200")
        return sum([await self._take_up(item) for item in answer.parse(WorkList).items])

    async def _take_up(self, item: WorkItem) -> bool:
        if item.offer_id is not None:
            return await self._call(item.package_id, item.offer_id)
        if item.what == "proposals to decide":
            return await self._award(item.package_id)
        return False

    async def _call(self, package_id: UUID, offer_id: UUID) -> bool:
        self._calls[package_id] += 1
        chance = self._draw("call", package_id, self._calls[package_id])
        body: CallIn = recorded(_outcome(chance))
        return await _done(self._caller.post(f"{self._sourcing}/v1/offers/{offer_id}/calls", body))

    async def _award(self, package_id: UUID) -> bool:
        since = self._seen.setdefault(package_id, self._clock.now())
        if self._clock.now() - since < _WAITS_FOR_OTHERS:
            return False
        self._awards[package_id] += 1
        chance = self._draw("award", package_id, self._awards[package_id])
        url = f"{self._sourcing}/v1/packages/{package_id}"
        found = (await self._caller.get(f"{url}/proposals")).parse(Proposals).items
        if not found:
            return False
        taken = found[0] if chance.random() < 0.5 else chance.choice(found)
        reason = InadequateReason.NO_OTHER_PROPOSAL if taken.rating is Rating.INADEQUATE else None
        award = AwardIn(proposal_id=taken.proposal_id, inadequate_reason=reason)
        self._seen[package_id] = self._clock.now()
        return await _done(self._caller.post(f"{url}/awards", award))

    def _draw(self, what: str, package_id: UUID, count: int) -> Random:
        return Random(f"{self._seed}/{what}/{self._numbers.get(package_id)}/{count}")


class SecondOfficer:
    """Agrees to most prices that are asked for, each hour."""

    name = "second officer"
    precedence = Precedence.AWARD

    def __init__(self, caller: ApiClient, pricing: str, *, numbers: Mapping[UUID, int], days: Days, seed: int) -> None:
        self._caller = caller
        self._pricing = pricing
        self._numbers = numbers
        self._rounds = Rounds(days.rounds(time(9, 0), time(16, 0), every=timedelta(hours=1)))
        self._decided: Counter[UUID] = Counter()
        self._seed = seed

    def next_wake(self) -> datetime | None:
        return self._rounds.next_wake()

    async def act(self, now: datetime) -> int:
        self._rounds.begin(now)
        answer = await self._caller.get(f"{self._pricing}/v1/spot-prices", status="pending", limit="200")
        return sum([await self._decide(each) for each in answer.parse(PendingPrices).items])

    async def _decide(self, price: PendingPrice) -> bool:
        self._decided[price.package_id] += 1
        number, count = self._numbers.get(price.package_id), self._decided[price.package_id]
        agrees = Random(f"{self._seed}/price/{number}/{count}").random() < 0.7
        url = f"{self._pricing}/v1/spot-prices/{price.award_id}"
        return await _done(
            self._caller.post(f"{url}/approve") if agrees else self._caller.post(f"{url}/refuse", RefusalIn())
        )


def _outcome(chance: Random) -> CallOutcome:
    """A third of the calls reach nobody; of the others half end with a yes."""
    draw = chance.random()
    if draw < 0.33:
        return CallOutcome(reached=False)
    if draw < 0.66:
        return CallOutcome(reached=True, answering=Answering.ACCEPT)
    return CallOutcome(reached=True, answering=Answering.DECLINE, decline_reason=chance.choice(list(DeclineReason)))


async def _done(work: Awaitable[ApiResponse]) -> bool:
    """Whether it was done; somebody else may have been quicker."""
    try:
        await work
    except ServiceRefused as refused:
        if refused.status not in {404, 409}:
            raise
        return False
    return True
