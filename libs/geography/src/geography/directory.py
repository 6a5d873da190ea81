"""Finds the district of a postcode in the ONS Postcode Directory.

Source: Office for National Statistics, licensed under the Open Government Licence v.3.0. A page that shows this data
also shows `ATTRIBUTION`.
"""

import fcntl
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from geography.districts import District
from geography.errors import PostcodesUnreadable
from geography.index import IndexWriter, PostcodeIndex
from geography.locations import PostcodeLocation, UnknownLocation, UnknownReason
from geography.ons import get_installed_version, list_installed_files, read_columns
from geography.postcode import Postcode

ATTRIBUTION = (
    "Source: Office for National Statistics licensed under the Open Government Licence v.3.0. "
    "Contains OS data © Crown copyright and database right. "
    "Contains Royal Mail data © Royal Mail copyright and database right. "
    "Contains National Statistics data © Crown copyright and database right."
)

_OUTSIDE_UNITED_KINGDOM = frozenset({"L99999999", "M99999999"})  # Channel Islands, Isle of Man: no district there
_NORTHERN_IRELAND = "N"


class PostcodeDirectory:
    """All postcodes of the United Kingdom, including terminated ones, because a person may still use one.

    The data does not mark terminated postcodes; these have their last district or none. Instances are read-only and
    can be shared by threads.
    """

    def __init__(self, index: PostcodeIndex) -> None:
        self._index = index

    @classmethod
    def open(cls, directory: Path, *, progress: Callable[[float], None] | None = None) -> Self:
        """Opens the index in `directory`; builds it first if there is none for the installed edition.

        Building takes about two seconds and 150 MB. Processes that start together build it once. `progress` is called
        with the fraction done, from 0 to 1. Build the index in a set-up step: an existing index opens in milliseconds,
        uses about 4 MB, and `directory` can then be read-only.
        """
        path = directory / f"postcodes-{get_installed_version()}.index"
        return cls(PostcodeIndex.open(path) or _open_or_build(path, progress or _ignore_progress))

    def locate(self, postcode: Postcode) -> PostcodeLocation | UnknownLocation:
        """Returns the location, or the reason why it is unknown. The caller can then ask for the district."""
        if postcode.is_pseudo:
            reason = UnknownReason.NO_FIXED_ABODE if postcode.is_no_fixed_abode else UnknownReason.PSEUDO
            return UnknownLocation(postcode.outward, reason)
        record = self._index.find(postcode)
        if record is None:
            return UnknownLocation(postcode.outward, UnknownReason.NOT_IN_DIRECTORY)
        if record.district is None or record.district in _OUTSIDE_UNITED_KINGDOM:
            return UnknownLocation(postcode.outward, UnknownReason.WITHOUT_DISTRICT)
        # Northern Ireland uses the Irish Grid, whose coordinates do not match the National Grid.
        location = None if record.district.startswith(_NORTHERN_IRELAND) else record.location
        return PostcodeLocation(postcode.outward, District(record.district), location)

    def compute_distance(self, first: Postcode, second: Postcode) -> float | None:
        """Returns the straight-line distance in metres, or None if either postcode has no known location."""
        found = self.locate(first), self.locate(second)
        points = [each.location for each in found if isinstance(each, PostcodeLocation) and each.location]
        return points[0].compute_distance(points[1]) if len(points) == len(found) else None


def _ignore_progress(share: float) -> None:
    """Default of `progress`."""


def _open_or_build(path: Path, progress: Callable[[float], None]) -> PostcodeIndex:
    path.parent.mkdir(parents=True, exist_ok=True)
    with _lock_builder(path.with_suffix(".lock")):
        index = PostcodeIndex.open(path)  # another process may have built it while this one waited for the lock
        if index is None:
            _build_index(path, progress)
            index = PostcodeIndex.open(path)
    if index is None:
        raise PostcodesUnreadable(f"{path.name} was written and is incomplete; check its disk")
    return index


def _build_index(path: Path, progress: Callable[[float], None]) -> None:
    writer = IndexWriter()
    files = list_installed_files()
    progress(0.0)
    for done, file in enumerate(files, start=1):
        writer.add(read_columns(file))  # not bound to a name, so that one file at a time is in memory
        progress(done / len(files))
    writer.write(path)


@contextmanager
def _lock_builder(lock: Path) -> Generator[None]:
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # released when the file is closed or the process ends
        yield
