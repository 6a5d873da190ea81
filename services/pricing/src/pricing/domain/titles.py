"""Titles of a framework's words for people."""

from dataclasses import dataclass
from typing import Final

from contracts.framework.definition import FrameworkDefinition
from contracts.ids import ItemKey, LotKey, ServiceTypeKey, UnitKey


@dataclass(frozen=True)
class Titles:
    """The titles that a definition declares; a word without a title is its key with spaces instead of hyphens."""

    definition: FrameworkDefinition | None

    def get_lot_title(self, key: LotKey) -> str:
        found = None if self.definition is None else self.definition.find_lot(key)
        return _spell_out(key) if found is None else found.title

    def get_service_type_title(self, key: ServiceTypeKey) -> str:
        found = None if self.definition is None else self.definition.find_service_type(key)
        return _spell_out(key) if found is None else found.title

    def get_item_title(self, key: ItemKey) -> str:
        """Returns the title of the service type if the item is all of it; parts of a service type have no title."""
        return self.get_service_type_title(ServiceTypeKey(key))

    def get_unit_title(self, key: UnitKey) -> str:
        units = () if self.definition is None else self.definition.units
        return next((unit.title for unit in units if unit.unit == key), _spell_out(key))


NO_TITLES: Final = Titles(None)
"""For an order of a framework whose definition has not arrived."""


def _spell_out(key: str) -> str:
    return key.replace("-", " ")
