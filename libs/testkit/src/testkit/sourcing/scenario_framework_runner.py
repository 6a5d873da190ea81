"""Plays a scenario under a definition of `frameworks/` on the domain rules alone, and checks what the others do not."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from contracts.events.offers import AcceptancesOrdered, OfferMade, OfferWithdrawn
from contracts.events.packages import PackageRequested
from contracts.events.searches import StageCandidate, StageEntered
from contracts.values import TermsLine
from sourcing.domain.ordering import compute_draw
from testkit.sourcing import definition_words
from testkit.sourcing.builders import a_request, to_provider_id
from testkit.sourcing.scenario_framework import FrameworkSetup
from testkit.sourcing.scenario_runner import RulesScenarioRunner
from testkit.sourcing.scenario_tables import ScenarioRow
from testkit.sourcing.search_driver import SearchDriver


@dataclass
class FrameworkScenarioRunner(FrameworkSetup, RulesScenarioRunner):
    """Plays one scenario of a council: each sentence of the tables is one of its methods."""

    def request_package(self) -> None:
        self._request(self.build_request())

    def build_request(self) -> PackageRequested:
        return a_request(refused=self.refused, preferred=self.preferred, care=self.care, follows=self.follows)

    def show_record(self, record: SearchDriver) -> None:
        """Sets the search that the checks look at, in place of one that this runner drives itself."""
        self._driver = record

    def check_offered_at_once(self, names: tuple[str, ...]) -> None:
        """Checks who was asked at the instant of the newest offer, in any order."""
        made = [(event.provider_id, at) for event, at in self.driver.journal if isinstance(event, OfferMade)]
        assert made, "nobody was asked"
        asked = {provider for provider, at in made if at == made[-1][1]}
        assert asked == {to_provider_id(name) for name in names}, f"{self._list_names(asked)} were asked"

    def check_live_offers(self, names: tuple[str, ...]) -> None:
        live = [offer.provider_id for offer in self.driver.current.live_offers]
        assert set(live) == {to_provider_id(name) for name in names}, f"{self._list_names(live)} have live offers"

    def check_end_reason(self, name: str, reason: str) -> None:
        ends = [event for event in self.driver.events if isinstance(event, OfferWithdrawn)]
        found = [
            ": ".join([event.reason.value, *([", ".join(event.passed_over)] if event.passed_over else [])])
            for event in ends
            if event.provider_id == to_provider_id(name)
        ]
        assert found[-1:] == [reason], f"{name} is told {found}"

    def check_acceptance_order(self, names: tuple[str, ...]) -> None:
        found = [each.provider_id for each in self._find_acceptances()]
        assert found == [to_provider_id(name) for name in names], f"the order is {self._list_names(found)}"

    def check_stage_order(self, names: tuple[str, ...]) -> None:
        found = [each.provider_id for each in self._find_stage().candidates]
        assert found == [to_provider_id(name) for name in names], f"the order is {self._list_names(found)}"

    def check_draw(self, names: tuple[str, ...]) -> None:
        """Checks that a recorded seed orders these providers, in the newest order that has one."""
        orders = [each for each in self.driver.events if isinstance(each, StageEntered | AcceptancesOrdered)]
        (seed, candidates) = next((each.seed, each.candidates) for each in reversed(orders) if each.candidates)
        assert seed is not None, "no seed is recorded"
        ids = {to_provider_id(name) for name in names}
        found = [each.provider_id for each in candidates if each.provider_id in ids]
        expected = sorted(ids, key=lambda provider: compute_draw(seed, provider))
        assert found == expected, f"the order is {self._list_names(found)}, the draw {self._list_names(expected)}"

    def check_placement_by_draw(self) -> None:
        placement = self.driver.current.placement
        assert placement is not None, "the package is not placed"
        first = self._find_acceptances()[0].provider_id
        assert placement.provider_id == first, f"the package is placed with {self._list_names([placement.provider_id])}"

    def check_stages(self, stages: str) -> None:
        found = ", ".join(event.stage for event in self.driver.events if isinstance(event, StageEntered))
        assert found == stages, f"the stages are {found}"

    def check_list_group(self, group: str) -> None:
        expected = definition_words.find_group(self.framework, group)
        used = {each.group for each in self._find_stage().lists}
        assert used == {expected}, f"the lists are those of {used}"

    def check_lot(self, title: str) -> None:
        lot = self.framework.find_lot(self.care.lot)
        expected = definition_words.find_lot(self.framework, title)
        assert lot == expected, f"the lot is {self.care.lot}"

    def check_outside(self, area: str, reason: str) -> None:
        found = definition_words.find_area(self.framework, area).outside
        assert found == reason, f"the reason is {found}"

    def check_place_of(self, name: str, area: str) -> None:
        """Checks by which area's place the provider was asked last."""
        code = definition_words.find_area(self.framework, area).code
        found = [each.area for each in self._find_stage().candidates if each.provider_id == to_provider_id(name)]
        assert found == [code], f"{name} is asked by its place in {found}"

    def check_weekly_cost(self, name: str, cost: Decimal) -> None:
        terms = self.driver.find_offer(name).terms
        assert terms.weekly_cost == cost, f"the offer costs £{terms.weekly_cost} a week"

    def check_fixed_cost(self, name: str, cost: Decimal) -> None:
        terms = self.driver.find_offer(name).terms
        assert terms.fixed_cost == cost, f"the offer costs £{terms.fixed_cost} once"

    def check_placement_cost(self, cost: Decimal) -> None:
        placement = self.driver.current.placement
        assert placement is not None, "the package is not placed"
        assert placement.terms.weekly_cost == cost, f"the placement costs £{placement.terms.weekly_cost} a week"

    def check_line(self, name: str, item: str, text: str) -> None:
        found = [_describe_line(line) for line in self.driver.find_offer(name).terms.lines]
        assert f"{item.lower()}: {text}" in found, f"the offer has the lines {found}"

    def check_line_count(self, name: str, count: Decimal) -> None:
        found = len(self.driver.find_offer(name).terms.lines)
        assert found == count, f"the offer has {found} lines"

    def check_calls(self, names: tuple[str, ...]) -> None:
        found = [offer.provider_id for offer in self.driver.current.live_offers if offer.awaits_call]
        assert set(found) == {to_provider_id(name) for name in names}, f"calls are due to {self._list_names(found)}"

    def _find_stage(self) -> StageEntered:
        entered = [event for event in self.driver.events if isinstance(event, StageEntered)]
        assert entered, "no stage was entered"
        return entered[-1]

    def _find_acceptances(self) -> Sequence[StageCandidate]:
        ordered = [event for event in self.driver.events if isinstance(event, AcceptancesOrdered)]
        assert ordered, "no acceptances were put in order"
        return ordered[-1].candidates

    def _describe_missing(self, missing: str) -> str:
        projection, _, key = missing.partition("/")
        framework, care = self.framework.framework, self.care
        names = {str(to_provider_id(name)): name for name in {*self.known, *self._list_ranked_names(), self.followed}}
        named = next((names[each] for each in names if each in key), None)
        if named is not None:
            return f"the {projection} of {named}"
        group = self.framework.find_list_group(care)
        known = {
            f"definitions/{framework}": "the definition",
            f"eligibility/places/{framework}/{care.lot}/{care.area}": "the places of the area",
        }
        tier = key.removeprefix(f"{framework}/{care.lot}/{care.area}/").removesuffix(f"/{group}")
        return known.get(missing, f"the list of {tier.replace('-', ' ')}" if projection == "ranked-lists" else missing)

    def _list_ranked_names(self) -> set[str]:
        return {name for names in self.ranked.values() for name in names}


def create_rules_runner(row: ScenarioRow) -> RulesScenarioRunner:
    """Creates the runner of a row: with the definition that it names, or with the invented framework of the others."""
    return FrameworkScenarioRunner() if row.framework is not None else RulesScenarioRunner()


def _describe_line(line: TermsLine) -> str:
    """Describes a line of a price, for example `care support: 10 hours at £29.07 = £290.70`."""
    units = str(line.unit) if line.quantity == 1 else f"{line.unit}s"
    quantity = f"{line.quantity.normalize():f}"
    return f"{line.item.replace('-', ' ')}: {quantity} {units} at £{line.rate:,.2f} = £{line.cost:,.2f}"
