"""A council's market team: embargoes, ratings that the regulator publishes, and declared capacity."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, time, timedelta
from itertools import islice
from random import Random
from typing import Final

from calloff.client import ApiClient, Request
from contracts.events.providers import EmbargoReason
from contracts.example_words import Tiers
from contracts.precedence import Precedence
from contracts.values import Rating
from simulator.demo.days import Days
from simulator.demo.schedule import Schedule
from simulator.market import InventedMarket, InventedProvider
from simulator.registration import BranchIn, CapacityIn, EmbargoIn

_INTERVAL: Final = timedelta(minutes=15)
_EMBARGOES_PER_DAY, _RATING_DROPS_PER_DAY, _CAPACITY_DECLARATIONS_PER_DAY = 4, 2, 3
_USUAL_PROVIDERS: Final = 108
"""Providers of the market for which the numbers a day are meant."""
_EMBARGO_LENGTHS: Final = (timedelta(minutes=50), timedelta(hours=3), timedelta(hours=26))
_RERATING_DELAY: Final = timedelta(hours=25)


class MarketTeam:
    """Sends requests to the provider registry as its schedule says."""

    def __init__(self, client: ApiClient, registry_url: str, *, market: InventedMarket, seed: int) -> None:
        self.schedule = Schedule(f"market team {market.council}", Precedence.FACT)
        self._client = client
        self._providers_url = f"{registry_url}/v1/providers"
        self._market = market
        self._seed = seed
        self.requests_sent = 0

    def plan_requests(self, days: Days) -> None:
        chance = Random(f"{self._seed}/{self._market.council}/market team")
        members = [each for each in self._market.providers if each.places]
        chance.shuffle(members)
        instants = list(days.generate_instants(time(9, 0), time(16, 0), interval=_INTERVAL))
        chosen = iter(members)
        for _ in {each.date() for each in instants}:
            self._plan_embargoes(list(islice(chosen, self._count(_EMBARGOES_PER_DAY))), instants, chance)
            self._plan_rating_drops(list(islice(chosen, self._count(_RATING_DROPS_PER_DAY))), instants, chance)
            self._plan_capacity_declarations(
                list(islice(chosen, self._count(_CAPACITY_DECLARATIONS_PER_DAY))), instants, chance
            )

    def _count(self, per_day: int) -> int:
        """Return how often an act is planned a day; a smaller market has fewer, and none once all have had one."""
        return max(1, per_day * len(self._market.providers) // _USUAL_PROVIDERS)

    def _plan_embargoes(
        self, providers: Sequence[InventedProvider], instants: Sequence[datetime], chance: Random
    ) -> None:
        for provider in providers:
            start, reason = chance.choice(instants), chance.choice(list(EmbargoReason))
            url = f"{self._providers_url}/{provider.provider_id}/embargo"
            self._schedule_request(start, Request("POST", url, body=EmbargoIn(reason=reason)))
            self._schedule_request(start + chance.choice(_EMBARGO_LENGTHS), Request("DELETE", url))

    def _plan_rating_drops(
        self, providers: Sequence[InventedProvider], instants: Sequence[datetime], chance: Random
    ) -> None:
        """Plan ratings below the floor of the provider's tier; half of the providers are rated good a day later."""
        for provider in providers:
            start = chance.choice(instants)
            worse = Rating.REQUIRES_IMPROVEMENT if provider.tier == Tiers.ONE else Rating.INADEQUATE
            self._schedule_request(start, self._build_rating_request(provider, worse, start))
            if chance.random() < 0.5:
                rerated_at = start + _RERATING_DELAY
                self._schedule_request(rerated_at, self._build_rating_request(provider, Rating.GOOD, rerated_at))

    def _build_rating_request(self, provider: InventedProvider, rating: Rating, at: datetime) -> Request:
        branch = BranchIn(
            name=f"{provider.name} office",
            outward_code=provider.outward_code,
            domiciliary_care=True,
            rating=rating.value,
            published_on=at.date(),
        )
        url = f"{self._providers_url}/{provider.provider_id}/branches/{provider.branch_id}"
        return Request("PUT", url, body=branch)

    def _plan_capacity_declarations(
        self, providers: Sequence[InventedProvider], instants: Sequence[datetime], chance: Random
    ) -> None:
        for provider in providers:
            capacity = CapacityIn(area=provider.areas[0], free_hours=f"{chance.randrange(0, 61, 5)}.00")
            url = f"{self._providers_url}/{provider.provider_id}/capacity"
            self._schedule_request(chance.choice(instants), Request("POST", url, body=capacity))

    def _schedule_request(self, at: datetime, request: Request) -> None:
        self.schedule.add(at, self._create_sender(request))

    def _create_sender(self, request: Request) -> Callable[[], Awaitable[None]]:
        async def send() -> None:
            await self._client.send(request)
            self.requests_sent += 1

        return send
