"""What audit refuses, as leaves of the one error tree."""

from contracts.errors import NotFound


class PackageNotFound(NotFound):
    """There is no such package in your council, or nothing about it is on record yet."""

    def __init__(self) -> None:
        super().__init__("no such package is on record for your council; one only just requested may take a second")
