"""A framework's definition: areas, tiers, brokerage time, prices and stages of sourcing, as data that a council edits.

The YAML files under `frameworks/` are read into `FrameworkDefinition`; every error is reported with its line and
remedy (`contracts.definitions.read_definition`).
"""

from collections.abc import Iterable
from datetime import date, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails

from contracts.contradictions import Contradiction, find_duplicates
from contracts.ids import AreaCode, CouncilKey, FrameworkKey
from contracts.values import (
    Channel,
    LocalTime,
    Money,
    OutwardCode,
    PriceUnit,
    Rating,
    ServiceType,
    StageName,
    Tier,
    Value,
    Weekday,
)

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
Title = Annotated[str, Field(min_length=1, max_length=200)]


def _check_timezone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        message = "no such time zone; write one of the IANA database, such as Europe/London"
        raise ValueError(message) from error
    return name


def _check_whole_minutes(length: timedelta) -> timedelta:
    if length < MINUTE or length % MINUTE:
        message = "must be one or more whole minutes, such as PT30M"
        raise ValueError(message)
    return length


Minutes = Annotated[timedelta, AfterValidator(_check_whole_minutes)]
"""A duration of one or more whole minutes, written PT30M."""


class Area(Value):
    code: AreaCode = Field(pattern=r"^[A-Za-z0-9-]{2,32}$")
    name: Title


class TierRules(Value):
    """Requirements of a tier: its cap of providers, and the rating and turnover that a provider needs."""

    tier: Tier
    providers_per_area: int | None = Field(default=None, ge=1, description="at most; None is no cap")
    minimum_rating: Rating
    accepts_not_rated: bool = False
    minimum_turnover: Money | None = None


class BankHolidayOverride(Value):
    """A day that is added to the published bank holidays of England (`closed`) or removed from them."""

    day: date
    closed: bool
    name: Title
    proclaimed_on: date | None = Field(
        default=None,
        description="for a holiday proclaimed after publication: it counts for searches that are running, too",
    )


class BrokerageTime(Value):
    """Working hours of the council's officers. Deadlines of routine packages count only this time."""

    timezone: Annotated[str, AfterValidator(_check_timezone)] = "Europe/London"
    opens: LocalTime = time(8, 30)
    closes: LocalTime = time(17, 0)
    days: tuple[Weekday, ...] = Field(
        default=(Weekday.MON, Weekday.TUE, Weekday.WED, Weekday.THU, Weekday.FRI), min_length=1
    )
    bank_holidays: tuple[date, ...] = Field(description="pinned, so that a replay in ten years counts the same hours")
    overrides: tuple[BankHolidayOverride, ...] = ()

    @model_validator(mode="after")
    def check_opens_before_closes(self) -> Self:
        if self.opens >= self.closes:
            message = "opens must be before closes, both on the same day"
            raise ValueError(message)
        return self


class MatrixLine(Value):
    """One line of the price matrix: the rates of one service type, in pounds for a unit."""

    service_type: ServiceType
    unit: PriceUnit
    rate: Money = Field(description="rate 1")
    further_rates: tuple[Money, ...] = Field(default=(), max_length=20, description="rate 2, rate 3, …")

    def find_rate(self, number: int) -> Decimal | None:
        """Returns rate `number` of this line, counted from 1, or None if the line has fewer rates."""
        rates = (self.rate, *self.further_rates)
        return rates[number - 1] if 1 <= number <= len(rates) else None


class Prices(Value):
    invented: bool = Field(description="true where the council's real matrix is not public")
    price_list: str = Field(min_length=1, max_length=60)
    selected_by_providers: bool = Field(
        default=False, description="each provider selects its rates from the matrix; without: rate 1 for all"
    )
    matrix: tuple[MatrixLine, ...] = Field(min_length=1)

    def find_matrix_line(self, service_type: ServiceType) -> MatrixLine | None:
        """Returns the matrix line of a service type, or None if the framework has no price for it."""
        return next((line for line in self.matrix if line.service_type is service_type), None)


class AnswerWithin(Value):
    """How long a provider has to answer, by channel, counted from delivery."""

    webhook: Minutes = timedelta(minutes=30)
    email: Minutes = timedelta(minutes=30)
    phone: Minutes = timedelta(minutes=15)
    urgent: Minutes = timedelta(minutes=30)

    def get_duration(self, channel: Channel, *, urgent: bool) -> timedelta:
        """Returns the time to answer. Urgent packages have the same one on every channel, in plain time."""
        if urgent:
            return self.urgent
        return {Channel.WEBHOOK: self.webhook, Channel.EMAIL: self.email, Channel.PHONE: self.phone}[channel]


class Exhausted(StrEnum):
    """What follows when a stage has no provider left."""

    NEXT_STAGE = "next stage"
    STOP = "stop"


class SequentialOffers(Value):
    """A stage that makes one offer at a time, in the order of the ranked list."""

    stage: StageName
    procedure: Literal["sequential-offers"]
    tier: Tier
    answer_within: AnswerWithin = AnswerWithin()
    undeliverable_after: Minutes = timedelta(minutes=2)
    calls_before_expiry: int = Field(default=3, ge=1, le=10)
    exhausted: Exhausted = Exhausted.NEXT_STAGE


def _check_whole_days(length: timedelta) -> timedelta:
    if length < DAY or length % DAY:
        message = "must be one or more whole days, such as P7D"
        raise ValueError(message)
    return length


Days = Annotated[timedelta, AfterValidator(_check_whole_days)]
"""A duration of one or more whole days, written P7D."""


class Ceiling(Value):
    """The highest rate of a service type that one officer may award alone. A second officer approves higher rates."""

    service_type: ServiceType
    rate: Money


class OpenList(Value):
    """A stage in which every provider of the area can propose a rate and a way to deliver; an officer awards.

    Packages stay open until they are placed or withdrawn, so this is the last stage.
    """

    stage: StageName
    procedure: Literal["open-list"]
    spot: bool = Field(default=True, description="open to providers outside the framework, too")
    ceilings: tuple[Ceiling, ...] = Field(min_length=1)
    alarm_after: Days = Field(
        default=timedelta(days=7),
        description="time after which officers are notified that the package is not awarded",
    )
    outward_codes_shown: tuple[OutwardCode, ...] = Field(
        default=(),
        description="where enough people live that the outward code identifies no person; elsewhere: district",
    )

    def find_ceiling(self, service_type: ServiceType) -> Decimal | None:
        return next((each.rate for each in self.ceilings if each.service_type is service_type), None)


Stage = Annotated[SequentialOffers | OpenList, Field(discriminator="procedure")]
"""A stage of sourcing; its procedure selects the class."""


class FrameworkDefinition(Value):
    """One version of one council's framework; immutable once published."""

    framework: FrameworkKey = Field(pattern=r"^[a-z0-9-]{3,60}$")
    version: int = Field(ge=1)
    council: CouncilKey = Field(pattern=r"^[a-z0-9-]{2,40}$")
    title: Title
    source: str = Field(min_length=1, max_length=500, description="the document that the rules were taken from")
    runs_from: date
    runs_until: date
    areas: tuple[Area, ...] = Field(min_length=1)
    service_types: tuple[ServiceType, ...] = Field(min_length=1)
    tiers: tuple[TierRules, ...] = Field(min_length=1)
    brokerage: BrokerageTime
    prices: Prices
    sourcing: tuple[Stage, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def check_sections_agree(self) -> Self:
        """Raises a ValidationError that lists all contradictions between valid sections."""
        wrong = [InitErrorDetails(type=at.to_error(), loc=at.path, input=None) for at in self._find_contradictions()]
        if wrong:
            raise ValidationError.from_exception_data(type(self).__name__, wrong)
        return self

    def find_tier_rules(self, tier: Tier) -> TierRules | None:
        return next((rules for rules in self.tiers if rules.tier is tier), None)

    def get_stage(self, name: str) -> SequentialOffers | OpenList:
        return next(stage for stage in self.sourcing if stage.stage == name)

    def get_sequential_stage(self, name: str) -> SequentialOffers:
        """Returns the sequential stage `name`. Raises LookupError if the stage has another procedure."""
        stage = self.get_stage(name)
        if isinstance(stage, SequentialOffers):
            return stage
        message = f"stage {name} does not make sequential offers"
        raise LookupError(message)

    def find_next_stage(self, name: str | None) -> SequentialOffers | OpenList | None:
        """Returns the stage after `name`, the first stage for None, or None after the last stage."""
        names = [stage.stage for stage in self.sourcing]
        position = 0 if name is None else names.index(name) + 1
        return self.sourcing[position] if position < len(names) else None

    def has_area(self, code: AreaCode) -> bool:
        return any(area.code == code for area in self.areas)

    def _find_contradictions(self) -> Iterable[Contradiction]:
        yield from find_duplicates("areas[].code", [area.code for area in self.areas])
        yield from find_duplicates("service_types[]", self.service_types)
        yield from find_duplicates("tiers[].tier", [rules.tier for rules in self.tiers])
        yield from find_duplicates("sourcing[].stage", [stage.stage for stage in self.sourcing])
        yield from find_duplicates("brokerage.days[]", self.brokerage.days)
        yield from find_duplicates("brokerage.bank_holidays[]", self.brokerage.bank_holidays)
        yield from find_duplicates("brokerage.overrides[].day", [override.day for override in self.brokerage.overrides])
        yield from find_duplicates("prices.matrix[].service_type", [line.service_type for line in self.prices.matrix])
        if self.runs_from > self.runs_until:
            yield Contradiction(("runs_until",), "must not be before runs_from")
        for position, service_type in enumerate(self.service_types):
            if self.prices.find_matrix_line(service_type) is None:
                yield Contradiction(("service_types", position), "has no price; add a line for it to prices.matrix")
        for position, stage in enumerate(self.sourcing):
            place = ("sourcing", position)
            if isinstance(stage, OpenList):
                yield from self._find_open_list_contradictions(stage, place)
            elif self.find_tier_rules(stage.tier) is None:
                yield Contradiction((*place, "tier"), "is not described; add this tier to tiers")

    def _find_open_list_contradictions(self, stage: OpenList, place: tuple[str | int, ...]) -> Iterable[Contradiction]:
        if self.sourcing[-1] is not stage:
            yield Contradiction(place, "nothing can follow an open list; make it the last stage")
        for position, ceiling in enumerate(stage.ceilings):
            if ceiling.service_type in [each.service_type for each in stage.ceilings[:position]]:
                yield Contradiction((*place, "ceilings", position), "is given twice; keep one of the two")
        lacking = [each.value for each in self.service_types if stage.find_ceiling(each) is None]
        if lacking:
            yield Contradiction((*place, "ceilings"), f"lacks {', '.join(lacking)}; add a line for each")
