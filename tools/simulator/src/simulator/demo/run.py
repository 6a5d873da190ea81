"""The demonstration: start the stack, register the market, simulate the days and judge the result."""

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
from simulator.council import PostedReferral
from simulator.demo.council import DemoCouncil
from simulator.demo.days import Days
from simulator.demo.market import build_demo_market
from simulator.demo.market_team import MarketTeam
from simulator.demo.officers import FirstOfficer, SecondOfficer
from simulator.demo.providers import DemoProviderSystems
from simulator.demo.schedule import DriverClock
from simulator.demo.stack import register_demo_market, start_demo_stack, start_webhook_receivers
from simulator.demo.verdict import Verdict, reach_verdict
from simulator.market import InventedMarket
from simulator.person_factory import PersonFactory
from simulator.postcodes import sample_postcodes
from simulator.provider_systems import AnswerLogEntry
from simulator.simulated_clock.driver import ClockDriver, ClockRun
from simulator.simulated_clock.participants import Participant
from simulator.stack import ServiceStack

SEED: Final = 2026
_PROGRESS_INTERVAL: Final = timedelta(hours=1)
"""Simulated time between two updates of the progress bar."""
_POSTCODES_PER_DISTRICT: Final = 12


@dataclass(frozen=True)
class DemoOptions:
    referrals: int = 320
    days: Days = field(default_factory=lambda: Days(5))
    seed: int = SEED


@dataclass(frozen=True)
class DemoResult:
    """The result of a demonstration. `durations` holds real seconds by phase."""

    verdict: Verdict
    clock_run: ClockRun
    days: int
    wall_seconds: float
    durations: dict[str, float]


@dataclass(frozen=True)
class DemoParticipants:
    """The simulated participants."""

    council: DemoCouncil
    providers: DemoProviderSystems
    market_team: MarketTeam
    first_officer: FirstOfficer
    second_officer: SecondOfficer

    @property
    def ordered(self) -> tuple[Participant, ...]:
        return (
            self.council.schedule,
            self.providers.schedule,
            self.market_team.schedule,
            self.first_officer,
            self.second_officer,
        )


async def run_demo(home: Home, options: DemoOptions, screen: Screen) -> DemoResult:
    """Run the demonstration and stop everything it started. Raises NeverIdle, StackFailed."""
    started_at, durations = time.monotonic(), dict[str, float]()

    def record_duration(phase: str) -> None:
        durations[phase] = round(time.monotonic() - started_at - sum(durations.values()), 1)

    with lock_home(home):
        delete_data(home)
        async with AsyncExitStack() as exit_stack:
            market, clock = build_demo_market(seed=options.seed), DriverClock(options.days.begin)
            stack = await start_demo_stack(home, options.days.begin, screen, exit_stack)
            record_duration("stack")
            await register_demo_market(stack, market, screen)
            record_duration("market")
            participants = _create_participants(stack, market, clock, options, exit_stack)
            await start_webhook_receivers(stack, participants.providers, exit_stack)
            driver = ClockDriver(stack.services, participants.ordered, seed=options.seed)
            clock.follow(driver)
            clock_run = await _simulate_days(driver, options.days, screen)
            record_duration("days")
            verdict = await reach_verdict(stack, driver.now, screen)
            record_duration("verdict")
        record_duration("end")
    return DemoResult(verdict, clock_run, options.days.count, time.monotonic() - started_at, durations)


def _create_participants(
    stack: ServiceStack, market: InventedMarket, clock: DriverClock, options: DemoOptions, exit_stack: AsyncExitStack
) -> DemoParticipants:
    council_log, answer_log = _open_logs(stack.config.home, exit_stack)
    council = DemoCouncil(
        stack.create_client("council"),
        stack.urls[REFERRAL],
        person_factory=_build_person_factory(stack, options),
        market=market,
        clock=clock,
        log=council_log,
        seed=options.seed,
    )
    council.plan_referrals(options.referrals, options.days)
    market_team = MarketTeam(stack.create_client("admin"), stack.urls[REGISTRY], market=market, seed=options.seed)
    market_team.plan_requests(options.days)
    return DemoParticipants(
        council=council,
        providers=DemoProviderSystems(
            stack.urls[SOURCING], stack.create_provider_client, clock=clock, log=answer_log, seed=options.seed
        ),
        market_team=market_team,
        first_officer=FirstOfficer(
            stack.create_client("officer"),
            stack.urls[SOURCING],
            referral_numbers=council.referral_numbers,
            days=options.days,
            clock=clock,
            seed=options.seed,
        ),
        second_officer=SecondOfficer(
            stack.create_client("second-officer"),
            stack.urls[PRICING],
            referral_numbers=council.referral_numbers,
            days=options.days,
            seed=options.seed,
        ),
    )


def _open_logs(
    home: Home, exit_stack: AsyncExitStack
) -> tuple[JsonLinesWriter[PostedReferral], JsonLinesWriter[AnswerLogEntry]]:
    council_log = JsonLinesWriter[PostedReferral](home.council_log)
    answer_log = JsonLinesWriter[AnswerLogEntry](home.answer_log)
    exit_stack.callback(council_log.close)
    exit_stack.callback(answer_log.close)
    return council_log, answer_log


def _build_person_factory(stack: ServiceStack, options: DemoOptions) -> PersonFactory:
    directory = PostcodeDirectory.open(stack.config.home.postcodes)
    postcodes = sample_postcodes(directory, per_district=_POSTCODES_PER_DISTRICT, seed=options.seed)
    return PersonFactory(postcodes, seed=options.seed)


async def _simulate_days(driver: ClockDriver, days: Days, screen: Screen) -> ClockRun:
    started_at, steps, acts, rounds = time.monotonic(), 0, 0, 0
    with screen.show_step(f"{days.count} days of brokerage") as step:
        now = await driver.start()
        while now < days.end:
            now = min(now + _PROGRESS_INTERVAL, days.end)
            part = await driver.advance_to(now)
            steps, acts, rounds = steps + part.steps, acts + part.acts, rounds + part.rounds
            step.set_progress((now - days.begin) / (days.end - days.begin))
    return ClockRun(now, steps, acts, rounds, time.monotonic() - started_at)
