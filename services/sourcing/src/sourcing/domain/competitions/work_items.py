"""What a competition needs an officer for."""

from collections.abc import Iterator
from dataclasses import dataclass

from contracts.ids import BidId, CompetitionId
from sourcing.domain.competitions.competition import Competition, CompetitionStatus


@dataclass(frozen=True)
class QuestionsToAnswer:
    """Invited providers have asked; an officer answers all of them."""

    competition_id: CompetitionId
    count: int


@dataclass(frozen=True)
class BidsToScore:
    """So many scores of opened bids are missing."""

    competition_id: CompetitionId
    count: int


@dataclass(frozen=True)
class ResultToConfirm:
    """Every bid is scored; an officer confirms the first one, or that none is suitable, or overrules the result."""

    competition_id: CompetitionId
    bid_id: BidId | None


CompetitionWorkItem = QuestionsToAnswer | BidsToScore | ResultToConfirm


def find_competition_work_items(competition: Competition) -> Iterator[CompetitionWorkItem]:
    """Find what officers have to do; an award that waits for a second officer is on the work list as others are."""
    if competition.status is CompetitionStatus.OPEN:
        if competition.unanswered:
            yield QuestionsToAnswer(competition.competition_id, len(competition.unanswered))
        return
    if competition.status is not CompetitionStatus.CLOSED or competition.award is not None:
        return
    if competition.missing_scores:
        yield BidsToScore(competition.competition_id, competition.missing_scores)
        return
    winner = competition.winner
    yield ResultToConfirm(competition.competition_id, None if winner is None else winner.bid_id)
