"""Makes a package of a generated definition, and the market for it, by chance."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Final
from uuid import uuid5

from contracts.events.frameworks import Candidate, RankedListPublished
from contracts.events.packages import FollowedPackage, PackageRequested
from contracts.events.providers import (
    CapacityDeclared,
    ChannelsChanged,
    EligibilityChanged,
    EmbargoReason,
    Place,
    ProviderEmbargoed,
)
from contracts.events.rates import RatesSelected, SelectedRate, Selection
from contracts.framework.definition import FrameworkDefinition
from contracts.framework.prices import MatrixLine, RatesSetBy
from contracts.ids import AreaCode, GroupKey, LotKey, PackageId, ProviderId, TierKey
from contracts.values import AgeBand, Care, Channel, PassOverReason, PlaceState, Rating, Visit, Weekday, Wishes
from sourcing.domain.recorded_market import RecordedPlacement
from testkit.sourcing.builders import A_MONDAY, ID_NAMESPACE, on_monday, to_provider_id
from testkit.sourcing.choices import NEARLY_ALWAYS, OFTEN, RARELY, Choices
from testkit.sourcing.generated_words import FAR_CODE, NEAR_CODE
from testkit.sourcing.generated_world import World

PROVIDERS: Final = tuple(map(to_provider_id, ("Alder", "Birch", "Cedar", "Damson", "Elm", "Fir")))
A_FORMER_DAY: Final = date(2026, 1, 5)
PUBLISHED_AT: Final = on_monday("06:00") - timedelta(days=14)
_CHANNELS: Final[Sequence[tuple[Channel, ...]]] = (
    (Channel.WEBHOOK,),
    (Channel.WEBHOOK,),
    (Channel.WEBHOOK, Channel.EMAIL),
    (Channel.EMAIL,),
    (Channel.PHONE,),
    (),
)
_JOINING_DAYS: Final = (date(2025, 1, 1), date(2025, 2, 1))
_STATES: Final = (*[PlaceState.ACTIVE] * 80, *PlaceState)
_AGAINST: Final[Sequence[tuple[PassOverReason, ...]]] = (
    (),
    (PassOverReason.NOT_ELIGIBLE,),
    (PassOverReason.RATING_BELOW_FLOOR,),
)
_MINUTES: Final = ((30, 45), (60, 15), (20, 40))
"""Lengths of visits whose sum with any rate never lies exactly between two pennies, unless it has finite decimals."""


def make_care(choices: Choices, definition: FrameworkDefinition) -> Care:
    """Makes a package that one of the definition's lots serves."""
    lot = choices.choose(definition.lots)
    route = choices.choose([each for each in definition.routes if not lot.routes or each.route in lot.routes])
    needs = tuple(dict.fromkeys(definition.needs))
    return Care(
        framework=definition.framework,
        lot=lot.lot,
        area=(choices.choose([each.code for each in definition.areas if lot.has_area(each.code)])),
        outward_code=(choices.choose([NEAR_CODE, FAR_CODE])),
        service_type=(choices.choose(definition.list_service_types(lot.lot))),
        visits=_make_visits(choices),
        starts_on=A_MONDAY + timedelta(days=7),
        route=route.route,
        urgent=route.urgent,
        needs=(choices.choose_some(needs)),
        age_band=AgeBand.FROM_75,
    )


def _make_visits(choices: Choices) -> tuple[Visit, ...]:
    return tuple(
        Visit(
            days=tuple(Weekday)[: (choices.choose_number(1, 7))],
            earliest=time(8),
            latest=time(9),
            minutes=minutes,
            carers=(choices.choose_number(1, 3)),
        )
        for minutes in choices.choose(_MINUTES)[: (choices.choose_number(1, 2))]
    )


def make_request(choices: Choices, definition: FrameworkDefinition, name: str = "first") -> PackageRequested:
    """Makes the request of a package; it can follow another one, and the person can refuse a provider."""
    follows = FollowedPackage(
        package_id=make_package_id("before"),
        lot=(choices.choose(definition.lots)).lot,
        provider_id=(choices.choose(PROVIDERS)),
    )
    return PackageRequested(
        package_id=make_package_id(name),
        care=make_care(choices, definition),
        wishes=Wishes(refused=((choices.choose(PROVIDERS)),) if choices.happens(RARELY) else ()),
        follows=follows if choices.happens() else None,
    )


def make_package_id(name: str) -> PackageId:
    return PackageId(uuid5(ID_NAMESPACE, f"generated package {name}"))


def make_world(choices: Choices, definition: FrameworkDefinition, care: Care) -> World:
    """Makes a market for the package, in which lists, rates and facts of providers may be missing."""
    world = World()
    if choices.happens(NEARLY_ALWAYS):
        world.publish_definition(definition, PUBLISHED_AT)
    for provider in PROVIDERS[: (choices.choose_number(3, len(PROVIDERS)))]:
        _publish_provider(choices, world, definition, care, provider)
    group, unused = definition.find_list_group(care), GroupKey("unused")
    for tier in definition.tiers:
        if tier.exists_in(care.lot) and choices.happens(NEARLY_ALWAYS):
            holders = _list_holders(world, care, tier.tier, choices)
            world.publish_list(make_ranked_list(choices, care, tier.tier, group, providers=holders), PUBLISHED_AT)
        if choices.happens(RARELY):
            unasked = make_ranked_list(choices, care, tier.tier, unused, providers=world.facts)
            world.publish_list(unasked, PUBLISHED_AT)
    return world


def _list_holders(world: World, care: Care, tier: TierKey, choices: Choices) -> Sequence[ProviderId]:
    """Lists the providers with a place in the tier and, now and then, others."""
    known = {provider: world.find_fact(provider, EligibilityChanged) for provider in world.facts}
    wanted = (care.lot, care.area, tier)
    return [
        provider
        for provider, eligibility in known.items()
        if (eligibility is not None and any((each.lot, each.area, each.tier) == wanted for each in eligibility.places))
        or choices.happens(RARELY)
    ]


def make_ranked_list(
    choices: Choices,
    care: Care,
    tier: TierKey,
    group: GroupKey | None,
    *,
    providers: Iterable[ProviderId],
    live_from: date = A_FORMER_DAY,
    version: int = 1,
) -> RankedListPublished:
    """Makes a list that can be empty; now and then with a provider of which nothing else is known."""
    known = providers if choices.happens(NEARLY_ALWAYS) else [*providers, *PROVIDERS[-1:]]
    ranked = choices.shuffle(tuple(dict.fromkeys(known)))[: (choices.choose([0, 2, 4, 6, 6, 6]))]
    return RankedListPublished(
        framework=care.framework,
        lot=care.lot,
        area=care.area,
        tier=tier,
        group=group,
        list_version=version,
        issued_on=date(2026, 1, 1),
        live_from=live_from,
        ranking=tuple(Candidate(provider_id=each, rank=rank) for rank, each in enumerate(ranked, start=1)),
    )


def _publish_provider(
    choices: Choices, world: World, definition: FrameworkDefinition, care: Care, provider: ProviderId
) -> None:
    if choices.happens(NEARLY_ALWAYS):
        world.publish_fact(make_eligibility(choices, definition, care, provider), PUBLISHED_AT)
    if choices.happens(NEARLY_ALWAYS):
        world.publish_fact(ChannelsChanged(provider_id=provider, channels=choices.choose(_CHANNELS)), PUBLISHED_AT)
    if choices.happens(RARELY):
        world.publish_fact(ProviderEmbargoed(provider_id=provider, reason=EmbargoReason.SAFEGUARDING), PUBLISHED_AT)
    if choices.happens():
        world.placements.append(_make_placement(choices, care, provider))
    if choices.happens(0.3):
        world.publish_fact(make_capacity(choices, care, provider, PUBLISHED_AT), PUBLISHED_AT)
    for area in _list_reached_areas(definition, care):
        if choices.happens(NEARLY_ALWAYS):
            world.publish_fact(make_rates(choices, definition, provider, area), PUBLISHED_AT)


def make_capacity(choices: Choices, care: Care, provider: ProviderId, at: datetime) -> CapacityDeclared:
    """Makes declared hours: exactly enough, a little less, or enough for two packages."""
    hours = choices.choose(
        [care.weekly_hours, care.weekly_hours - Decimal("0.01"), care.weekly_hours * 2, care.weekly_hours + 1]
    )
    return CapacityDeclared(provider_id=provider, area=care.area, free_hours=hours, declared_at=at)


def _make_placement(choices: Choices, care: Care, provider: ProviderId) -> RecordedPlacement:
    """Makes the placement of another package, before or after the provider declared its hours; it can be voided."""
    at = PUBLISHED_AT + timedelta(days=(choices.choose_number(-5, 5)))
    return RecordedPlacement(
        provider_id=provider,
        framework=care.framework,
        lot=care.lot,
        area=care.area,
        weekly_hours=Decimal("1.00"),
        at=at,
        voided_at=at + timedelta(hours=1) if choices.happens(RARELY) else None,
    )


def make_eligibility(
    choices: Choices, definition: FrameworkDefinition, care: Care, provider: ProviderId
) -> EligibilityChanged:
    """Makes the provider's places: in some tiers of the package's lot, its area and neighbours, and elsewhere."""
    areas = (choices.choose_some(_list_reached_areas(definition, care))) if choices.happens(OFTEN) else (care.area,)
    places = [
        _make_place(choices, definition, care.lot, area, tier)
        for area in areas
        for tier in (choices.choose_some([each.tier for each in definition.tiers], at_least=1))
        if definition.has_place(care.lot, area, tier)
    ]
    other = (choices.choose(definition.lots)).lot
    if other != care.lot:
        elsewhere = [
            (area.code, tier.tier)
            for area in definition.areas
            for tier in definition.tiers
            if definition.has_place(other, area.code, tier.tier)
        ]
        places += [_make_place(choices, definition, other, area, tier) for area, tier in elsewhere[:1]]
    skills = tuple(each.skill for each in definition.skills)
    return EligibilityChanged(
        provider_id=provider,
        places=tuple(places),
        skills=skills if choices.happens(OFTEN) else (choices.choose_some(skills)),
        spot_areas=(care.area,) if choices.happens() else (),
        rating=(choices.choose([Rating.GOOD, Rating.GOOD, Rating.INADEQUATE])),
    )


def _make_place(choices: Choices, definition: FrameworkDefinition, lot: LotKey, area: AreaCode, tier: TierKey) -> Place:
    service_types = definition.list_service_types(lot)
    against = choices.choose(_AGAINST) if choices.happens(RARELY) else None
    return Place(
        framework=definition.framework,
        lot=lot,
        area=area,
        tier=tier,
        service_types=service_types if choices.happens(OFTEN) else (choices.choose_some(service_types)),
        number=(choices.choose([None, 1, 2, 3])),
        joined_on=choices.choose(_JOINING_DAYS),
        state=choices.choose(_STATES),
        eligible=against is None,
        reasons=against or (),
    )


def _list_reached_areas(definition: FrameworkDefinition, care: Care) -> Sequence[AreaCode]:
    area = definition.find_area(care.area)
    return (care.area, *(area.neighbours if area is not None else ()))


def make_rates(
    choices: Choices, definition: FrameworkDefinition, provider: ProviderId, area: AreaCode
) -> RatesSelected:
    """Makes the provider's rates for all price lines of an area, from a past day on, from tomorrow on, or both."""
    lines = [
        line
        for service_type in definition.service_types
        for line in definition.find_price_lines(service_type.service_type, area)
    ]
    days = choices.choose([[date(2026, 1, 1)]] * 5 + [[date(2026, 1, 1), A_MONDAY + timedelta(days=1)]])
    if choices.happens(RARELY):
        days, lines = [A_MONDAY + timedelta(days=1)], lines[: (choices.choose_number(1, len(lines)))]
    set_by = definition.prices.rates_set_by
    return RatesSelected(
        provider_id=provider,
        framework=definition.framework,
        area=area,
        selections=tuple(
            Selection(
                valid_from=day, matrix_version=1, rates=tuple(_make_rate(choices, line, set_by) for line in lines)
            )
            for day in days
        ),
    )


def _make_rate(choices: Choices, line: MatrixLine, set_by: RatesSetBy) -> SelectedRate:
    number, rate = 1, line.rate
    if set_by is RatesSetBy.SELECTION:
        number = choices.choose_number(1, 1 + len(line.further_rates))
        rate = (line.rate, *line.further_rates)[number - 1]
    elif line.highest is not None:
        rate = line.rate + Decimal(choices.choose_number(0, int((line.highest - line.rate) * 100))).scaleb(-2)
    return SelectedRate(
        service_type=line.service_type,
        item=line.item_key,
        unit=line.unit,
        number=None if set_by is RatesSetBy.PROVIDER else number,
        rate=rate,
    )
