"""Eligibility on real PostgreSQL and Kafka: providers passed over, capacity, embargoes."""

from datetime import timedelta

import pytest

from contracts.example_words import ServiceTypes
from contracts.values import PassOverReason
from testkit.sourcing.harness import SourcingHarness
from testkit.sourcing.scenario_market import ScenarioMarket

pytestmark = pytest.mark.xdist_group("sourcing")


async def test_all_reasons_for_passing_over_a_provider_are_recorded(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder", "Birch", "Cedar", "Damson", "Elm", "Fir")
    await market.publish_eligibility("Alder", against=(PassOverReason.RATING_BELOW_FLOOR,))
    await market.embargo("Birch")
    await market.declare_capacity("Birch", free="3.49")
    await market.declare_capacity("Damson", free="1.00")
    await market.publish_eligibility("Elm", service_types=(ServiceTypes.LIVE_IN,))
    await market.declare_capacity("Fir", free="3.50")
    await market.wait_until_projected()

    package = await market.request_package(refused=["Cedar"])

    await market.wait_for_offer("Fir", package)
    decision = await harness.wait_for_decision(package)
    assert [(turn.outcome, turn.reasons) for turn in decision.turns] == [
        ("passed over", ["rating below the tier's floor"]),
        ("passed over", ["embargoed", "declared capacity is less than the package needs"]),
        ("passed over", ["refused by the person"]),
        ("passed over", ["declared capacity is less than the package needs"]),
        ("passed over", ["does not offer this service type"]),
        ("offered", []),
    ]


async def test_capacity_shrinks_with_each_placement_and_grows_when_one_is_voided(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    await market.declare_capacity("Alder", free="5.00")
    await market.wait_until_projected()
    first = await market.request_package()
    assert (await market.accept("Alder", await market.wait_for_offer("Alder", first))).status == 200
    await market.wait_for_offer("Birch", await market.request_package())  # 1.5 hours are left of five

    await market.withdraw_package(first)
    await harness.wait_for_event(first, "PlacementVoided")

    await market.wait_for_offer("Alder", await market.request_package())


async def test_placements_before_a_declaration_of_capacity_are_not_subtracted_from_it(
    harness: SourcingHarness,
) -> None:
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    assert (
        await market.accept("Alder", await market.wait_for_offer("Alder", await market.request_package()))
    ).status == 200
    harness.advance_clock(timedelta(minutes=1))
    await market.declare_capacity("Alder", free="3.50")
    await market.wait_until_projected()
    await market.wait_for_offer("Alder", await market.request_package())


@pytest.mark.parametrize("change", ["embargo", "rating"])
async def test_an_acceptance_is_refused_if_the_provider_has_become_ineligible(
    harness: SourcingHarness, change: str
) -> None:
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    package = await market.request_package()
    offer = await market.wait_for_offer("Alder", package)
    if change == "embargo":
        await market.embargo("Alder")
    else:
        await market.publish_eligibility("Alder", against=(PassOverReason.RATING_BELOW_FLOOR,))
    await market.wait_until_projected()

    answers = [await market.accept("Alder", offer) for _ in range(2)]

    assert [answer.status for answer in answers] == [409, 409]
    assert answers[0].detail == answers[1].detail
    assert ("embargoed" if change == "embargo" else "rating below") in answers[0].detail
    await market.wait_for_offer("Birch", package)
    assert (await harness.wait_for_decision(package)).event_types.count("LateAnswerRefused") == 1


async def test_a_lifted_embargo_has_no_effect(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder")
    await market.embargo("Alder")
    await market.lift_embargo("Alder")
    await market.wait_until_projected()
    await market.wait_for_offer("Alder", await market.request_package())
