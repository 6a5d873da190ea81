"""The events of two packages for tests of the judge: one placed by an offer, one placed from the open list."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from contracts.events.base import Event
from contracts.events.listings import AwardAwaitsApproval, PackageListed, ProposalAwarded, ProposalReceived
from contracts.events.offers import OfferAccepted, OfferClockStarted, OfferDeclined, OfferDelivered, OfferMade
from contracts.events.orders import OrderLine, PurchaseOrderIssued, SpotPriceApproved
from contracts.events.packages import PackageRequested
from contracts.events.searches import ListUsed, PackagePlaced, ProviderPassedOver, SourcingStarted, StageEntered
from contracts.example_words import Routes, Tiers, Units
from contracts.examples import an_example_of, an_id, some_care
from contracts.ids import TierKey
from contracts.terms import compute_terms, compute_terms_at_rate
from contracts.values import AnswerBy, Care, Channel, Order, PassOverReason, Rating, Terms, UnitKind
from testkit.judge_lists import THURSDAY_NOON, BatchingListBuilder, build_advert, issue_available
from testkit.judge_market import (
    ALDER,
    BIRCH,
    CEDAR,
    DEFINITION,
    EIGHT,
    ELM,
    GORSE,
    TimedEvent,
    build_candidates,
    build_market_events,
    build_selection,
)

NINE: Final = EIGHT + timedelta(hours=1)
BY_OFFER, OPEN_TO_ALL = an_id("package by offer"), an_id("package open to all")
CARE: Final = some_care(framework=DEFINITION.framework)
FIRST_OFFICER, SECOND_OFFICER = "officer:first", "officer:second"
REFERENCE: Final = an_id("reference")


@dataclass
class PackageEventBuilder:
    """Builds the events of one package. `now` is the instant of the next event; answers to offers move it forward."""

    package: UUID
    now: datetime = NINE
    offers: dict[UUID, UUID] = field(default_factory=dict[UUID, UUID])
    """The newest offer by provider."""
    urgent: bool = False

    @property
    def care(self) -> Care:
        return CARE.model_copy(update={"urgent": True, "route": Routes.HOSPITAL_DISCHARGE}) if self.urgent else CARE

    def build_event(self, model: type[Event], **fields: object) -> TimedEvent:
        return TimedEvent(an_example_of(model, package_id=self.package, **fields), self.now)

    def start_sourcing(self) -> list[TimedEvent]:
        return [
            self.build_event(PackageRequested, care=self.care, wishes={}, follows=None),
            self.build_event(SourcingStarted, framework=DEFINITION.framework, definition_version=DEFINITION.version),
        ]

    def enter_stage(self, stage: str, tier: TierKey, *ranking: UUID) -> TimedEvent:
        """Builds the beginning of a stage that works through the ranked list of one tier."""
        return self.build_event(
            StageEntered,
            stage=stage,
            tiers=(tier,),
            order=(Order.RANKED_LIST,),
            lists=(ListUsed(tier=tier, list_version=1),),
            seed=None,
            candidates=build_candidates(tier, *ranking),
        )

    def pass_over(self, provider: UUID, *reasons: PassOverReason) -> TimedEvent:
        return self.build_event(ProviderPassedOver, provider_id=provider, reasons=reasons)

    def make_offer(self, stage: str, provider: UUID) -> list[TimedEvent]:
        """Builds an offer with its delivery and the start of its answer clock of 30 minutes."""
        self.offers[provider] = self.build_offer_id(provider, stage)
        offer = {"offer_id": self.offers[provider], "provider_id": provider}
        delivered = {**offer, "channel": Channel.WEBHOOK, "delivered_at": self.now}
        clock = {**offer, "delivered_at": self.now, "answer_by": self.now + timedelta(minutes=30)}
        made = {
            "stage": stage,
            "channel": Channel.WEBHOOK,
            "care": self.care,
            "weekly_hours": CARE.weekly_hours,
            "terms": build_terms_at_selected_rate(),
            "answer_by": AnswerBy(minutes=30, brokerage_time=not self.urgent),
            "deliver_within_minutes": 2,
            "asks_all": False,
        }
        return [
            self.build_event(OfferMade, **offer, **made),
            self.build_event(OfferDelivered, **delivered),
            self.build_event(OfferClockStarted, **clock),
        ]

    def decline(self, provider: UUID) -> TimedEvent:
        """Builds the decline ten minutes later."""
        self.now += timedelta(minutes=10)
        return self.build_event(OfferDeclined, offer_id=self.offers[provider], provider_id=provider)

    def accept(self, stage: str, provider: UUID) -> list[TimedEvent]:
        """Builds the acceptance ten minutes later, the placement and the purchase order."""
        self.now += timedelta(minutes=10)
        offer = {"offer_id": self.build_offer_id(provider, stage), "provider_id": provider}
        return [
            self.build_event(OfferAccepted, **offer),
            self.place_package(
                stage,
                provider,
                build_terms_at_selected_rate(),
                offer_id=offer["offer_id"],
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
            framework=DEFINITION.framework,
            weekly_hours=CARE.weekly_hours,
            terms=terms,
            **by,
        )

    def issue_order(self, provider: UUID, terms: Terms) -> TimedEvent:
        lines = tuple(OrderLine(service_type=CARE.service_type, **line.model_dump()) for line in terms.lines)
        return self.build_event(
            PurchaseOrderIssued,
            placement_id=self._build_id("placement"),
            provider_id=provider,
            price_list=terms.price_list,
            framework=DEFINITION.framework,
            lines=lines,
            weekly_cost=terms.weekly_cost,
            fixed_cost=terms.fixed_cost,
        )

    def list_package(self, opens_at: datetime) -> TimedEvent:
        return self.build_event(
            PackageListed,
            stage="available-packages",
            framework=DEFINITION.framework,
            second_officer_always=False,
            ceiling=Decimal("29.00"),
            unit=Units.HOUR,
            advert=build_advert(REFERENCE),
            opens_at=opens_at,
        )

    def award_proposal(self, provider: UUID, rate: str, *, second: str | None) -> list[TimedEvent]:
        """Builds a proposal at `rate` (pounds) and its award, which the officer `second` approves if given."""
        terms = compute_terms_at_rate(CARE, Units.HOUR, UnitKind.HOUR, Decimal(rate), price_list="as proposed")
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

    def build_offer_id(self, provider: UUID, stage: str = "tier-1") -> UUID:
        return self._build_id(f"offer to {provider}" if stage == "tier-1" else f"offer to {provider} in {stage}")

    def _build_id(self, what: str) -> UUID:
        return an_id(f"{what} of {self.package}")


def build_terms_at_selected_rate() -> Terms:
    terms = compute_terms(CARE, DEFINITION, build_selection())
    assert terms is not None, "personal care has a rate"
    return terms


def build_offer_events() -> list[TimedEvent]:
    """Builds a placement by offer: Alder is embargoed, Birch declines, Cedar accepts."""
    builder = PackageEventBuilder(BY_OFFER)
    return [
        *builder.start_sourcing(),
        builder.enter_stage("tier-1", Tiers.ONE, ALDER, BIRCH, CEDAR),
        builder.pass_over(ALDER, PassOverReason.EMBARGOED),
        *builder.make_offer("tier-1", BIRCH),
        builder.decline(BIRCH),
        *builder.make_offer("tier-1", CEDAR),
        *builder.accept("tier-1", CEDAR),
    ]


def build_open_list_events(*, second: str | None = SECOND_OFFICER, rate: str = "31.00") -> list[TimedEvent]:
    """Builds the whole road of a package: Birch and Cedar decline, Birch ticks the Batching List and declines again.

    Then Elm of tier 2 declines, and Gorse's proposal from the list of Thursday is awarded. At the default rate, which
    is above the ceiling, the award needs the officer `second`.
    """
    builder = PackageEventBuilder(OPEN_TO_ALL)
    events = [
        *builder.start_sourcing(),
        builder.enter_stage("tier-1", Tiers.ONE, ALDER, BIRCH, CEDAR),
        builder.pass_over(ALDER, PassOverReason.EMBARGOED),
    ]
    for stage, provider in (("tier-1", BIRCH), ("tier-1", CEDAR)):
        events += [*builder.make_offer(stage, provider), builder.decline(provider)]
    batching = BatchingListBuilder(OPEN_TO_ALL, (ALDER, BIRCH, CEDAR))
    events += [*batching.issue(), batching.tick(BIRCH), *batching.close(BIRCH)]
    builder.now = batching.closes_at
    for stage, tier, provider in (("batching-list", Tiers.ONE, BIRCH), ("tier-2", Tiers.TWO, ELM)):
        events += [builder.enter_stage(stage, tier, provider), *builder.make_offer(stage, provider)]
        events += [builder.decline(provider)]
    listed_at, builder.now = builder.now, THURSDAY_NOON
    listed = replace(builder.list_package(THURSDAY_NOON), at=listed_at)
    available = issue_available(OPEN_TO_ALL, listed_at, (ALDER, BIRCH, CEDAR, ELM, GORSE))
    return [*events, listed, *available, *builder.award_proposal(GORSE, rate, second=second)]


def build_valid_events() -> list[TimedEvent]:
    """Builds the market and both packages, in which the judge finds no fault."""
    return [*build_market_events(), *build_offer_events(), *build_open_list_events()]
