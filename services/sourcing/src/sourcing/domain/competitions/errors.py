"""Errors that the rules of competitions raise, as leaves of the common error tree.

NotFound
├── CompetitionNotFound     no such competition, or the provider is not invited to it
├── BidNotFound             no such bid in this competition
└── QuestionNotFound        no such question in this competition
Conflict
├── QuestionsClosed         questions are not taken any more
├── BidsSealed              scores or an award before the close
├── ResultNotKnown          an award while scores are missing
├── BidNotSuitable          an award to a bid that cannot win
└── CompetitionOver         the competition was awarded or has ended
"""

from contracts.errors import Conflict, NotFound


class CompetitionNotFound(NotFound):
    title = "No such competition"

    def __init__(self) -> None:
        super().__init__("there is no such competition for you; list the competitions to see which ones there are")


class BidNotFound(NotFound):
    title = "No such bid"


class QuestionNotFound(NotFound):
    title = "No such question"


class QuestionsClosed(Conflict):
    title = "Questions are closed"


class BidsSealed(Conflict):
    title = "The bids are sealed"


class ResultNotKnown(Conflict):
    title = "The result is not known yet"


class BidNotSuitable(Conflict):
    title = "This bid is not suitable"


class CompetitionOver(Conflict):
    title = "This competition is over"
