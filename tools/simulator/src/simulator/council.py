"""The council's system: posts referrals for invented adults at a steady rate, and writes down what it posted."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from calloff.client import ApiClient, ResponseModel
from contracts.values import Need, ServiceType, Urgency, Visit, Weekday
from devstack.errors import ServiceRefused, ServiceUnreachable
from devstack.json_lines import JsonLinesWriter
from simulator.people import Person

_MORNING, _NOON, _EVENING = (7, 9), (12, 13), (18, 20)
SOON: Final = 1.0
"""Seconds before a referral is sent again that could not be taken in."""
_URGENT_SHARE: Final = 0.9
"""Hospital discharges are offered at any hour, so that there is something to see on a Sunday night."""


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
    """The body of `POST /v1/referrals`, as far as the simulated council fills it in."""

    reference: str
    person: PersonIn
    service_type: ServiceType
    visits: tuple[Visit, ...]
    starts_on: date
    urgency: Urgency
    needs: tuple[Need, ...]


class Submitted(ResponseModel):
    referral_id: UUID
    package_id: UUID


class Posted(BaseModel):
    """One line of the council's log; who the adult is it does not say."""

    model_config = ConfigDict(frozen=True)

    posted_at: datetime
    reference: str
    referral_id: UUID
    package_id: UUID
    area: str
    urgency: Urgency


def referral_for(person: Person, *, today: date, seed: int, urgent: bool | None = None) -> ReferralIn:
    """What the council asks for, for this adult; by default mostly urgent."""
    chance = Random(f"{seed}/referral/{person.number}")
    is_urgent = chance.random() < _URGENT_SHARE if urgent is None else urgent
    return ReferralIn(
        reference=f"TEST-{person.number:06}",
        person=PersonIn(
            name=person.full_name,
            date_of_birth=person.born_on,
            nhs_number=person.nhs_number,
            address=AddressIn(lines=(person.address_line, "Testtown"), postcode=person.postcode),
            phone=person.telephone,
        ),
        service_type=ServiceType.PERSONAL_CARE if chance.random() < 0.9 else ServiceType.CARERS_BREAK,
        visits=_visits(chance),
        starts_on=today + timedelta(days=chance.randint(1, 5)),
        urgency=Urgency.HOSPITAL_DISCHARGE if is_urgent else Urgency.ROUTINE,
        needs=tuple(chance.sample(list(Need), chance.randint(0, 3))),
    )


def _visits(chance: Random) -> tuple[Visit, ...]:
    """One to three visits each day, sometimes with two carers."""
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


class Council:
    """One council's system; `posted` is told what was taken in, `refused` counts what was not."""

    def __init__(
        self,
        caller: ApiClient,
        referral: str,
        log: JsonLinesWriter[Posted],
        *,
        seed: int,
        today: Callable[[], date] = lambda: datetime.now(UTC).date(),
    ) -> None:
        self._caller = caller
        self._url = f"{referral}/v1/referrals"
        self._log = log
        self._seed = seed
        self._today = today
        self.refused = 0

    async def post(self, person: Person, *, urgent: bool | None = None) -> Posted:
        """Raises ServiceRefused, ServiceUnreachable."""
        body = referral_for(person, today=self._today(), seed=self._seed, urgent=urgent)
        posted_at = datetime.now(UTC)
        answer = await self._caller.post(self._url, body, idempotency_key=body.reference)
        submitted = answer.parse(Submitted)
        line = Posted(
            posted_at=posted_at,
            reference=body.reference,
            referral_id=submitted.referral_id,
            package_id=submitted.package_id,
            area=person.area,
            urgency=body.urgency,
        )
        self._log.write(line)
        return line

    async def post_steadily(
        self, next_person: Callable[[], Person], *, count: int, a_second: float, posted: Callable[[Posted], None]
    ) -> None:
        """`count` referrals, `a_second` of them each second, whether or not the one before has been answered."""
        under_way: set[asyncio.Task[None]] = set()
        try:
            async for _ in _beats(count, a_second):
                task = asyncio.create_task(self._post_until_answered(next_person(), posted))
                under_way.add(task)
                task.add_done_callback(under_way.discard)
            await asyncio.gather(*under_way)
        finally:
            for task in under_way:
                task.cancel()

    async def _post_until_answered(self, person: Person, posted: Callable[[Posted], None]) -> None:
        while (wait := await self._attempt(person, posted)) is not None:
            await asyncio.sleep(wait)

    async def _attempt(self, person: Person, posted: Callable[[Posted], None]) -> float | None:
        """None when the referral was taken in or refused; else the seconds after which it is sent again."""
        try:
            posted(await self.post(person))
        except ServiceUnreachable:
            return SOON
        except ServiceRefused as refused:
            if refused.is_transient:
                return refused.retry_after or SOON
            self.refused += 1
        return None


async def _beats(count: int, a_second: float) -> AsyncIterator[int]:
    """A beat each so often, kept to the clock: what comes late does not put off the ones after it."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    for beat in range(count):
        await asyncio.sleep(max(0.0, begun + beat / a_second - loop.time()))
        yield beat
