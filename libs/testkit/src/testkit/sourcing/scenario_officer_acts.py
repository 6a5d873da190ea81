"""The When sentences of the scenario tables about what officers do by their own hand."""

from dataclasses import dataclass
from decimal import Decimal

from contracts.example_words import OfficerReasons
from sourcing.domain.officers.commands import OverrideSuspension, TakeUpTick
from testkit.sourcing.acting_officer import ActingOfficer
from testkit.sourcing.builders import PACKAGE, to_provider_id
from testkit.sourcing.scenario_search import ScenarioSearch


@dataclass
class ScenarioOfficerActs(ScenarioSearch):
    """Acts of officers on the search; each gives a reason."""

    def pause(self, officer: str) -> None:
        self._run_step(lambda: self._find_officer(officer).pause())

    def resume(self, officer: str) -> None:
        self._run_step(lambda: self._find_officer(officer).resume())

    def skip(self, officer: str, name: str) -> None:
        self._run_step(lambda: self._find_officer(officer).skip(name))

    def direct_offer(self, officer: str, name: str) -> None:
        self._run_step(lambda: self._find_officer(officer).direct(name))

    def place_by_hand(self, officer: str, name: str, rate: Decimal) -> None:
        self._run_step(lambda: self._find_officer(officer).place(name, str(rate)))

    def approve_act(self, officer: str) -> None:
        self._run_step(lambda: self._find_officer(officer).approve())

    def source_again(self, officer: str) -> None:
        self._run_step(lambda: self._find_officer(officer).resource())

    def take_up_tick(self, officer: str, name: str) -> None:
        command = TakeUpTick(PACKAGE, to_provider_id(name), f"officer:{officer}", OfficerReasons.OTHER)
        self._run_step(lambda: self.driver.handle(command))

    def override_suspension(self, officer: str) -> None:
        command = OverrideSuspension(PACKAGE, f"officer:{officer}", OfficerReasons.OTHER)
        self._run_step(lambda: self.driver.handle(command))

    def _find_officer(self, officer: str) -> ActingOfficer:
        return ActingOfficer(self.driver, officer=f"officer:{officer}")
