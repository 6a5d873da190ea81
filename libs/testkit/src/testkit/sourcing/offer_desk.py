"""Two offers that wait for answers, for tests of sourcing's API."""

from dataclasses import dataclass

from testkit.sourcing.harness import SourcingHarness
from testkit.sourcing.responses import OfferResponse
from testkit.sourcing.scenario_market import ScenarioMarket


@dataclass(frozen=True)
class OfferDesk:
    """An offer to Alder by webhook, and another one that an officer has to make by telephone."""

    harness: SourcingHarness
    market: ScenarioMarket
    offer: OfferResponse
    to_call: OfferResponse
