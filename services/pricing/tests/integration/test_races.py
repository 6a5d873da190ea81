"""Races between two requests or events, fifty rounds each: one wins, and every event is published once."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Sequence
from datetime import timedelta
from typing import Final
from uuid import uuid4

import pytest

from contracts.events.listings import AwardAwaitsApproval, AwardLapsed
from contracts.events.searches import PlacementVoided
from contracts.examples import an_example_of
from contracts.ids import PackageId, ProviderId
from testkit.chain_checker import find_chain_faults
from testkit.concurrency import run_concurrently, wait_randomly
from testkit.databases import fetch_number, fetch_rows
from testkit.http_response import HttpResponse
from testkit.pricing.harness import PricingHarness, a_body

pytestmark = pytest.mark.xdist_group("pricing")

ROUNDS: Final = 50


async def delay_randomly(request: Awaitable[HttpResponse]) -> HttpResponse:
    """Sends the request after up to 20 ms, so that either of two requests can be first."""
    await wait_randomly(0.02)
    return await request


def approve(
    harness: PricingHarness, award: AwardAwaitsApproval, *, by: str = "second", key: str | None = None
) -> Awaitable[HttpResponse]:
    return delay_randomly(
        harness.request_as_officer("POST", f"/v1/spot-prices/{award.award_id}/approve", name=by, key=key)
    )


def refuse(harness: PricingHarness, award: AwardAwaitsApproval, *, by: str = "third") -> Awaitable[HttpResponse]:
    return delay_randomly(
        harness.request_as_officer("POST", f"/v1/spot-prices/{award.award_id}/refuse", {"reason": "too-high"}, name=by)
    )


async def count_decisions(harness: PricingHarness, awards: Sequence[AwardAwaitsApproval]) -> int:
    award_ids = [each.award_id for each in awards]
    return await fetch_number(
        harness.database, "SELECT count(*) FROM price_decisions WHERE award_id = ANY(:awards)", awards=award_ids
    )


async def test_if_two_officers_disagree_the_first_decides_and_the_second_is_late(harness: PricingHarness) -> None:
    awards = await harness.publish_awards(ROUNDS)

    async def run_race(award: AwardAwaitsApproval) -> tuple[HttpResponse, HttpResponse]:
        approval, refusal = await asyncio.gather(approve(harness, award), refuse(harness, award))
        return approval, refusal

    answers = await run_concurrently(awards, run_race)

    for award, (approval, refusal) in zip(awards, answers, strict=True):
        assert sorted((approval.status, refusal.status)) == [200, 409]
        expected = "SpotPriceApproved" if approval.status == 200 else "SpotPriceRefused"
        assert await harness.list_published_types(award.package_id) == [expected, "LateDecisionRefused"]
    winners = Counter(approval.status == 200 for approval, _ in answers)
    assert len(winners) == 2, "each of the two is first in some rounds"
    assert await count_decisions(harness, awards) == ROUNDS
    assert find_chain_faults(await harness.read_events([each.package_id for each in awards])) == []


async def test_if_two_officers_agree_one_approval_is_published(harness: PricingHarness) -> None:
    awards = await harness.publish_awards(ROUNDS)

    async def run_race(award: AwardAwaitsApproval) -> tuple[HttpResponse, HttpResponse]:
        first, second = await asyncio.gather(approve(harness, award), approve(harness, award, by="third"))
        return first, second

    for first, second in await run_concurrently(awards, run_race):
        assert (first.status, first.body) == (200, second.body)
    for award in awards:
        assert await harness.list_published_types(award.package_id) == ["SpotPriceApproved"]


async def test_two_concurrent_late_refusals_are_published_once(harness: PricingHarness) -> None:
    awards = await harness.publish_awards(ROUNDS)
    assert {answer.status for answer in await run_concurrently(awards, lambda award: approve(harness, award))} == {200}

    async def run_race(award: AwardAwaitsApproval) -> tuple[HttpResponse, HttpResponse]:
        first, second = await asyncio.gather(refuse(harness, award), refuse(harness, award))
        return first, second

    for first, second in await run_concurrently(awards, run_race):
        assert (first.status, first.body) == (409, second.body)
    for award in awards:
        assert await harness.list_published_types(award.package_id) == ["SpotPriceApproved", "LateDecisionRefused"]


async def test_two_concurrent_approvals_with_one_key_are_published_once(harness: PricingHarness) -> None:
    awards = await harness.publish_awards(ROUNDS)

    async def run_race(award: AwardAwaitsApproval) -> tuple[HttpResponse, HttpResponse]:
        key = str(uuid4())
        first, second = await asyncio.gather(approve(harness, award, key=key), approve(harness, award, key=key))
        return first, second

    for first, second in await run_concurrently(awards, run_race):
        assert (first.status, first.body) == (200, second.body)
    for award in awards:
        assert await harness.list_published_types(award.package_id) == ["SpotPriceApproved"]


async def test_an_idempotency_key_cannot_be_reused_for_another_decision(harness: PricingHarness) -> None:
    first, second = await harness.publish_awards(2)
    assert (await approve(harness, first, key="the same")).status == 200
    assert (await approve(harness, second, key="the same")).status == 422


async def test_an_approval_that_races_with_a_lapse_is_either_applied_or_late(harness: PricingHarness) -> None:
    awards = await harness.publish_awards(ROUNDS)

    async def run_race(award: AwardAwaitsApproval) -> HttpResponse:
        lapsed = an_example_of(AwardLapsed, package_id=award.package_id, award_id=award.award_id)
        answer, _ = await asyncio.gather(approve(harness, award), harness.publish(lapsed))
        return answer

    answers = await run_concurrently(awards, run_race)

    approved = sum(answer.status == 200 for answer in answers)
    assert {answer.status for answer in answers} <= {200, 409}
    assert await count_decisions(harness, awards) == approved
    for award, answer in zip(awards, answers, strict=True):
        expected = "SpotPriceApproved" if answer.status == 200 else "LateDecisionRefused"
        assert await harness.list_published_types(award.package_id) == [expected]


async def test_orders_that_are_issued_concurrently_have_different_numbers(harness: PricingHarness) -> None:
    placements = await run_concurrently(range(ROUNDS * 4), lambda _: harness.place_package())
    await harness.wait_for_orders(*placements)
    own = "SELECT reference FROM purchase_orders WHERE council = :council"  # other tests place packages, too
    references = await fetch_rows(harness.database, own, council=harness.council)
    assert len({each.reference for each in references}) == len(references)
    assert find_chain_faults(await harness.read_events([each.package_id for each in placements])) == []


async def test_a_placement_that_is_voided_at_once_has_an_order_that_is_cancelled(harness: PricingHarness) -> None:
    async def place_and_void(_: int) -> PackageId:
        placed = await harness.place_package()
        await harness.publish(
            an_example_of(PlacementVoided, package_id=placed.package_id, placement_id=placed.placement_id)
        )
        return placed.package_id

    packages = await run_concurrently(range(ROUNDS), place_and_void)
    for package_id in packages:
        await harness.wait_for_published_types(package_id, "PurchaseOrderIssued", "PurchaseOrderCancelled")


async def test_concurrent_selections_of_a_provider_are_all_saved(harness: PricingHarness) -> None:
    providers = [ProviderId(uuid4()) for _ in range(ROUNDS)]

    async def run_race(provider: ProviderId) -> None:
        bodies = [a_body(harness.today + timedelta(days=ahead)) for ahead in (0, 7, 14)]
        path = harness.build_rates_path(provider)
        answers = await asyncio.gather(
            *(delay_randomly(harness.request_as_provider(provider, "PUT", path, body)) for body in bodies)
        )
        assert [answer.status for answer in answers] == [200, 200, 200]

    await run_concurrently(providers, run_race)

    for provider in providers[:5]:
        *_, newest = await harness.read_selections(provider)
        assert [(each.valid_from - harness.today).days for each in newest.selections] == [0, 7, 14]
    count = "SELECT count(*) FROM selections WHERE provider_id = ANY(:providers)"
    assert await fetch_number(harness.database, count, providers=providers) == 3 * ROUNDS
