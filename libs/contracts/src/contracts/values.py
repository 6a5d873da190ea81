"""Value types shared by events, APIs and framework definitions: visits, needs, channels, terms."""

from datetime import date, time
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
    model_validator,
)

from contracts.ids import (
    AreaCode,
    FrameworkKey,
    ItemKey,
    LotKey,
    NeedKey,
    ProviderId,
    RouteKey,
    ServiceTypeKey,
    UnitKey,
)


class Value(BaseModel):
    """A frozen value. Writers cannot add fields; readers skip unknown fields (`contracts.catalogue.decode`)."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_enum_values=False, ser_json_timedelta="iso8601")


def _format_two_decimals(amount: Decimal) -> str:
    """Formats 24.1 and 2.41E+1 alike as `24.10`: the bytes are hashed, so equal amounts need equal bytes."""
    return f"{amount:.2f}"


def _check_no_offset(local: time) -> time:
    if local.tzinfo:
        message = "give local time of day without an offset"
        raise ValueError(message)
    return local


_AS_TEXT = (
    PlainSerializer(_format_two_decimals, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]{1,10}\.[0-9]{2}$"}, mode="serialization"),
)
Money = Annotated[Decimal, Field(ge=0, max_digits=12, decimal_places=2), *_AS_TEXT]
"""Pounds sterling; a string in JSON, so that readers do not parse it as a float."""
Hours = Annotated[Decimal, Field(ge=0, max_digits=8, decimal_places=2), *_AS_TEXT]
"""Commissioned hours a week: a visit with two carers counts twice (DOMAIN, several counts of carers)."""
Instant = AwareDatetime
# Not JSON Schema's format "time": it requires an offset, and format checkers would refuse local times.
_AS_LOCAL = WithJsonSchema(
    {"type": "string", "pattern": r"^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?$"}
)
LocalTime = Annotated[time, AfterValidator(_check_no_offset), _AS_LOCAL]
"""Time of day on the council's wall clock, without a UTC offset."""
OutwardCode = Annotated[str, Field(pattern=r"^[A-Z]{1,2}[0-9][A-Z0-9]?$")]
"""The first half of a postcode, `CO1`. The second half never leaves referral."""
StageName = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")]
"""A stage of a framework's sourcing, `tier-1`."""


class UnitKind(StrEnum):
    """The kinds of a price's unit, on which arithmetic depends; the units themselves are words of the definition."""

    HOUR = "hour"
    NIGHT = "night"
    WEEK = "week"
    EPISODE = "episode"

    @property
    def recurs(self) -> bool:
        """True for what is paid each week, False for what is paid once for the package."""
        return self is not UnitKind.EPISODE


class AgeBand(StrEnum):
    UNDER_40 = "18-39"
    FROM_40 = "40-64"
    FROM_65 = "65-74"
    FROM_75 = "75-84"
    FROM_85 = "85 and over"


class CarerGender(StrEnum):
    """Required gender of the carers, if it matters to the care."""

    FEMALE = "female carers"
    MALE = "male carers"
    ANY = "any"


class Channel(StrEnum):
    """How a provider receives an offer."""

    WEBHOOK = "webhook"
    EMAIL = "email"
    PHONE = "phone"


class Rating(StrEnum):
    """CQC's overall ratings. Every other word in CQC's register means not rated."""

    OUTSTANDING = "Outstanding"
    GOOD = "Good"
    REQUIRES_IMPROVEMENT = "Requires improvement"
    INADEQUATE = "Inadequate"
    NOT_RATED = "not rated"

    @property
    def rank(self) -> int:
        """Higher is better; not rated is the lowest."""
        return ("not rated", "Inadequate", "Requires improvement", "Good", "Outstanding").index(self.value)

    def is_at_least(self, floor: "Rating") -> bool:
        return self.rank >= floor.rank


class Weekday(StrEnum):
    MON = "MON"
    TUE = "TUE"
    WED = "WED"
    THU = "THU"
    FRI = "FRI"
    SAT = "SAT"
    SUN = "SUN"

    @property
    def number(self) -> int:
        """Monday is 0, as in `date.weekday()`."""
        return list(Weekday).index(self)


class Visit(Value):
    """One visit of the weekly pattern: days, window of local time, length and number of carers."""

    days: tuple[Weekday, ...] = Field(min_length=1, max_length=7)
    earliest: LocalTime
    latest: LocalTime
    minutes: int = Field(ge=15, le=10_080, description="length of one visit; 10,080 is a whole week of live-in care")
    carers: int = Field(ge=1, le=4, default=1)
    time_critical: bool = False

    @model_validator(mode="after")
    def check_days_and_window(self) -> Self:
        if len(set(self.days)) != len(self.days):
            message = "each day may be named once; give a second visit of the same day as a visit of its own"
            raise ValueError(message)
        if self.latest < self.earliest:
            message = "latest must not be before earliest; a window over midnight is two windows"
            raise ValueError(message)
        return self

    @property
    def weekly_minutes(self) -> int:
        """Commissioned minutes a week: a visit with two carers counts twice."""
        return len(self.days) * self.minutes * self.carers


class Care(Value):
    """The care to be sourced, limited to what a provider may see before it accepts. Words are the definition's keys."""

    framework: FrameworkKey
    lot: LotKey
    area: AreaCode
    outward_code: OutwardCode = Field(description="never more of the postcode than this")
    service_type: ServiceTypeKey
    visits: tuple[Visit, ...] = Field(min_length=1, max_length=50)
    starts_on: date
    route: RouteKey
    urgent: bool
    urgent_since: Instant | None = None
    needs: tuple[NeedKey, ...] = Field(default=(), max_length=100)
    age_band: AgeBand
    carer_gender: CarerGender = CarerGender.ANY

    @property
    def weekly_hours(self) -> Decimal:
        """Commissioned hours a week, to the hundredth."""
        minutes = sum(visit.weekly_minutes for visit in self.visits)
        return (Decimal(minutes) / 60).quantize(Decimal("0.01"))

    @property
    def carers_at_once(self) -> int:
        return max(visit.carers for visit in self.visits)


class Wishes(Value):
    """The person's own wishes: refused providers are passed over, preferred ones are recorded, never reordered."""

    refused: tuple[ProviderId, ...] = Field(default=(), max_length=50)
    preferred: tuple[ProviderId, ...] = Field(default=(), max_length=50)


class TermsLine(Value):
    """One line of a price: quantity × rate, rounded once to the penny."""

    item: ItemKey
    unit: UnitKey
    unit_kind: UnitKind
    rate: Money
    quantity: Hours = Field(description="units a week; for an episode the units of the whole package")
    cost: Money = Field(description="pounds a week; for an episode pounds once")


class Terms(Value):
    """The price of one package with one provider, computed once (`contracts.terms`) and copied to later events."""

    price_list: str = Field(
        max_length=100, description="which version of which matrix or selection the rates were taken from"
    )
    lines: tuple[TermsLine, ...] = Field(min_length=1, max_length=10)
    weekly_cost: Money = Field(description="of the lines that are paid each week")
    fixed_cost: Money = Field(default=Decimal("0.00"), description="of the lines that are paid once")

    @property
    def rate(self) -> Decimal:
        """The rate of the first line; a proposal has no other line."""
        return self.lines[0].rate

    @property
    def total_cost(self) -> Decimal:
        """The figure by which prices for one package are compared: one week, and what is paid once."""
        return self.weekly_cost + self.fixed_cost


class AnswerBy(Value):
    """The time to answer: a duration before delivery, and an instant once the clock runs."""

    minutes: int = Field(ge=1)
    brokerage_time: bool
    instant: Instant | None = None


class PassOverReason(StrEnum):
    """Why a provider was passed over. All reasons that apply are recorded."""

    RATING_BELOW_FLOOR = "rating below the tier's floor"
    NOT_A_MEMBER = "not a member of this tier and area"
    PLACE_NOT_ACTIVE = "place is not active"
    NOT_ELIGIBLE = "entry requirement not met"
    EMBARGOED = "embargoed"
    REFUSED_BY_PERSON = "refused by the person"
    NO_CAPACITY = "declared capacity is less than the package needs"
    SERVICE_TYPE_NOT_OFFERED = "does not offer this service type"
    NO_EVIDENCE_OF_SKILL = "no evidence of the skill"
    NO_RATE_SELECTED = "has selected no rate for this service type"
    LISTED_NO_TICK = "listed, no tick"


class Order(StrEnum):
    """How the providers of a stage are ordered. Further orders break ties; a draw with a recorded seed breaks the last.

    `rotation`: whose last award in the area lies longest ago comes first; a provider without an award comes before all
    others, by its joining date.
    """

    RANKED_LIST = "ranked-list"
    NUMBER = "number"
    PRICE = "price"
    ROTATION = "rotation"
    DRAW = "draw"


class ListReach(StrEnum):
    """To whose providers an open list goes: those of the whole council, or of the package's area."""

    COUNCIL = "council"
    AREA = "area"


class PlaceState(StrEnum):
    """The state of a place on a framework. Only an active one is offered work."""

    APPLIED = "applied"
    AWARDED = "awarded"
    MOBILISING = "mobilising"
    ACTIVE = "active"
    PAUSED = "paused"
    LEFT = "left"
