"""Types of the fields of request bodies, the same in every service, and the base of all request bodies.

A field is normalised, then judged, and its error tells in words what is wrong without repeating the value. Every text,
number, list and date has limits (`tests/architecture/test_request_fields.py`).
"""

from datetime import date
from typing import Annotated, Final
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from contracts.framework.words import KEY_PATTERN
from contracts.ids import (
    AreaCode,
    BandKey,
    CriterionKey,
    FrameworkKey,
    GroupKey,
    ItemKey,
    LotKey,
    NeedKey,
    ReasonKey,
    RouteKey,
    ServiceTypeKey,
    TierKey,
    UnitKey,
)
from contracts.values import Hours, LocalTime, Money
from service_runtime.http.contact_rules import MAX_MAILBOX, MAX_PHONE_NUMBER, parse_mailbox, parse_phone_number
from service_runtime.http.text_rules import CodeRule, ExactTextRule, TextRule
from service_runtime.http.value_rules import (
    DateRule,
    check_whole_number,
    check_yes_or_no,
    parse_amount,
    parse_instant,
    parse_local_time,
    parse_uuid,
)

FIRST_DAY: Final = date(1990, 1, 1)
LAST_DAY: Final = date(2199, 12, 31)
FIRST_BIRTHDAY: Final = date(1890, 1, 1)
LARGEST_RATE: Final = 10_000
"""Pounds for one unit. The weekly cost of the largest visit pattern at this rate still fits `Money`."""
LARGEST_CAPACITY: Final = 100_000
"""Hours a week."""

_FRAMEWORK: Final = r"^[a-z0-9-]{3,60}$"
_AREA: Final = r"^[A-Za-z0-9-]{2,32}$"
_OUTWARD: Final = r"^[A-Z]{1,2}[0-9][A-Z0-9]?$"


class RequestBody(BaseModel):
    """Base of request bodies: unknown fields are refused, and errors do not contain what was submitted."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


ShortText = Annotated[str, StringConstraints(min_length=1, max_length=200), BeforeValidator(TextRule(200))]
"""One line: a name, an address line."""
LongText = Annotated[
    str, StringConstraints(min_length=1, max_length=4000), BeforeValidator(TextRule(4000, has_lines=True))
]
"""Several lines: notes."""
Code = Annotated[str, StringConstraints(min_length=3, max_length=200), BeforeValidator(TextRule(200, min_length=3))]
"""One line without names of people: a code or a ticket's number."""
Reason = Code
"""Why an operator or officer acts; a code or a ticket's number, no names."""
WebAddress = Annotated[
    str,
    StringConstraints(min_length=1, max_length=2048),
    BeforeValidator(CodeRule(r"\S+", "an address without spaces, such as https://provider.example/offers", 2048)),
]
ForeignKey = Annotated[str, StringConstraints(max_length=1000), BeforeValidator(ExactTextRule(1000))]
"""A topic or a key as Kafka has it, which other systems may have written."""
Mailbox = Annotated[str, StringConstraints(max_length=MAX_MAILBOX), BeforeValidator(parse_mailbox)]
PhoneNumber = Annotated[str, StringConstraints(max_length=MAX_PHONE_NUMBER), BeforeValidator(parse_phone_number)]

FrameworkName = Annotated[
    FrameworkKey,
    StringConstraints(pattern=_FRAMEWORK, max_length=60),
    BeforeValidator(CodeRule(_FRAMEWORK, "a framework's key: 3 to 60 of a to z, 0 to 9 and hyphens", 60)),
]
AreaName = Annotated[
    AreaCode,
    StringConstraints(pattern=_AREA, max_length=32),
    BeforeValidator(CodeRule(_AREA, "an area's code: 2 to 32 letters, digits and hyphens, such as E07000071", 32)),
]
_KEY_LIMITS: Final = StringConstraints(pattern=KEY_PATTERN, max_length=40)
_KEY_RULE: Final = BeforeValidator(
    CodeRule(
        KEY_PATTERN, "a key: 1 to 40 of a to z, 0 to 9 and hyphens, beginning with a letter or digit", max_length=40
    )
)
LotName = Annotated[LotKey, _KEY_LIMITS, _KEY_RULE]
TierName = Annotated[TierKey, _KEY_LIMITS, _KEY_RULE]
ServiceTypeName = Annotated[ServiceTypeKey, _KEY_LIMITS, _KEY_RULE]
UnitName = Annotated[UnitKey, _KEY_LIMITS, _KEY_RULE]
ItemName = Annotated[ItemKey, _KEY_LIMITS, _KEY_RULE]
RouteName = Annotated[RouteKey, _KEY_LIMITS, _KEY_RULE]
NeedName = Annotated[NeedKey, _KEY_LIMITS, _KEY_RULE]
ReasonName = Annotated[ReasonKey, _KEY_LIMITS, _KEY_RULE]
"""A reason of one of the framework's lists; `Reason` is the text of an operator."""
CriterionName = Annotated[CriterionKey, _KEY_LIMITS, _KEY_RULE]
GroupName = Annotated[GroupKey, _KEY_LIMITS, _KEY_RULE]
BandName = Annotated[BandKey, _KEY_LIMITS, _KEY_RULE]
OutwardName = Annotated[
    str,
    StringConstraints(pattern=_OUTWARD, max_length=4),
    BeforeValidator(CodeRule(_OUTWARD, "the first half of a postcode, such as CO1", 4, case="upper")),
]

Day = Annotated[date, BeforeValidator(DateRule(FIRST_DAY, LAST_DAY))]
BirthDate = Annotated[date, BeforeValidator(DateRule(FIRST_BIRTHDAY, LAST_DAY))]
InstantText = Annotated[AwareDatetime, BeforeValidator(parse_instant)]
TimeOfDay = Annotated[LocalTime, BeforeValidator(parse_local_time)]
"""On the council's wall clock."""
Uuid = Annotated[UUID, BeforeValidator(parse_uuid)]
WholeNumber = Annotated[int, BeforeValidator(check_whole_number)]
"""The field that has this type states its limits."""
YesOrNo = Annotated[bool, BeforeValidator(check_yes_or_no)]
Pounds = Annotated[Money, BeforeValidator(parse_amount)]
Rate = Annotated[Money, Field(gt=0, le=LARGEST_RATE), BeforeValidator(parse_amount)]
WeeklyHours = Annotated[Hours, Field(le=LARGEST_CAPACITY), BeforeValidator(parse_amount)]
