"""The events of two packages for tests of the judge: one placed by an offer, one placed from the open list."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from contracts.definitions import read_definition
from contracts.events.base import Event
from contracts.events.frameworks import FrameworkPublished, RankedListPublished
from contracts.events.listings import (
    Advert,
    AwardAwaitsApproval,
    PackageListed,
    ProposalAwarded,
    ProposalReceived,
)
from contracts.events.orders import OrderLine, PurchaseOrderIssued, SpotPriceApproved
from contracts.events.packages import (
    Candidate,
    OfferAccepted,
    OfferClockStarted,
    OfferDeclined,
    OfferDelivered,
    OfferMade,
    PackagePlaced,
    PackageRequested,
    ProviderPassedOver,
    SourcingStarted,
    StageEntered,
)
from contracts.events.providers import (
    CapacityDeclared,
    EligibilityChanged,
    Membership,
    ProviderEmbargoed,
    RatingPublished,
)
from contracts.events.rates import RatesSelected, SelectedRate, Selection
from contracts.examples import COLCHESTER, ESSEX, an_example_of, an_id, some_care
from contracts.ids import ProviderId
from contracts.terms import compute_terms, compute_terms_at_rate
from contracts.values import AnswerBy, Channel, PassOverReason, PriceUnit, Rating, ServiceType, Terms, Tier
from devstack.home import FRAMEWORK_FILES

DEFINITION: Final = read_definition(FRAMEWORK_FILES[-1].read_text(), source="the newest")
EIGHT: Final = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
NINE: Final = EIGHT + timedelta(hours=1)
ALDER, BIRCH, CEDAR, ELM, GORSE = (ProviderId(an_id(name)) for name in ("Alder", "Birch", "Cedar", "Elm", "Gorse"))
BY_OFFER, OPEN_TO_ALL = an_id("package by offer"), an_id("package open to all")
CARE: Final = some_care()
FIRST_OFFICER, SECOND_OFFICER = "officer:first", "officer:second"
REFERENCE: Final = an_id("reference")


@dataclass(frozen=True)
class TimedEvent:
    """An event and the instant of its publication."""

    event: Event
    at: datetime


def build_market_events() -> list[TimedEvent]:
    """Builds the market: Alder, Birch and Cedar in tier 1, Elm in tier 2, Gorse a spot provider; Alder is embargoed."""
    tiers = {ALDER: 1, BIRCH: 1, CEDAR: 1, ELM: 2, GORSE: None}
    events: list[Event] = [FrameworkPublished(definition=DEFINITION)]
    events += [a_ranked_list(1, ALDER, BIRCH, CEDAR), a_ranked_list(2, ELM)]
    for provider, tier in tiers.items():
        events += _build_registration(provider, tier)
    events.append(an_example_of(ProviderEmbargoed, provider_id=ALDER))
    return [TimedEvent(event, EIGHT) for event in events]


def a_ranked_list(tier: int, *ranking: UUID) -> RankedListPublished:
    return RankedListPublished(
        framework=ESSEX,
        area=COLCHESTER,
        tier=Tier(tier),
        list_version=1,
        issued_on=date(2025, 11, 1),
        live_from=date(2025, 11, 9),
        ranking=build_ranking(*ranking),
    )


def build_ranking(*ranking: UUID) -> tuple[Candidate, ...]:
    return tuple(Candidate(provider_id=ProviderId(each), rank=rank) for rank, each in enumerate(ranking, 1))


def _build_registration(provider: ProviderId, tier: int | None) -> list[Event]:
    memberships = (
        () if tier is None else (Membership(framework=ESSEX, area=COLCHESTER, tier=Tier(tier), eligible=True),)
    )
    return [
        an_example_of(RatingPublished, provider_id=provider, rating=Rating.GOOD),
        EligibilityChanged(
            provider_id=provider,
            memberships=memberships,
            service_types=tuple(ServiceType),
            spot_areas=(COLCHESTER,) if tier is None else (),
            rating=Rating.GOOD,
        ),
        CapacityDeclared(provider_id=provider, area=COLCHESTER, free_hours=Decimal(40), declared_at=EIGHT),
        RatesSelected(provider_id=provider, framework=ESSEX, area=COLCHESTER, selections=(_build_selection(),)),
    ]


def _build_selection() -> Selection:
    rate = SelectedRate(service_type=ServiceType.PERSONAL_CARE, unit=PriceUnit.HOUR, number=2, rate=Decimal("24.90"))
    return Selection(valid_from=date(2025, 11, 9), matrix_version=2, rates=(rate,))


@dataclass
class PackageEventBuilder:
    """Builds the events of one package. `now` is the instant of the next event; answers to offers move it forward."""

    package: UUID
    now: datetime = NINE

    def build_event(self, model: type[Event], **fields: object) -> TimedEvent:
        return TimedEvent(an_example_of(model, package_id=self.package, **fields), self.now)

    def start_sourcing(self) -> list[TimedEvent]:
        return [
            self.build_event(PackageRequested, care=CARE, wishes={}),
            self.build_event(SourcingStarted, definition_version=DEFINITION.version),
        ]

    def enter_stage(self, stage: str, tier: int, *ranking: UUID) -> TimedEvent:
        return self.build_event(StageEntered, stage=stage, tier=tier, candidates=build_ranking(*ranking))

    def pass_over(self, provider: UUID, *reasons: PassOverReason) -> TimedEvent:
        return self.build_event(ProviderPassedOver, provider_id=provider, reasons=reasons)

    def make_offer(self, stage: str, provider: UUID) -> list[TimedEvent]:
        """Builds an offer with its delivery and the start of its answer clock of 30 minutes."""
        offer = {"offer_id": self.build_offer_id(provider), "provider_id": provider}
        delivered = {**offer, "channel": Channel.WEBHOOK, "delivered_at": self.now}
        clock = {**offer, "delivered_at": self.now, "answer_by": self.now + timedelta(minutes=30)}
        made = {
            "stage": stage,
            "channel": Channel.WEBHOOK,
            "care": CARE,
            "weekly_hours": CARE.weekly_hours,
            "terms": build_terms_at_selected_rate(),
            "answer_by": AnswerBy(minutes=30, brokerage_time=True),
        }
        return [
            self.build_event(OfferMade, **offer, **made),
            self.build_event(OfferDelivered, **delivered),
            self.build_event(OfferClockStarted, **clock),
        ]

    def decline(self, provider: UUID) -> TimedEvent:
        """Builds the decline ten minutes later."""
        self.now += timedelta(minutes=10)
        return self.build_event(OfferDeclined, offer_id=self.build_offer_id(provider), provider_id=provider)

    def accept(self, stage: str, provider: UUID) -> list[TimedEvent]:
        """Builds the acceptance ten minutes later, the placement and the purchase order."""
        self.now += timedelta(minutes=10)
        offer = {"offer_id": self.build_offer_id(provider), "provider_id": provider}
        return [
            self.build_event(OfferAccepted, **offer),
            self.place_package(
                stage,
                provider,
                build_terms_at_selected_rate(),
                offer_id=self.build_offer_id(provider),
                proposal_id=None,
            ),
            self.issue_order(provider, build_terms_at_selected_rate()),
        ]

    def place_package(self, stage: str, provider: UUID, terms: Terms, **by: UUID | None) -> TimedEvent:
        return self.build_event(
            PackagePlaced,
            placement_id=self._build_id("placement"),
            provider_id=provider,
            stage=stage,
            weekly_hours=CARE.weekly_hours,
            terms=terms,
            **by,
        )

    def issue_order(self, provider: UUID, terms: Terms) -> TimedEvent:
        line = OrderLine(service_type=CARE.service_type, **terms.model_dump(exclude={"price_list"}))
        return self.build_event(
            PurchaseOrderIssued,
            placement_id=self._build_id("placement"),
            provider_id=provider,
            price_list=terms.price_list,
            lines=(line,),
            weekly_cost=terms.weekly_cost,
        )

    def list_package(self) -> TimedEvent:
        return self.build_event(
            PackageListed,
            stage="available-packages",
            ceiling=Decimal("29.00"),
            unit=PriceUnit.HOUR,
            advert=an_example_of(Advert, reference=REFERENCE, weekly_hours=CARE.weekly_hours),
        )

    def award_proposal(self, provider: UUID, rate: str, *, second: str | None) -> list[TimedEvent]:
        """Builds a proposal at `rate` (pounds) and its award, which the officer `second` approves if given."""
        terms = compute_terms_at_rate(CARE, PriceUnit.HOUR, Decimal(rate), price_list="as proposed")
        ids = {"provider_id": provider, "proposal_id": self._build_id("proposal"), "award_id": self._build_id("award")}
        proposed = {**ids, "terms": terms, "care": CARE, "replaces": None, "rating": Rating.GOOD}
        proposed.pop("award_id")
        awarded = {**ids, "officer": FIRST_OFFICER, "rating": Rating.GOOD, "inadequate_reason": None}
        events = [self.build_event(ProposalReceived, **proposed)]
        if second is not None:
            pending = {**ids, "terms": terms, "ceiling": Decimal("29.00"), "officer": FIRST_OFFICER}
            events += [self.build_event(AwardAwaitsApproval, **pending)]
            events += [self.build_event(SpotPriceApproved, **ids, rate=Decimal(rate), officer=second)]
        return [
            *events,
            self.build_event(ProposalAwarded, **awarded, second_officer=second),
            self.place_package(
                "available-packages", provider, terms, offer_id=None, proposal_id=self._build_id("proposal")
            ),
            self.issue_order(provider, terms),
        ]

    def build_offer_id(self, provider: UUID) -> UUID:
        return self._build_id(f"offer to {provider}")

    def _build_id(self, what: str) -> UUID:
        return an_id(f"{what} of {self.package}")


def build_terms_at_selected_rate() -> Terms:
    terms = compute_terms(CARE, DEFINITION.prices, _build_selection())
    assert terms is not None, "personal care has a rate"
    return terms


def build_offer_events() -> list[TimedEvent]:
    """Builds a placement by offer: Alder is embargoed, Birch declines, Cedar accepts."""
    builder = PackageEventBuilder(BY_OFFER)
    return [
        *builder.start_sourcing(),
        builder.enter_stage("tier-1", 1, ALDER, BIRCH, CEDAR),
        builder.pass_over(ALDER, PassOverReason.EMBARGOED),
        *builder.make_offer("tier-1", BIRCH),
        builder.decline(BIRCH),
        *builder.make_offer("tier-1", CEDAR),
        *builder.accept("tier-1", CEDAR),
    ]


def build_open_list_events(*, second: str | None = SECOND_OFFICER, rate: str = "31.00") -> list[TimedEvent]:
    """Builds a placement from the open list: Birch, Cedar and Elm decline, and Gorse's proposal is awarded.

    At the default rate, which is above the ceiling, the award needs the officer `second`.
    """
    builder = PackageEventBuilder(OPEN_TO_ALL)
    events = [
        *builder.start_sourcing(),
        builder.enter_stage("tier-1", 1, ALDER, BIRCH, CEDAR),
        builder.pass_over(ALDER, PassOverReason.EMBARGOED),
    ]
    for stage, provider in (("tier-1", BIRCH), ("tier-1", CEDAR)):
        events += [*builder.make_offer(stage, provider), builder.decline(provider)]
    events += [
        builder.enter_stage("tier-2", 2, ELM),
        *builder.make_offer("tier-2", ELM),
        builder.decline(ELM),
        builder.list_package(),
    ]
    return [*events, *builder.award_proposal(GORSE, rate, second=second)]


def build_valid_events() -> list[TimedEvent]:
    """Builds the market and both packages, in which the judge finds no fault."""
    return [*build_market_events(), *build_offer_events(), *build_open_list_events()]
