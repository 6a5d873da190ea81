"""The demonstration: start the stack, register the market, simulate the days and judge the result."""

import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from devstack.councils import COUNCILS, DEFAULT_COUNCIL
from devstack.home import Home
from devstack.issuer.identities import make_client_id
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
from simulator.demo.stack import register_demo_markets, start_demo_stack, start_webhook_receivers
from simulator.demo.verdict import Verdict, reach_verdict
from simulator.market import InventedMarket
from simulator.person_factory import PersonFactory
from simulator.postcodes import sample_postcodes_of_council
from simulator.provider_systems import AnswerLogEntry
from simulator.providers import EndpointSecrets
from simulator.referrals import CouncilReferrals
from simulator.simulated_clock.driver import ClockDriver, ClockRun
from simulator.simulated_clock.participants import Participant
from simulator.stack import ServiceStack

SEED: Final = 2026
USUAL_DAYS: Final = 8
"""From the Wednesday before Easter to the Wednesday after it."""
_PROGRESS_INTERVAL: Final = timedelta(hours=1)
"""Simulated time between two updates of the progress bar."""
_POSTCODES_PER_DISTRICT: Final = 12
_CLIENTS: Final = ("council", "admin", "officer", "second-officer")


_OTHERS_SHARE: Final = 60 / 320
"""Referrals of each further council, as a share of the default council's."""


@dataclass(frozen=True)
class DemoOptions:
    """`referrals` are the default council's; the other councils have fewer each."""

    referrals: int = 320
    days: Days = field(default_factory=lambda: Days(USUAL_DAYS))
    seed: int = SEED

    def count_referrals(self, council: str) -> int:
        return self.referrals if council == DEFAULT_COUNCIL else max(1, round(self.referrals * _OTHERS_SHARE))


@dataclass(frozen=True)
class DemoResult:
    """The result of a demonstration. `durations` holds real seconds by phase."""

    verdict: Verdict
    clock_run: ClockRun
    days: int
    wall_seconds: float
    durations: dict[str, float]


@dataclass(frozen=True)
class CouncilParticipants:
    """The simulated participants of one council, besides the providers."""

    council: DemoCouncil
    market_team: MarketTeam
    first_officer: FirstOfficer
    second_officer: SecondOfficer

    @property
    def ordered(self) -> tuple[Participant, ...]:
        return (
            self.council.schedule,
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
            markets = [build_demo_market(council, seed=options.seed) for council in COUNCILS]
            clock = DriverClock(options.days.begin)
            stack = await start_demo_stack(home, options.days.begin, screen, exit_stack)
            record_duration("stack")
            await register_demo_markets(stack, markets, screen)
            record_duration("market")
            council_log, answer_log = _open_logs(home, exit_stack)
            councils = [_create_participants(stack, market, clock, options, council_log) for market in markets]
            secrets = EndpointSecrets(home)
            areas = {each.provider_id: each.areas for market in markets for each in market.providers}
            systems = DemoProviderSystems(
                stack.urls[SOURCING],
                lambda provider_id: stack.create_client(secrets.get_client_id(provider_id)),
                clock=clock,
                log=answer_log,
                areas=areas,
                seed=options.seed,
            )
            await start_webhook_receivers(stack, systems, secrets, exit_stack)
            people = [each for participants in councils for each in participants.ordered]
            driver = ClockDriver(stack.services, [*people, systems.schedule], seed=options.seed)
            clock.follow(driver)
            clock_run = await _simulate_days(driver, options.days, screen)
            record_duration("days")
            verdict = await reach_verdict(stack, driver.now, screen)
            record_duration("verdict")
        record_duration("end")
    return DemoResult(verdict, clock_run, options.days.count, time.monotonic() - started_at, durations)


def _create_participants(
    stack: ServiceStack,
    market: InventedMarket,
    clock: DriverClock,
    options: DemoOptions,
    log: JsonLinesWriter[PostedReferral],
) -> CouncilParticipants:
    key = market.council
    clients = {name: stack.create_client(make_client_id(key, name)) for name in _CLIENTS}
    council = DemoCouncil(
        clients["council"],
        stack.urls[REFERRAL],
        referrals=_build_referrals(stack, key, options),
        market=market,
        clock=clock,
        log=log,
        seed=options.seed,
    )
    council.plan_referrals(options.count_referrals(key), options.days)
    market_team = MarketTeam(clients["admin"], stack.urls[REGISTRY], market=market, seed=options.seed)
    market_team.plan_requests(options.days)
    return CouncilParticipants(
        council=council,
        market_team=market_team,
        first_officer=FirstOfficer(
            clients["officer"],
            stack.urls[SOURCING],
            council=key,
            referral_numbers=council.referral_numbers,
            days=options.days,
            clock=clock,
            seed=options.seed,
        ),
        second_officer=SecondOfficer(
            clients["second-officer"],
            stack.urls[PRICING],
            council=key,
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


def _build_referrals(stack: ServiceStack, council: str, options: DemoOptions) -> CouncilReferrals:
    directory = PostcodeDirectory.open(stack.config.home.postcodes)
    postcodes = sample_postcodes_of_council(directory, council, per_district=_POSTCODES_PER_DISTRICT, seed=options.seed)
    return CouncilReferrals(council, PersonFactory(postcodes, seed=options.seed), seed=options.seed)


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
