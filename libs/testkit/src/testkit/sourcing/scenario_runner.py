"""The When sentences of the scenario tables, and the runner that plays a scenario on the domain rules alone."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from contracts.events.listings import InadequateReason, Variation
from contracts.events.orders import SpotPriceRefusal, SpotPriceRefused
from contracts.events.packages import CallResult
from contracts.values import DeclineReason, Urgency
from sourcing.domain.search import Accept, Decline, ProviderAnswer
from sourcing.domain.triggers import Outage, OutageOver
from testkit.sourcing.builders import PACKAGE, a_request, a_withdrawal
from testkit.sourcing.scenario_checks import ScenarioChecks
from testkit.sourcing.search_driver import SearchDriver


@dataclass
class RulesScenarioRunner(ScenarioChecks):
    """Plays one scenario without a service: each sentence of the tables is one of its methods."""

    def request_package(self) -> None:
        self._request(Urgency.ROUTINE)

    def request_urgent_package(self) -> None:
        self._request(Urgency.HOSPITAL_DISCHARGE)

    def withdraw_package(self) -> None:
        self._run_step(lambda: self.driver.handle(a_withdrawal()))

    def receive_offer(self, name: str) -> None:
        self.check_live_offer(name)
        self._run_step(lambda: self.driver.deliver(channel=self.driver.live_offer.channel))

    def fail_delivery(self, name: str) -> None:
        self.check_live_offer(name)
        self._run_step(lambda: self.driver.fail_delivery(channel=self.driver.live_offer.channel))

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
        self._record_call(name, Decline(DeclineReason.RISK))

    def simulate_outage(self, until: datetime) -> None:
        """Simulates an outage from now to `until`: no timer fires before its end."""
        self.driver.outages = (*self.driver.outages, Outage(self.driver.at, until))
        self.driver.at = until
        self._run_step(lambda: self.driver.handle(OutageOver()))

    def propose(self, name: str, rate: Decimal) -> None:
        self._run_step(lambda: self.driver.propose(name, str(rate)))

    def propose_other_times(self, name: str, rate: Decimal) -> None:
        self._run_step(lambda: self.driver.propose(name, str(rate), Variation.OTHER_TIMES))

    def award(self, officer: str, name: str) -> None:
        self._run_step(lambda: self.driver.award(name, officer=f"officer:{officer}"))

    def award_with_reason(self, officer: str, name: str) -> None:
        reason = InadequateReason.NO_OTHER_PROPOSAL
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
            reason=SpotPriceRefusal.TOO_HIGH,
        )
        self._run_step(lambda: self.driver.handle(refusal))

    def _request(self, urgency: Urgency) -> None:
        self._driver = SearchDriver(self._build_market(), at=self.at)
        request = a_request(urgency=urgency, refused=self.refused, preferred=self.preferred)
        self._run_step(lambda: self.driver.handle(request))

    def _record_call(self, name: str, reply: ProviderAnswer | None = None, *, reached: bool = True) -> None:
        result = CallResult.REACHED if reached else CallResult.NOT_REACHED
        self._run_step(lambda: self.driver.record_call(name, result, reply=reply))
