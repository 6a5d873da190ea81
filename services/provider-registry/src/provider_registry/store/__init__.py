"""The registry's tables, and how the market gets into and out of them.

SQL stands next to the tables it works on. A provider is one row, its branches and places are rows of their own; who
takes or leaves a place holds that place's lock to the commit, so that two providers cannot take the last one.
"""

from typing import Final

from provider_registry.store import (
    branches,
    capacities,
    frameworks,
    issued_lists,
    notices,
    places,
    providers,
    ranked_lists,
)

TABLES: Final = (
    frameworks.TABLES
    + ranked_lists.TABLES
    + providers.TABLES
    + branches.TABLES
    + places.TABLES
    + capacities.TABLES
    + notices.TABLES
    + issued_lists.TABLES
)
