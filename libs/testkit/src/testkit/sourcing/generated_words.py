"""Makes the words, the areas and the prices of a framework's definition by chance."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from contracts.examples import a_title
from contracts.framework.prices import MatrixLine, Prices, RatesSetBy
from contracts.framework.words import Area, Circumstance, ListGroup, Lot, Route, ServiceType, Skill, TravelBand, Unit
from contracts.ids import (
    AreaCode,
    BandKey,
    GroupKey,
    ItemKey,
    LotKey,
    NeedKey,
    RouteKey,
    ServiceTypeKey,
    TierKey,
    UnitKey,
)
from contracts.values import UnitKind
from testkit.sourcing.choices import Choices

LOT_KEYS: Final = tuple(LotKey(f"lot-{number}") for number in (1, 2, 3))
AREA_CODES: Final = tuple(AreaCode(f"area-{number}") for number in (1, 2, 3, 4, 5))
TIER_KEYS: Final = tuple(TierKey(f"tier-{number}") for number in (1, 2, 3, 4))
UNIT_KINDS: Final = {
    ServiceTypeKey("personal-care"): UnitKind.HOUR,
    ServiceTypeKey("night-care"): UnitKind.NIGHT,
    ServiceTypeKey("live-in"): UnitKind.WEEK,
    ServiceTypeKey("reablement"): UnitKind.EPISODE,
}
"""The service types, and the unit of their first line."""
ROUTE_KEYS: Final = tuple(map(RouteKey, ("community", "hospital-discharge", "crisis")))
SKILL_KEYS: Final = tuple(map(NeedKey, ("hoist", "peg-feeding")))
PETS: Final = NeedKey("pets-in-home")
PRICE_BANDS: Final = (BandKey("urban"), BandKey("rural"))
FAR: Final = BandKey("far")
FAR_CODE: Final = "ZZ8"
NEAR_CODE: Final = "ZZ9"


@dataclass(frozen=True)
class Words:
    """The words of a definition that its stages, places and packages use."""

    lots: tuple[Lot, ...]
    areas: tuple[Area, ...]
    service_types: tuple[ServiceTypeKey, ...]
    tiers: tuple[TierKey, ...]
    routes: tuple[Route, ...]
    skills: tuple[Skill, ...]
    has_circumstance: bool
    has_travel_band: bool
    list_groups: tuple[ListGroup, ...]

    @property
    def needs(self) -> tuple[NeedKey, ...]:
        return (*(each.skill for each in self.skills), *((PETS,) if self.has_circumstance else ()))

    def to_sections(self) -> dict[str, object]:
        """Returns the sections of a definition that declare these words."""
        return {
            "lots": self.lots,
            "areas": self.areas,
            "service_types": tuple(ServiceType(service_type=key, title=a_title(key)) for key in self.service_types),
            "units": tuple(Unit(unit=UnitKey(kind), title=kind, kind=kind) for kind in UnitKind),
            "routes": self.routes,
            "skills": self.skills,
            "circumstances": (Circumstance(circumstance=PETS, title="Pets"),) if self.has_circumstance else (),
            "travel_bands": (TravelBand(band=FAR, title="Far", outward_codes=(FAR_CODE,)),)
            if self.has_travel_band
            else (),
            "list_groups": self.list_groups,
        }


def make_words(choices: Choices) -> Words:
    """Makes 1 to 3 lots, 1 to 5 areas with neighbours, 1 to 4 tiers and 1 to 3 service types."""
    service_types = choices.shuffle(tuple(UNIT_KINDS))[: (choices.choose_number(1, 3))]
    urgent = choices.choose([(False,), (False, True), (False, True), (True, False, True), (True,)])
    routes = tuple(
        Route(route=key, title=a_title(key), urgent=is_urgent)
        for key, is_urgent in zip(ROUTE_KEYS, urgent, strict=False)
    )
    skills = tuple(
        Skill(skill=key, title=a_title(key), required=choices.happens())
        for key in SKILL_KEYS[: (choices.choose_number(0, 2))]
    )
    areas = _make_areas(choices)
    has_circumstance = choices.happens()
    needs = (*(each.skill for each in skills), *((PETS,) if has_circumstance else ()))
    return Words(
        lots=_make_lots(choices, areas, service_types, routes),
        areas=areas,
        service_types=tuple(service_types),
        tiers=TIER_KEYS[: (choices.choose_number(1, 4))],
        routes=routes,
        skills=skills,
        has_circumstance=has_circumstance,
        has_travel_band=choices.happens(),
        list_groups=_make_list_groups(choices, service_types, needs),
    )


def _make_areas(choices: Choices) -> tuple[Area, ...]:
    codes = AREA_CODES[: (choices.choose_number(1, len(AREA_CODES)))]
    return tuple(
        Area(
            code=code,
            name=a_title(code),
            neighbours=(choices.choose_some([other for other in codes if other != code])),
            price_band=choices.choose((None, *PRICE_BANDS)),
        )
        for code in codes
    )


def _make_lots(
    choices: Choices, areas: Sequence[Area], service_types: Sequence[ServiceTypeKey], routes: Sequence[Route]
) -> tuple[Lot, ...]:
    """Makes lots; the first one serves everything, so that every word is in use."""
    further = tuple(
        Lot(
            lot=key,
            title=a_title(key),
            areas=(choices.choose_some([each.code for each in areas])),
            service_types=(choices.choose_some(service_types)),
            routes=(choices.choose_some([each.route for each in routes])),
        )
        for key in LOT_KEYS[1 : (choices.choose_number(1, len(LOT_KEYS)))]
    )
    return (Lot(lot=LOT_KEYS[0], title=a_title(LOT_KEYS[0])), *further)


def _make_list_groups(
    choices: Choices, service_types: Sequence[ServiceTypeKey], needs: Sequence[NeedKey]
) -> tuple[ListGroup, ...]:
    """Makes up to two groups of ranked lists; the last one can be for every other package."""
    number = choices.choose([0, 0, 1, 2])
    special = ListGroup(
        group=GroupKey("special"),
        title="Special",
        service_types=(choices.choose_some(service_types, at_least=0 if needs else 1)),
        needs=(choices.choose_some(needs, at_least=1)) if needs else (),
    )
    return (special, ListGroup(group=GroupKey("others"), title="Others"))[:number]


def make_prices(choices: Choices, words: Words) -> Prices:
    """Makes a price matrix: one or two lines for each service type, with other ones in some price bands."""
    set_by = choices.choose(RatesSetBy)
    bands = tuple(dict.fromkeys(each.price_band for each in words.areas if each.price_band is not None))
    lines = list[MatrixLine]()
    for service_type in words.service_types:
        for band in (None, *(choices.choose_some(bands))):
            for item in choices.choose([(None,), (None,), (None, ItemKey("support"))]):
                named = None if item is None else ItemKey(f"{item}-{service_type}")
                kind = UNIT_KINDS[service_type] if item is None else (choices.choose(UnitKind))
                lines.append(_make_line(choices, service_type, item=named, band=band, kind=kind, set_by=set_by))
    return Prices(invented=True, price_list="generated-1", rates_set_by=set_by, matrix=tuple(lines))


def _make_line(
    choices: Choices,
    service_type: ServiceTypeKey,
    *,
    item: ItemKey | None,
    band: BandKey | None,
    kind: UnitKind,
    set_by: RatesSetBy,
) -> MatrixLine:
    rate = Decimal(choices.choose_number(101, 9_999)).scaleb(-2)
    steps = [choices.choose_number(1, 250) for _ in range(choices.choose_number(0, 2))]
    rising = tuple(rate + Decimal(sum(steps[: number + 1])).scaleb(-2) for number in range(len(steps)))
    return MatrixLine(
        service_type=service_type,
        item=item,
        band=band,
        unit=UnitKey(kind),
        rate=rate,
        further_rates=rising if set_by is RatesSetBy.SELECTION else (),
        highest=(*rising, rate + 1)[-1] if set_by is RatesSetBy.PROVIDER else None,
        each_carer=choices.happens(),
    )
