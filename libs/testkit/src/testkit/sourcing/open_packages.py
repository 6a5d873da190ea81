"""Packages on the open list, for tests: a market with a ceiling, and packages with proposals."""

from collections.abc import Sequence
from typing import Final

from contracts.framework.stages import OpenList
from contracts.ids import AreaCode, ListingReference, PackageId
from testkit.sourcing.definitions import an_open_list
from testkit.sourcing.harness import SourcingHarness
from testkit.sourcing.responses import OfficerProposalResponse
from testkit.sourcing.scenario_market import ScenarioMarket

ELSEWHERE: Final = AreaCode("E07000067")


async def create_open_market(
    harness: SourcingHarness, open_list: OpenList | None = None, *, ranked: Sequence[str] = ("Alder",)
) -> ScenarioMarket:
    """Alder alone in tier 1; Spruce and Sorrel sell spot, Rowan does elsewhere. £29.00 is the ceiling."""
    market = await ScenarioMarket.create(harness, *ranked, open_list=open_list or an_open_list())
    await market.add_providers("Alder")
    await market.add_spot_providers("Spruce", "Sorrel")
    await market.add_spot_providers("Rowan", area=ELSEWHERE)
    await market.wait_until_projected()
    return market


async def list_package(market: ScenarioMarket) -> tuple[PackageId, ListingReference]:
    """A package that tier 1 has declined, with its reference on the list."""
    package = await market.request_package()
    assert (await market.decline("Alder", await market.wait_for_offer("Alder", package))).status == 200
    return package, (await market.wait_until_listed([package]))[package]


async def list_package_with_proposal(
    market: ScenarioMarket, rate: str, name: str = "Spruce"
) -> tuple[PackageId, OfficerProposalResponse]:
    """An open package, and this provider's proposal for it."""
    package, reference = await list_package(market)
    assert (await market.propose(name, reference, rate)).status == 201
    return package, await market.find_proposal(name, package)
