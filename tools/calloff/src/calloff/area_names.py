"""Names of areas, from the definitions in this repository."""

from functools import cache

from contracts.definitions import read_definition
from contracts.framework.definition import FrameworkDefinition
from contracts.ids import AreaCode
from devstack.home import FRAMEWORK_FILES


def get_area_name(code: AreaCode) -> str:
    """Returns the area's name in the newest definition that has it; the code if there is none."""
    areas = (definition.find_area(code) for definition in reversed(_read_definitions()))
    return next((area.name for area in areas if area is not None), code)


@cache
def _read_definitions() -> tuple[FrameworkDefinition, ...]:
    """Reads the files that exist: an installed command has no repository around it."""
    return tuple(
        read_definition(file.read_text(encoding="utf-8"), source=file.name) for file in FRAMEWORK_FILES if file.exists()
    )
