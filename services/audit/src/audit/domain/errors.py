"""Errors of audit, as leaves of the common error tree."""

from collections.abc import Sequence

from contracts.errors import NotFound


class PackageNotFound(NotFound):
    """The council has no such package, or nothing about it is on record yet."""

    def __init__(self) -> None:
        super().__init__(
            "no package with this id is on record for your council; straight after the request, try again in a second"
        )


class PackageArchived(NotFound):
    """Events of the package were moved into archives, so that a report from the database would be incomplete."""

    title = "Package archived"

    def __init__(self, archives: Sequence[str]) -> None:
        names = ", ".join(archives)
        super().__init__(
            f"events of this package were moved into the archives {names}; `calloff archive trail` reads them there"
        )
