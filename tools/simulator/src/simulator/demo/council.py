"""The council's system: posts referrals in all districts and withdraws some of them."""

from datetime import datetime, timedelta
from random import Random
from typing import Final
from uuid import UUID

from pydantic import BaseModel

from calloff.client import ApiClient
from contracts.office_time import to_office_date
from contracts.precedence import Precedence
from contracts.values import WithdrawalReason
from devstack.errors import ServiceRefused
from devstack.json_lines import JsonLinesWriter
from geography import ESSEX_DISTRICTS
from simulator.council import PostedReferral, ReferralIn, SubmittedReferral, build_referral
from simulator.demo.days import Days
from simulator.demo.market import is_reluctant
from simulator.demo.schedule import DriverClock, Schedule
from simulator.market import InventedMarket
from simulator.person_factory import PersonFactory

_URGENT_SHARE: Final = 0.2
_WITHDRAWN_SHARE: Final = 0.09
_REFUSAL_SHARE: Final = 0.06
_START_DELAY_DAYS: Final = range(10, 21)
"""Days until care starts: after the demonstration's end, so that a withdrawal still voids a placement."""


class DemoReferralIn(ReferralIn):
    """A referral with the providers that the adult refuses."""

    refused_providers: tuple[UUID, ...] = ()


class WithdrawalIn(BaseModel):
    reason: WithdrawalReason


class DemoCouncil:
    """Posts and withdraws referrals as its schedule says. `withdrawals` counts the accepted withdrawals."""

    def __init__(
        self,
        client: ApiClient,
        referral_url: str,
        *,
        person_factory: PersonFactory,
        market: InventedMarket,
        clock: DriverClock,
        log: JsonLinesWriter[PostedReferral],
        seed: int,
    ) -> None:
        self.schedule = Schedule("council", Precedence.COUNCIL)
        self._client = client
        self._referral_url = referral_url
        self._person_factory = person_factory
        self._market = market
        self._clock = clock
        self._log = log
        self._seed = seed
        self.referral_numbers: dict[UUID, int] = {}
        """The referral's number by package, which seeds the officers' decisions."""
        self.withdrawals = 0

    def plan_referrals(self, referrals: int, days: Days) -> None:
        for number in range(1, referrals + 1):
            chance = Random(f"{self._seed}/posted/{number}")
            area = ESSEX_DISTRICTS[number % len(ESSEX_DISTRICTS)].code
            self.schedule.add(days.draw_posting_time(chance), lambda number=number, area=area: self._post(number, area))

    async def _post(self, number: int, area: str) -> None:
        chance, now = Random(f"{self._seed}/demo referral/{number}"), self._clock.now()
        body = self._build_body(number, area, now, chance)
        submitted = (
            await self._client.post(f"{self._referral_url}/v1/referrals", body, idempotency_key=body.reference)
        ).parse(SubmittedReferral)
        self.referral_numbers[submitted.package_id] = number
        self._log.write(
            PostedReferral(
                posted_at=now,
                reference=body.reference,
                referral_id=submitted.referral_id,
                package_id=submitted.package_id,
                area=area,
                urgency=body.urgency,
            )
        )
        if chance.random() < _WITHDRAWN_SHARE:
            delay = timedelta(minutes=chance.choice((15, 15, 30, 60, 240, 600)))
            self.schedule.add(now + delay, lambda: self._withdraw(submitted.referral_id, chance))

    def _build_body(self, number: int, area: str, now: datetime, chance: Random) -> DemoReferralIn:
        today = to_office_date(now)
        person = self._person_factory.create_person(number, area=area)
        referral = build_referral(person, today=today, seed=self._seed, urgent=chance.random() < _URGENT_SHARE)
        starts_on = today + timedelta(days=chance.choice(_START_DELAY_DAYS))
        refused_providers = (
            (self._find_first_ranked_provider(area, chance),) if chance.random() < _REFUSAL_SHARE else ()
        )
        return DemoReferralIn(
            **referral.model_dump(exclude={"starts_on"}), starts_on=starts_on, refused_providers=refused_providers
        )

    def _find_first_ranked_provider(self, area: str, chance: Random) -> UUID:
        """Return the provider that would get the first offer, so that the refusal has an effect."""
        tier = 2 if is_reluctant(area) and chance.random() < 0.3 else 1
        return next(each.ranking[0] for each in self._market.lists if (each.area, each.tier) == (area, tier))

    async def _withdraw(self, referral_id: UUID, chance: Random) -> None:
        body = WithdrawalIn(reason=chance.choice(list(WithdrawalReason)))
        try:
            await self._client.post(f"{self._referral_url}/v1/referrals/{referral_id}/withdrawal", body)
        except ServiceRefused as refused:
            if refused.status != 409:
                raise
            return
        self.withdrawals += 1
