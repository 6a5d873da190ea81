"""Extends the time for bids by outages of this service and by bank holidays that were proclaimed since.

What was left of the time for bids when an outage began is left when it is over; so it is with questions.
"""

from collections.abc import Iterable
from datetime import datetime

from contracts.events.competitions import CompetitionExtended
from contracts.events.reasons import ExtensionCause
from sourcing.domain.competitions.competition import Competition, CompetitionStatus
from sourcing.domain.competitions.opening import compute_close, compute_end_of_questions
from sourcing.domain.draft import Draft
from sourcing.domain.triggers import Outage


def extend_open_competition(draft: Draft, outages: Iterable[Outage]) -> None:
    """Extend a competition that takes bids; each outage counts once, and each proclaimed day."""
    if _find_open(draft) is None:
        return
    _extend_for_proclaimed_holidays(draft)
    for outage in sorted(outages, key=lambda each: each.down_from):
        competition = _find_open(draft)
        if competition is not None:
            _extend_for_outage(draft, competition, outage)


def _find_open(draft: Draft) -> Competition | None:
    competition = draft.search.competition
    is_open = competition is not None and competition.status is CompetitionStatus.OPEN
    return competition if is_open else None


def _extend_for_outage(draft: Draft, competition: Competition, outage: Outage) -> None:
    counted = competition.outages_counted_to
    has_counted = counted is not None and outage.down_from < counted
    lost_from = max(outage.down_from, competition.opened_at)
    if has_counted or not lost_from < min(competition.closes_at, outage.up_at):
        return
    questions_until = competition.questions_until
    if lost_from < questions_until:
        questions_until = _move(draft, questions_until, lost_from, outage.up_at)
    _publish(
        draft,
        competition,
        outage,
        questions_until=questions_until,
        closes_at=_move(draft, competition.closes_at, lost_from, outage.up_at),
        cause=ExtensionCause.OUTAGE,
    )


def _move(draft: Draft, end: datetime, lost_from: datetime, up_at: datetime) -> datetime:
    """Return the new end: what was left when the outage began is left when it is over."""
    if draft.search.is_urgent:
        return up_at + (end - lost_from)
    return draft.calendar.add_open_time(up_at, draft.calendar.measure_open_time(lost_from, end))


def _extend_for_proclaimed_holidays(draft: Draft) -> None:
    definition, competition = draft.market.definition, draft.competition
    if definition is None or draft.search.is_urgent or competition.outages_counted_to is not None:
        return
    if not any(each.proclaimed_on for each in definition.brokerage.overrides):
        return
    stage = definition.get_competition(competition.stage)
    closes_at = compute_close(draft, stage, competition.opened_at)
    if closes_at > competition.closes_at:
        span = Outage(competition.closes_at, draft.calendar.find_opening_from(competition.closes_at))
        questions_until = compute_end_of_questions(draft, stage, competition.opened_at)
        cause = ExtensionCause.PROCLAIMED_HOLIDAY
        _publish(draft, competition, span, questions_until=questions_until, closes_at=closes_at, cause=cause)


def _publish(
    draft: Draft,
    competition: Competition,
    span: Outage,
    *,
    questions_until: datetime,
    closes_at: datetime,
    cause: ExtensionCause,
) -> None:
    if closes_at <= competition.closes_at:
        return
    draft.publish(
        CompetitionExtended(
            package_id=draft.search.package_id,
            search_id=draft.search_id,
            competition_id=competition.competition_id,
            stage=competition.stage,
            down_from=span.down_from,
            up_at=span.up_at,
            questions_until=questions_until,
            closes_at=closes_at,
            cause=cause,
        )
    )
