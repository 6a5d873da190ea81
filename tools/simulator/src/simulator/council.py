"""The council's system: posts referrals for invented adults at a steady rate and logs them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Final, Protocol
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from calloff.client import ApiClient, ResponseModel
from contracts.example_words import Needs, Routes, ServiceTypes
from contracts.ids import LotKey, NeedKey, RouteKey, ServiceTypeKey
from contracts.values import Visit, Weekday
from devstack.errors import ServiceRefused, ServiceUnreachable
from devstack.json_lines import JsonLinesWriter
from simulator.person_factory import Person

_MORNING, _NOON, _EVENING = (7, 9), (12, 13), (18, 20)
RETRY_DELAY: Final = 1.0
"""Seconds before a referral is posted again that was not accepted."""
URGENT_SHARE: Final = 0.9
"""Share of hospital discharges. They are offered at any hour, so that offers are made on a Sunday night too."""


class AddressIn(BaseModel):
    lines: tuple[str, ...]
    postcode: str


class PersonIn(BaseModel):
    name: str
    date_of_birth: date
    nhs_number: str
    address: AddressIn
    phone: str


class ReferralIn(BaseModel):
    """The fields of `POST /v1/referrals` that the simulated council sends."""

    reference: str
    person: PersonIn
    service_type: ServiceTypeKey
    visits: tuple[Visit, ...]
    starts_on: date
    route: RouteKey
    needs: tuple[NeedKey, ...]
    lot: LotKey | None = None
    area: str | None = None
    follows_package: UUID | None = None


class SubmittedReferral(ResponseModel):
    referral_id: UUID
    package_id: UUID


class PostedReferral(BaseModel):
    """One entry of the council's log, without the adult's identity."""

    model_config = ConfigDict(frozen=True)

    posted_at: datetime
    reference: str
    referral_id: UUID
    package_id: UUID
    area: str
    route: RouteKey


def build_referral(person: Person, *, today: date, seed: int, urgent: bool | None = None) -> ReferralIn:
    """Build the referral of this adult. Unless `urgent` is given, most referrals are urgent."""
    chance = Random(f"{seed}/referral/{person.number}")
    is_urgent = chance.random() < URGENT_SHARE if urgent is None else urgent
    return ReferralIn(
        reference=f"TEST-{person.number:06}",
        person=build_person(person),
        service_type=ServiceTypes.PERSONAL_CARE if chance.random() < 0.9 else ServiceTypes.CARERS_BREAK,
        visits=draw_visits(chance),
        starts_on=today + timedelta(days=chance.randint(1, 5)),
        route=Routes.HOSPITAL_DISCHARGE if is_urgent else Routes.COMMUNITY,
        needs=tuple(chance.sample(list(Needs.SKILLS), chance.randint(0, 3))),
    )


def build_person(person: Person) -> PersonIn:
    return PersonIn(
        name=person.full_name,
        date_of_birth=person.born_on,
        nhs_number=person.nhs_number,
        address=AddressIn(lines=(person.address_line, "Testtown"), postcode=person.postcode),
        phone=person.telephone,
    )


def draw_visits(chance: Random) -> tuple[Visit, ...]:
    """Draw one to three visits a day, sometimes with two carers."""
    windows = chance.choice(((_MORNING,), (_MORNING, _EVENING), (_MORNING, _NOON, _EVENING)))
    carers = 2 if chance.random() < 0.15 else 1
    return tuple(
        Visit.model_validate(
            {
                "days": tuple(Weekday),
                "earliest": f"{opens:02}:00",
                "latest": f"{closes:02}:00",
                "minutes": chance.choice((30, 45)),
                "carers": carers,
                "time_critical": chance.random() < 0.1,
            }
        )
        for opens, closes in windows
    )


class ReferralBuilder(Protocol):
    """Builds the referral of an adult."""

    def __call__(self, person: Person, *, today: date, seed: int, urgent: bool | None = None) -> ReferralIn: ...


class Council:
    """One council's system. `refused` counts the referrals that were refused."""

    def __init__(
        self,
        client: ApiClient,
        referral_url: str,
        log: JsonLinesWriter[PostedReferral],
        *,
        seed: int,
        today: Callable[[], date] = lambda: datetime.now(UTC).date(),
        build: ReferralBuilder = build_referral,
    ) -> None:
        self._client = client
        self._url = f"{referral_url}/v1/referrals"
        self._log = log
        self._seed = seed
        self._today = today
        self._build = build
        self.refused = 0

    async def post(self, person: Person, *, urgent: bool | None = None) -> PostedReferral:
        """Post one referral and log it. Raises ServiceRefused, ServiceUnreachable."""
        body = self._build(person, today=self._today(), seed=self._seed, urgent=urgent)
        posted_at = datetime.now(UTC)
        response = await self._client.post(self._url, body, idempotency_key=body.reference)
        submitted = response.parse(SubmittedReferral)
        entry = PostedReferral(
            posted_at=posted_at,
            reference=body.reference,
            referral_id=submitted.referral_id,
            package_id=submitted.package_id,
            area=person.area,
            route=body.route,
        )
        self._log.write(entry)
        return entry

    async def post_steadily(
        self,
        next_person: Callable[[], Person],
        *,
        count: int,
        per_second: float,
        on_posted: Callable[[PostedReferral], None],
    ) -> None:
        """Post `count` referrals at a steady rate, without waiting for responses; call `on_posted` on acceptance."""
        tasks: set[asyncio.Task[None]] = set()
        try:
            async for _ in _generate_paced(count, per_second):
                task = asyncio.create_task(self._post_until_accepted(next_person(), on_posted))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()

    async def _post_until_accepted(self, person: Person, on_posted: Callable[[PostedReferral], None]) -> None:
        while (delay := await self._try_post(person, on_posted)) is not None:
            await asyncio.sleep(delay)

    async def _try_post(self, person: Person, on_posted: Callable[[PostedReferral], None]) -> float | None:
        """Return None if the referral was accepted or refused, else the seconds to wait before it is posted again."""
        try:
            on_posted(await self.post(person))
        except ServiceUnreachable:
            return RETRY_DELAY
        except ServiceRefused as refused:
            if refused.is_transient:
                return refused.retry_after or RETRY_DELAY
            self.refused += 1
        return None


async def _generate_paced(count: int, per_second: float) -> AsyncIterator[int]:
    """Yield `count` numbers at the rate `per_second`. A late number does not delay the following ones."""
    loop = asyncio.get_running_loop()
    started_at = loop.time()
    for number in range(count):
        await asyncio.sleep(max(0.0, started_at + number / per_second - loop.time()))
        yield number
