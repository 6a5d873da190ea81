"""What a mini-competition declares before it opens: its criteria, and how long bids and questions are taken."""

from datetime import timedelta

from pydantic import Field

from contracts.framework.durations import BrokerageLength, Minutes
from contracts.framework.words import KEY_PATTERN, Word
from contracts.ids import CriterionKey
from contracts.values import Value


class Criterion(Word):
    """What a bid answers in words and officers score; `weight` is its share of the total in percent."""

    criterion: CriterionKey = Field(pattern=KEY_PATTERN)
    weight: int = Field(ge=1, le=100)


class Span(Value):
    """A length of time that depends on the package's urgency."""

    routine: BrokerageLength = Field(description="in brokerage time; a whole day is a working day")
    urgent: Minutes = Field(description="in plain time")

    def get_length(self, *, urgent: bool) -> timedelta:
        return self.urgent if urgent else self.routine


OPEN_FOR = Span(routine=timedelta(days=3), urgent=timedelta(hours=4))
QUESTIONS_END = Span(routine=timedelta(days=1), urgent=timedelta(hours=1))
