"""Errors that the rules of the search raise, as leaves of the common error tree.

NotFound
├── OfferNotFound           no such offer, or another provider's
├── ListingNotFound         no such open package, or one of an area where the provider does not work
├── ListRowNotFound         no such package on this list
├── ListingClosed           the package is no longer open to all
├── ProposalNotFound        no such proposal for this package
├── ActNotFound             no such act of officers waits
└── CounterOfferNotFound    no such counter-offer for this provider
Conflict
├── OfferNotByPhone         a call was recorded for an offer that goes by another channel
├── OfferAlreadyEnded       a call was recorded for an offer that has ended
├── VersionNotPossible      the search cannot continue under this version of the definition
├── PackageNotOpen          an award for a package that was never open to all
├── ActNotPossible          an officer's act that makes no sense in the state of the search
├── ProviderBarred          an officer's act for a provider that may not have the package
├── SameOfficer             the officer who proposed an act cannot approve it
└── CounterOfferEnded       a counter-offer can no longer be accepted
Unprocessable
├── AnswerWithoutCall       a call that did not reach the provider carries an answer
└── NoOpeningInSight        the brokerage calendar has no working day for a month
RetryLater
└── MarketNotKnown          the projections lack what the decision needs
"""

from contracts.errors import Conflict, NotFound, RetryLater, Unprocessable


class OfferNotFound(NotFound):
    title = "No such offer"

    def __init__(self) -> None:
        super().__init__("there is no such offer for you; ask for your offers to see which ones there are")


class OfferNotByPhone(Conflict):
    title = "This offer does not go by telephone"


class OfferAlreadyEnded(Conflict):
    title = "This offer has ended"


class ListingNotFound(NotFound):
    title = "No such open package"

    def __init__(self) -> None:
        super().__init__(
            "there is no such open package for you; ask for available packages to see which ones there are"
        )


class ListRowNotFound(NotFound):
    title = "No such package on this list"

    def __init__(self) -> None:
        super().__init__("there is no such package on this list for you; ask for the list to see which ones there are")


class ListingClosed(NotFound):
    title = "This package is no longer open"

    def __init__(self) -> None:
        super().__init__(
            "this package has been placed or taken back; ask for available packages to see which ones are open"
        )


class ProposalNotFound(NotFound):
    title = "No such proposal"


class PackageNotOpen(Conflict):
    title = "This package is not open"


class ActNotFound(NotFound):
    title = "No such act"

    def __init__(self) -> None:
        super().__init__("no such act of officers waits; it was carried out, has ended, or never was")


class CounterOfferNotFound(NotFound):
    title = "No such counter-offer"

    def __init__(self) -> None:
        super().__init__("there is no such counter-offer for you; a newer one or your newer proposal replaces it")


class ActNotPossible(Conflict):
    title = "This is not possible now"


class ProviderBarred(Conflict):
    title = "This provider cannot have the package"


class SameOfficer(Conflict):
    title = "A second officer is needed"


class CounterOfferEnded(Conflict):
    title = "This counter-offer has ended"


class VersionNotPossible(Conflict):
    title = "This version cannot be used"


class AnswerWithoutCall(Unprocessable):
    title = "A call that reached nobody has no answer"


class NoOpeningInSight(Unprocessable):
    title = "The brokerage never opens"


class MarketNotKnown(RetryLater):
    title = "Not known here yet"
