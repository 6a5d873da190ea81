"""Which texts a step keeps and which it drops: a text is stored under the id that an event names."""

from collections.abc import Iterable, Iterator
from uuid import UUID

from contracts.events.base import PackageEvent
from contracts.events.competitions import (
    BidReceived,
    BidWithdrawn,
    CompetitionAwarded,
    CompetitionEnded,
    QuestionAnswered,
    QuestionAsked,
    ScoreGiven,
)
from contracts.events.listings import AwardAwaitsApproval


def list_kept_texts(events: Iterable[PackageEvent]) -> Iterator[UUID]:
    """List the ids of the texts that are on record with these events; the text of a refused command is not kept."""
    for event in events:
        match event:
            case QuestionAsked():
                yield event.question_id
            case BidReceived():
                yield event.bid_id
            case QuestionAnswered() | ScoreGiven() | AwardAwaitsApproval() | CompetitionAwarded() | CompetitionEnded():
                if event.note_id is not None:
                    yield event.note_id
            case _:
                pass


def list_dropped_texts(events: Iterable[PackageEvent]) -> Iterator[UUID]:
    """List the ids of the bids that were replaced or withdrawn: their contents are deleted unread."""
    for event in events:
        if isinstance(event, BidWithdrawn):
            yield event.bid_id
        elif isinstance(event, BidReceived) and event.replaces is not None:
            yield event.replaces
