"""The next step of a package that providers compete for, as a kind and a sentence."""

from enum import StrEnum

from sourcing.domain.brokerage_clock import BrokerageClock
from sourcing.domain.competitions.competition import Competition, CompetitionStatus


class CompetitionWait(StrEnum):
    """What a competition waits for; the values are those of `next_step.NextStepKind`."""

    BIDS_DUE = "bids due"
    SCORES_NEEDED = "scores needed"
    AWARD_NEEDED = "award needed"
    APPROVAL_NEEDED = "approval needed"


def describe_wait(competition: Competition, brokerage: BrokerageClock) -> tuple[CompetitionWait, str]:
    if competition.status is CompetitionStatus.OPEN:
        return CompetitionWait.BIDS_DUE, _describe_open(competition, brokerage)
    if competition.award is not None:
        return CompetitionWait.APPROVAL_NEEDED, "waits for an officer: a second officer approves or refuses the award"
    if competition.missing_scores:
        scores = _count(competition.missing_scores, "score")
        return CompetitionWait.SCORES_NEEDED, f"waits for an officer: {scores} missing"
    if competition.winner is None:
        text = "waits for an officer: confirm that no bid is suitable, then the next stage follows"
    else:
        text = "waits for an officer: confirm the first bid of the ranking, or overrule it with a reason"
    return CompetitionWait.AWARD_NEEDED, text


def _describe_open(competition: Competition, brokerage: BrokerageClock) -> str:
    closes_at = brokerage.format_instant(competition.closes_at)
    if brokerage.now >= competition.closes_at:
        return f"bids were due by {closes_at}: the competition closes now"
    text = f"bids of {_count(len(competition.invited), 'invited provider')} due by {closes_at}"
    questions = len(competition.unanswered)
    return f"{text}; waits for an officer: answer {_count(questions, 'question')}" if questions else text


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
