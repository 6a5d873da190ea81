"""The demonstration from beginning to end: set the stage, let the days pass, judge what happened, tell it."""

import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from devstack.home import Home
from devstack.json_lines import JsonLinesWriter
from devstack.names import PRICING, REFERRAL, REGISTRY, SOURCING
from devstack.record import lock_home
from devstack.screen import Screen
from devstack.steps import delete_data
from geography import PostcodeDirectory
from simulator.council import Posted
from simulator.demo.council import CouncilsSystem
from simulator.demo.days import Days
from simulator.demo.market import small_market
from simulator.demo.market_team import MarketTeam
from simulator.demo.officers import FirstOfficer, SecondOfficer
from simulator.demo.providers import ProvidersSystems
from simulator.demo.schedule import PlayClock
from simulator.demo.stack import let_providers_listen, open_the_market, set_the_stage
from simulator.demo.verdict import Verdict, reach_verdict
from simulator.market import Market
from simulator.people import People
from simulator.postcodes import sample
from simulator.provider_systems import Answered
from simulator.simulated_clock.driver import Driver, Journey
from simulator.simulated_clock.participants import Participant
from simulator.stack import Stage

SEED: Final = 2026
_A_LOOK_EVERY: Final = timedelta(hours=1)
"""Of simulated time, so much between two movements of the bar."""
_POSTCODES_EACH: Final = 12


@dataclass(frozen=True)
class Wish:
    referrals: int = 320
    days: Days = field(default_factory=lambda: Days(5))
    seed: int = SEED


@dataclass(frozen=True)
class Ending:
    """What there is to tell."""

    verdict: Verdict
    journey: Journey
    days: int
    wall_seconds: float
    took: dict[str, float]


@dataclass(frozen=True)
class Cast:
    """Everybody who acts."""

    council: CouncilsSystem
    providers: ProvidersSystems
    market_team: MarketTeam
    first: FirstOfficer
    second: SecondOfficer

    @property
    def people(self) -> tuple[Participant, ...]:
        return (self.council.diary, self.providers.diary, self.market_team.diary, self.first, self.second)


async def play(home: Home, wish: Wish, screen: Screen) -> Ending:
    """Raises NeverAtRest, StackFailed and what else can go wrong; ends whatever it started."""
    begun, took = time.monotonic(), dict[str, float]()

    def lap(what: str) -> None:
        took[what] = round(time.monotonic() - begun - sum(took.values()), 1)

    with lock_home(home):
        delete_data(home)
        async with AsyncExitStack() as held:
            market, clock = small_market(seed=wish.seed), PlayClock(wish.days.begin)
            stage = await set_the_stage(home, wish.days.begin, screen, held)
            lap("stack")
            await open_the_market(stage, market, screen)
            lap("market")
            cast = _cast(stage, market, clock, wish, held)
            await let_providers_listen(stage, cast.providers, held)
            driver = Driver(stage.services, cast.people, seed=wish.seed)
            clock.follow(driver)
            journey = await _let_days_pass(driver, wish.days, screen)
            lap("days")
            verdict = await reach_verdict(stage, driver.now, screen)
            lap("verdict")
        lap("end")
    return Ending(verdict, journey, wish.days.count, time.monotonic() - begun, took)


def _cast(stage: Stage, market: Market, clock: PlayClock, wish: Wish, held: AsyncExitStack) -> Cast:
    posted, answered = (
        JsonLinesWriter[Posted](stage.config.home.council_log),
        JsonLinesWriter[Answered](stage.config.home.answer_log),
    )
    held.callback(posted.close)
    held.callback(answered.close)
    postcodes = sample(PostcodeDirectory.open(stage.config.home.postcodes), each=_POSTCODES_EACH, seed=wish.seed)
    council = CouncilsSystem(
        stage.caller("council"),
        stage.urls[REFERRAL],
        people=People(postcodes, seed=wish.seed),
        market=market,
        clock=clock,
        log=posted,
        seed=wish.seed,
    )
    council.plan(wish.referrals, wish.days)
    team = MarketTeam(stage.caller("admin"), stage.urls[REGISTRY], market=market, seed=wish.seed)
    team.plan(wish.days)
    return Cast(
        council=council,
        providers=ProvidersSystems(stage.urls[SOURCING], stage.provider, clock=clock, log=answered, seed=wish.seed),
        market_team=team,
        first=FirstOfficer(
            stage.caller("officer"),
            stage.urls[SOURCING],
            numbers=council.numbers,
            days=wish.days,
            clock=clock,
            seed=wish.seed,
        ),
        second=SecondOfficer(
            stage.caller("second-officer"),
            stage.urls[PRICING],
            numbers=council.numbers,
            days=wish.days,
            seed=wish.seed,
        ),
    )


async def _let_days_pass(driver: Driver, days: Days, screen: Screen) -> Journey:
    begun, steps, acts, rounds = time.monotonic(), 0, 0, 0
    with screen.show_step(f"{days.count} days of brokerage") as step:
        now = await driver.begin()
        while now < days.end:
            now = min(now + _A_LOOK_EVERY, days.end)
            part = await driver.to(now)
            steps, acts, rounds = steps + part.steps, acts + part.acts, rounds + part.rounds
            step.set_progress((now - days.begin) / (days.end - days.begin))
    return Journey(now, steps, acts, rounds, time.monotonic() - begun)
