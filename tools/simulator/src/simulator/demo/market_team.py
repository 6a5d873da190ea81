"""The council's market team: embargoes, what the regulator publishes, capacity that providers declare anew."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, time, timedelta
from random import Random
from typing import Final

from calloff.client import ApiClient, Request
from contracts.events.providers import EmbargoReason
from contracts.values import Rating
from service_runtime.timers.timers import Precedence
from simulator.demo.days import Days
from simulator.demo.schedule import Diary
from simulator.market import InventedProvider, Market
from simulator.registration import BranchIn, CapacityIn, EmbargoIn

_EVERY: Final = timedelta(minutes=15)
_EMBARGOES_A_DAY, _DROPS_A_DAY, _DECLARED_A_DAY = 4, 2, 3
_LIFTED_AFTER: Final = (timedelta(minutes=50), timedelta(hours=3), timedelta(hours=26))
_RATED_ANEW: Final = timedelta(hours=25)


class MarketTeam:
    """Everything that it will do is in its diary from the beginning."""

    def __init__(self, caller: ApiClient, registry: str, *, market: Market, seed: int) -> None:
        self.diary = Diary("market team", Precedence.FACT)
        self._caller = caller
        self._providers = f"{registry}/v1/providers"
        self._market = market
        self._seed = seed
        self.acts = 0

    def plan(self, days: Days) -> None:
        chance = Random(f"{self._seed}/market team")
        on_lists = [each for each in self._market.providers if each.tier is not None]
        chance.shuffle(on_lists)
        moments = list(days.rounds(time(9, 0), time(16, 0), every=_EVERY))
        per_day = _EMBARGOES_A_DAY + _DROPS_A_DAY + _DECLARED_A_DAY
        working_days = len({each.date() for each in moments})
        chosen = iter(on_lists[: per_day * working_days])
        for _ in range(working_days):
            self._embargo([next(chosen) for _ in range(_EMBARGOES_A_DAY)], moments, chance)
            self._drop([next(chosen) for _ in range(_DROPS_A_DAY)], moments, chance)
            self._declare([next(chosen) for _ in range(_DECLARED_A_DAY)], moments, chance)

    def _embargo(self, providers: Sequence[InventedProvider], moments: Sequence[datetime], chance: Random) -> None:
        for provider in providers:
            begins, reason = chance.choice(moments), chance.choice(list(EmbargoReason))
            url = f"{self._providers}/{provider.provider_id}/embargo"
            self._note(begins, Request("POST", url, body=EmbargoIn(reason=reason)))
            self._note(begins + chance.choice(_LIFTED_AFTER), Request("DELETE", url))

    def _drop(self, providers: Sequence[InventedProvider], moments: Sequence[datetime], chance: Random) -> None:
        """Below the floor of its tier; half of them are rated anew a day later."""
        for provider in providers:
            begins = chance.choice(moments)
            worse = Rating.REQUIRES_IMPROVEMENT if provider.tier == 1 else Rating.INADEQUATE
            self._note(begins, self._rating(provider, worse, begins))
            if chance.random() < 0.5:
                again = begins + _RATED_ANEW
                self._note(again, self._rating(provider, Rating.GOOD, again))

    def _rating(self, provider: InventedProvider, rating: Rating, at: datetime) -> Request:
        branch = BranchIn(
            name=f"{provider.name} office",
            outward_code=provider.outward_code,
            domiciliary_care=True,
            rating=rating.value,
            published_on=at.date(),
        )
        url = f"{self._providers}/{provider.provider_id}/branches/{provider.branch_id}"
        return Request("PUT", url, body=branch)

    def _declare(self, providers: Sequence[InventedProvider], moments: Sequence[datetime], chance: Random) -> None:
        for provider in providers:
            free = CapacityIn(area=provider.areas[0], free_hours=f"{chance.randrange(0, 61, 5)}.00")
            url = f"{self._providers}/{provider.provider_id}/capacity"
            self._note(chance.choice(moments), Request("POST", url, body=free))

    def _note(self, at: datetime, request: Request) -> None:
        self.diary.note(at, self._sending(request))

    def _sending(self, request: Request) -> Callable[[], Awaitable[None]]:
        async def send() -> None:
            await self._caller.send(request)
            self.acts += 1

        return send
