"""The history of a branch's ratings: every publication and every correction is kept."""

from datetime import date

import pytest

from contracts.errors import InvalidInput
from contracts.events.providers import KeyQuestionRating
from contracts.framework.tiers import KeyQuestion
from contracts.values import Rating
from provider_registry.domain.ratings import NO_RATINGS, NewRating, RatingHistory
from testkit.clocks import MONDAY_NINE
from testkit.provider_registry.builders import a_rating_record

TODAY = date(2026, 3, 2)
JANUARY, FEBRUARY = date(2026, 1, 5), date(2026, 2, 5)
SAFE_GOOD = KeyQuestionRating(key_question=KeyQuestion.SAFE, rating=Rating.GOOD)
SAFE_FALLEN = KeyQuestionRating(key_question=KeyQuestion.SAFE, rating=Rating.REQUIRES_IMPROVEMENT)
GOOD_OR_BETTER = (Rating.GOOD, Rating.OUTSTANDING)


def add(history: RatingHistory, *new: NewRating) -> RatingHistory:
    for each in new:
        history = history.add(each, at=MONDAY_NINE, today=TODAY)
    return history


def test_the_rating_of_a_day_is_that_of_the_last_publication_until_then() -> None:
    history = add(NO_RATINGS, NewRating(Rating.INADEQUATE, None, FEBRUARY), NewRating(Rating.GOOD, None, JANUARY))
    days = (date(2026, 1, 4), JANUARY, date(2026, 2, 4), FEBRUARY)
    ratings = [history.get_rating(None, day) for day in days]
    assert ratings == [Rating.NOT_RATED, Rating.GOOD, Rating.GOOD, Rating.INADEQUATE]


def test_the_same_ratings_are_recorded_once() -> None:
    dated = NewRating(Rating.GOOD, (SAFE_GOOD,), JANUARY)
    assert len(add(NO_RATINGS, dated, dated, NewRating(Rating.GOOD, (SAFE_GOOD,))).records) == 1


def test_a_branch_that_was_never_rated_has_no_record() -> None:
    assert add(NO_RATINGS, NewRating(), NewRating(Rating.NOT_RATED, (), JANUARY)) == NO_RATINGS


def test_ratings_without_a_day_hold_from_today() -> None:
    history = add(NO_RATINGS, NewRating(Rating.GOOD, None, JANUARY), NewRating(Rating.NOT_RATED))
    assert history.newest is not None
    assert (history.newest.published_on, history.newest.overall) == (TODAY, Rating.NOT_RATED)


def test_another_rating_of_the_same_day_is_a_correction_and_both_are_kept() -> None:
    history = add(NO_RATINGS, NewRating(Rating.GOOD, None, JANUARY), NewRating(Rating.OUTSTANDING, None, JANUARY))
    assert [each.overall for each in history.records] == [Rating.GOOD, Rating.OUTSTANDING]
    assert [each.overall for each in history.list_valid()] == [Rating.OUTSTANDING]


def test_a_wrong_day_is_corrected_and_the_wrong_record_is_kept() -> None:
    wrong = NewRating(Rating.GOOD, None, FEBRUARY)
    history = add(NO_RATINGS, wrong, NewRating(Rating.GOOD, None, JANUARY, corrects=FEBRUARY))
    assert [each.published_on for each in history.records] == [FEBRUARY, JANUARY]
    assert [each.published_on for each in history.list_valid()] == [JANUARY]
    assert history.records[1].corrects == FEBRUARY


def test_a_correction_names_a_day_that_was_recorded() -> None:
    with pytest.raises(InvalidInput) as refused:
        add(NO_RATINGS, NewRating(Rating.GOOD, None, JANUARY, corrects=FEBRUARY))
    assert [field.pointer for field in refused.value.fields] == ["#/corrects"]


def test_key_questions_that_are_omitted_stay_and_a_missing_one_is_not_rated() -> None:
    history = add(
        NO_RATINGS, NewRating(Rating.GOOD, (SAFE_GOOD,), JANUARY), NewRating(Rating.OUTSTANDING, None, FEBRUARY)
    )
    assert history.get_rating(KeyQuestion.SAFE, FEBRUARY) is Rating.GOOD
    emptied = add(history, NewRating(Rating.OUTSTANDING, (), TODAY))
    assert emptied.get_rating(KeyQuestion.SAFE, TODAY) is Rating.NOT_RATED


def test_a_rating_is_held_since_the_first_publication_without_a_break() -> None:
    days = (date(2025, 1, 1), date(2025, 3, 1), date(2025, 5, 1), date(2025, 7, 1))
    ratings = (Rating.GOOD, Rating.REQUIRES_IMPROVEMENT, Rating.GOOD, Rating.OUTSTANDING)
    records = [a_rating_record(rating, day) for rating, day in zip(ratings, days, strict=True)]
    history = RatingHistory(tuple(records))
    assert history.find_since(None, GOOD_OR_BETTER, TODAY) == date(2025, 5, 1)
    assert history.find_since(None, [Rating.OUTSTANDING], TODAY) == date(2025, 7, 1)
    assert history.find_since(None, GOOD_OR_BETTER, date(2025, 4, 1)) is None
    assert history.find_since(None, GOOD_OR_BETTER, date(2025, 2, 1)) == date(2025, 1, 1)


def test_a_publication_without_the_key_question_is_a_break() -> None:
    records = (
        a_rating_record(published_on=date(2025, 1, 1), key_questions=[SAFE_GOOD]),
        a_rating_record(published_on=date(2025, 2, 1)),
        a_rating_record(published_on=date(2025, 3, 1), key_questions=[SAFE_GOOD]),
    )
    assert RatingHistory(records).find_since(KeyQuestion.SAFE, GOOD_OR_BETTER, TODAY) == date(2025, 3, 1)


def test_each_key_question_has_a_history_of_its_own() -> None:
    records = (
        a_rating_record(published_on=JANUARY, key_questions=[SAFE_GOOD]),
        a_rating_record(published_on=FEBRUARY, key_questions=[SAFE_FALLEN]),
    )
    history = RatingHistory(records)
    assert history.get_rating(None, TODAY) is Rating.GOOD
    assert [history.get_rating(KeyQuestion.SAFE, day) for day in (JANUARY, FEBRUARY)] == [
        Rating.GOOD,
        Rating.REQUIRES_IMPROVEMENT,
    ]
