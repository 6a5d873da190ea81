"""Definitions of two invented councils that use what the usual example does not: lots, zones, neighbours and rounds."""

from datetime import date
from decimal import Decimal
from typing import Final

from contracts.example_words import Needs, Routes, ServiceTypes, Units
from contracts.examples import a_definition
from contracts.framework.definition import FrameworkDefinition
from contracts.framework.life import Joining, JoiningMode, Round, Suspension
from contracts.framework.prices import MatrixLine, Prices, RatesSetBy
from contracts.framework.stages import (
    Ceiling,
    Conditions,
    Designated,
    OfferToAll,
    OpenList,
    Reach,
    Recipients,
    SecondOfficer,
    SequentialOffers,
)
from contracts.framework.tiers import Expectation, Tier
from contracts.framework.words import Area, ListGroup, Lot, ServiceType, TravelBand
from contracts.ids import AreaCode, BandKey, FrameworkKey, GroupKey, ItemKey, LotKey, ServiceTypeKey, TierKey
from contracts.values import Order

REABLEMENT_LOT: Final = LotKey("lot-a")
CARE_LOT: Final = LotKey("lot-b")
SCHEME_LOT: Final = LotKey("lot-c")
REABLEMENT: Final = ServiceTypeKey("reablement")
EXTRA_CARE: Final = ServiceTypeKey("extra-care")
EAST: Final = AreaCode("east")
WEST: Final = AreaCode("west")
ORCHARD: Final = AreaCode("orchard-court")
STRATEGIC: Final = TierKey("strategic")
SHADOW: Final = TierKey("shadow")
ZONE: Final = TierKey("zone")
SCHEME: Final = TierKey("scheme")
RURAL: Final = BandKey("rural")
REMOTE: Final = BandKey("remote")


def a_definition_with_lots(**changed: object) -> FrameworkDefinition:
    """Reablement with a strategic provider, care that follows it, and a scheme of extra care with two price lines."""
    usual: dict[str, object] = {
        "framework": FrameworkKey("amberside-three-lots"),
        "areas": (
            Area(code=EAST, name="East"),
            Area(code=ORCHARD, name="Orchard Court", cluster="Town"),
            Area(code=AreaCode("abbey-court"), name="Abbey Court", outside="is run by a charity"),
        ),
        "service_types": (
            ServiceType(service_type=REABLEMENT, title="Reablement"),
            ServiceType(service_type=ServiceTypes.PERSONAL_CARE, title="Personal care"),
            ServiceType(service_type=EXTRA_CARE, title="Extra care"),
        ),
        "lots": (
            Lot(lot=REABLEMENT_LOT, title="A Reablement", areas=(EAST,), service_types=(REABLEMENT,)),
            Lot(lot=CARE_LOT, title="B Long-term care", areas=(EAST,), service_types=(ServiceTypes.PERSONAL_CARE,)),
            Lot(lot=SCHEME_LOT, title="C Extra care", areas=(ORCHARD,), service_types=(EXTRA_CARE,)),
        ),
        "tiers": (
            Tier(
                tier=STRATEGIC,
                title="Strategic provider",
                lots=(REABLEMENT_LOT,),
                providers_per_area=1,
                expectation=Expectation(share_percent=100),
            ),
            Tier(tier=SHADOW, title="Shadow provider", lots=(REABLEMENT_LOT,)),
            Tier(tier=ZONE, title="Zonal provider", lots=(CARE_LOT,)),
            Tier(tier=SCHEME, title="Provider of the scheme", lots=(SCHEME_LOT,)),
        ),
        "joining": Joining(
            mode=JoiningMode.OPEN,
            suspended=Suspension(since=date(2026, 1, 1), until=date(2026, 6, 30), because="a backlog"),
        ),
        "prices": Prices(
            invented=False,
            price_list="fees-2026",
            matrix=(
                MatrixLine(service_type=REABLEMENT, unit=Units.EPISODE, rate=Decimal("1174.00"), each_carer=False),
                MatrixLine(service_type=ServiceTypes.PERSONAL_CARE, unit=Units.HOUR, rate=Decimal("29.07")),
                MatrixLine(service_type=EXTRA_CARE, item=ItemKey("on-site"), unit=Units.WEEK, rate=Decimal("68.32")),
                MatrixLine(service_type=EXTRA_CARE, item=ItemKey("hours"), unit=Units.HOUR, rate=Decimal("29.07")),
            ),
        ),
        "sourcing": (
            Designated(
                stage="strategic",
                procedure="designated",
                when=Conditions(lots=(REABLEMENT_LOT,)),
                to=Recipients(tiers=(STRATEGIC, SHADOW)),
            ),
            Designated(
                stage="follow-on",
                procedure="designated",
                note="Report 12",
                when=Conditions(lots=(CARE_LOT,)),
                to=Recipients(),
                follows_in=(REABLEMENT_LOT,),
            ),
            SequentialOffers(
                stage="zone",
                procedure="sequential-offers",
                when=Conditions(lots=(CARE_LOT,)),
                to=Recipients(tiers=(ZONE,)),
                order=(Order.ROTATION,),
            ),
            Designated(
                stage="scheme",
                procedure="designated",
                when=Conditions(lots=(SCHEME_LOT,)),
                to=Recipients(tiers=(SCHEME,)),
            ),
        ),
    }
    return a_definition(**{**usual, **changed})


def a_definition_with_zones(**changed: object) -> FrameworkDefinition:
    """Two zones that are each other's neighbours, rounds, own rates in two bands, and an exception at the end."""
    usual: dict[str, object] = {
        "framework": FrameworkKey("amberside-two-zones"),
        "areas": (
            Area(code=EAST, name="East", neighbours=(WEST,), fewest_providers=2),
            Area(code=WEST, name="West", neighbours=(EAST,), fewest_providers=2, price_band=RURAL),
        ),
        "service_types": (ServiceType(service_type=ServiceTypes.PERSONAL_CARE, title="Personal care"),),
        "tiers": (Tier(tier=ZONE, title="Framework provider"),),
        "joining": Joining(
            mode=JoiningMode.ROUNDS,
            rounds=(
                Round(
                    name="Round 1",
                    opens=date(2025, 9, 1),
                    closes=date(2025, 10, 1),
                    places_from=date(2025, 11, 9),
                ),
            ),
        ),
        "prices": Prices(
            invented=True,
            price_list="invented-1",
            rates_set_by=RatesSetBy.PROVIDER,
            matrix=(
                MatrixLine(
                    service_type=ServiceTypes.PERSONAL_CARE,
                    unit=Units.HOUR,
                    rate=Decimal("20.50"),
                    highest=Decimal("24.50"),
                ),
                MatrixLine(
                    service_type=ServiceTypes.PERSONAL_CARE,
                    band=RURAL,
                    unit=Units.HOUR,
                    rate=Decimal("22.50"),
                    highest=Decimal("30.00"),
                ),
            ),
        ),
        "sourcing": (
            OfferToAll(stage="zone", procedure="offer-to-all", to=Recipients(tiers=(ZONE,))),
            OfferToAll(
                stage="neighbours",
                procedure="offer-to-all",
                to=Recipients(tiers=(ZONE,), reach=Reach.NEIGHBOURS),
            ),
            OpenList(
                stage="exception",
                procedure="open-list",
                members=False,
                ceilings=(Ceiling(service_type=ServiceTypes.PERSONAL_CARE, rate=Decimal("33.00")),),
                second_officer=SecondOfficer.ALWAYS,
            ),
        ),
    }
    return a_definition(**{**usual, **changed})


def a_definition_with_conditions(**changed: object) -> FrameworkDefinition:
    """Urgent packages, a need and a travel band with a stage of their own, and lists for one need."""
    to = Recipients(tiers=(TierKey("tier-1"),))
    usual: dict[str, object] = {
        "travel_bands": (TravelBand(band=REMOTE, title="Remote", outward_codes=("CO5",)),),
        "list_groups": (
            ListGroup(group=GroupKey("hoists"), title="Hoists", needs=(Needs.HOIST,)),
            ListGroup(group=GroupKey("all-others"), title="All others"),
        ),
        "sourcing": (
            Designated(
                stage="remote", procedure="designated", to=to, when=Conditions(urgent=True, travel_bands=(REMOTE,))
            ),
            Designated(stage="hoists", procedure="designated", to=to, when=Conditions(needs=(Needs.HOIST,))),
            SequentialOffers(
                stage="crisis", procedure="sequential-offers", to=to, when=Conditions(routes=(Routes.CRISIS,))
            ),
            SequentialOffers(stage="usual", procedure="sequential-offers", to=to),
        ),
    }
    return a_definition(**{**usual, **changed})
