"""The stages of sourcing: whom they ask, in which procedure and order, and for which packages."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import Field

from contracts.framework.competitions import OPEN_FOR, QUESTIONS_END, Criterion, Span
from contracts.framework.durations import Days, Minutes
from contracts.framework.list_times import CutOff, IssueDays, ReturnedBy
from contracts.framework.words import Description
from contracts.ids import AreaCode, BandKey, CriterionKey, LotKey, NeedKey, RouteKey, ServiceTypeKey, TierKey
from contracts.values import Channel, ListReach, Money, Order, OutwardCode, StageName, Value

OUTWARD_CODES: Final = "where enough people live that the outward code identifies no person; elsewhere: district"


class Conditions(Value):
    """The packages for which a stage is meant; each condition that is given must hold, none: all packages."""

    lots: tuple[LotKey, ...] = ()
    areas: tuple[AreaCode, ...] = ()
    service_types: tuple[ServiceTypeKey, ...] = ()
    routes: tuple[RouteKey, ...] = ()
    urgent: bool | None = None
    needs: tuple[NeedKey, ...] = Field(default=(), description="any one of them")
    travel_bands: tuple[BandKey, ...] = ()

    def match(self, kind: "PackageKind") -> bool:
        """Returns whether a package of this kind fulfils all conditions."""
        words = (
            (self.lots, kind.lot),
            (self.areas, kind.area),
            (self.service_types, kind.service_type),
            (self.routes, kind.route),
            (self.travel_bands, kind.travel_band),
        )
        return (
            all(not wanted or word in wanted for wanted, word in words)
            and self.urgent in {None, kind.urgent}
            and (not self.needs or any(need in self.needs for need in kind.needs))
        )


@dataclass(frozen=True)
class PackageKind:
    """What the conditions of stages look at in a package."""

    lot: LotKey
    area: AreaCode
    service_type: ServiceTypeKey
    route: RouteKey
    urgent: bool
    needs: tuple[NeedKey, ...] = ()
    travel_band: BandKey | None = None


class Reach(StrEnum):
    """In which areas the providers of a stage have their places."""

    OWN_AREA = "area"
    NEIGHBOURS = "neighbouring areas"


class Recipients(Value):
    """Whom a stage asks: the providers with an active place in these tiers, tier after tier."""

    tiers: tuple[TierKey, ...] = ()
    reach: Reach = Reach.OWN_AREA


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


class Deadline(Value):
    """How long the providers that are asked at once have to answer, counted from the asking."""

    routine: Minutes = Field(default=timedelta(hours=2), description="in brokerage time")
    urgent: Minutes = Field(default=timedelta(minutes=30), description="in plain time")


class Exhausted(StrEnum):
    """What follows when a stage has no provider left."""

    NEXT_STAGE = "next stage"
    WAIT_FOR_LIST = "wait for the batching list"
    """Until the cut-off of its day; after it, and for urgent packages, the stage after the list follows at once."""
    STOP = "stop"


class OfferingStage(Value):
    """What stages that make offers have in common."""

    stage: StageName
    note: Description = Field(default="", description="where the documents say so, or why it was assumed")
    when: Conditions = Conditions()
    to: Recipients
    undeliverable_after: Minutes = timedelta(minutes=2)
    calls_before_expiry: int = Field(default=3, ge=1, le=10)
    exhausted: Exhausted = Exhausted.NEXT_STAGE


class SequentialOffers(OfferingStage):
    """A stage that makes one offer at a time, in order."""

    procedure: Literal["sequential-offers"]
    order: tuple[Order, ...] = Field(default=(Order.RANKED_LIST,), min_length=1, max_length=5)
    answer_within: AnswerWithin = AnswerWithin()


class Designated(OfferingStage):
    """A stage that asks the provider designated for the package first, and then the others by their numbers.

    The designated provider is the one of the package that this one follows, if `follows_in` names that package's lot;
    otherwise the first tier's provider of the area.
    """

    procedure: Literal["designated"]
    follows_in: tuple[LotKey, ...] = Field(
        default=(), description="lots whose packages are continued by the same provider"
    )
    answer_within: AnswerWithin = AnswerWithin()

    @property
    def order(self) -> tuple[Order, ...]:
        return (Order.NUMBER,)


class OfferToAll(OfferingStage):
    """A stage that asks all providers at once. Those who accept are put in order, and the first eligible one is placed.

    It ends at the deadline, or as soon as all have answered.
    """

    procedure: Literal["offer-to-all"]
    order: tuple[Order, ...] = Field(default=(Order.PRICE, Order.ROTATION), min_length=1, max_length=5)
    deadline: Deadline = Deadline()


class BatchingList(OfferingStage):
    """A list of the packages that another stage has not placed by the cut-off; its providers tick what interests them.

    When it is closed, those that ticked are offered the package one at a time, in their order in that stage.
    """

    procedure: Literal["batching-list"]
    cut_off: CutOff
    returned_by: ReturnedBy = ReturnedBy()
    answer_within: AnswerWithin = AnswerWithin()
    outward_codes_shown: tuple[OutwardCode, ...] = Field(default=(), description=OUTWARD_CODES)

    @property
    def order(self) -> tuple[Order, ...]:
        """No order of its own: the providers keep their order in the stage from which the list is made."""
        return ()


class Ceiling(Value):
    """The highest rate of a service type that one officer may award alone. A second officer approves higher rates."""

    service_type: ServiceTypeKey
    rate: Money


class SecondOfficer(StrEnum):
    """When a second officer has to approve an award."""

    ABOVE_CEILING = "above the ceiling"
    ALWAYS = "always"


class OpenList(Value):
    """A stage in which providers can propose a rate and a way to deliver; an officer awards.

    Packages stay open until they are placed or withdrawn, so this is the last stage that a package can reach.
    """

    stage: StageName
    note: Description = ""
    when: Conditions = Conditions()
    procedure: Literal["open-list"]
    members: bool = Field(default=True, description="open to the framework's providers")
    spot: bool = Field(default=True, description="open to providers outside the framework, too")
    reach: ListReach = Field(default=ListReach.COUNCIL, description="whose providers hear of it and may propose")
    issued: IssueDays | None = Field(default=None, description="when lists go out; none: a package is open at once")
    ceilings: tuple[Ceiling, ...] = Field(min_length=1)
    second_officer: SecondOfficer = SecondOfficer.ABOVE_CEILING
    alarm_after: Days = Field(
        default=timedelta(days=7),
        description="time after which officers are notified that the package is not awarded",
    )
    outward_codes_shown: tuple[OutwardCode, ...] = Field(default=(), description=OUTWARD_CODES)

    def find_ceiling(self, service_type: ServiceTypeKey) -> Decimal | None:
        return next((each.rate for each in self.ceilings if each.service_type == service_type), None)


class MiniCompetition(Value):
    """A stage that invites providers to sealed bids, opens them all at once, and gives the package to the best one.

    Bids are scored by the criteria and the price, whose weights are declared before; `lowest_price` is "name the
    price": the lowest rate at or under the ceiling wins, and nothing is scored. An officer confirms the result, or
    overrules it with a reason and a second officer.
    """

    stage: StageName
    note: Description = Field(default="", description="where the documents say so, or why it was assumed")
    when: Conditions = Conditions()
    procedure: Literal["mini-competition"]
    to: Recipients
    criteria: tuple[Criterion, ...] = Field(default=(), max_length=20)
    price_weight: int = Field(default=100, ge=0, le=100, description="percent; with those of the criteria 100")
    lowest_price: bool = Field(default=False, description="true: no criteria, the lowest rate under the ceiling wins")
    highest_score: int = Field(default=5, ge=1, le=100, description="of a criterion; the lowest is 0")
    pass_mark: int | None = Field(
        default=None, ge=1, le=100, description="a bid with a lower score in any criterion is not suitable"
    )
    ceilings: tuple[Ceiling, ...] = Field(min_length=1)
    shows_ceiling: bool = Field(default=False, description="true: the invited providers see the ceiling")
    second_officer: SecondOfficer = SecondOfficer.ABOVE_CEILING
    open_for: Span = OPEN_FOR
    questions_end: Span = Field(default=QUESTIONS_END, description="so long before the close")
    outward_codes_shown: tuple[OutwardCode, ...] = Field(default=(), description=OUTWARD_CODES)
    exhausted: Exhausted = Exhausted.NEXT_STAGE

    def find_ceiling(self, service_type: ServiceTypeKey) -> Decimal | None:
        return next((each.rate for each in self.ceilings if each.service_type == service_type), None)

    def find_criterion(self, key: CriterionKey) -> Criterion | None:
        return next((each for each in self.criteria if each.criterion == key), None)


MakesOffers = SequentialOffers | Designated | OfferToAll | BatchingList
AnyStage = MakesOffers | OpenList | MiniCompetition
Stage = Annotated[
    SequentialOffers | Designated | OfferToAll | BatchingList | OpenList | MiniCompetition,
    Field(discriminator="procedure"),
]
"""A stage of sourcing; its procedure selects the class."""
