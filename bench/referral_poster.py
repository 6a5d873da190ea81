"""The council of the measurements: posts urgent referrals, at a rate or with limited concurrency."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from calloff.client import ApiClient
from devstack.errors import ServiceRefused, ServiceUnreachable
from simulator.council import ReferralIn, SubmittedReferral, build_referral
from simulator.person_factory import PersonFactory

SEED: Final = 5
_RETRY_DELAY: Final = 0.25


@dataclass(frozen=True)
class PostedReferral:
    """An accepted referral; both times are from `time.perf_counter`."""

    package_id: str
    posted_at: float
    answered_at: float


@dataclass
class ReferralPoster:
    """Posts referrals, each for a different adult."""

    caller: ApiClient
    url: str
    people: PersonFactory
    _number: int = field(default=0)

    def create_bodies(self, count: int) -> list[ReferralIn]:
        """Create the bodies before the measurement."""
        first, self._number = self._number + 1, self._number + count
        today = datetime.now(UTC).date()
        return [
            build_referral(self.people.create_person(number), today=today, seed=SEED, urgent=True)
            for number in range(first, first + count)
        ]

    async def post(self, body: ReferralIn) -> PostedReferral:
        """Post one referral. Raises ServiceRefused, ServiceUnreachable."""
        posted_at = time.perf_counter()
        answer = await self.caller.post(self.url, body, idempotency_key=body.reference)
        return PostedReferral(str(answer.parse(SubmittedReferral).package_id), posted_at, time.perf_counter())

    async def post_with_retries(self, body: ReferralIn) -> PostedReferral:
        """Post until the referral is accepted. The time of the post is that of the first attempt."""
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
        """Post at a steady rate without waiting for responses, so that a slow service gets the same load."""
        begun = time.perf_counter()
        tasks: list[asyncio.Task[PostedReferral]] = []
        for number, body in enumerate(bodies):
            await asyncio.sleep(max(0.0, begun + number / per_second - time.perf_counter()))
            tasks.append(asyncio.ensure_future(self.post_with_retries(body)))
        return list(await asyncio.gather(*tasks))

    async def post_concurrently(
        self, bodies: Sequence[ReferralIn], concurrency: int, until_done: Callable[[PostedReferral], Awaitable[None]]
    ) -> list[PostedReferral]:
        """Post `concurrency` referrals at a time; post the next when `until_done` returns for one."""
        waiting, posted = list(reversed(bodies)), list[PostedReferral]()

        async def post_remaining() -> None:
            while waiting:
                one = await self.post_with_retries(waiting.pop())
                posted.append(one)
                await until_done(one)

        await asyncio.gather(*(post_remaining() for _ in range(concurrency)))
        return posted
