"""CQC's ratings of a branch, overall and for each key question, with their history.

The register spells one rating in two ways and has many words for "no rating": everything but the four ratings means
not rated. Key questions are matched by name.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from contracts.errors import FieldError, InvalidInput
from contracts.events.providers import KeyQuestionRating
from contracts.framework.tiers import KeyQuestion
from contracts.values import Rating

LONGEST_NOTICE: Final = timedelta(days=366)

_RATED: Final = {
    rating.value.casefold(): rating
    for rating in (Rating.OUTSTANDING, Rating.GOOD, Rating.REQUIRES_IMPROVEMENT, Rating.INADEQUATE)
}
_KEY_QUESTIONS: Final = {each.value.casefold().replace("-", " "): each for each in KeyQuestion}


def parse_rating(word: str | None) -> Rating:
    """Parses a rating regardless of case; empty, unknown and absent words mean not rated."""
    return _RATED.get(" ".join((word or "").split()).casefold(), Rating.NOT_RATED)


def find_key_question(name: str) -> KeyQuestion | None:
    """Returns the key question of a name, regardless of case and hyphens."""
    return _KEY_QUESTIONS.get(" ".join(name.replace("-", " ").split()).casefold())


def check_published_on(day: date | None, *, today: date) -> None:
    """Raises InvalidInput for a day more than a year ahead, which is a mistyped year."""
    if day is not None and day > today + LONGEST_NOTICE:
        raise InvalidInput(FieldError("#/published_on", "is more than a year ahead; check the year"))


@dataclass(frozen=True)
class NewRating:
    """Ratings of a branch as they are sent in.

    Without `published_on` they are the present ones, and without `key_questions` these are as before. `corrects` is the
    day of an earlier publication that was recorded wrongly.
    """

    overall: Rating = Rating.NOT_RATED
    key_questions: tuple[KeyQuestionRating, ...] | None = None
    published_on: date | None = None
    corrects: date | None = None


@dataclass(frozen=True)
class RatingRecord:
    """One publication: all ratings of the branch from `published_on` on."""

    published_on: date
    overall: Rating
    key_questions: tuple[KeyQuestionRating, ...]
    recorded_at: datetime
    corrects: date | None = None

    def get_rating(self, question: KeyQuestion | None) -> Rating:
        """Returns the rating of a key question, or the overall one for None."""
        if question is None:
            return self.overall
        return next((each.rating for each in self.key_questions if each.key_question is question), Rating.NOT_RATED)


@dataclass(frozen=True)
class RatingHistory:
    """Every record of a branch's ratings, in the order of recording. A corrected record stays and counts no more."""

    records: tuple[RatingRecord, ...] = ()

    def list_valid(self) -> Sequence[RatingRecord]:
        """Returns the records that count, by day of publication. A later record of the same day is a correction."""
        valid: dict[date, RatingRecord] = {}
        for record in self.records:
            valid.pop(record.corrects or record.published_on, None)
            valid[record.published_on] = record
        return [valid[day] for day in sorted(valid)]

    @property
    def newest(self) -> RatingRecord | None:
        return next(reversed(self.list_valid()), None)

    def find(self, on: date) -> RatingRecord | None:
        """Returns the record in force on a day."""
        return next((each for each in reversed(self.list_valid()) if each.published_on <= on), None)

    def get_rating(self, question: KeyQuestion | None, on: date) -> Rating:
        record = self.find(on)
        return Rating.NOT_RATED if record is None else record.get_rating(question)

    def find_since(self, question: KeyQuestion | None, accepted: Iterable[Rating], on: date) -> date | None:
        """Returns the first day of the unbroken time up to `on` with an accepted rating; None without one on `on`."""
        ratings, since = set(accepted), None
        for record in reversed(self.list_valid()):
            if record.published_on <= on:
                if record.get_rating(question) not in ratings:
                    break
                since = record.published_on
        return since

    def add(self, new: NewRating, *, at: datetime, today: date) -> "RatingHistory":
        """Returns the history with a new record, unless the same is known or the branch was never rated.

        Raises InvalidInput for a correction of a day without a record.
        """
        if new.corrects is not None and all(each.published_on != new.corrects for each in self.list_valid()):
            raise InvalidInput(FieldError("#/corrects", "is the day of no recorded publication; see the branch"))
        day = new.published_on or new.corrects or today
        before = self.find(day)
        record = RatingRecord(day, new.overall, _choose_key_questions(new, before), at, new.corrects)
        if self._is_known(record, before, is_dated=new.published_on is not None):
            return self
        return RatingHistory((*self.records, record))

    def _is_known(self, record: RatingRecord, before: RatingRecord | None, *, is_dated: bool) -> bool:
        content = (record.overall, record.key_questions)
        if before is None:
            return content == (Rating.NOT_RATED, ())
        is_same_day = before.published_on == record.published_on and record.corrects in {None, record.published_on}
        return content == (before.overall, before.key_questions) and (is_same_day or not is_dated)


def _choose_key_questions(new: NewRating, before: RatingRecord | None) -> tuple[KeyQuestionRating, ...]:
    if new.key_questions is None:
        return () if before is None else before.key_questions
    rated = [each for each in new.key_questions if each.rating is not Rating.NOT_RATED]
    order = list(KeyQuestion)
    return tuple(sorted(rated, key=lambda each: order.index(each.key_question)))


NO_RATINGS: Final = RatingHistory()
NOT_RATED: Final = NewRating()
