"""The council's system: posts referrals over all districts, and takes some of them back."""

from datetime import datetime, timedelta
from random import Random
from typing import Final
from uuid import UUID

from pydantic import BaseModel

from calloff.client import ApiClient
from contracts.office_time import to_office_date
from contracts.values import WithdrawalReason
from devstack.errors import ServiceRefused
from devstack.json_lines import JsonLinesWriter
from geography import ESSEX_DISTRICTS
from service_runtime.timers.timers import Precedence
from simulator.council import Posted, ReferralIn, Submitted, referral_for
from simulator.demo.days import Days
from simulator.demo.market import is_reluctant
from simulator.demo.schedule import Diary, PlayClock
from simulator.market import Market
from simulator.people import People

_URGENT: Final = 0.2
_WITHDRAWN: Final = 0.09
_REFUSES_SOMEBODY: Final = 0.06
_STARTS_IN: Final = range(10, 21)
"""Days: no care has started when the demonstration ends, so that a withdrawal still voids a placement."""


class WishfulReferralIn(ReferralIn):
    """With the providers that the adult will not have."""

    refused_providers: tuple[UUID, ...] = ()


class WithdrawalIn(BaseModel):
    reason: WithdrawalReason


class CouncilsSystem:
    """Everything that it will do is in its diary from the beginning; `posted` counts what was taken in."""

    def __init__(
        self,
        caller: ApiClient,
        referral: str,
        *,
        people: People,
        market: Market,
        clock: PlayClock,
        log: JsonLinesWriter[Posted],
        seed: int,
    ) -> None:
        self.diary = Diary("council", Precedence.COUNCIL)
        self._caller = caller
        self._referral = referral
        self._people = people
        self._market = market
        self._clock = clock
        self._log = log
        self._seed = seed
        self.numbers: dict[UUID, int] = {}
        """The referral's number, by package: what officers draw from."""
        self.withdrawals = 0

    def plan(self, referrals: int, days: Days) -> None:
        for number in range(1, referrals + 1):
            chance = Random(f"{self._seed}/posted/{number}")
            area = ESSEX_DISTRICTS[number % len(ESSEX_DISTRICTS)].code
            self.diary.note(days.a_moment(chance), lambda number=number, area=area: self._post(number, area))

    async def _post(self, number: int, area: str) -> None:
        chance, now = Random(f"{self._seed}/demo referral/{number}"), self._clock.now()
        body = self._body(number, area, now, chance)
        submitted = (
            await self._caller.post(f"{self._referral}/v1/referrals", body, idempotency_key=body.reference)
        ).parse(Submitted)
        self.numbers[submitted.package_id] = number
        self._log.write(
            Posted(
                posted_at=now,
                reference=body.reference,
                referral_id=submitted.referral_id,
                package_id=submitted.package_id,
                area=area,
                urgency=body.urgency,
            )
        )
        if chance.random() < _WITHDRAWN:
            after = timedelta(minutes=chance.choice((15, 15, 30, 60, 240, 600)))
            self.diary.note(now + after, lambda: self._withdraw(submitted.referral_id, chance))

    def _body(self, number: int, area: str, now: datetime, chance: Random) -> WishfulReferralIn:
        today = to_office_date(now)
        person = self._people.person(number, area=area)
        asked = referral_for(person, today=today, seed=self._seed, urgent=chance.random() < _URGENT)
        starts_on = today + timedelta(days=chance.choice(_STARTS_IN))
        refused = (self._somebody_in(area, chance),) if chance.random() < _REFUSES_SOMEBODY else ()
        return WishfulReferralIn(
            **asked.model_dump(exclude={"starts_on"}), starts_on=starts_on, refused_providers=refused
        )

    def _somebody_in(self, area: str, chance: Random) -> UUID:
        """Whoever is asked first there: that is how a refusal shows."""
        tier = 2 if is_reluctant(area) and chance.random() < 0.3 else 1
        return next(each.ranking[0] for each in self._market.lists if (each.area, each.tier) == (area, tier))

    async def _withdraw(self, referral_id: UUID, chance: Random) -> None:
        body = WithdrawalIn(reason=chance.choice(list(WithdrawalReason)))
        try:
            await self._caller.post(f"{self._referral}/v1/referrals/{referral_id}/withdrawal", body)
        except ServiceRefused as refused:
            if refused.status != 409:
                raise
            return
        self.withdrawals += 1
