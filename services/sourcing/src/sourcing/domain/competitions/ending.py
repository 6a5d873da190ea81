"""The end of a competition without an award: by the rule, by an officer, or by the council's withdrawal.

After every end but the last one the search goes on when it hears CompetitionEnded.
"""

from contracts.events.competitions import CompetitionEnd, CompetitionEnded, FeedbackAvailable
from contracts.events.listings import AwardEnd, AwardLapsed
from contracts.framework.words import Reasons
from contracts.ids import BidId, NoteId, ProposalId, ReasonKey
from sourcing.domain.competitions.competition import Competition
from sourcing.domain.competitions.lookups import get_competition, require_running
from sourcing.domain.competitions.outcomes import CompetitionIsOver
from sourcing.domain.competitions.triggers import EndCompetition
from sourcing.domain.draft import Draft
from sourcing.domain.known_reasons import require_known_reason
from sourcing.domain.steps import Result


def end_early(draft: Draft, command: EndCompetition) -> Result:
    """End the competition for an officer's reason; the next stage follows, or the same stage opens a new one.

    An award that waits for a second officer ends as well. Raises CompetitionNotFound, CompetitionOver, and
    InvalidInput for a reason that the framework does not have.
    """
    competition = get_competition(draft, command.competition_id)
    require_running(competition)
    allowed = Reasons.list_keys(draft.definition.reasons.competition_end)
    require_known_reason(command.officer_reason, allowed, "#/reason")
    lapse_bid_award(draft, competition, AwardEnd.COMPETITION_ENDED)
    end_competition(
        draft,
        competition,
        CompetitionEnd.ENDED_BY_OFFICER,
        officer=command.officer,
        officer_reason=command.officer_reason,
        note_id=command.note_id,
        runs_again=command.runs_again,
    )
    return Result(CompetitionIsOver())


def withdraw_competition(draft: Draft) -> None:
    """End a competition that is under way, and its waiting award, because the package is withdrawn."""
    competition = draft.search.competition
    if competition is None or competition.is_over:
        return
    lapse_bid_award(draft, competition, AwardEnd.PACKAGE_WITHDRAWN)
    end_competition(draft, competition, CompetitionEnd.PACKAGE_WITHDRAWN)


def end_competition(
    draft: Draft,
    competition: Competition,
    reason: CompetitionEnd,
    *,
    officer: str | None = None,
    officer_reason: ReasonKey | None = None,
    note_id: NoteId | None = None,
    runs_again: bool = False,
) -> None:
    """End the competition; where no bid was suitable, each bidder gets feedback."""
    draft.publish(
        CompetitionEnded(
            package_id=draft.search.package_id,
            search_id=draft.search_id,
            competition_id=competition.competition_id,
            stage=competition.stage,
            reason=reason,
            officer=officer,
            officer_reason=officer_reason,
            note_id=note_id,
            runs_again=runs_again,
        )
    )
    if reason is CompetitionEnd.NONE_SUITABLE:
        give_feedback(draft, competition, winner=None)


def lapse_bid_award(draft: Draft, competition: Competition, reason: AwardEnd) -> None:
    """End an award that waits for a second officer; without one, do nothing."""
    pending = competition.award
    bid = None if pending is None else competition.find_bid(pending.bid_id)
    if pending is None or bid is None:
        return
    draft.publish(
        AwardLapsed(
            package_id=draft.search.package_id,
            search_id=draft.search_id,
            award_id=pending.award_id,
            proposal_id=ProposalId(bid.bid_id),
            provider_id=bid.provider_id,
            reason=reason,
        )
    )


def give_feedback(draft: Draft, competition: Competition, *, winner: BidId | None) -> None:
    """Tell each bidder but the winner that it can read its scores and the winner's points."""
    for bid in competition.bids:
        if bid.bid_id != winner:
            draft.publish(
                FeedbackAvailable(
                    package_id=draft.search.package_id,
                    search_id=draft.search_id,
                    competition_id=competition.competition_id,
                    bid_id=bid.bid_id,
                    provider_id=bid.provider_id,
                )
            )
