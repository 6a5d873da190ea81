"""The council of the measurements: posts urgent referrals for invented adults, at a rate or as a few at a time."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from calloff.client import ApiClient
from devstack.errors import ServiceRefused, ServiceUnreachable
from simulator.council import ReferralIn, Submitted, referral_for
from simulator.people import People

SEED: Final = 5
_RETRY_DELAY: Final = 0.25


@dataclass(frozen=True)
class PostedReferral:
    """A referral that was taken in; both instants on the clock of `time.perf_counter`."""

    package_id: str
    posted_at: float
    answered_at: float


@dataclass
class ReferralPoster:
    """Posts; an adult is never referred twice."""

    caller: ApiClient
    url: str
    people: People
    _number: int = field(default=0)

    def create_bodies(self, count: int) -> list[ReferralIn]:
        """Made beforehand: making them is no part of what is measured."""
        first, self._number = self._number + 1, self._number + count
        today = datetime.now(UTC).date()
        return [
            referral_for(self.people.person(number), today=today, seed=SEED, urgent=True)
            for number in range(first, first + count)
        ]

    async def post(self, body: ReferralIn) -> PostedReferral:
        """Raises ServiceRefused and ServiceUnreachable."""
        posted_at = time.perf_counter()
        answer = await self.caller.post(self.url, body, idempotency_key=body.reference)
        return PostedReferral(str(answer.parse(Submitted).package_id), posted_at, time.perf_counter())

    async def post_with_retries(self, body: ReferralIn) -> PostedReferral:
        """Until it is taken in: a service that is away comes back. The first attempt counts as the posting."""
        posted_at = time.perf_counter()
        while True:
            try:
                done = await self.post(body)
            except ServiceUnreachable:
                await asyncio.sleep(_RETRY_DELAY)
            except ServiceRefused as refused:
                if not refused.is_transient:
                    raise
                await asyncio.sleep(_RETRY_DELAY)
            else:
                return PostedReferral(done.package_id, posted_at, done.answered_at)

    async def post_at_rate(self, bodies: Sequence[ReferralIn], per_second: float) -> list[PostedReferral]:
        """One each so often, whether or not those before have been answered: a slow service does not slow its load."""
        begun = time.perf_counter()
        tasks: list[asyncio.Task[PostedReferral]] = []
        for number, body in enumerate(bodies):
            await asyncio.sleep(max(0.0, begun + number / per_second - time.perf_counter()))
            tasks.append(asyncio.ensure_future(self.post_with_retries(body)))
        return list(await asyncio.gather(*tasks))

    async def post_concurrently(
        self, bodies: Sequence[ReferralIn], concurrency: int, until_done: Callable[[PostedReferral], Awaitable[None]]
    ) -> list[PostedReferral]:
        """`lanes` at a time, each the next when its last one is done."""
        waiting, posted = list(reversed(bodies)), list[PostedReferral]()

        async def work() -> None:
            while waiting:
                one = await self.post_with_retries(waiting.pop())
                posted.append(one)
                await until_done(one)

        await asyncio.gather(*(work() for _ in range(concurrency)))
        return posted
