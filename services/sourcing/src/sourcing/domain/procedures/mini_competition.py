"""`mini-competition`: what follows when a competition has ended without an award."""

from contracts.framework.stages import MiniCompetition
from sourcing.domain.competitions.opening import open_competition
from sourcing.domain.draft import Draft
from sourcing.domain.making_offers import is_waiting_for_opening
from sourcing.domain.stage_entry import enter_next_stage


def repeat_or_leave(draft: Draft, stage: MiniCompetition) -> bool:
    """Open a new competition if an officer wanted one, else enter the next stage; True when another step may follow."""
    if is_waiting_for_opening(draft):
        return False
    competition = draft.search.competition
    if competition is not None and competition.runs_again:
        open_competition(draft, stage)
        return False
    return enter_next_stage(draft, stage.stage)
