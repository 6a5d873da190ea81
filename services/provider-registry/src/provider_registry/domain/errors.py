"""Errors of the registry, as leaves of the common error tree.

InvalidInput                 raised as it is: it names the fields of the request
NotFound
├── ProviderNotFound         no such provider, or another council's, or another provider asks
├── BranchNotFound           the provider has no such branch
├── FrameworkNotFound        no such framework or version of it in this council
├── ProposalNotFound         this version is not proposed
├── PlaceNotFound            the provider has no such place, or no request for it
├── NoSuchTier               the framework has no such lot, area, tier or group
├── NoticeNotFound           the council has no such notice
└── MailNotFound             no mail with this Message-ID was sent for the council
Conflict
├── VersionOutOfTurn         versions are consecutive
├── VersionAlreadyPublished  this version was published with other content
├── FrameworkTaken           another council uses this short name
├── ProviderIdTaken          this id was registered with other details
├── NoPlaceLeft              a tier of an area has as many providers as its framework allows
├── SameOfficer              the second person of a decision is the first one
├── ProposedByAnother        another officer's proposal waits for its approval
├── PlaceInOtherState        the place is in a state from which it cannot change so
├── NoCallNeeded             the provider is told already, or what it was about has ended
└── CallRecordedAtSourcing   a call about an offer by telephone is recorded with the offer
"""

from collections.abc import Iterable
from uuid import UUID

from contracts.errors import Conflict, NotFound


class ProviderNotFound(NotFound):
    title = "No such provider"

    def __init__(self) -> None:
        super().__init__("no such provider; see the list of providers, or register it first")


class FrameworkNotFound(NotFound):
    title = "No such framework"

    def __init__(self) -> None:
        super().__init__("your council has no such framework or version; publish it first")


class NoticeNotFound(NotFound):
    title = "No such notice"

    def __init__(self) -> None:
        super().__init__("your council has no such notice; see the call list, or the list of notices")


class MailNotFound(NotFound):
    title = "No such mail"

    def __init__(self) -> None:
        super().__init__("no mail with this Message-ID was sent for your council; give it as the mail carried it")


class NoCallNeeded(Conflict):
    title = "No call needed"

    def __init__(self, state: str) -> None:
        super().__init__(f"the notice is not on the call list any more ({state}); read the call list again")


class CallRecordedAtSourcing(Conflict):
    title = "Record the call with the offer"

    def __init__(self, offer_id: UUID) -> None:
        super().__init__(
            f"the call delivers an offer: record it at sourcing, POST /v1/offers/{offer_id}/calls, with the answer"
        )


class BranchNotFound(NotFound):
    title = "No such branch"

    def __init__(self) -> None:
        super().__init__("the provider has no such branch; put it first")


class ProposalNotFound(NotFound):
    title = "No such proposal"

    def __init__(self) -> None:
        super().__init__("this version is not proposed; see the list of proposals")


class PlaceNotFound(NotFound):
    title = "No such place"

    def __init__(self) -> None:
        super().__init__("the provider has no such place, or nobody has requested it; see the provider's places")


class NoSuchTier(NotFound):
    title = "No such lot, area, tier or group"

    def __init__(self) -> None:
        super().__init__("the framework has no such lot, area, tier or group; see its definition")


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


class SameOfficer(Conflict):
    title = "Second officer needed"

    def __init__(self, what: str) -> None:
        super().__init__(f"you {what} yourself; another officer must approve it")


class ProposedByAnother(Conflict):
    title = "Proposed by another officer"

    def __init__(self, version: int) -> None:
        super().__init__(
            f"version {version} was proposed by another officer, who alone may replace or withdraw it;"
            " approve it, or ask them"
        )


class PlaceInOtherState(Conflict):
    title = "Place in another state"

    def __init__(self, places: Iterable[str]) -> None:
        super().__init__(f"{'; '.join(places)}; nothing was changed")
