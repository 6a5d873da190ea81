"""Scores of opened bids by the criteria, and the result, which is computed when the last score is in.

Several officers may score: a later score replaces an earlier one, and both are on record.
"""

from contracts.errors import FieldError, InvalidInput
from contracts.events.competitions import CompetitionRanked, ScoreGiven
from contracts.events.listings import AwardEnd
from contracts.framework.words import Reasons
from sourcing.domain.competitions.competition import Competition, CompetitionStatus
from sourcing.domain.competitions.ending import lapse_bid_award
from sourcing.domain.competitions.errors import BidsSealed
from sourcing.domain.competitions.lookups import get_bid, get_competition, require_running
from sourcing.domain.competitions.outcomes import BidScored
from sourcing.domain.competitions.ranking import compute_ranking
from sourcing.domain.competitions.triggers import GiveScore
from sourcing.domain.draft import Draft
from sourcing.domain.known_reasons import require_known_reason
from sourcing.domain.steps import Result


def give_score(draft: Draft, command: GiveScore) -> Result:
    """Record a score; the last missing one, and each later one, gives the result. An equal score changes nothing.

    A score that changes ends an award that waits for a second officer. Raises CompetitionNotFound, BidNotFound,
    BidsSealed, CompetitionOver, and InvalidInput for a score that this competition does not have.
    """
    competition = get_competition(draft, command.competition_id)
    require_running(competition)
    if competition.status is CompetitionStatus.OPEN:
        raise BidsSealed(f"the bids are sealed until the close at {competition.closes_at.isoformat()}; score them then")
    bid = get_bid(competition, command.bid_id)
    _check_score(draft, competition, command)
    before = bid.find_score(command.criterion)
    given = (command.score, command.officer, command.score_reason, command.note_id)
    if before is not None and (before.score, before.officer, before.score_reason, before.note_id) == given:
        return Result(BidScored(bid.bid_id, replaces=None))
    lapse_bid_award(draft, competition, AwardEnd.SCORE_CHANGED)
    draft.publish(
        ScoreGiven(
            package_id=draft.search.package_id,
            search_id=draft.search_id,
            competition_id=competition.competition_id,
            bid_id=bid.bid_id,
            provider_id=bid.provider_id,
            criterion=command.criterion,
            score=command.score,
            officer=command.officer,
            score_reason=command.score_reason,
            note_id=command.note_id,
            content_hash=command.content_hash,
        )
    )
    if not draft.competition.missing_scores:
        rank_bids(draft, draft.competition)
    return Result(BidScored(bid.bid_id, replaces=None if before is None else before.note_id))


def rank_bids(draft: Draft, competition: Competition) -> None:
    """Publish the result. The seed is drawn once, so that no officer can repeat the draw by scoring again."""
    seed = competition.seed or draft.new_id()
    draft.publish(
        CompetitionRanked(
            package_id=draft.search.package_id,
            search_id=draft.search_id,
            competition_id=competition.competition_id,
            stage=competition.stage,
            seed=seed,
            ranking=compute_ranking(competition, seed),
        )
    )


def _check_score(draft: Draft, competition: Competition, command: GiveScore) -> None:
    criteria = [each.criterion for each in competition.criteria]
    if command.criterion not in criteria:
        remedy = f"score one of {', '.join(criteria)}" if criteria else "the lowest price wins, and nothing is scored"
        raise InvalidInput(FieldError("#/criterion", f"is no criterion of this competition; {remedy}"))
    if not 0 <= command.score <= competition.highest_score:
        raise InvalidInput(FieldError("#/score", f"is not from 0 to {competition.highest_score}"))
    if command.score_reason is None and command.note_id is None:
        raise InvalidInput(FieldError("#/reason", "is missing; give one of the framework's reasons, or a note"))
    if command.score_reason is not None:
        allowed = Reasons.list_keys(draft.definition.reasons.score)
        require_known_reason(command.score_reason, allowed, "#/reason")
