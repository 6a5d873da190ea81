"""The When sentences of the scenario tables, and the runner that plays a scenario on the domain rules alone."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from contracts.events.offers import CallResult
from contracts.events.orders import SpotPriceRefused
from contracts.events.packages import PackageRequested
from contracts.example_words import DeclineReasons, InadequateReasons, PriceRefusals, Variations
from sourcing.domain.offer import Accept, Decline, Offer, ProviderAnswer
from sourcing.domain.triggers import Outage, OutageOver
from testkit.sourcing.builders import PACKAGE, a_request, a_withdrawal, an_urgent_request
from testkit.sourcing.scenario_checks import ScenarioChecks
from testkit.sourcing.scenario_officer_acts import ScenarioOfficerActs
from testkit.sourcing.search_driver import SearchDriver


@dataclass
class RulesScenarioRunner(ScenarioChecks, ScenarioOfficerActs):
    """Plays one scenario without a service: each sentence of the tables is one of its methods."""

    def request_package(self) -> None:
        self._request(a_request(refused=self.refused, preferred=self.preferred))

    def request_urgent_package(self) -> None:
        self._request(an_urgent_request(refused=self.refused, preferred=self.preferred))

    def withdraw_package(self) -> None:
        self._run_step(lambda: self.driver.handle(a_withdrawal()))

    def receive_offer(self, name: str) -> None:
        channel = self._find_live_offer(name).channel
        self._run_step(lambda: self.driver.deliver(name, channel=channel))

    def fail_delivery(self, name: str) -> None:
        channel = self._find_live_offer(name).channel
        self._run_step(lambda: self.driver.fail_delivery(name, channel=channel))

    def accept(self, name: str) -> None:
        self._run_step(lambda: self.driver.accept(name))

    def decline(self, name: str) -> None:
        self._run_step(lambda: self.driver.decline(name))

    def record_call(self, name: str) -> None:
        self._record_call(name)

    def record_unanswered_call(self, name: str) -> None:
        self._record_call(name, reached=False)

    def accept_by_phone(self, name: str) -> None:
        self._record_call(name, Accept())

    def decline_by_phone(self, name: str) -> None:
        self._record_call(name, Decline(DeclineReasons.RISK))

    def simulate_outage(self, until: datetime) -> None:
        """Simulates an outage from now to `until`: no timer fires before its end."""
        self.driver.outages = (*self.driver.outages, Outage(self.driver.at, until))
        self.driver.at = until
        self._run_step(lambda: self.driver.handle(OutageOver()))

    def propose(self, name: str, rate: Decimal) -> None:
        self._run_step(lambda: self.driver.propose(name, str(rate)))

    def propose_other_times(self, name: str, rate: Decimal) -> None:
        self._run_step(lambda: self.driver.propose(name, str(rate), Variations.OTHER_TIMES))

    def tick(self, name: str) -> None:
        self._run_step(lambda: self.driver.tick(name))

    def untick(self, name: str) -> None:
        self._run_step(lambda: self.driver.tick(name, interested=False))

    def award(self, officer: str, name: str) -> None:
        self._run_step(lambda: self.driver.award(name, officer=f"officer:{officer}"))

    def award_with_reason(self, officer: str, name: str) -> None:
        reason = InadequateReasons.NO_OTHER_PROPOSAL
        self._run_step(lambda: self.driver.award(name, officer=f"officer:{officer}", inadequate_reason=reason))

    def approve_price(self, officer: str) -> None:
        self._run_step(lambda: self.driver.approve(officer=f"officer:{officer}"))

    def refuse_price(self, officer: str) -> None:
        award = self.driver.listing.award
        assert award is not None, "no award is pending"
        proposal = self.driver.listing.find_proposal(award.proposal_id)
        assert proposal is not None, "the award refers to a proposal of the listing"
        refusal = SpotPriceRefused(
            package_id=PACKAGE,
            award_id=award.award_id,
            proposal_id=award.proposal_id,
            provider_id=proposal.provider_id,
            officer=f"officer:{officer}",
            reason=PriceRefusals.TOO_HIGH,
        )
        self._run_step(lambda: self.driver.handle(refusal))

    def _find_live_offer(self, name: str) -> Offer:
        offer = self.driver.find_offer(name)
        assert offer.is_live, f"the offer to {name} is {offer.status}"
        return offer

    def _request(self, request: PackageRequested) -> None:
        self._driver = SearchDriver(self._build_market(), at=self.at)
        self._run_step(lambda: self.driver.handle(request))

    def _record_call(self, name: str, reply: ProviderAnswer | None = None, *, reached: bool = True) -> None:
        result = CallResult.REACHED if reached else CallResult.NOT_REACHED
        self._run_step(lambda: self.driver.record_call(name, result, reply=reply))
