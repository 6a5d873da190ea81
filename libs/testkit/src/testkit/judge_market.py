"""The market for tests of the judge: five providers, their places, rates and ranked lists, and its definition."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from contracts.definitions import read_definition
from contracts.events.base import Event
from contracts.events.frameworks import Candidate, FrameworkPublished, RankedListPublished
from contracts.events.providers import CapacityDeclared, EligibilityChanged, Place, ProviderEmbargoed, RatingPublished
from contracts.events.rates import RatesSelected, SelectedRate, Selection
from contracts.events.searches import StageCandidate
from contracts.example_words import LOT, ServiceTypes, Tiers, Units
from contracts.examples import COLCHESTER, an_example_of, an_id
from contracts.ids import ItemKey, ProviderId, TierKey
from contracts.values import PlaceState, Rating
from devstack.home import FRAMEWORK_FILES

DEFINITION: Final = read_definition(FRAMEWORK_FILES[-1].read_text(), source="the newest")
EIGHT: Final = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
ALDER, BIRCH, CEDAR, ELM, GORSE = (ProviderId(an_id(name)) for name in ("Alder", "Birch", "Cedar", "Elm", "Gorse"))


@dataclass(frozen=True)
class TimedEvent:
    """An event and the instant of its publication."""

    event: Event
    at: datetime


def build_market_events() -> list[TimedEvent]:
    """Builds the market: Alder, Birch and Cedar in tier 1, Elm in tier 2, Gorse a spot provider; Alder is embargoed."""
    tiers = {ALDER: Tiers.ONE, BIRCH: Tiers.ONE, CEDAR: Tiers.ONE, ELM: Tiers.TWO, GORSE: None}
    events: list[Event] = [FrameworkPublished(definition=DEFINITION)]
    events += [a_ranked_list(Tiers.ONE, ALDER, BIRCH, CEDAR), a_ranked_list(Tiers.TWO, ELM)]
    for provider, tier in tiers.items():
        events += _build_registration(provider, tier)
    events.append(an_example_of(ProviderEmbargoed, provider_id=ALDER))
    return [TimedEvent(event, EIGHT) for event in events]


def a_ranked_list(tier: TierKey, *ranking: UUID) -> RankedListPublished:
    return RankedListPublished(
        framework=DEFINITION.framework,
        lot=LOT,
        area=COLCHESTER,
        tier=tier,
        list_version=1,
        issued_on=date(2025, 11, 1),
        live_from=date(2025, 11, 9),
        ranking=build_ranking(*ranking),
    )


def build_ranking(*ranking: UUID) -> tuple[Candidate, ...]:
    return tuple(Candidate(provider_id=ProviderId(each), rank=rank) for rank, each in enumerate(ranking, 1))


def build_candidates(tier: TierKey, *ranking: UUID) -> tuple[StageCandidate, ...]:
    """Builds the candidates of a ranked list, without figures."""
    return tuple(build_candidate(each, rank, tier=tier) for rank, each in enumerate(ranking, 1))


def build_candidate(provider: UUID, rank: int, **figures: object) -> StageCandidate:
    """Builds a candidate of tier 1; `figures` are what its turn follows from, else none is recorded."""
    nothing = dict.fromkeys(("number", "price", "last_award_at", "joined_on"))
    return an_example_of(StageCandidate, **{"provider_id": provider, "rank": rank, **nothing, **figures})


def build_place(tier: TierKey, **changed: object) -> Place:
    """Builds an active place in Colchester for all service types."""
    usual: dict[str, object] = {
        "framework": DEFINITION.framework,
        "lot": LOT,
        "area": COLCHESTER,
        "tier": tier,
        "service_types": ServiceTypes.ALL,
        "joined_on": date(2025, 11, 9),
        "state": PlaceState.ACTIVE,
        "eligible": True,
    }
    return Place.model_validate({**usual, **changed})


def _build_registration(provider: ProviderId, tier: TierKey | None) -> list[Event]:
    return [
        an_example_of(RatingPublished, provider_id=provider, rating=Rating.GOOD),
        EligibilityChanged(
            provider_id=provider,
            places=() if tier is None else (build_place(tier),),
            spot_areas=(COLCHESTER,) if tier is None else (),
            rating=Rating.GOOD,
        ),
        CapacityDeclared(provider_id=provider, area=COLCHESTER, free_hours=Decimal(40), declared_at=EIGHT),
        RatesSelected(
            provider_id=provider, framework=DEFINITION.framework, area=COLCHESTER, selections=(build_selection(),)
        ),
    ]


def build_selection() -> Selection:
    kind = ServiceTypes.PERSONAL_CARE
    rate = SelectedRate(service_type=kind, item=ItemKey(kind), unit=Units.HOUR, number=2, rate=Decimal("24.90"))
    return Selection(valid_from=date(2025, 11, 9), matrix_version=DEFINITION.version, rates=(rate,))
