"""The Given sentences of the tables that name a definition of `frameworks/`, in the words of that definition."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from contracts.events.packages import FollowedPackage
from contracts.events.rates import Selection
from contracts.ids import ServiceTypeKey, TierKey
from contracts.values import PlaceState, Visit, Weekday
from testkit.sourcing import definition_words
from testkit.sourcing.builders import a_followed_package, from_london_time
from testkit.sourcing.scenario_framework_market import FrameworkMarket, ListKey

CARERS: Final = {"one carer": 1, "two carers": 2, "three carers": 3}


@dataclass
class FrameworkSetup(FrameworkMarket):
    """The facts of a scenario under a definition of `frameworks/`. The package needs ten hours a week."""

    has_own_visits: bool = False
    follows: FollowedPackage | None = None
    followed: str = ""
    """The provider of the package that this one follows."""

    # --- the package

    def choose_framework(self, name: str) -> None:
        self.definition = definition_words.read_framework(name)

    def choose_package(self, service_type: str, area: str) -> None:
        self.choose_package_by_route(service_type, area, self.framework.usual_route.title)

    def choose_package_by_route(self, service_type: str, area: str, route: str) -> None:
        """Chooses the package, and the lot that serves it. Raises LookupError where no lot does."""
        found_route = definition_words.find_route(self.framework, route)
        service = definition_words.find_service_type(self.framework, service_type).service_type
        code = definition_words.find_area(self.framework, area).code
        lots = [lot.lot for lot in self.framework.lots if lot.serves(code, service, found_route.route)]
        if not lots:
            message = f"no lot serves {service_type} in {area} by {route}"
            raise LookupError(message)
        named = {"framework": self.framework.framework, "lot": lots[0], "area": code, "service_type": service}
        self.care = self.care.model_copy(update={**named, "route": found_route.route, "urgent": found_route.urgent})

    def add_visits(self, count: Decimal, minutes: Decimal, carers: str) -> None:
        """Adds visits of one length on the first days of the week; they replace the usual ones."""
        usual = self.care.visits[0]
        days = tuple(Weekday)[: int(count)]
        visit = Visit(
            days=days, earliest=usual.earliest, latest=usual.latest, minutes=int(minutes), carers=CARERS[carers]
        )
        visits = (*self.care.visits, visit) if self.has_own_visits else (visit,)
        self.care = self.care.model_copy(update={"visits": visits})
        self.has_own_visits = True

    def add_needs(self, titles: str) -> None:
        needs = definition_words.find_needs(self.framework, titles)
        self.care = self.care.model_copy(update={"needs": needs})

    def follow_package(self, lot: str, provider: str) -> None:
        self.followed = provider
        self.follows = a_followed_package(provider, lot=definition_words.find_lot(self.framework, lot).lot)

    # --- places and lists

    def rank_providers(self, tier: Decimal, names: tuple[str, ...]) -> None:
        self._enter_providers(TierKey(f"tier-{tier}"), self.care.area, names, self.framework.find_list_group(self.care))

    def rank_in_group(self, tier: Decimal, group: str, names: tuple[str, ...]) -> None:
        found = definition_words.find_group(self.framework, group)
        self._enter_providers(TierKey(f"tier-{tier}"), self.care.area, names, found)

    def enter_providers(self, tier: str, area: str, names: tuple[str, ...]) -> None:
        """Gives providers places in a tier of an area, with the numbers 1, 2, 3…; ranks them where lists are used."""
        code = definition_words.find_area(self.framework, area).code
        group = self.framework.find_list_group(self.care)
        self._enter_providers(definition_words.find_tier(self.framework, tier), code, names, group)

    def enter_providers_with_rates(self, tier: str, area: str, rates: Mapping[str, Decimal]) -> None:
        self.enter_providers(tier, area, tuple(rates))
        code = definition_words.find_area(self.framework, area).code
        for name, rate in rates.items():
            self._name_rate(name, code, rate)

    def remove_list(self, tier: Decimal) -> None:
        key = ListKey(TierKey(f"tier-{tier}"), self.care.area, self.framework.find_list_group(self.care))
        self.ranked.pop(key, None)

    def set_place_state(self, name: str, state: str) -> None:
        self._update_places_in(name, self.care.area, state=PlaceState(state))

    def set_place_state_in(self, name: str, area: str, state: str) -> None:
        code = definition_words.find_area(self.framework, area).code
        self._update_places_in(name, code, state=PlaceState(state))

    def set_service_type(self, name: str, service_type: str) -> None:
        found = definition_words.find_service_type(self.framework, service_type).service_type
        self._update_places_in(name, self.care.area, service_types=(found,))

    def set_joining_day(self, name: str, day: date) -> None:
        self._update_places_in(name, self.care.area, joined_on=day)

    def set_last_award(self, name: str, day: date) -> None:
        self.last_awards[name] = from_london_time(day, "10:00")
        self._apply_market_change()

    def add_spot_providers(self, names: tuple[str, ...]) -> None:
        for name in names:
            eligibility = self._get_known(name).model_copy(update={"spot_areas": (self.care.area,)})
            self._update_facts(name, eligibility=eligibility)

    def set_skills(self, name: str, titles: str) -> None:
        skills = definition_words.find_needs(self.framework, titles)
        self._update_facts(name, eligibility=self._get_known(name).model_copy(update={"skills": skills}))

    # --- rates

    def select_rate(self, name: str, rate: Decimal) -> None:
        self._name_rate(name, self.care.area, rate)

    def select_rate_by_number(self, name: str, number: Decimal) -> None:
        self._select_rates(name, self.care.area, int(number), self.framework.runs_from)

    def select_rate_from(self, name: str, number: Decimal, day: date) -> None:
        """Adds a selection that is valid from a later day on."""
        self._select_rates(name, self.care.area, int(number), day)

    def select_no_rate(self, name: str, service_type: str) -> None:
        found = definition_words.find_service_type(self.framework, service_type).service_type
        rates = dict(self.known[name].rates)
        selections = tuple(_drop_rate(each, found) for each in rates[self.care.area].selections)
        rates[self.care.area] = rates[self.care.area].model_copy(update={"selections": selections})
        self._update_facts(name, rates=rates)


def _drop_rate(selection: Selection, service_type: ServiceTypeKey) -> Selection:
    kept = tuple(rate for rate in selection.rates if rate.service_type != service_type)
    return selection.model_copy(update={"rates": kept})
