"""Applies the events of competitions to the search that they belong to."""

from dataclasses import replace
from datetime import datetime

from contracts.events.base import PackageEvent
from contracts.events.competitions import CompetitionEnded, CompetitionOpened
from contracts.ids import CompetitionId
from sourcing.domain.competitions.competition import Competition
from sourcing.domain.competitions.evolution import (
    AwardEvent,
    CompetitionEvent,
    apply_award_event,
    apply_competition_event,
    build_competition,
)
from sourcing.domain.search import CurrentStage, Search, SearchStatus


def update_competitions(search: Search, event: PackageEvent, at: datetime) -> Search | None:
    """Return the search after an event of a competition; None for any other event.

    Awards that wait for a second officer belong to the competition while the search is in one, else to the open list.
    """
    if isinstance(event, CompetitionOpened):
        return _begin_competition(search, event, at)
    if isinstance(event, CompetitionEvent):
        changed = [
            apply_competition_event(each, event, at) if each.competition_id == event.competition_id else each
            for each in search.competitions
        ]
        is_running = search.status is SearchStatus.COMPETING and isinstance(event, CompetitionEnded)
        status = SearchStatus.RUNNING if is_running else search.status
        return replace(search, competitions=tuple(changed), status=status)
    if isinstance(event, AwardEvent) and search.status is SearchStatus.COMPETING and search.competition is not None:
        return _replace_competition(search, apply_award_event(search.competition, event))
    return None


def _begin_competition(search: Search, event: CompetitionOpened, at: datetime) -> Search:
    stage = CurrentStage(name=event.stage, tiers=event.tiers, lists=(), candidates=())
    competitions = (*search.competitions, build_competition(event, at))
    return replace(search, status=SearchStatus.COMPETING, missing=(), stage=stage, competitions=competitions)


def _replace_competition(search: Search, changed: Competition) -> Search:
    by_id: dict[CompetitionId, Competition] = {each.competition_id: each for each in search.competitions}
    by_id[changed.competition_id] = changed
    return replace(search, competitions=tuple(by_id.values()))
