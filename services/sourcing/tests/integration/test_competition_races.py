"""Races about competitions on real PostgreSQL and Kafka: a bid at the close, two awards, an award and a withdrawal."""

import asyncio
from datetime import datetime, timedelta
from typing import Final

import pytest

from contracts.example_words import OverruleReasons
from testkit.concurrency import count_statuses, run_concurrently, wait_randomly
from testkit.http_response import HttpResponse
from testkit.sourcing.competition_market import CompetitionMarket, OpenCompetition
from testkit.sourcing.competitions import name_the_price
from testkit.sourcing.harness import WAIT_TIMEOUT, SourcingHarness
from testkit.waiting import wait_until

pytestmark = pytest.mark.xdist_group("sourcing")
ROUNDS: Final = 12


async def open_competitions(market: CompetitionMarket, **rates: str) -> list[OpenCompetition]:
    """Competitions among the providers named by `rates`, each of which has bid its rate."""

    async def open_one(_: int) -> OpenCompetition:
        competition = await market.open_competition()
        for name, rate in rates.items():
            assert (await competition.bid(name, rate, answers={})).status == 200
        return competition

    return list(await run_concurrently(list(range(ROUNDS)), open_one))


async def close_all(harness: SourcingHarness, competitions: list[OpenCompetition]) -> None:
    ends = [datetime.fromisoformat((await each.show())["closes_at"]) for each in competitions]
    harness.set_clock(max(ends))
    for each in competitions:
        await wait_until(lambda each=each: is_closed(each), within=WAIT_TIMEOUT)


async def is_closed(competition: OpenCompetition) -> bool:
    return (await competition.show())["status"] != "open"


async def test_race_a_bid_against_the_close(harness: SourcingHarness) -> None:
    """Every bid that was taken is opened, and every other one is on record as refused."""
    market = await CompetitionMarket.create(harness, "Alder", "Birch", competition=name_the_price())
    competitions = await open_competitions(market, Alder="25.00")
    last = max([datetime.fromisoformat((await each.show())["closes_at"]) for each in competitions])
    harness.set_clock(last - timedelta(milliseconds=1))

    answered = list[HttpResponse]()

    async def race(competition: OpenCompetition) -> HttpResponse:
        await wait_randomly(1.0)
        answer = await competition.bid("Birch", "24.00", answers={})
        answered.append(answer)
        return answer

    async def are_some_answered() -> bool:
        return len(answered) >= ROUNDS // 4

    async def tick() -> None:
        await wait_until(are_some_answered, within=WAIT_TIMEOUT)
        harness.set_clock(last)

    answers, _ = await asyncio.gather(run_concurrently(competitions, race), tick())

    for each in competitions:
        await wait_until(lambda each=each: is_closed(each), within=WAIT_TIMEOUT)
    assert 200 in count_statuses(answers)
    assert set(count_statuses(answers)) <= {200, 409}
    happened = await harness.list_event_types([each.package for each in competitions])
    for competition, answer in zip(competitions, answers, strict=True):
        types = happened[competition.package]
        assert types.count("BidOpened") == (2 if answer.status == 200 else 1)
        assert types.count("BidRefused") == (0 if answer.status == 200 else 1)
    assert await harness.find_faults([each.package for each in competitions]) == []


async def test_race_two_officers_award_two_bids(harness: SourcingHarness) -> None:
    """One is placed or waits; the other is refused on record. Never two placements."""
    market = await CompetitionMarket.create(harness, "Alder", "Birch", competition=name_the_price())
    competitions = await open_competitions(market, Alder="24.00", Birch="25.00")
    await close_all(harness, competitions)

    async def race(competition: OpenCompetition) -> tuple[HttpResponse, HttpResponse]:
        reasons = {"overrule_reason": OverruleReasons.CONTINUITY, "note": "the carers know her"}
        return await asyncio.gather(
            competition.award("Alder", officer="officer-1"),
            competition.award("Birch", officer="officer-2", **reasons),
        )

    answers = await run_concurrently(competitions, race)

    assert {(first.status, second.status) for first, second in answers} <= {(200, 409), (409, 202)}
    placed = await harness.list_placements([each.package for each in competitions])
    assert len(placed) == sum(first.status == 200 for first, _ in answers)
    assert len({each.package_id for each in placed}) == len(placed)
    assert await harness.find_faults([each.package for each in competitions]) == []


async def test_race_an_award_against_a_withdrawal(harness: SourcingHarness) -> None:
    market = await CompetitionMarket.create(harness, "Alder", competition=name_the_price())
    competitions = await open_competitions(market, Alder="24.00")
    await close_all(harness, competitions)
    bids = {each.competition_id: (await each.find_bid("Alder"))["bid_id"] for each in competitions}

    async def race(competition: OpenCompetition) -> HttpResponse:
        async def withdraw() -> None:
            await wait_randomly(0.2)
            await competition.market.withdraw_package(competition.package)

        async def award() -> HttpResponse:
            await wait_randomly(0.2)
            return await competition.as_officer("POST", "/awards", {"bid_id": bids[competition.competition_id]})

        answer, _ = await asyncio.gather(award(), withdraw())
        return answer

    answers = await run_concurrently(competitions, race)

    assert set(count_statuses(answers)) <= {200, 409}
    for each in competitions:
        await harness.wait_for_status(each.package, "stopped")
    happened = await harness.list_event_types([each.package for each in competitions])
    ends = {"PackagePlaced", "PlacementVoided", "CompetitionEnded", "SourcingStopped"}
    for competition, answer in zip(competitions, answers, strict=True):
        end = [each for each in happened[competition.package] if each in ends]
        placed = ["PackagePlaced", "PlacementVoided"]
        assert end == (placed if answer.status == 200 else ["CompetitionEnded", "SourcingStopped"])
    assert await harness.find_faults([each.package for each in competitions]) == []
