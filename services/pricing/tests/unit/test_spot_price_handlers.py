"""Handlers of spot prices above a ceiling, with repositories in memory."""

from dataclasses import replace
from datetime import timedelta

import pytest

from contracts.errors import InvalidInput
from contracts.events.listings import AwardEnd, AwardLapsed, PackageListed
from contracts.events.orders import (
    LateDecision,
    LateDecisionRefused,
    SpotPriceApproved,
    SpotPriceRefused,
)
from contracts.events.searches import SourcingStopped
from contracts.example_words import PriceRefusals
from contracts.examples import FRAMEWORK, MONDAY_NINE, an_example_of, an_id, some_reasons
from contracts.framework.words import Reason
from contracts.ids import AwardId, FrameworkKey, PackageId, ReasonKey
from pricing.domain.approvals import ApprovalStatus
from pricing.domain.errors import AwardNotFound, FrameworkNotFound
from pricing.handlers import (
    DecideSpotPrice,
    close_award,
    close_awards_of_package,
    decide_spot_price,
    issue_purchase_order,
    record_listing,
    record_pending_price,
)
from testkit.fake_unit_of_work import A_CAUSE
from testkit.pricing.builders import (
    PACKAGE,
    a_matrix,
    a_placement,
    a_spot_price,
    an_award,
)
from testkit.pricing.fakes import InMemoryPricingWork

ANOTHER_REASON = ReasonKey("beyond-the-budget")


def build_work_with_matrix(**matrix: object) -> InMemoryPricingWork:
    work = InMemoryPricingWork()
    work.tables.add_definition(a_matrix(**matrix))
    return work


def a_decision_command(
    officer: str = "officer:second", *, package_id: PackageId = PACKAGE, refusal: ReasonKey | None = None
) -> DecideSpotPrice:
    return DecideSpotPrice(package_id, an_award().award_id, officer, refusal)


async def record_award(work: InMemoryPricingWork, *, framework: FrameworkKey = FRAMEWORK) -> None:
    """Records an award above the ceiling, of a package that was listed under a framework."""
    await record_listing(an_example_of(PackageListed, package_id=PACKAGE, framework=framework), work)
    await record_pending_price(an_award(), work)


async def build_work_with_two_frameworks() -> InMemoryPricingWork:
    """The award is made under the second framework, which has a reason of its own."""
    work, second = build_work_with_matrix(), FrameworkKey("second-framework")
    reasons = some_reasons(price_refusal=(Reason(reason=ANOTHER_REASON, title="Beyond the budget"),))
    work.tables.add_definition(a_matrix(framework=second, reasons=reasons))
    await record_award(work, framework=second)
    return work


async def find_status(work: InMemoryPricingWork, award_id: AwardId) -> ApprovalStatus:
    price = await work.spot_prices.get(award_id)
    assert price is not None
    return price.status


async def test_the_waiting_time_begins_with_the_award() -> None:
    work = InMemoryPricingWork(cause=replace(A_CAUSE, at=MONDAY_NINE - timedelta(minutes=5)))
    await record_pending_price(an_award(), work)
    (price,) = await work.spot_prices.list_pending(PACKAGE)
    assert price.asked_at == MONDAY_NINE - timedelta(minutes=5)


async def test_an_approval_is_published_once() -> None:
    work = InMemoryPricingWork()
    await record_pending_price(an_award(), work)
    first = await decide_spot_price(a_decision_command(), work)
    assert (await decide_spot_price(a_decision_command("officer:third"), work)).price == first.price
    (event,) = work.published
    assert isinstance(event, SpotPriceApproved)
    assert event.officer == "officer:second"


async def test_a_late_decision_is_published_once_and_changes_nothing() -> None:
    work = build_work_with_matrix()
    await record_award(work)
    await decide_spot_price(a_decision_command(), work)
    for _ in range(2):
        late = await decide_spot_price(a_decision_command("officer:third", refusal=PriceRefusals.TOO_HIGH), work)
        assert late.too_late is LateDecision.DECIDED_OTHERWISE
    assert [type(event) for event in work.published] == [SpotPriceApproved, LateDecisionRefused]
    assert await find_status(work, an_award().award_id) is ApprovalStatus.APPROVED


@pytest.mark.parametrize("package_id", [PACKAGE, PackageId(an_id("another"))])
async def test_an_unknown_award_is_not_found(package_id: PackageId) -> None:
    work = InMemoryPricingWork()
    if package_id != PACKAGE:
        await record_pending_price(an_award(), work)
    with pytest.raises(AwardNotFound):
        await decide_spot_price(a_decision_command(package_id=package_id), work)


async def test_a_reason_is_one_of_those_of_the_framework_that_listed_the_package() -> None:
    work = await build_work_with_two_frameworks()
    await decide_spot_price(a_decision_command(refusal=ANOTHER_REASON), work)
    (event,) = work.published
    assert isinstance(event, SpotPriceRefused)
    assert event.reason == ANOTHER_REASON


async def test_a_reason_of_the_councils_other_framework_is_refused_with_the_reasons_to_choose_from() -> None:
    work = await build_work_with_two_frameworks()
    with pytest.raises(InvalidInput, match="choose beyond-the-budget") as refused:
        await decide_spot_price(a_decision_command(refusal=PriceRefusals.TOO_HIGH), work)
    assert [each.pointer for each in refused.value.fields] == ["#/reason"]
    assert work.published == []


async def test_a_framework_without_reasons_says_where_to_add_them() -> None:
    work = build_work_with_matrix(reasons=some_reasons(price_refusal=()))
    await record_award(work)
    with pytest.raises(InvalidInput, match="price_refusal to its definition"):
        await decide_spot_price(a_decision_command(refusal=PriceRefusals.TOO_HIGH), work)


async def test_a_refusal_without_a_known_framework_is_not_decided() -> None:
    work = InMemoryPricingWork()
    await record_award(work)
    with pytest.raises(FrameworkNotFound):
        await decide_spot_price(a_decision_command(refusal=PriceRefusals.TOO_HIGH), work)
    assert work.published == []


@pytest.mark.parametrize("reason", [AwardEnd.PROPOSAL_REPLACED, AwardEnd.WITHDRAWN_BY_OFFICER])
async def test_a_lapsed_award_is_no_longer_pending(reason: AwardEnd) -> None:
    work = InMemoryPricingWork()
    await record_pending_price(an_award(), work)
    await close_award(an_example_of(AwardLapsed, reason=reason), work)
    assert await find_status(work, an_award().award_id) is ApprovalStatus.LAPSED
    assert work.published == []


async def test_a_lapse_of_an_unknown_award_changes_nothing() -> None:
    work = InMemoryPricingWork()
    await close_award(an_example_of(AwardLapsed), work)
    assert await work.spot_prices.list_pending(PACKAGE) == []


async def test_a_withdrawn_package_has_no_pending_awards() -> None:
    work = InMemoryPricingWork()
    await record_pending_price(an_award(), work)
    await close_awards_of_package(an_example_of(SourcingStopped), work)
    price = await work.spot_prices.get(an_award().award_id)
    assert price is not None
    assert price.lapsed_because is AwardEnd.PACKAGE_WITHDRAWN


async def test_a_placement_closes_pending_awards_and_keeps_decided_ones() -> None:
    work = InMemoryPricingWork()
    await record_pending_price(an_award(), work)
    approved = await decide_spot_price(a_decision_command(), work)
    waiting = a_spot_price("another")
    await work.spot_prices.add(waiting)
    await issue_purchase_order(a_placement(), work)
    assert await find_status(work, approved.price.award_id) is ApprovalStatus.APPROVED
    assert await find_status(work, waiting.award_id) is ApprovalStatus.LAPSED
