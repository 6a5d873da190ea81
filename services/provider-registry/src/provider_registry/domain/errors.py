"""What the rules of the market refuse, as leaves of the one error tree.

InvalidInput                 raised as it is: it names the fields of the request
NotFound
├── ProviderNotFound         no such provider, or another council's, or another provider asks
├── FrameworkNotFound        no such framework or version of it in this council
└── NoSuchTier               the framework has no such area, or no such tier
Conflict
├── VersionOutOfTurn         versions are published one after the other, without gaps
├── VersionAlreadyPublished  this version was published before and says something else
├── FrameworkTaken           another council uses this short name
├── ProviderIdTaken          this id was registered before, with something else
└── NoPlaceLeft              a tier of an area has as many providers as its framework allows
"""

from collections.abc import Iterable

from contracts.errors import Conflict, NotFound


class ProviderNotFound(NotFound):
    title = "No such provider"

    def __init__(self) -> None:
        super().__init__("there is no such provider for you; look at the list of providers, or register it first")


class FrameworkNotFound(NotFound):
    title = "No such framework"

    def __init__(self) -> None:
        super().__init__("there is no such framework, or version of it, in your council; publish it first")


class NoSuchTier(NotFound):
    title = "No such area or tier"

    def __init__(self) -> None:
        super().__init__("the framework has no such area or no such tier; its definition says which there are")


class VersionOutOfTurn(Conflict):
    title = "Another version comes next"

    def __init__(self, *, expected: int) -> None:
        super().__init__(f"the next version is {expected}; versions follow one another without gaps")


class VersionAlreadyPublished(Conflict):
    title = "This version says something else already"

    def __init__(self, *, version: int, expected: int) -> None:
        super().__init__(
            f"version {version} was published with other content and is never changed; publish version {expected}"
        )


class FrameworkTaken(Conflict):
    title = "This framework's short name is in use"

    def __init__(self) -> None:
        super().__init__("another council uses this short name for a framework of its own; choose another one")


class ProviderIdTaken(Conflict):
    title = "This provider id is in use"

    def __init__(self) -> None:
        super().__init__(
            "a provider was registered under this id with something else; change it by PUT, or leave out the id"
        )


class NoPlaceLeft(Conflict):
    title = "No place is left"

    def __init__(self, full: Iterable[str]) -> None:
        super().__init__(f"no place is left in {', '.join(full)}; nothing was changed")
