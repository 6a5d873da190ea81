"""The timer of a competition: COMPETITION_CLOSES while bids are taken."""

from collections.abc import Iterator

from sourcing.domain.competitions.competition import CompetitionStatus
from sourcing.domain.draft import Draft
from sourcing.domain.search import Search
from sourcing.domain.steps import CancelledTimer, ScheduledTimer, TimerKind


def plan_competition_timers(draft: Draft) -> Iterator[ScheduledTimer | CancelledTimer]:
    """Schedule the timer that the search has now and had not before, and cancel the one that it has no more."""
    before, after = _find_timer(draft.before), _find_timer(draft.search)
    if before is not None and (after is None or after.about != before.about):
        yield CancelledTimer(before.kind, before.about)
    if after is not None and after != before:
        yield after


def _find_timer(search: Search | None) -> ScheduledTimer | None:
    competition = None if search is None else search.competition
    if competition is None or competition.status is not CompetitionStatus.OPEN:
        return None
    return ScheduledTimer(TimerKind.COMPETITION_CLOSES, str(competition.competition_id), competition.closes_at)
