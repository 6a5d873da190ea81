"""Value types shared by events, APIs and framework definitions: visits, needs, channels, terms."""

from datetime import date, time
from decimal import Decimal
from enum import IntEnum, StrEnum
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

from contracts.ids import AreaCode, FrameworkKey, ProviderId


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


class ServiceType(StrEnum):
    """Essex, Live at Home 2025: the types of service that are called off."""

    PERSONAL_CARE = "personal care"
    CARERS_SUPPORT = "carer's support"
    CARERS_BREAK = "carer's break"
    NIGHT_AWAKE = "night awake"
    NIGHT_SLEEP = "night sleep"
    LIVE_IN = "24-hour live-in"


class Urgency(StrEnum):
    """Urgent packages (hospital discharge, crisis) are offered at any hour."""

    ROUTINE = "routine"
    HOSPITAL_DISCHARGE = "hospital discharge"
    CRISIS = "crisis"

    @property
    def is_urgent(self) -> bool:
        return self is not Urgency.ROUTINE


class Need(StrEnum):
    """Needs in closed terms; nothing free-text about a person ever leaves referral."""

    DEMENTIA = "dementia"
    LEARNING_DISABILITY = "learning disability"
    AUTISM = "autism"
    MENTAL_HEALTH = "mental health"
    PHYSICAL_DISABILITY = "physical disability"
    SENSORY_IMPAIRMENT = "sensory impairment"
    END_OF_LIFE = "end of life"
    MOVING_AND_HANDLING = "moving and handling"
    HOIST = "hoist"
    CATHETER = "catheter"
    PEG_FEEDING = "PEG feeding"
    DIABETES = "diabetes"
    MEDICATION = "medication"
    EPILEPSY = "epilepsy"
    BEHAVIOUR_THAT_CHALLENGES = "behaviour that challenges"
    PETS_IN_HOME = "pets in home"
    SMOKER_IN_HOME = "smoker in home"
    KEY_SAFE = "key safe"

    @property
    def is_skill(self) -> bool:
        """True for needs that require a skill of the carers; adverts show only these."""
        return self not in {Need.PETS_IN_HOME, Need.SMOKER_IN_HOME, Need.KEY_SAFE}


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


class Tier(IntEnum):
    """A framework's tiers; spot providers stand outside them."""

    ONE = 1
    TWO = 2


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
    """The care to be sourced, limited to what a provider may see before it accepts."""

    framework: FrameworkKey
    area: AreaCode
    outward_code: OutwardCode = Field(description="never more of the postcode than this")
    service_type: ServiceType
    visits: tuple[Visit, ...] = Field(min_length=1, max_length=50)
    starts_on: date
    urgency: Urgency
    needs: tuple[Need, ...] = Field(default=(), max_length=len(Need))
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


class PriceUnit(StrEnum):
    HOUR = "hour"
    NIGHT = "night"
    WEEK = "week"


class Terms(Value):
    """The price of one package with one provider, computed once (`contracts.terms`) and copied to later events."""

    price_list: str = Field(
        max_length=100, description="which version of which matrix or selection the rate was taken from"
    )
    unit: PriceUnit
    rate: Money
    quantity_per_week: Hours
    weekly_cost: Money


class AnswerBy(Value):
    """The time to answer: a duration before delivery, and an instant once the clock runs."""

    minutes: int = Field(ge=1)
    brokerage_time: bool
    instant: Instant | None = None


class PassOverReason(StrEnum):
    """Why a provider was passed over. All reasons that apply are recorded."""

    RATING_BELOW_FLOOR = "rating below the tier's floor"
    NOT_A_MEMBER = "not a member of this tier and area"
    NOT_ELIGIBLE = "entry requirement not met"
    EMBARGOED = "embargoed"
    REFUSED_BY_PERSON = "refused by the person"
    NO_CAPACITY = "declared capacity is less than the package needs"
    SERVICE_TYPE_NOT_OFFERED = "does not offer this service type"
    NO_RATE_SELECTED = "has selected no rate for this service type"


class DeclineReason(StrEnum):
    NO_CAPACITY = "no capacity"
    NO_CAPACITY_AT_THESE_TIMES = "no capacity at these times"
    TOO_FAR = "too far to travel"
    SKILLS_NOT_AVAILABLE = "skills not available"
    CANNOT_START_IN_TIME = "cannot start in time"
    RATE_NOT_VIABLE = "rate not viable"
    RISK = "risk assessment"
    OTHER = "other"


class WithdrawalReason(StrEnum):
    NO_LONGER_NEEDED = "care no longer needed"
    PERSON_DIED = "person has died"
    ADMITTED_TO_HOSPITAL = "admitted to hospital"
    FAMILY_WILL_CARE = "family will care"
    MOVED_AWAY = "moved away"
    SOURCED_ELSEWHERE = "sourced elsewhere"
    ENTERED_IN_ERROR = "entered in error"
