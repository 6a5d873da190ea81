"""Questions of invited providers and their answers, at the second."""

from datetime import timedelta

import pytest

from contracts.events.competitions import (
    QuestionAnswered,
    QuestionAsked,
)
from contracts.ids import NoteId
from sourcing.domain.competitions.errors import CompetitionNotFound, QuestionNotFound, QuestionsClosed
from sourcing.domain.competitions.outcomes import QuestionIsAnswered
from sourcing.domain.competitions.work_items import QuestionsToAnswer
from sourcing.domain.next_step import find_next_step
from sourcing.domain.next_steps import NextStepKind
from sourcing.domain.work_items import find_work_items
from testkit.sourcing.builders import on_monday, to_provider_id
from testkit.sourcing.competitions import CompetitionDesk, a_competition, open_desk
from testkit.sourcing.step_events import list_event_types

A_MOMENT = timedelta(microseconds=1)


def test_a_question_waits_for_an_officer_and_its_answer_takes_it_off_the_list() -> None:
    desk = open_desk("Alder", "Birch")
    assert list_event_types(desk.ask("Alder")) == [QuestionAsked]
    assert find_work_items(desk.driver.current) == (QuestionsToAnswer(desk.competition.competition_id, 1),)
    step = find_next_step(desk.driver.current, desk.driver.market.definition, now=on_monday("09:05"))
    assert step.kind is NextStepKind.BIDS_DUE
    assert step.text.endswith("waits for an officer: answer 1 question")
    assert list_event_types(desk.answer()) == [QuestionAnswered]
    assert find_work_items(desk.driver.current) == ()


def test_a_later_answer_replaces_the_earlier_one() -> None:
    desk = open_desk("Alder")
    desk.ask("Alder")
    desk.answer()
    first = desk.competition.questions[0].note_id
    step = desk.answer(note=NoteId(to_provider_id("another note")))
    assert step.outcome == QuestionIsAnswered(desk.competition.questions[0].question_id, replaces=first)


def test_questions_end_before_the_bids_do_and_at_that_instant_a_question_is_late() -> None:
    desk = open_desk("Alder")
    assert list_event_types(desk.ask("Alder", at=on_monday("12:00") - A_MOMENT)) == [QuestionAsked]
    with pytest.raises(QuestionsClosed):
        desk.ask("Alder", number=2, at=on_monday("12:00"))


def test_an_answer_counts_until_the_close_and_to_a_question_that_was_asked() -> None:
    desk = open_desk("Alder")
    desk.ask("Alder")
    with pytest.raises(QuestionNotFound):
        desk.answer(number=2)
    assert list_event_types(desk.answer(at=on_monday("13:00") - A_MOMENT)) == [QuestionAnswered]
    with pytest.raises(QuestionsClosed):
        desk.answer(at=on_monday("13:00"))


def test_who_is_not_invited_cannot_ask() -> None:
    desk: CompetitionDesk = open_desk("Alder", competition=a_competition())
    with pytest.raises(CompetitionNotFound):
        desk.ask("Birch")
