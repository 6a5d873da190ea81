"""The words that a definition declares: lots, areas, service types, units, routes, needs and reasons.

Events and requests carry the keys. Code knows none of the words, only the kinds of a unit.
"""

from typing import Annotated

from pydantic import Field

from contracts.ids import (
    AreaCode,
    BandKey,
    GroupKey,
    LotKey,
    NeedKey,
    ReasonKey,
    RouteKey,
    ServiceTypeKey,
    UnitKey,
)
from contracts.values import OutwardCode, UnitKind, Value

KEY_PATTERN = r"^[a-z0-9][a-z0-9-]{0,39}$"
Title = Annotated[str, Field(min_length=1, max_length=200)]
Description = Annotated[str, Field(max_length=500)]
_Key = Field(pattern=KEY_PATTERN)


class Word(Value):
    """A word with its title for people."""

    title: Title
    description: Description = ""


class Area(Value):
    """A district, a zone or a scheme in which providers have places."""

    code: AreaCode = Field(pattern=r"^[A-Za-z0-9-]{2,32}$")
    name: Title
    cluster: Title | None = None
    districts: tuple[AreaCode, ...] = Field(
        default=(), description="ONS codes of the districts in which it lies; none: its code is a district's"
    )
    outside: Title | None = Field(
        default=None, description="why the framework does not serve it; a referral is refused with this reason"
    )
    neighbours: tuple[AreaCode, ...] = ()
    fewest_providers: int | None = Field(default=None, ge=1, description="active providers below which an alarm is due")
    price_band: BandKey | None = Field(default=None, pattern=KEY_PATTERN)
    travel_band: BandKey | None = Field(default=None, pattern=KEY_PATTERN)

    def covers_district(self, district: AreaCode) -> bool:
        return district in (self.districts or (self.code,))


class Lot(Word):
    """A part of the framework. Without areas, service types or routes it has all of them."""

    lot: LotKey = _Key
    areas: tuple[AreaCode, ...] = ()
    service_types: tuple[ServiceTypeKey, ...] = ()
    routes: tuple[RouteKey, ...] = ()

    def serves(self, area: AreaCode, service_type: ServiceTypeKey, route: RouteKey) -> bool:
        """Returns whether a package belongs to this lot."""
        wanted = ((self.areas, area), (self.service_types, service_type), (self.routes, route))
        return all(not served or word in served for served, word in wanted)

    def has_area(self, area: AreaCode) -> bool:
        return not self.areas or area in self.areas

    def has_service_type(self, service_type: ServiceTypeKey) -> bool:
        return not self.service_types or service_type in self.service_types


class ServiceType(Word):
    """A type of care that is called off."""

    service_type: ServiceTypeKey = _Key


class Unit(Word):
    """What a rate is for; its kind decides how the quantity is computed."""

    unit: UnitKey = _Key
    kind: UnitKind


class Route(Word):
    """A way by which referrals come. Packages of an urgent route are offered at any hour."""

    route: RouteKey = _Key
    urgent: bool = False


class Skill(Word):
    """A skill that a package can need of its carers."""

    skill: NeedKey = _Key
    required: bool = Field(
        default=False, description="true: a provider without evidence of the skill is passed over; false: it is shown"
    )


class Circumstance(Word):
    """What carers must know of the home and need no skill for: a pet, a key safe. Lists never show it."""

    circumstance: NeedKey = _Key


class TravelBand(Word):
    """Outward codes with a travel time of their own; other packages have their area's band."""

    band: BandKey = _Key
    outward_codes: tuple[OutwardCode, ...] = ()


class ListGroup(Word):
    """Packages with ranked lists of their own. The first group that a package matches applies; no condition: any.

    A package that matches no group is offered by the lists without a group.
    """

    group: GroupKey = _Key
    service_types: tuple[ServiceTypeKey, ...] = ()
    needs: tuple[NeedKey, ...] = Field(default=(), description="any one of them")

    def matches(self, service_type: ServiceTypeKey, needs: tuple[NeedKey, ...]) -> bool:
        is_of_type = not self.service_types or service_type in self.service_types
        return is_of_type and (not self.needs or any(need in self.needs for need in needs))


class Reason(Word):
    """A coded reason."""

    reason: ReasonKey = _Key


class Reasons(Value):
    """The lists of reasons among which providers and officers choose."""

    decline: tuple[Reason, ...] = Field(min_length=1, description="why a provider declines an offer")
    withdrawal: tuple[Reason, ...] = Field(min_length=1, description="why the council withdraws a package")
    price_refusal: tuple[Reason, ...] = Field(default=(), description="why a second officer refuses a price")
    inadequate_award: tuple[Reason, ...] = Field(
        default=(), description="why an officer awards to a provider rated Inadequate"
    )
    variation: tuple[Reason, ...] = Field(default=(), description="other ways to deliver that a provider may propose")
    officer: tuple[Reason, ...] = Field(
        default=(), description="why an officer steps into a search; none declared: any key is taken"
    )
    score: tuple[Reason, ...] = Field(default=(), description="why an officer gives a bid its score")
    overrule: tuple[Reason, ...] = Field(default=(), description="why an officer overrules a competition's result")
    competition_end: tuple[Reason, ...] = Field(default=(), description="why an officer ends a competition early")

    @staticmethod
    def list_keys(reasons: tuple[Reason, ...]) -> tuple[ReasonKey, ...]:
        return tuple(each.reason for each in reasons)
