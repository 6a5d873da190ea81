"""Titles of a definition's words for pages and mails; without the definition a key with spaces for its hyphens."""

from contracts.framework.definition import FrameworkDefinition
from contracts.framework.words import Reason, Word
from contracts.ids import AreaCode, LotKey, NeedKey, ReasonKey, RouteKey, ServiceTypeKey, TierKey, UnitKey


class Titles:
    """Looks up titles in a definition; None while the definition is not known."""

    def __init__(self, definition: FrameworkDefinition | None) -> None:
        self._definition = definition

    def get_framework(self, key: str) -> str:
        return key if self._definition is None else self._definition.title

    def get_area(self, code: AreaCode) -> str:
        area = None if self._definition is None else self._definition.find_area(code)
        return code if area is None else area.name

    def get_lot(self, key: LotKey) -> str:
        return _get_title(None if self._definition is None else self._definition.find_lot(key), key)

    def get_tier(self, key: TierKey) -> str:
        return _get_title(None if self._definition is None else self._definition.find_tier(key), key)

    def get_service_type(self, key: ServiceTypeKey) -> str:
        return _get_title(None if self._definition is None else self._definition.find_service_type(key), key)

    def get_route(self, key: RouteKey) -> str:
        return _get_title(None if self._definition is None else self._definition.find_route(key), key)

    def get_unit(self, key: UnitKey) -> str:
        units = () if self._definition is None else self._definition.units
        return _get_title(next((unit for unit in units if unit.unit == key), None), key)

    def get_need(self, key: NeedKey) -> str:
        if self._definition is None:
            return _get_title(None, key)
        circumstances = (each for each in self._definition.circumstances if each.circumstance == key)
        return _get_title(self._definition.find_skill(key) or next(circumstances, None), key)

    def get_reason(self, reasons: tuple[Reason, ...], key: ReasonKey) -> str:
        return _get_title(next((each for each in reasons if each.reason == key), None), key)

    def get_decline_reason(self, key: ReasonKey) -> str:
        return self.get_reason(() if self._definition is None else self._definition.reasons.decline, key)

    def get_withdrawal_reason(self, key: ReasonKey) -> str:
        """Returns the title; a reason that the definition lacks is its key with spaces for its hyphens."""
        return self.get_reason(() if self._definition is None else self._definition.reasons.withdrawal, key)


def _get_title(word: Word | None, key: str) -> str:
    return key.replace("-", " ") if word is None else word.title
