"""Builders of sourcing's values for tests: requests, framework definitions, ranked lists, providers and markets.

All names are invented. `search_driver` runs a search on these values, `fakes` has the in-memory repositories, and
`harness` a running service.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import count
from typing import Final
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from contracts.events.base import ProjectionVersion
from contracts.events.frameworks import RankedListPublished
from contracts.events.packages import Candidate, PackageRequested, WithdrawalRequested
from contracts.events.providers import EligibilityChanged, Membership
from contracts.events.rates import RatesSelected, SelectedRate, Selection
from contracts.framework import (
    Area,
    BrokerageTime,
    Ceiling,
    Exhausted,
    FrameworkDefinition,
    MatrixLine,
    OpenList,
    Prices,
    SequentialOffers,
    TierRules,
)
from contracts.ids import AreaCode, CouncilKey, FrameworkKey, NewId, PackageId, ProviderId
from contracts.values import (
    AgeBand,
    Care,
    Channel,
    DeclineReason,
    PassOverReason,
    PriceUnit,
    Rating,
    ServiceType,
    Tier,
    Urgency,
    Visit,
    Weekday,
    Wishes,
    WithdrawalReason,
)
from sourcing.domain.market import MarketSnapshot, ProviderFacts
from sourcing.domain.search import Decline

ID_NAMESPACE: Final = UUID("0197a3c0-0000-7000-8000-000000000000")
PACKAGE: Final = PackageId(uuid5(ID_NAMESPACE, "the package"))
FRAMEWORK: Final = FrameworkKey("invented-framework-2026")
AREA: Final = AreaCode("E07999999")
LONDON: Final = ZoneInfo("Europe/London")
A_MONDAY: Final = date(2026, 1, 12)
GOOD_FRIDAY: Final = date(2026, 4, 3)
EASTER_MONDAY: Final = date(2026, 4, 6)


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


def a_brokerage_time(*bank_holidays: date) -> BrokerageTime:
    return BrokerageTime(bank_holidays=bank_holidays or (GOOD_FRIDAY, EASTER_MONDAY))


def a_stage(tier: Tier = Tier.ONE, *, exhausted: Exhausted = Exhausted.NEXT_STAGE) -> SequentialOffers:
    return SequentialOffers(stage=f"tier-{int(tier)}", procedure="sequential-offers", tier=tier, exhausted=exhausted)


def an_open_list(*, ceiling: Decimal = Decimal("29.00"), spot: bool = True, **changed: object) -> OpenList:
    """An open list for framework providers and, with `spot`, spot providers; a rate above `ceiling` needs approval."""
    ceilings = tuple(Ceiling(service_type=service_type, rate=ceiling) for service_type in ServiceType)
    defaults: dict[str, object] = {"stage": "available", "procedure": "open-list", "spot": spot, "ceilings": ceilings}
    return OpenList.model_validate({**defaults, **changed})


def a_definition(
    *tiers: Tier,
    version: int = 1,
    service_types: Sequence[ServiceType] = tuple(ServiceType),
    exhausted: Exhausted = Exhausted.NEXT_STAGE,
    open_list: OpenList | None = None,
    selected_by_providers: bool = False,
) -> FrameworkDefinition:
    """A framework with one area and a stage of sequential offers for each of `tiers` (by default tier 1 only).

    `open_list` is the last stage, if given.
    """
    tiers = tiers or (Tier.ONE,)
    last_stage = () if open_list is None else (open_list,)
    return FrameworkDefinition(
        framework=FRAMEWORK,
        version=version,
        council=CouncilKey("invented-council"),
        title="Invented framework",
        source="invented for tests",
        runs_from=date(2025, 1, 1),
        runs_until=date(2035, 1, 1),
        areas=(Area(code=AREA, name="Invented District"),),
        service_types=tuple(service_types),
        tiers=tuple(TierRules(tier=tier, minimum_rating=Rating.GOOD) for tier in tiers),
        brokerage=a_brokerage_time(),
        prices=Prices(
            invented=True,
            price_list="invented-2026",
            selected_by_providers=selected_by_providers,
            matrix=tuple(
                MatrixLine(service_type=service_type, unit=PriceUnit.HOUR, rate=Decimal("25.00"))
                for service_type in service_types
            ),
        ),
        sourcing=(*(a_stage(tier, exhausted=exhausted) for tier in tiers), *last_stage),
    )


def some_care(*, urgency: Urgency = Urgency.ROUTINE, minutes: int = 60, area: AreaCode = AREA) -> Care:
    """Personal care by two carers on five days a week: ten hours a week for visits of 60 minutes."""
    visit = Visit(days=tuple(Weekday)[:5], earliest=time(8), latest=time(9), minutes=minutes, carers=2)
    return Care(
        framework=FRAMEWORK,
        area=area,
        outward_code="ZZ9",
        service_type=ServiceType.PERSONAL_CARE,
        visits=(visit,),
        starts_on=A_MONDAY + timedelta(days=7),
        urgency=urgency,
        age_band=AgeBand.FROM_75,
    )


def a_request(
    *,
    urgency: Urgency = Urgency.ROUTINE,
    refused: Iterable[str] = (),
    preferred: Iterable[str] = (),
    care: Care | None = None,
) -> PackageRequested:
    wishes = Wishes(
        refused=tuple(to_provider_id(name) for name in refused),
        preferred=tuple(to_provider_id(name) for name in preferred),
    )
    return PackageRequested(package_id=PACKAGE, care=care or some_care(urgency=urgency), wishes=wishes)


def a_withdrawal(reason: WithdrawalReason = WithdrawalReason.NO_LONGER_NEEDED) -> WithdrawalRequested:
    return WithdrawalRequested(package_id=PACKAGE, reason=reason)


def a_ranked_list(*names: str, tier: Tier = Tier.ONE, version: int = 1) -> RankedListPublished:
    """A ranked list of `tier`; the first name has rank 1."""
    return RankedListPublished(
        framework=FRAMEWORK,
        area=AREA,
        tier=tier,
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
    service_types: Sequence[ServiceType] = tuple(ServiceType),
    tiers: Iterable[Tier] = tuple(Tier),
    against: tuple[PassOverReason, ...] = (),
    eligible: bool = True,
    spot: bool = False,
    rating: Rating = Rating.GOOD,
    rates: RatesSelected | None = None,
) -> ProviderFacts:
    """The facts of a provider that is eligible for every offer, except for the arguments that differ from the default.

    `against` are the reasons why its memberships are not eligible; `spot` makes it a spot provider of the area.
    """
    memberships = tuple(
        Membership(framework=FRAMEWORK, area=AREA, tier=tier, eligible=eligible and not against, reasons=against)
        for tier in tiers
    )
    provider_id = to_provider_id(name)
    return ProviderFacts(
        provider_id=provider_id,
        eligibility=EligibilityChanged(
            provider_id=provider_id,
            memberships=memberships,
            service_types=tuple(service_types),
            spot_areas=(AREA,) if spot else (),
            rating=rating,
        ),
        channels=channels,
        embargoed=embargoed,
        free_hours=free_hours,
        rates=rates,
        projection_uses=(ProjectionVersion(view="eligibility", key=str(provider_id), sequence=1),),
    )


def a_rate_selection(name: str, *rates: str, from_day: date = date(2026, 1, 1)) -> RatesSelected:
    """The provider's rates for personal care in pounds: the first from `from_day` on, each further one a year later."""
    selections = tuple(
        Selection(
            valid_from=from_day.replace(year=from_day.year + years),
            matrix_version=1,
            rates=(
                SelectedRate(
                    service_type=ServiceType.PERSONAL_CARE, unit=PriceUnit.HOUR, number=years + 1, rate=Decimal(rate)
                ),
            ),
        )
        for years, rate in enumerate(rates)
    )
    return RatesSelected(provider_id=to_provider_id(name), framework=FRAMEWORK, area=AREA, selections=selections)


def a_market(
    *ranked: str, overrides: Iterable[ProviderFacts] = (), definition: FrameworkDefinition | None = None
) -> MarketSnapshot:
    """A market whose tier 1 has the providers `ranked` in this order, each eligible and reached by webhook.

    `overrides` replace the facts of ranked providers or add further providers.
    """
    facts = {to_provider_id(name): a_known_provider(name) for name in ranked} | {
        known.provider_id: known for known in overrides
    }
    return MarketSnapshot(
        definition=definition or a_definition(),
        ranked_lists={Tier.ONE: a_ranked_list(*ranked)},
        facts=facts,
    )


def replace_facts(market: MarketSnapshot, *changed: ProviderFacts) -> MarketSnapshot:
    """Returns the market with these facts in place of the providers' previous ones."""
    return replace(market, facts={**market.facts, **{known.provider_id: known for known in changed}})


def add_list(market: MarketSnapshot, ranked_list: RankedListPublished) -> MarketSnapshot:
    """Returns the market with one more ranked list."""
    return replace(market, ranked_lists={**market.ranked_lists, ranked_list.tier: ranked_list})


def a_decline(reason: DeclineReason = DeclineReason.NO_CAPACITY) -> Decline:
    return Decline(reason)
