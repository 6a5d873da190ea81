"""Errors of the registry, as leaves of the common error tree.

InvalidInput                 raised as it is: it names the fields of the request
NotFound
├── ProviderNotFound         no such provider, or another council's, or another provider asks
├── FrameworkNotFound        no such framework or version of it in this council
└── NoSuchTier               the framework has no such area, or no such tier
Conflict
├── VersionOutOfTurn         versions are consecutive
├── VersionAlreadyPublished  this version was published with other content
├── FrameworkTaken           another council uses this short name
├── ProviderIdTaken          this id was registered with other details
└── NoPlaceLeft              a tier of an area has as many providers as its framework allows
"""

from collections.abc import Iterable

from contracts.errors import Conflict, NotFound


class ProviderNotFound(NotFound):
    title = "No such provider"

    def __init__(self) -> None:
        super().__init__("no such provider; see the list of providers, or register it first")


class FrameworkNotFound(NotFound):
    title = "No such framework"

    def __init__(self) -> None:
        super().__init__("your council has no such framework or version; publish it first")


class NoSuchTier(NotFound):
    title = "No such area or tier"

    def __init__(self) -> None:
        super().__init__("the framework has no such area or tier; see its definition")


class VersionOutOfTurn(Conflict):
    title = "Version out of sequence"

    def __init__(self, *, expected: int) -> None:
        super().__init__(f"the next version is {expected}; versions are consecutive")


class VersionAlreadyPublished(Conflict):
    title = "Version already published"

    def __init__(self, *, version: int, expected: int) -> None:
        super().__init__(
            f"version {version} was published with other content and is never changed; publish version {expected}"
        )


class FrameworkTaken(Conflict):
    title = "Framework name in use"

    def __init__(self) -> None:
        super().__init__("another council uses this framework name; choose another one")


class ProviderIdTaken(Conflict):
    title = "Provider id in use"

    def __init__(self) -> None:
        super().__init__("a provider with other details is registered under this id; change it by PUT, or omit the id")


class NoPlaceLeft(Conflict):
    title = "No place left"

    def __init__(self, full: Iterable[str]) -> None:
        super().__init__(f"no place is left in {', '.join(full)}; nothing was changed")
