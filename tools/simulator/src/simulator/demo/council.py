"""A council's system: posts referrals in all areas, withdraws some, and posts the care that follows reablement."""

from datetime import timedelta
from random import Random
from typing import Final
from uuid import UUID

from pydantic import BaseModel

from calloff.client import ApiClient, ResponseModel
from contracts.example_words import WithdrawalReasons
from contracts.ids import ReasonKey
from contracts.office_time import to_office_date
from contracts.precedence import Precedence
from devstack.councils import COUNCILS, DEFAULT_COUNCIL
from devstack.errors import ServiceRefused
from devstack.json_lines import JsonLinesWriter
from simulator.council import PostedReferral, ReferralIn, SubmittedReferral
from simulator.demo.days import Days
from simulator.demo.market import find_provider_to_refuse
from simulator.demo.schedule import DriverClock, Schedule
from simulator.districts import ESSEX_DISTRICTS
from simulator.market import InventedMarket
from simulator.person_factory import Person
from simulator.referrals import CouncilReferrals

_URGENT_SHARE: Final = 0.2
_WITHDRAWN_SHARE: Final = 0.09
_REFUSAL_SHARE: Final = 0.06
_FOLLOWED_SHARE: Final = 0.6
"""Share of the packages, such as reablement, that long-term care of the same person may follow."""
_FOLLOW_UP_DELAYS_HOURS: Final = (3, 5, 22)
_FOLLOW_UP_ATTEMPTS: Final = 4
_START_DELAY_DAYS: Final = range(10, 21)
"""Days until care starts: after the demonstration's end, so that a withdrawal still voids a placement."""
_NUMBERS_A_COUNCIL: Final = 10_000
"""Adults are numbered, so that no two councils have one in common."""


class DemoReferralIn(ReferralIn):
    """A referral with the providers that the adult refuses."""

    refused_providers: tuple[UUID, ...] = ()


class WithdrawalIn(BaseModel):
    reason: ReasonKey


class ReferralStatus(ResponseModel):
    status: str


class DemoCouncil:
    """Posts and withdraws referrals as its schedule says. `withdrawals` counts the accepted withdrawals."""

    def __init__(
        self,
        client: ApiClient,
        referral_url: str,
        *,
        referrals: CouncilReferrals,
        market: InventedMarket,
        clock: DriverClock,
        log: JsonLinesWriter[PostedReferral],
        seed: int,
    ) -> None:
        self.schedule = Schedule(f"council {market.council}", Precedence.COUNCIL)
        self._client = client
        self._url = f"{referral_url}/v1/referrals"
        self._referrals = referrals
        self._market = market
        self._clock = clock
        self._log = log
        self._seed = f"{seed}/{market.council}"
        self._first_number = list(COUNCILS).index(market.council) * _NUMBERS_A_COUNCIL
        self.referral_numbers: dict[UUID, int] = {}
        """The referral's number by package, which seeds the officers' decisions."""
        self.withdrawals = 0

    def plan_referrals(self, referrals: int, days: Days) -> None:
        for number in range(self._first_number + 1, self._first_number + referrals + 1):
            chance = Random(f"{self._seed}/posted/{number}")
            self.schedule.add(days.draw_posting_time(chance), lambda number=number: self._post(number))

    def _create_person(self, number: int) -> Person:
        """Create the adult; Essex's live in one district after the other."""
        is_essex = self._market.council == DEFAULT_COUNCIL
        area = ESSEX_DISTRICTS[number % len(ESSEX_DISTRICTS)].code if is_essex else None
        return self._referrals.create_person(number, area=area)

    async def _post(self, number: int) -> None:
        chance, person = Random(f"{self._seed}/demo referral/{number}"), self._create_person(number)
        body = self._build_body(person, chance)
        submitted = await self._submit(body, person.area, number)
        if chance.random() < _WITHDRAWN_SHARE:
            delay = timedelta(minutes=chance.choice((15, 15, 30, 60, 240, 600)))
            self.schedule.add(self._clock.now() + delay, lambda: self._withdraw(submitted.referral_id, chance))
        elif chance.random() < _FOLLOWED_SHARE:
            self._plan_follow_up(person, body, submitted, chance, attempts=_FOLLOW_UP_ATTEMPTS)

    async def _submit(self, body: ReferralIn, area: str, number: int) -> SubmittedReferral:
        response = await self._client.post(self._url, body, idempotency_key=body.reference)
        submitted = response.parse(SubmittedReferral)
        self.referral_numbers[submitted.package_id] = number
        self._log.write(
            PostedReferral(
                posted_at=self._clock.now(),
                reference=body.reference,
                referral_id=submitted.referral_id,
                package_id=submitted.package_id,
                area=body.area or area,
                route=body.route,
            )
        )
        return submitted

    def _build_body(self, person: Person, chance: Random) -> DemoReferralIn:
        today = to_office_date(self._clock.now())
        referral = self._referrals.build_referral(
            person, today=today, seed=self._referrals.seed, urgent=chance.random() < _URGENT_SHARE
        )
        starts_on = today + timedelta(days=chance.choice(_START_DELAY_DAYS))
        refused = (
            (find_provider_to_refuse(self._market, person.area, chance),) if chance.random() < _REFUSAL_SHARE else ()
        )
        return DemoReferralIn(
            **referral.model_dump(exclude={"starts_on"}), starts_on=starts_on, refused_providers=refused
        )

    def _plan_follow_up(
        self, person: Person, body: ReferralIn, submitted: SubmittedReferral, chance: Random, *, attempts: int
    ) -> None:
        """Plan the referral of the care that follows, unless nothing follows the care of `body`."""
        following = self._referrals.build_follow_up(
            person, body, submitted.package_id, today=to_office_date(self._clock.now())
        )
        if following is None or not attempts:
            return

        async def post() -> None:
            response = await self._client.get(f"{self._url}/{submitted.referral_id}")
            if response.parse(ReferralStatus).status == "placed":
                await self._submit(following, person.area, person.number + _NUMBERS_A_COUNCIL // 2)
            else:
                self._plan_follow_up(person, body, submitted, chance, attempts=attempts - 1)

        delay = timedelta(hours=chance.choice(_FOLLOW_UP_DELAYS_HOURS))
        self.schedule.add(self._clock.now() + delay, post)

    async def _withdraw(self, referral_id: UUID, chance: Random) -> None:
        body = WithdrawalIn(reason=chance.choice(WithdrawalReasons.ALL))
        try:
            await self._client.post(f"{self._url}/{referral_id}/withdrawal", body)
        except ServiceRefused as refused:
            if refused.status != 409:
                raise
            return
        self.withdrawals += 1
