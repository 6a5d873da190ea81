"""Two officers of a council: the first processes the work list, the second decides prices above the ceiling."""

from collections import Counter
from collections.abc import Awaitable, Iterator, Mapping
from datetime import datetime, time, timedelta
from random import Random
from typing import Final
from uuid import UUID

from calloff.client import ApiClient, ApiResponse, ResponseModel
from contracts.example_words import DeclineReasons, InadequateReasons
from contracts.precedence import Precedence
from contracts.values import Rating
from devstack.errors import ServiceRefused
from simulator.behaviour import CallOutcome, OfferAnswer
from simulator.demo.days import Days
from simulator.demo.schedule import DriverClock
from simulator.officer import AwardIn, CallIn, RefusalIn, WorkItem, WorkList, build_call_record

_INTERVAL: Final = timedelta(minutes=30)
_FIRST_ROUND, _LAST_ROUND = time(8, 45), time(16, 45)
_PROPOSAL_WAIT: Final = timedelta(minutes=30)
"""How long an officer waits for more proposals before awarding an open package."""


class WorkingInstants:
    """The instants at which an officer works, in order."""

    def __init__(self, instants: Iterator[datetime]) -> None:
        self._instants = list(instants)

    def get_next_due_at(self) -> datetime | None:
        return self._instants[0] if self._instants else None

    def drop_past(self, now: datetime) -> None:
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
    """Telephones providers that no system reaches, and awards open packages."""

    precedence = Precedence.AWARD

    def __init__(
        self,
        client: ApiClient,
        sourcing_url: str,
        *,
        council: str,
        referral_numbers: Mapping[UUID, int],
        days: Days,
        clock: DriverClock,
        seed: int,
    ) -> None:
        self.name = f"first officer {council}"
        self._council = council
        self._client = client
        self._sourcing_url = sourcing_url
        self._referral_numbers = referral_numbers
        self._rounds = WorkingInstants(days.generate_instants(_FIRST_ROUND, _LAST_ROUND, interval=_INTERVAL))
        self._clock = clock
        self._seed = seed
        self._first_seen: dict[UUID, datetime] = {}
        self._calls: Counter[UUID] = Counter()
        self._awards: Counter[UUID] = Counter()

    def get_next_due_at(self) -> datetime | None:
        return self._rounds.get_next_due_at()

    async def act(self, now: datetime) -> int:
        self._rounds.drop_past(now)
        response = await self._client.get(f"{self._sourcing_url}/v1/work-list", limit="200")
        return sum([await self._process_item(item) for item in response.parse(WorkList).items])

    async def _process_item(self, item: WorkItem) -> bool:
        if item.offer_id is not None:
            return await self._call(item.package_id, item.offer_id)
        if item.what == "proposals to decide":
            return await self._award(item.package_id)
        return False

    async def _call(self, package_id: UUID, offer_id: UUID) -> bool:
        self._calls[package_id] += 1
        chance = self._create_random("call", package_id, self._calls[package_id])
        body: CallIn = build_call_record(_draw_call_outcome(chance))
        return await _send_unless_obsolete(self._client.post(f"{self._sourcing_url}/v1/offers/{offer_id}/calls", body))

    async def _award(self, package_id: UUID) -> bool:
        since = self._first_seen.setdefault(package_id, self._clock.now())
        if self._clock.now() - since < _PROPOSAL_WAIT:
            return False
        self._awards[package_id] += 1
        chance = self._create_random("award", package_id, self._awards[package_id])
        url = f"{self._sourcing_url}/v1/packages/{package_id}"
        proposals = (await self._client.get(f"{url}/proposals")).parse(Proposals).items
        if not proposals:
            return False
        proposal = proposals[0] if chance.random() < 0.5 else chance.choice(proposals)
        reason = InadequateReasons.NO_OTHER_PROPOSAL if proposal.rating is Rating.INADEQUATE else None
        award = AwardIn(proposal_id=proposal.proposal_id, inadequate_reason=reason)
        self._first_seen[package_id] = self._clock.now()
        return await _send_unless_obsolete(self._client.post(f"{url}/awards", award))

    def _create_random(self, purpose: str, package_id: UUID, count: int) -> Random:
        return Random(f"{self._seed}/{self._council}/{purpose}/{self._referral_numbers.get(package_id)}/{count}")


class SecondOfficer:
    """Decides the pending prices every hour and approves most of them."""

    precedence = Precedence.AWARD

    def __init__(
        self,
        client: ApiClient,
        pricing_url: str,
        *,
        council: str,
        referral_numbers: Mapping[UUID, int],
        days: Days,
        seed: int,
    ) -> None:
        self.name = f"second officer {council}"
        self._council = council
        self._client = client
        self._pricing_url = pricing_url
        self._referral_numbers = referral_numbers
        self._rounds = WorkingInstants(days.generate_instants(time(9, 0), time(16, 0), interval=timedelta(hours=1)))
        self._decisions: Counter[UUID] = Counter()
        self._seed = seed

    def get_next_due_at(self) -> datetime | None:
        return self._rounds.get_next_due_at()

    async def act(self, now: datetime) -> int:
        self._rounds.drop_past(now)
        response = await self._client.get(f"{self._pricing_url}/v1/spot-prices", status="pending", limit="200")
        return sum([await self._decide(each) for each in response.parse(PendingPrices).items])

    async def _decide(self, price: PendingPrice) -> bool:
        self._decisions[price.package_id] += 1
        number, count = self._referral_numbers.get(price.package_id), self._decisions[price.package_id]
        agrees = Random(f"{self._seed}/{self._council}/price/{number}/{count}").random() < 0.7
        url = f"{self._pricing_url}/v1/spot-prices/{price.award_id}"
        return await _send_unless_obsolete(
            self._client.post(f"{url}/approve") if agrees else self._client.post(f"{url}/refuse", RefusalIn())
        )


def _draw_call_outcome(chance: Random) -> CallOutcome:
    """Draw the outcome of a call: a third is not reached, half of the others accept."""
    draw = chance.random()
    if draw < 0.33:
        return CallOutcome(reached=False)
    if draw < 0.66:
        return CallOutcome(reached=True, answer=OfferAnswer.ACCEPT)
    return CallOutcome(reached=True, answer=OfferAnswer.DECLINE, decline_reason=chance.choice(DeclineReasons.ALL))


async def _send_unless_obsolete(request: Awaitable[ApiResponse]) -> bool:
    """Send the request; return False if the service answers 404 or 409 because the item has changed."""
    try:
        await request
    except ServiceRefused as refused:
        if refused.status not in {404, 409}:
            raise
        return False
    return True
