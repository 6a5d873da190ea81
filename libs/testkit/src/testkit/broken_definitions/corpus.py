"""The whole corpus of broken definitions, by name."""

from collections.abc import Mapping
from typing import Final

from testkit.broken_definitions.case import BrokenDefinition
from testkit.broken_definitions.competitions import COMPETITIONS
from testkit.broken_definitions.lists import LISTS
from testkit.broken_definitions.prices_and_times import PRICES, TIMES
from testkit.broken_definitions.repeated_words import REPEATED_WORDS
from testkit.broken_definitions.roads import ORDERS, ROADS
from testkit.broken_definitions.texts import CALENDAR, LIMITS, SCHEMA, YAML
from testkit.broken_definitions.undeclared_words import UNDECLARED_WORDS

BROKEN_DEFINITIONS: Final[Mapping[str, BrokenDefinition]] = {
    **UNDECLARED_WORDS,
    **REPEATED_WORDS,
    **ROADS,
    **ORDERS,
    **LISTS,
    **PRICES,
    **TIMES,
    **COMPETITIONS,
    **YAML,
    **SCHEMA,
    **LIMITS,
    **CALENDAR,
}
