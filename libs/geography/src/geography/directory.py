"""From a postcode to its district, by the ONS Postcode Directory.

Source: Office for National Statistics, licensed under the Open Government Licence v.3.0. Whoever shows what comes from
here shows `ATTRIBUTION` with it.
"""

import fcntl
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from geography.districts import find_district
from geography.errors import PostcodesUnreadable
from geography.index import Index, IndexWriter
from geography.locations import PostcodeLocation, UnknownLocation, WhyUnknown
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
    """Every postcode of the United Kingdom, the terminated ones too: a person may still go by one.

    The package says of none whether or when it was terminated; such a postcode has the district it stood in, or none.
    Reads only, so threads may share one.
    """

    def __init__(self, index: Index) -> None:
        self._index = index

    @classmethod
    def open(cls, directory: Path, *, progress: Callable[[float], None] | None = None) -> Self:
        """Open the directory's index under `directory`, building it first where this edition has none yet.

        Building takes some two seconds and 150 MB, happens once however many processes start together, and calls
        `progress` with the share done, 0 to 1. Best done in a set-up step that ends: a service that finds the index
        opens it in milliseconds, holds about 4 MB of its own, and may have `directory` read-only.
        """
        path = directory / f"postcodes-{get_installed_version()}.index"
        return cls(Index.open(path) or _open_or_build(path, progress or _ignore_progress))

    def locate(self, postcode: Postcode) -> PostcodeLocation | UnknownLocation:
        """The place, or why it is unknown; never an error, for whoever knows the person can choose the district."""
        if postcode.is_pseudo:
            why = WhyUnknown.NO_FIXED_ABODE if postcode.is_no_fixed_abode else WhyUnknown.PSEUDO
            return UnknownLocation(postcode.outward, why)
        record = self._index.find(postcode)
        if record is None:
            return UnknownLocation(postcode.outward, WhyUnknown.NOT_IN_DIRECTORY)
        if record.district is None or record.district in _OUTSIDE_UNITED_KINGDOM:
            return UnknownLocation(postcode.outward, WhyUnknown.WITHOUT_DISTRICT)
        # Northern Ireland is surveyed on the Irish Grid: its figures beside ours would be hundreds of miles off.
        location = None if record.district.startswith(_NORTHERN_IRELAND) else record.location
        return PostcodeLocation(postcode.outward, find_district(record.district), location)

    def compute_distance(self, one: Postcode, other: Postcode) -> float | None:
        """As the crow flies, from middle to middle; None where either is unknown or has no location."""
        places = self.locate(one), self.locate(other)
        points = [place.location for place in places if isinstance(place, PostcodeLocation) and place.location]
        return points[0].compute_distance(points[1]) if len(points) == len(places) else None


def _ignore_progress(share: float) -> None:
    """Progress that nobody asked for."""


def _open_or_build(path: Path, progress: Callable[[float], None]) -> Index:
    path.parent.mkdir(parents=True, exist_ok=True)
    with _lock_builder(path.with_suffix(".lock")):
        index = Index.open(path)  # another process may have built it while this one waited for the lock
        if index is None:
            _build(path, progress)
            index = Index.open(path)
    if index is None:
        raise PostcodesUnreadable(f"{path.name} was written and is not whole; look after the disk it is on")
    return index


def _build(path: Path, progress: Callable[[float], None]) -> None:
    writer = IndexWriter()
    files = list_installed_files()
    progress(0.0)
    for done, file in enumerate(files, start=1):
        writer.add(read_columns(file))  # held by no name, so that two letters are never in memory at once
        progress(done / len(files))
    writer.write(path)


@contextmanager
def _lock_builder(lock: Path) -> Generator[None]:
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # released by closing, so also by dying
        yield
