"""To whose providers an open list goes: those of the council, or of the package's area."""

from dataclasses import replace

import pytest

from contracts.events.listings import ProposalRefusal
from contracts.ids import AreaCode
from contracts.values import ListReach
from sourcing.domain.market import ProviderFacts
from sourcing.domain.steps import ProposalNotUsed, Proposed
from testkit.sourcing.builders import a_known_provider, a_market
from testkit.sourcing.definitions import NEIGHBOUR, a_definition, an_open_list, two_neighbours
from testkit.sourcing.search_driver import SearchDriver

MEMBER_ELSEWHERE = a_known_provider("Spruce", areas=(NEIGHBOUR,))
SPOT = a_known_provider("Spruce", tiers=(), spot=True)


def _offer_spot_care_in(area: AreaCode) -> ProviderFacts:
    assert SPOT.eligibility is not None
    return replace(SPOT, eligibility=SPOT.eligibility.model_copy(update={"spot_areas": (area,)}))


def _open_package(facts: ProviderFacts, *, reach: ListReach) -> SearchDriver:
    definition = a_definition(open_list=an_open_list(reach=reach), areas=two_neighbours())
    driver = SearchDriver(a_market("Alder", overrides=[facts], definition=definition)).request()
    driver.decline("Alder")
    return driver


@pytest.mark.parametrize("facts", [MEMBER_ELSEWHERE, _offer_spot_care_in(NEIGHBOUR)])
def test_providers_of_other_areas_can_propose_where_the_list_goes_to_the_council(facts: ProviderFacts) -> None:
    driver = _open_package(facts, reach=ListReach.COUNCIL)
    assert isinstance(driver.propose("Spruce", "25.00").outcome, Proposed)


@pytest.mark.parametrize("facts", [MEMBER_ELSEWHERE, _offer_spot_care_in(NEIGHBOUR)])
def test_providers_of_other_areas_cannot_propose_where_the_list_goes_to_the_area(facts: ProviderFacts) -> None:
    driver = _open_package(facts, reach=ListReach.AREA)
    assert driver.propose("Spruce", "25.00").outcome == ProposalNotUsed((ProposalRefusal.NOT_OF_THIS_AREA,))


def test_a_spot_provider_of_another_council_cannot_propose() -> None:
    driver = _open_package(_offer_spot_care_in(AreaCode("elsewhere")), reach=ListReach.COUNCIL)
    assert driver.propose("Spruce", "25.00").outcome == ProposalNotUsed((ProposalRefusal.NOT_OF_THE_COUNCIL,))
