"""The councils of the stack on this machine, with the framework files that each publishes.

The first one is the default council. It has the plain client ids; those of the others begin with the council's key.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from devstack.home import FRAMEWORK_FILES, FRAMEWORKS

DEFAULT_COUNCIL: Final = "essex"
COUNCILS: Final[Mapping[str, tuple[Path, ...]]] = {
    DEFAULT_COUNCIL: FRAMEWORK_FILES,
    "oxfordshire": (FRAMEWORKS / "oxfordshire-live-well-at-home.yaml",),
    "leicestershire": (FRAMEWORKS / "leicestershire-home-care.yaml",),
}
"""The framework files of each council, by the council's key."""


def list_framework_files() -> tuple[Path, ...]:
    """Returns the framework files of all councils."""
    return tuple(file for files in COUNCILS.values() for file in files)
