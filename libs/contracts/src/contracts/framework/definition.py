"""A framework's definition: words, places, brokerage time, prices and stages of sourcing, as data that a council edits.

The YAML files under `frameworks/` are read into `FrameworkDefinition`; every error is reported with its line and
remedy (`contracts.definitions.read_definition`).
"""

from collections.abc import Sequence
from datetime import date
from functools import cached_property
from typing import Self

from pydantic import Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails

from contracts.framework.agreement import find_contradictions
from contracts.framework.brokerage import BrokerageTime
from contracts.framework.life import Assumption, Extension, Joining, JoiningMode
from contracts.framework.prices import MatrixLine, Prices
from contracts.framework.stages import (
    AnyStage,
    BatchingList,
    Exhausted,
    MakesOffers,
    MiniCompetition,
    OfferingStage,
    OpenList,
    PackageKind,
    Stage,
)
from contracts.framework.tiers import Tier
from contracts.framework.words import (
    Area,
    Circumstance,
    ListGroup,
    Lot,
    Reasons,
    Route,
    ServiceType,
    Skill,
    Title,
    TravelBand,
    Unit,
)
from contracts.ids import (
    AreaCode,
    BandKey,
    CouncilKey,
    FrameworkKey,
    GroupKey,
    LotKey,
    NeedKey,
    RouteKey,
    ServiceTypeKey,
    TierKey,
    UnitKey,
)
from contracts.values import Care, UnitKind, Value


class FrameworkDefinition(Value):
    """One version of one council's framework; immutable once published."""

    framework: FrameworkKey = Field(pattern=r"^[a-z0-9-]{3,60}$")
    version: int = Field(ge=1)
    council: CouncilKey = Field(pattern=r"^[a-z0-9-]{2,40}$")
    title: Title
    source: str = Field(min_length=1, max_length=500, description="the document that the rules were taken from")
    assumed: tuple[Assumption, ...] = ()
    runs_from: date
    runs_until: date
    extensions: tuple[Extension, ...] = ()
    joining: Joining = Joining(mode=JoiningMode.CLOSED)
    in_force_from: date | None = Field(
        default=None, description="first day on which packages are requested under this version; none: runs_from"
    )
    areas: tuple[Area, ...] = Field(min_length=1)
    service_types: tuple[ServiceType, ...] = Field(min_length=1)
    lots: tuple[Lot, ...] = Field(min_length=1)
    tiers: tuple[Tier, ...] = Field(min_length=1)
    units: tuple[Unit, ...] = Field(min_length=1)
    routes: tuple[Route, ...] = Field(min_length=1)
    skills: tuple[Skill, ...] = ()
    circumstances: tuple[Circumstance, ...] = ()
    travel_bands: tuple[TravelBand, ...] = ()
    list_groups: tuple[ListGroup, ...] = ()
    reasons: Reasons
    brokerage: BrokerageTime
    prices: Prices
    sourcing: tuple[Stage, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def check_sections_agree(self) -> Self:
        """Raises a ValidationError that lists all contradictions between valid sections."""
        wrong = [InitErrorDetails(type=at.to_error(), loc=at.path, input=None) for at in find_contradictions(self)]
        if wrong:
            raise ValidationError.from_exception_data(type(self).__name__, wrong)
        return self

    @property
    def first_day(self) -> date:
        """The first day on which packages are requested under this version."""
        return self.in_force_from or self.runs_from

    @cached_property
    def _areas(self) -> dict[AreaCode, Area]:
        return {area.code: area for area in self.areas}

    def has_area(self, code: AreaCode) -> bool:
        return code in self._areas

    def find_area(self, code: AreaCode) -> Area | None:
        return self._areas.get(code)

    def find_lot(self, key: LotKey) -> Lot | None:
        return next((lot for lot in self.lots if lot.lot == key), None)

    def has_place(self, lot: LotKey, area: AreaCode, tier: TierKey) -> bool:
        """Returns whether providers can have places in this tier of this area of this lot."""
        found_lot, found_tier = self.find_lot(lot), self.find_tier(tier)
        if found_lot is None or found_tier is None or not self.has_area(area):
            return False
        return found_lot.has_area(area) and found_tier.exists_in(lot)

    def find_tier(self, key: TierKey) -> Tier | None:
        return next((tier for tier in self.tiers if tier.tier == key), None)

    def find_service_type(self, key: ServiceTypeKey) -> ServiceType | None:
        return next((each for each in self.service_types if each.service_type == key), None)

    def list_service_types(self, lot: LotKey) -> tuple[ServiceTypeKey, ...]:
        """Returns the service types of a lot, in the order of the definition."""
        found = self.find_lot(lot)
        keys = (each.service_type for each in self.service_types)
        return tuple(key for key in keys if found is not None and found.has_service_type(key))

    def find_route(self, key: RouteKey) -> Route | None:
        return next((route for route in self.routes if route.route == key), None)

    @property
    def usual_route(self) -> Route:
        """The route of a referral that names none: the first one that is not urgent, else the first one."""
        return next((route for route in self.routes if not route.urgent), self.routes[0])

    @property
    def needs(self) -> tuple[NeedKey, ...]:
        """The keys that a package may name as its needs: skills, and circumstances of the home."""
        return (*(each.skill for each in self.skills), *(each.circumstance for each in self.circumstances))

    def find_skill(self, key: NeedKey) -> Skill | None:
        """Returns the skill; None for a circumstance of the home."""
        return next((skill for skill in self.skills if skill.skill == key), None)

    def get_unit_kind(self, key: UnitKey) -> UnitKind:
        return next(unit.kind for unit in self.units if unit.unit == key)

    def find_list_group(self, care: Care) -> GroupKey | None:
        """Returns the group whose ranked lists apply to the package; None where the definition has no groups."""
        matching = (each.group for each in self.list_groups if each.matches(care.service_type, care.needs))
        return next(matching, None)

    def find_price_lines(self, service_type: ServiceTypeKey, area: AreaCode) -> Sequence[MatrixLine]:
        """Returns the lines of the price matrix for a service type in the price band of an area."""
        found = self.find_area(area)
        return self.prices.list_lines(service_type, None if found is None else found.price_band)

    def find_travel_band(self, care: Care) -> BandKey | None:
        """Returns the travel band of the outward code, else that of the area."""
        by_code = (each.band for each in self.travel_bands if care.outward_code in each.outward_codes)
        area = self.find_area(care.area)
        return next(by_code, None if area is None else area.travel_band)

    def describe_kind(self, care: Care) -> PackageKind:
        """Returns what the conditions of stages look at in a package."""
        return PackageKind(
            lot=care.lot,
            area=care.area,
            service_type=care.service_type,
            route=care.route,
            urgent=care.urgent,
            needs=care.needs,
            travel_band=self.find_travel_band(care),
        )

    def get_stage(self, name: str) -> AnyStage:
        return next(stage for stage in self.sourcing if stage.stage == name)

    def get_offering_stage(self, name: str) -> MakesOffers:
        """Returns the stage `name` that makes offers. Raises LookupError if the stage makes none."""
        stage = self.get_stage(name)
        if isinstance(stage, OfferingStage):
            return stage
        message = f"stage {name} does not make offers"
        raise LookupError(message)

    def get_competition(self, name: str) -> MiniCompetition:
        """Returns the stage `name` that is a competition. Raises LookupError if the stage is none."""
        stage = self.get_stage(name)
        if isinstance(stage, MiniCompetition):
            return stage
        message = f"stage {name} is no competition"
        raise LookupError(message)

    def is_end_of_road(self, name: str) -> bool:
        """Returns whether nothing follows the stage: an open list, or a stage that stops when it is exhausted."""
        stage = self.get_stage(name)
        return isinstance(stage, OpenList) or stage.exhausted is Exhausted.STOP

    def find_next_stage(self, name: str | None, kind: PackageKind) -> AnyStage | None:
        """Returns the next stage after `name` that is meant for the package; None after the last one.

        Urgent packages do not wait for a Batching List, so that it is no stage of theirs.
        `name` is None before the first stage.
        """
        names = [stage.stage for stage in self.sourcing]
        position = 0 if name is None else names.index(name) + 1
        return next((stage for stage in self.sourcing[position:] if _is_meant_for(stage, kind)), None)

    def list_road(self, kind: PackageKind) -> Sequence[AnyStage]:
        """Returns the stages through which a package goes as long as nobody takes it."""
        road = list[AnyStage]()
        for stage in self.sourcing:
            if _is_meant_for(stage, kind):
                road.append(stage)
                if self.is_end_of_road(stage.stage):
                    break
        return road


def _is_meant_for(stage: Stage, kind: PackageKind) -> bool:
    return stage.when.match(kind) and not (isinstance(stage, BatchingList) and kind.urgent)
