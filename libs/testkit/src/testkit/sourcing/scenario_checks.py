"""The Then sentences of the scenario tables: checks of the search, its record and its work item."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from contracts.events.offers import OfferExtended, OfferMade
from contracts.events.searches import PackagePlaced, ProviderPassedOver, SourcingStopped
from contracts.example_words import LOT
from sourcing.domain.competitions.work_items import BidsToScore, QuestionsToAnswer, ResultToConfirm
from sourcing.domain.explanation import explain_stages
from sourcing.domain.work_items import (
    ActToApprove,
    AwardToApprove,
    CallToMake,
    ExhaustedSearch,
    HeldSearch,
    NoProposals,
    PausedSearch,
    ProposalsToDecide,
    find_work_items,
)
from testkit.sourcing.builders import to_provider_id
from testkit.sourcing.definitions import AREA, FRAMEWORK
from testkit.sourcing.scenario_list_checks import ScenarioListChecks
from testkit.sourcing.scenario_setup import CHANNELS

_WORK_ITEMS: Final = {
    ExhaustedSearch: "exhausted",
    HeldSearch: "held",
    PausedSearch: "paused",
    ActToApprove: "act to approve",
    CallToMake: "call to make",
    AwardToApprove: "price to approve",
    ProposalsToDecide: "proposals to decide",
    NoProposals: "nobody proposes",
    QuestionsToAnswer: "questions to answer",
    BidsToScore: "bids to score",
    ResultToConfirm: "result to confirm",
}


@dataclass
class ScenarioChecks(ScenarioListChecks):
    """Checks of a scenario's outcome. Each raises AssertionError with what was found instead."""

    def check_answer_by(self, name: str, at: datetime) -> None:
        answer_by = self.driver.find_offer(name).answer_by
        assert answer_by == at, f"the offer ends {answer_by}"

    def check_channel(self, name: str, channel: str) -> None:
        used = self.driver.find_offer(name).channel
        assert used is CHANNELS[channel], f"the offer goes by {used}"

    def check_rate(self, name: str, rate: Decimal) -> None:
        terms = self.driver.find_offer(name).terms
        assert terms.rate == rate, f"the offer is at £{terms.rate}"

    def check_live_offer(self, name: str) -> None:
        live = self.driver.current.live_offers
        assert live, "there is no live offer"
        assert [offer.provider_id for offer in live] == [to_provider_id(name)], "the live offer is to another provider"

    def check_no_live_offer(self) -> None:
        assert not self.driver.current.live_offers, "there is a live offer"

    def check_offer_made_at(self, name: str, at: datetime) -> None:
        made = self.driver.find_offer(name).made_at
        assert made == at, f"the offer was made {made}"

    def check_offer_order(self, names: tuple[str, ...]) -> None:
        asked = [event.provider_id for event in self.driver.events if isinstance(event, OfferMade)]
        assert asked == [to_provider_id(name) for name in names], f"offers were made to {self._list_names(asked)}"

    def check_passed_over(self, name: str, reasons: str) -> None:
        passed_over = [event for event in self.driver.events if isinstance(event, ProviderPassedOver)]
        found = [", ".join(event.reasons) for event in passed_over if event.provider_id == to_provider_id(name)]
        assert found == [reasons], f"the journal has {found}"

    def check_turn_outcome(self, name: str, stage: str, outcome: str) -> None:
        stages = [each for each in explain_stages(self.driver.events) if each.stage == stage]
        turns = [turn for each in stages for turn in each.turns if turn.provider_id == to_provider_id(name)]
        found = [turn.outcome for turn in turns]
        assert found == [outcome], f"the explanation has {found}"

    def check_placement(self, name: str) -> None:
        placement = self.driver.current.placement
        assert placement is not None, "the package is not placed"
        assert not placement.voided, "the placement is voided"
        assert placement.provider_id == to_provider_id(name), "the package is placed with another provider"

    def check_placement_rate(self, name: str, rate: Decimal) -> None:
        self.check_placement(name)
        placement = self.driver.current.placement
        assert placement is not None
        assert placement.terms.rate == rate, f"the package is placed at £{placement.terms.rate}"

    def check_voided(self) -> None:
        placement = self.driver.current.placement
        assert placement is not None, "the package was never placed"
        assert placement.voided, "the placement is not voided"

    def check_status(self, status: str) -> None:
        state = "open to all" if self.driver.current.status == "listed" else self.driver.current.status
        assert state == status, f"the package is {state}"

    def check_result(self, result: str) -> None:
        assert self.result == result, f"the result is: {self.result}"

    def check_work_item(self, what: str) -> None:
        found = [_WORK_ITEMS[type(item)] for item in find_work_items(self.driver.current)] or ["nothing"]
        assert found == [what], f"the work list has {found}"

    def check_missing(self, what: str) -> None:
        missing = [self._describe_missing(each) for each in self.driver.current.missing]
        assert missing == what.split(", "), f"the search waits for {missing}"

    def check_extensions(self, times: Decimal) -> None:
        count = sum(isinstance(event, OfferExtended) for event in self.driver.events)
        assert count == times, f"the time was extended {count} times"

    def check_no_repeated_end(self) -> None:
        for kind in (PackagePlaced, SourcingStopped):
            assert sum(isinstance(event, kind) for event in self.driver.events) <= 1, kind.__name__

    def _describe_missing(self, missing: str) -> str:
        """Describes the key of a missing projection entry as the tables do, for example `the rates of Alder`."""
        projection, _, key = missing.partition("/")
        names = {str(to_provider_id(name)): name for names in self.lists.values() for name in names or ()}
        named = next((names[each] for each in names if each in key), None)
        if named is not None:
            return f"the {projection} of {named}"
        return {f"definitions/{FRAMEWORK}": "the definition"}.get(
            missing, missing.replace(f"ranked-lists/{FRAMEWORK}/{LOT}/{AREA}/tier-", "the list of tier ")
        )
