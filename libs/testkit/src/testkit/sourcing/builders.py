"""Builders of sourcing's values for tests: requests, ranked lists, providers and markets.

All names are invented. `definitions` has the frameworks, `search_driver` runs a search on these values, `fakes` has the
in-memory repositories, and `harness` a running service.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import count
from typing import Final
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from contracts.events.base import ProjectionVersion
from contracts.events.frameworks import Candidate, RankedListPublished
from contracts.events.packages import FollowedPackage, PackageRequested, WithdrawalRequested
from contracts.events.providers import EligibilityChanged, Place
from contracts.events.rates import RatesSelected, SelectedRate, Selection
from contracts.example_words import LOT, DeclineReasons, Routes, ServiceTypes, Tiers, Units, WithdrawalReasons
from contracts.framework.definition import FrameworkDefinition
from contracts.ids import (
    AreaCode,
    GroupKey,
    ItemKey,
    LotKey,
    NeedKey,
    NewId,
    PackageId,
    ProviderId,
    ReasonKey,
    RouteKey,
    ServiceTypeKey,
    TierKey,
)
from contracts.values import AgeBand, Care, Channel, PassOverReason, PlaceState, Rating, Visit, Weekday, Wishes
from sourcing.domain.market import MarketSnapshot, PlaceHolder, ProviderFacts
from sourcing.domain.offer import Decline
from testkit.sourcing.definitions import AREA, FRAMEWORK, a_definition

ID_NAMESPACE: Final = UUID("0197a3c0-0000-7000-8000-000000000000")
PACKAGE: Final = PackageId(uuid5(ID_NAMESPACE, "the package"))
LONDON: Final = ZoneInfo("Europe/London")
A_MONDAY: Final = date(2026, 1, 12)


def from_london_time(day: date, clock: str) -> datetime:
    """Converts a London wall-clock time to an instant in UTC: `from_london_time(A_MONDAY, "09:15")`."""
    return datetime.combine(day, time.fromisoformat(clock), LONDON).astimezone(ZoneInfo("UTC"))


def on_monday(clock: str) -> datetime:
    """The instant on `A_MONDAY`, the day of most tests, at this London wall-clock time."""
    return from_london_time(A_MONDAY, clock)


def on_tuesday(clock: str) -> datetime:
    """The instant on the day after `A_MONDAY` at this London wall-clock time."""
    return from_london_time(A_MONDAY + timedelta(days=1), clock)


def to_provider_id(name: str) -> ProviderId:
    """The id of an invented provider; the same name always gives the same id."""
    return ProviderId(uuid5(ID_NAMESPACE, name))


def build_id_counter() -> NewId:
    """Returns a function that generates the ids 1, 2, 3…, so that a repeated search gets the same ids."""
    numbers = count(1)
    return lambda: UUID(int=next(numbers))


def some_care(
    *,
    route: RouteKey = Routes.COMMUNITY,
    urgent: bool = False,
    minutes: int = 60,
    area: AreaCode = AREA,
    **changed: object,
) -> Care:
    """Personal care by two carers on five days a week: ten hours a week for visits of 60 minutes."""
    visit = Visit(days=tuple(Weekday)[:5], earliest=time(8), latest=time(9), minutes=minutes, carers=2)
    usual: dict[str, object] = {
        "framework": FRAMEWORK,
        "lot": LOT,
        "area": area,
        "outward_code": "ZZ9",
        "service_type": ServiceTypes.PERSONAL_CARE,
        "visits": (visit,),
        "starts_on": A_MONDAY + timedelta(days=7),
        "route": route,
        "urgent": urgent,
        "age_band": AgeBand.FROM_75,
    }
    return Care.model_validate({**usual, **changed})


def a_request(
    *,
    refused: Iterable[str] = (),
    preferred: Iterable[str] = (),
    care: Care | None = None,
    follows: FollowedPackage | None = None,
) -> PackageRequested:
    wishes = Wishes(
        refused=tuple(to_provider_id(name) for name in refused),
        preferred=tuple(to_provider_id(name) for name in preferred),
    )
    return PackageRequested(package_id=PACKAGE, care=care or some_care(), wishes=wishes, follows=follows)


def an_urgent_request(
    *, route: RouteKey = Routes.HOSPITAL_DISCHARGE, refused: Iterable[str] = (), preferred: Iterable[str] = ()
) -> PackageRequested:
    """The request of an urgent package, which is offered at any hour."""
    return a_request(care=some_care(route=route, urgent=True), refused=refused, preferred=preferred)


def a_followed_package(provider: str, *, lot: LotKey) -> FollowedPackage:
    """An earlier package of the same adult in `lot`, which `provider` delivers."""
    package = PackageId(uuid5(ID_NAMESPACE, "the package before"))
    return FollowedPackage(package_id=package, lot=lot, provider_id=to_provider_id(provider))


def a_withdrawal(reason: ReasonKey = WithdrawalReasons.NO_LONGER_NEEDED) -> WithdrawalRequested:
    return WithdrawalRequested(package_id=PACKAGE, reason=reason)


def a_ranked_list(
    *names: str, tier: TierKey = Tiers.ONE, group: GroupKey | None = None, version: int = 1
) -> RankedListPublished:
    """A ranked list of `tier`; the first name has rank 1."""
    return RankedListPublished(
        framework=FRAMEWORK,
        lot=LOT,
        area=AREA,
        tier=tier,
        group=group,
        list_version=version,
        issued_on=date(2026, 1, 1),
        live_from=date(2026, 1, 5),
        ranking=tuple(
            Candidate(provider_id=to_provider_id(name), rank=rank) for rank, name in enumerate(names, start=1)
        ),
    )


def a_known_provider(
    name: str,
    *,
    channels: tuple[Channel, ...] | None = (Channel.WEBHOOK,),
    embargoed: bool = False,
    free_hours: Decimal | None = None,
    service_types: Sequence[ServiceTypeKey] = ServiceTypes.ALL,
    tiers: Iterable[TierKey] = Tiers.ALL,
    lot: LotKey = LOT,
    areas: Iterable[AreaCode] = (AREA,),
    number: int | None = None,
    joined_on: date = date(2025, 1, 1),
    state: PlaceState = PlaceState.ACTIVE,
    skills: tuple[NeedKey, ...] = (),
    against: tuple[PassOverReason, ...] = (),
    eligible: bool = True,
    spot: bool = False,
    rating: Rating = Rating.GOOD,
    rates: RatesSelected | None = None,
) -> ProviderFacts:
    """The facts of a provider that is eligible for every offer, except for the arguments that differ from the default.

    It has a place in each of `tiers` of each of `areas`; `against` are the reasons why its places are not eligible.
    `spot` makes it a spot provider of the area.
    """
    places = tuple(
        Place(
            framework=FRAMEWORK,
            lot=lot,
            area=area,
            tier=tier,
            service_types=tuple(service_types),
            number=number,
            joined_on=joined_on,
            state=state,
            eligible=eligible and not against,
            reasons=against,
        )
        for area in areas
        for tier in tiers
    )
    provider_id = to_provider_id(name)
    return ProviderFacts(
        provider_id=provider_id,
        eligibility=EligibilityChanged(
            provider_id=provider_id,
            places=places,
            skills=skills,
            spot_areas=(AREA,) if spot else (),
            rating=rating,
        ),
        channels=channels,
        embargoed=embargoed,
        free_hours=free_hours,
        rates={} if rates is None else {rates.area: rates},
        projection_uses=(ProjectionVersion(view="eligibility", key=str(provider_id), sequence=1),),
    )


def a_rate_selection(name: str, *rates: str, from_day: date = date(2026, 1, 1), area: AreaCode = AREA) -> RatesSelected:
    """The provider's rates for personal care in pounds: the first from `from_day` on, each further one a year later."""
    selections = tuple(
        Selection(
            valid_from=from_day.replace(year=from_day.year + years),
            matrix_version=1,
            rates=(
                SelectedRate(
                    service_type=ServiceTypes.PERSONAL_CARE,
                    item=ItemKey(ServiceTypes.PERSONAL_CARE),
                    unit=Units.HOUR,
                    number=years + 1,
                    rate=Decimal(rate),
                ),
            ),
        )
        for years, rate in enumerate(rates)
    )
    return RatesSelected(provider_id=to_provider_id(name), framework=FRAMEWORK, area=area, selections=selections)


def a_market(
    *ranked: str,
    overrides: Iterable[ProviderFacts] = (),
    definition: FrameworkDefinition | None = None,
    last_awards: Mapping[str, datetime] | None = None,
) -> MarketSnapshot:
    """A market whose tier 1 has the providers `ranked` in this order, each eligible and reached by webhook.

    `overrides` replace the facts of ranked providers or add further providers. `last_awards` are by provider.
    """
    facts = {to_provider_id(name): a_known_provider(name) for name in ranked} | {
        known.provider_id: known for known in overrides
    }
    return MarketSnapshot(
        definition=definition or a_definition(),
        ranked_lists={Tiers.ONE: a_ranked_list(*ranked)},
        facts=facts,
        holders=list_holders(facts.values()),
        last_awards={to_provider_id(name): at for name, at in (last_awards or {}).items()},
    )


def list_holders(known: Iterable[ProviderFacts], *, lot: LotKey = LOT) -> tuple[PlaceHolder, ...]:
    """Lists the places of one lot with their providers, in the order of the providers' ids, as the projections do."""
    by_id = sorted(known, key=lambda facts: facts.provider_id)
    return tuple(PlaceHolder(facts.provider_id, place) for facts in by_id for place in facts.places if place.lot == lot)


def replace_facts(market: MarketSnapshot, *changed: ProviderFacts) -> MarketSnapshot:
    """Returns the market with these facts in place of the providers' previous ones."""
    facts = {**market.facts, **{known.provider_id: known for known in changed}}
    return replace(market, facts=facts, holders=list_holders(facts.values()))


def add_list(market: MarketSnapshot, ranked_list: RankedListPublished) -> MarketSnapshot:
    """Returns the market with one more ranked list."""
    return replace(market, ranked_lists={**market.ranked_lists, ranked_list.tier: ranked_list})


def a_decline(reason: ReasonKey = DeclineReasons.NO_CAPACITY) -> Decline:
    return Decline(reason)
