"""Titles of a definition's words, for people."""

from dataclasses import dataclass

from contracts.framework.definition import FrameworkDefinition
from contracts.framework.words import Reason
from contracts.ids import AreaCode, ItemKey, NeedKey, RouteKey, ServiceTypeKey, UnitKey


@dataclass(frozen=True)
class Titles:
    """Looks titles up. A word that the definition lacks, or any word without a definition, is its key with spaces."""

    definition: FrameworkDefinition | None = None

    def get_service_type(self, key: ServiceTypeKey) -> str:
        found = None if self.definition is None else self.definition.find_service_type(key)
        return _spell(key) if found is None else found.title

    def get_route(self, key: RouteKey) -> str:
        found = None if self.definition is None else self.definition.find_route(key)
        return _spell(key) if found is None else found.title

    def get_area(self, code: AreaCode) -> str:
        found = None if self.definition is None else self.definition.find_area(code)
        return code if found is None else found.name

    def get_need(self, key: NeedKey) -> str:
        if self.definition is None:
            return _spell(key)
        titles = {each.skill: each.title for each in self.definition.skills}
        titles |= {each.circumstance: each.title for each in self.definition.circumstances}
        return titles.get(key, _spell(key))

    def get_unit(self, key: UnitKey) -> str:
        units = () if self.definition is None else self.definition.units
        return next((unit.title for unit in units if unit.unit == key), _spell(key))

    def get_item(self, key: ItemKey) -> str:
        """Returns the title of the service type of that key; an item of its own has no title."""
        return self.get_service_type(ServiceTypeKey(key))

    def get_reason(self, key: str) -> str:
        """Returns the title of a withdrawal's reason; other reasons are in words already."""
        reasons: tuple[Reason, ...] = () if self.definition is None else self.definition.reasons.withdrawal
        return next((reason.title for reason in reasons if reason.reason == key), _spell(key))


def _spell(key: str) -> str:
    return key.replace("-", " ")
