"""Framework definitions for sourcing's tests, with the stages of every procedure. All names are invented."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from contracts.example_words import ServiceTypes, Tiers, Units
from contracts.examples import a_title, some_service_types, some_words
from contracts.framework.brokerage import BrokerageTime
from contracts.framework.definition import FrameworkDefinition
from contracts.framework.list_times import CutOff, IssueDays
from contracts.framework.prices import MatrixLine, Prices, RatesSetBy
from contracts.framework.stages import (
    BatchingList,
    Ceiling,
    Designated,
    Exhausted,
    OfferToAll,
    OpenList,
    Recipients,
    SequentialOffers,
    Stage,
)
from contracts.framework.tiers import OverallRatingRule, Tier
from contracts.framework.words import Area
from contracts.ids import AreaCode, CouncilKey, FrameworkKey, ServiceTypeKey, TierKey
from contracts.values import Rating, Weekday

FRAMEWORK: Final = FrameworkKey("invented-framework-2026")
AREA: Final = AreaCode("E07999999")
NEIGHBOUR: Final = AreaCode("E07999998")
GOOD_FRIDAY: Final = date(2026, 4, 3)
EASTER_MONDAY: Final = date(2026, 4, 6)
RATE: Final = Decimal("25.00")


def a_brokerage_time(*bank_holidays: date) -> BrokerageTime:
    return BrokerageTime(bank_holidays=bank_holidays or (GOOD_FRIDAY, EASTER_MONDAY))


def a_stage(tier: TierKey = Tiers.ONE, **changed: object) -> SequentialOffers:
    """Sequential offers to one tier by its ranked list; the stage has the tier's name."""
    usual: dict[str, object] = {
        "stage": tier,
        "procedure": "sequential-offers",
        "to": Recipients(tiers=(tier,)),
    }
    return SequentialOffers.model_validate({**usual, **changed})


def a_stage_for_all(*tiers: TierKey, **changed: object) -> OfferToAll:
    """An offer to all providers of `tiers` (by default tier 1): the lowest price first, then by rotation."""
    usual: dict[str, object] = {
        "stage": "all",
        "procedure": "offer-to-all",
        "to": Recipients(tiers=tiers or (Tiers.ONE,)),
    }
    return OfferToAll.model_validate({**usual, **changed})


def a_designated_stage(*tiers: TierKey, **changed: object) -> Designated:
    """The provider of the first of `tiers` (by default tier 1, then tier 2), then the others by their numbers."""
    usual: dict[str, object] = {
        "stage": "designated",
        "procedure": "designated",
        "to": Recipients(tiers=tiers or Tiers.ALL),
    }
    return Designated.model_validate({**usual, **changed})


def an_open_list(
    *,
    ceiling: Decimal = Decimal("29.00"),
    spot: bool = True,
    service_types: Sequence[ServiceTypeKey] = ServiceTypes.ALL,
    **changed: object,
) -> OpenList:
    """An open list for framework providers and, with `spot`, spot providers; a rate above `ceiling` needs approval."""
    ceilings = tuple(Ceiling(service_type=service_type, rate=ceiling) for service_type in service_types)
    usual: dict[str, object] = {"stage": "available", "procedure": "open-list", "spot": spot, "ceilings": ceilings}
    return OpenList.model_validate({**usual, **changed})


def a_batching_list(tier: TierKey = Tiers.ONE, **changed: object) -> BatchingList:
    """The Batching List of a tier's stage: at 16:00, returned by 10:00 of the next working day."""
    usual: dict[str, object] = {
        "stage": "batching-list",
        "procedure": "batching-list",
        "to": Recipients(tiers=(tier,)),
        "cut_off": CutOff(while_in=tier),
    }
    return BatchingList.model_validate({**usual, **changed})


MONDAYS_AND_THURSDAYS: Final = IssueDays(days=(Weekday.MON, Weekday.THU))


def some_tiers(*keys: TierKey) -> tuple[Tier, ...]:
    """Tiers for providers rated Good or better."""
    entry = (OverallRatingRule(rule="overall-rating", at_least=Rating.GOOD),)
    return tuple(Tier(tier=key, title=a_title(key), entry=entry) for key in keys)


def some_hourly_prices(
    *service_types: ServiceTypeKey, rates_set_by: RatesSetBy = RatesSetBy.FRAMEWORK, **changed: object
) -> Prices:
    """£25.00 an hour for each service type (by default every one)."""
    usual: dict[str, object] = {
        "invented": True,
        "price_list": "invented-2026",
        "rates_set_by": rates_set_by,
        "matrix": tuple(
            MatrixLine(service_type=service_type, unit=Units.HOUR, rate=RATE)
            for service_type in service_types or ServiceTypes.ALL
        ),
    }
    return Prices.model_validate({**usual, **changed})


def two_neighbours(**changed: object) -> tuple[Area, Area]:
    """The area of most packages, with NEIGHBOUR as its neighbour; `changed` changes the neighbour."""
    neighbour: dict[str, object] = {"code": NEIGHBOUR, "name": "Invented Neighbour", **changed}
    return Area(code=AREA, name="Invented District", neighbours=(NEIGHBOUR,)), Area.model_validate(neighbour)


def a_definition(
    *tiers: TierKey,
    version: int = 1,
    service_types: Sequence[ServiceTypeKey] = ServiceTypes.ALL,
    exhausted: Exhausted = Exhausted.NEXT_STAGE,
    open_list: OpenList | None = None,
    rates_set_by: RatesSetBy = RatesSetBy.FRAMEWORK,
    sourcing: Sequence[Stage] | None = None,
    **changed: object,
) -> FrameworkDefinition:
    """A framework with one area and a stage of sequential offers for each of `tiers` (by default tier 1 only).

    `sourcing` replaces these stages; `open_list` is the last stage, if given. `changed` replaces whole sections.
    """
    tiers = tiers or (Tiers.ONE,)
    stages = sourcing if sourcing is not None else [a_stage(tier, exhausted=exhausted) for tier in tiers]
    usual: dict[str, object] = {
        **some_words(),
        "framework": FRAMEWORK,
        "version": version,
        "council": CouncilKey("invented-council"),
        "title": "Invented framework",
        "source": "invented for tests",
        "runs_from": date(2025, 1, 1),
        "runs_until": date(2035, 1, 1),
        "areas": (Area(code=AREA, name="Invented District"),),
        "service_types": some_service_types(*service_types),
        "tiers": some_tiers(*tiers),
        "brokerage": a_brokerage_time(),
        "prices": some_hourly_prices(*service_types, rates_set_by=rates_set_by),
        "sourcing": (*stages, *(() if open_list is None else (open_list,))),
    }
    return FrameworkDefinition.model_validate({**usual, **changed})
