"""One visit of the weekly pattern, as a referral's body has it."""

from typing import Self

from pydantic import Field, model_validator

from contracts.values import Visit, Weekday
from service_runtime.http.text_fields import RequestBody, TimeOfDay, WholeNumber, YesOrNo


class VisitIn(RequestBody):
    """One visit of the weekly pattern: days, window of local time, length and number of carers."""

    days: tuple[Weekday, ...] = Field(min_length=1, max_length=7)
    earliest: TimeOfDay
    latest: TimeOfDay
    minutes: WholeNumber = Field(
        ge=15, le=10_080, description="length of one visit; 10,080 is a whole week of live-in care"
    )
    carers: WholeNumber = Field(ge=1, le=4, default=1)
    time_critical: YesOrNo = False

    @model_validator(mode="after")
    def check_days_and_window(self) -> Self:
        """Raises pydantic's ValidationError with the rules of `Visit` about several fields."""
        self.to_visit()
        return self

    def to_visit(self) -> Visit:
        return Visit(
            days=self.days,
            earliest=self.earliest,
            latest=self.latest,
            minutes=self.minutes,
            carers=self.carers,
            time_critical=self.time_critical,
        )
