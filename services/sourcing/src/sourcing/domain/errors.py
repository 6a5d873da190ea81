"""Errors that the rules of the search raise, as leaves of the common error tree.

NotFound
├── OfferNotFound           no such offer, or another provider's
├── ListingNotFound         no such open package, or one of an area where the provider does not work
├── ListRowNotFound         no such package on this list
├── ListingClosed           the package is no longer open to all
└── ProposalNotFound        no such proposal for this package
Conflict
├── OfferNotByPhone         a call was recorded for an offer that goes by another channel
├── OfferAlreadyEnded       a call was recorded for an offer that has ended
├── VersionNotPossible      the search cannot continue under this version of the definition
└── PackageNotOpen          an award for a package that was never open to all
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


class VersionNotPossible(Conflict):
    title = "This version cannot be used"


class AnswerWithoutCall(Unprocessable):
    title = "A call that reached nobody has no answer"


class NoOpeningInSight(Unprocessable):
    title = "The brokerage never opens"


class MarketNotKnown(RetryLater):
    title = "Not known here yet"
