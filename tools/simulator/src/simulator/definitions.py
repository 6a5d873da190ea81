"""The framework definitions of the stack's councils, for simulated councils and providers."""

from collections.abc import Sequence
from functools import lru_cache

from contracts.definitions import read_definition
from contracts.framework.definition import FrameworkDefinition
from contracts.framework.words import Area
from devstack.councils import COUNCILS


@lru_cache
def load_definition(council: str) -> FrameworkDefinition:
    """Load the newest definition of a council."""
    file = COUNCILS[council][-1]
    return read_definition(file.read_text(encoding="utf-8"), source=file.name)


def list_served_areas(definition: FrameworkDefinition) -> Sequence[Area]:
    """List the areas that the framework serves."""
    return [area for area in definition.areas if area.outside is None]


def list_districts(area: Area) -> Sequence[str]:
    """List the districts in which an area lies."""
    return area.districts or (area.code,)
