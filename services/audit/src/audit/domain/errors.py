"""Errors of audit, as leaves of the common error tree."""

from contracts.errors import NotFound


class PackageNotFound(NotFound):
    """The council has no such package, or nothing about it is on record yet."""

    def __init__(self) -> None:
        super().__init__(
            "no package with this id is on record for your council; straight after the request, try again in a second"
        )
