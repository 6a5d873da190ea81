"""Races about open packages on real PostgreSQL and Kafka: one award at most, and every refusal recorded."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Final

import pytest

from contracts.ids import PackageId
from testkit.concurrency import count_statuses, run_concurrently, wait_randomly
from testkit.databases import fetch_number
from testkit.http_response import HttpResponse
from testkit.sourcing.harness import WAIT_TIMEOUT, SourcingHarness
from testkit.sourcing.open_packages import create_open_market
from testkit.sourcing.responses import OfficerProposalResponse
from testkit.sourcing.scenario_market import ScenarioMarket
from testkit.waiting import wait_until

pytestmark = pytest.mark.xdist_group("sourcing")
ROUNDS: Final = 50


async def create_listed_packages_with_proposals(
    market: ScenarioMarket, rate: str, *names: str
) -> dict[PackageId, list[OfficerProposalResponse]]:
    """Many open packages, each with one proposal of each of `names`."""
    references = await market.request_listed_packages(ROUNDS)

    async def propose(package: PackageId) -> tuple[PackageId, list[OfficerProposalResponse]]:
        for name in names:
            assert (await market.propose(name, references[package], rate)).status == 201
        return package, [await market.find_proposal(name, package) for name in names]

    return dict(await run_concurrently(list(references), propose))


async def have_status(harness: SourcingHarness, packages: Sequence[PackageId], status: str) -> bool:
    others = "SELECT count(*) FROM searches WHERE package_id = ANY(:packages) AND status <> :status"
    return await fetch_number(harness.database, others, packages=list(packages), status=status) == 0


async def test_race_an_award_against_a_withdrawal(harness: SourcingHarness) -> None:
    market = await create_open_market(harness, ranked=())
    open_packages = await create_listed_packages_with_proposals(market, "28.00", "Spruce")

    async def race(package: PackageId) -> HttpResponse:
        async def award() -> HttpResponse:
            await wait_randomly(0.1)
            return await harness.award(package, open_packages[package][0].proposal_id)

        answer, _ = await asyncio.gather(award(), market.withdraw_package(package))
        return answer

    answers = await run_concurrently(list(open_packages), race)

    assert set(count_statuses(answers)) <= {200, 409}
    await wait_until(lambda: have_status(harness, list(open_packages), "stopped"), within=WAIT_TIMEOUT)
    happened = await harness.list_event_types(list(open_packages))
    for package, answer in zip(open_packages, answers, strict=True):
        end = [each for each in happened[package] if each in {"PackagePlaced", "PlacementVoided", "SourcingStopped"}]
        assert end == (["PackagePlaced", "PlacementVoided"] if answer.status == 200 else ["SourcingStopped"])
    assert await harness.find_faults(list(open_packages)) == []


async def test_race_an_award_against_a_proposal_that_replaces_it(harness: SourcingHarness) -> None:
    market = await create_open_market(harness, ranked=())
    open_packages = await create_listed_packages_with_proposals(market, "28.00", "Spruce")
    references = await market.wait_until_listed(list(open_packages))

    async def race(package: PackageId) -> tuple[HttpResponse, HttpResponse]:
        async def replace() -> HttpResponse:
            await wait_randomly(0.02)
            return await market.propose("Spruce", references[package], "27.00")

        return await asyncio.gather(harness.award(package, open_packages[package][0].proposal_id), replace())

    answers = await run_concurrently(list(open_packages), race)

    assert {(award.status, proposal.status) for award, proposal in answers} <= {(200, 409), (404, 201)}
    happened = await harness.list_event_types(list(open_packages))
    for package, (award, _) in zip(open_packages, answers, strict=True):
        assert happened[package].count("PackagePlaced") == (award.status == 200)
        assert happened[package].count("ProposalRefused") == (award.status == 200)
    assert await harness.find_faults(list(open_packages)) == []


async def test_race_two_officers_award_two_proposals(harness: SourcingHarness) -> None:
    market = await create_open_market(harness, ranked=())
    open_packages = await create_listed_packages_with_proposals(market, "28.00", "Spruce", "Sorrel")

    async def race(package: PackageId) -> tuple[HttpResponse, HttpResponse]:
        one, other = open_packages[package]
        return await asyncio.gather(
            harness.award(package, one.proposal_id, officer="officer-1"),
            harness.award(package, other.proposal_id, officer="officer-2"),
        )

    answers = await run_concurrently(list(open_packages), race)

    assert all(sorted(answer.status for answer in pair) == [200, 409] for pair in answers)
    placed = {each.package_id: each.provider_id for each in await harness.list_placements(open_packages)}
    assert len(placed) == ROUNDS
    for package, pair in zip(open_packages, answers, strict=True):
        winner = next(
            proposal for proposal, answer in zip(open_packages[package], pair, strict=True) if answer.status == 200
        )
        assert placed[package] == winner.provider_id
    assert await harness.find_faults(list(open_packages)) == []


async def test_race_an_approval_against_a_withdrawal(harness: SourcingHarness) -> None:
    market = await create_open_market(harness, ranked=())
    open_packages = await create_listed_packages_with_proposals(market, "35.00", "Spruce")

    async def race(package: PackageId) -> None:
        (proposal,) = open_packages[package]
        waiting = await harness.award(package, proposal.proposal_id)
        assert waiting.status == 202
        await asyncio.gather(
            harness.approve_price(package, waiting.body["award_id"], proposal), market.withdraw_package(package)
        )

    await run_concurrently(list(open_packages), race)

    await wait_until(lambda: have_status(harness, list(open_packages), "stopped"), within=WAIT_TIMEOUT)
    happened = await harness.list_event_types(list(open_packages))
    ends = Counter(tuple(each[each.index("AwardAwaitsApproval") + 1 :]) for each in happened.values())
    assert set(ends) <= {
        ("ProposalAwarded", "PackagePlaced", "PlacementVoided"),
        ("AwardLapsed", "SourcingStopped"),
    }
    assert await harness.find_faults(list(open_packages)) == []
