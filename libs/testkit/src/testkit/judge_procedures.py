"""Packages of an invented framework for tests of the judge's reading of orders and procedures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from contracts.events.base import Event
from contracts.events.offers import (
    AcceptanceReceived,
    AcceptancesOrdered,
    OfferAccepted,
    OfferClockStarted,
    OfferDeclined,
    OfferDelivered,
    OfferMade,
)
from contracts.events.orders import OrderLine, PurchaseOrderIssued
from contracts.events.packages import PackageRequested
from contracts.events.providers import EligibilityChanged, Place, RatingPublished
from contracts.events.rates import RatesSelected, SelectedRate, Selection
from contracts.events.searches import PackagePlaced, ProviderPassedOver, SourcingStarted, StageCandidate, StageEntered
from contracts.example_words import LOT, Routes, ServiceTypes, Tiers, Units
from contracts.examples import COLCHESTER, FRAMEWORK, an_example_of, an_id, some_care
from contracts.ids import AreaCode, ItemKey, ProviderId, TierKey
from contracts.terms import compute_terms_at_rate
from contracts.values import AnswerBy, Care, Channel, Order, PassOverReason, PlaceState, Rating, Terms, UnitKind, Wishes
from judge import Evidence, find_violations
from judge.rules import FrameworkRules
from testkit.judge_market import ALDER, BIRCH, CEDAR, EIGHT, ELM, TimedEvent
from testkit.judge_records import build_receipts, to_topic_records

HARLOW: Final = AreaCode("E07000073")
NINE: Final = EIGHT + timedelta(hours=1)
PACKAGE: Final = an_id("a package of the invented framework")
_DEFINITION: Final = f"""\
framework: {FRAMEWORK}
version: 1
areas:
  - {{code: {COLCHESTER}, name: Colchester, neighbours: [{HARLOW}]}}
  - {{code: {HARLOW}, name: Harlow}}
tiers:
  - {{tier: tier-1, entry: [{{rule: overall-rating, at_least: Good}}]}}
  - {{tier: tier-2, entry: [{{rule: overall-rating, at_least: Requires improvement, accepts_not_rated: true}}]}}
units: [{{unit: hour, kind: hour}}]
skills: [{{skill: hoist, required: true}}, {{skill: dementia}}]
brokerage:
  timezone: Europe/London
  opens: "08:30"
  closes: "17:00"
  days: [MON, TUE, WED, THU, FRI]
  bank_holidays: []
prices:
  price_list: invented-1
  rates_set_by: provider
  matrix:
    - {{service_type: personal-care, unit: hour, rate: 20.00, highest: 40.00}}
sourcing:
"""


@dataclass
class Market:
    """Providers with places in Colchester and own rates; each change is published at 08:00."""

    rates: Mapping[ProviderId, str] = field(
        default_factory=lambda: {ALDER: "24.00", BIRCH: "22.00", CEDAR: "26.00", ELM: "22.00"}
    )
    places: dict[ProviderId, dict[str, object]] = field(default_factory=dict[ProviderId, dict[str, object]])
    skills: tuple[str, ...] = ()

    def build_events(self) -> list[TimedEvent]:
        return [TimedEvent(event, EIGHT) for provider in self.rates for event in self._build_provider(provider)]

    def _build_provider(self, provider: ProviderId) -> Sequence[Event]:
        nothing: dict[str, object] = {}
        place = build_place(**self.places.get(provider, nothing))
        rate = SelectedRate(
            service_type=ServiceTypes.PERSONAL_CARE,
            item=ItemKey(ServiceTypes.PERSONAL_CARE),
            unit=Units.HOUR,
            number=None,
            rate=Decimal(self.rates[provider]),
        )
        selection = Selection(valid_from=date(2025, 11, 9), matrix_version=1, rates=(rate,))
        return [
            an_example_of(RatingPublished, provider_id=provider, rating=Rating.GOOD),
            an_example_of(EligibilityChanged, provider_id=provider, places=(place,), skills=self.skills, spot_areas=()),
            RatesSelected(provider_id=provider, framework=FRAMEWORK, area=place.area, selections=(selection,)),
        ]


def build_place(**changed: object) -> Place:
    """Builds an active place in tier 1 of Colchester."""
    usual: dict[str, object] = {
        "framework": FRAMEWORK,
        "lot": LOT,
        "area": COLCHESTER,
        "tier": Tiers.ONE,
        "service_types": ServiceTypes.ALL,
        "joined_on": date(2025, 11, 9),
        "state": PlaceState.ACTIVE,
        "eligible": True,
    }
    return Place.model_validate({**usual, **changed})


@dataclass
class Package:
    """Builds the events of one package of the framework whose stages `stages` writes in YAML."""

    stages: str
    market: Market = field(default_factory=Market)
    care: Care = field(default_factory=lambda: some_care(route=Routes.COMMUNITY))
    package: UUID = PACKAGE
    now: datetime = NINE
    events: list[TimedEvent] = field(default_factory=list[TimedEvent])
    stage: str = ""

    def publish(self, model: type[Event], **fields: object) -> "Package":
        self.events.append(TimedEvent(an_example_of(model, package_id=self.package, **fields), self.now))
        return self

    def wait(self, **time: float) -> "Package":
        self.now += timedelta(**time)
        return self

    def start(self, **request: object) -> "Package":
        usual: dict[str, object] = {"care": self.care, "wishes": Wishes(), "follows": None}
        self.publish(PackageRequested, **{**usual, **request})
        return self.publish(SourcingStarted, definition_version=1)

    def enter(
        self, stage: str, *candidates: StageCandidate, order: Sequence[Order] = (), **changed: object
    ) -> "Package":
        self.stage = stage
        usual: dict[str, object] = {"tiers": (Tiers.ONE,), "lists": (), "seed": an_id("seed"), "order": tuple(order)}
        return self.publish(StageEntered, **{"stage": stage, "candidates": candidates, **usual, **changed})

    def pass_over(self, provider: UUID, *reasons: PassOverReason) -> "Package":
        return self.publish(ProviderPassedOver, stage=self.stage, provider_id=provider, reasons=reasons)

    def offer(
        self,
        provider: ProviderId,
        *,
        asks_all: bool = False,
        tier: TierKey = Tiers.ONE,
        minutes: int = 30,
        **changed: object,
    ) -> "Package":
        """Publishes an offer by webhook."""
        usual: dict[str, object] = {
            "offer_id": self.build_offer_id(provider),
            "provider_id": provider,
            "stage": self.stage,
            "tier": tier,
            "channel": Channel.WEBHOOK,
            "care": self.care,
            "weekly_hours": self.care.weekly_hours,
            "terms": self.compute_terms(provider),
            "answer_by": AnswerBy(minutes=minutes, brokerage_time=not self.care.urgent),
            "deliver_within_minutes": 2,
            "asks_all": asks_all,
        }
        return self.publish(OfferMade, **{**usual, **changed})

    def deliver(self, provider: ProviderId, *, minutes: int = 30) -> "Package":
        offer = {"offer_id": self.build_offer_id(provider), "provider_id": provider, "delivered_at": self.now}
        self.publish(OfferDelivered, **offer, channel=Channel.WEBHOOK)
        return self.publish(OfferClockStarted, **offer, answer_by=self.now + timedelta(minutes=minutes))

    def publish_decline(self, provider: ProviderId) -> "Package":
        return self.publish(OfferDeclined, offer_id=self.build_offer_id(provider), provider_id=provider)

    def wait_with_acceptance(self, provider: ProviderId) -> "Package":
        return self.publish(AcceptanceReceived, offer_id=self.build_offer_id(provider), provider_id=provider)

    def order_acceptances(self, *candidates: StageCandidate, **changed: object) -> "Package":
        usual: dict[str, object] = {"order": (Order.PRICE, Order.ROTATION), "seed": an_id("seed")}
        return self.publish(AcceptancesOrdered, **{"stage": self.stage, "candidates": candidates, **usual, **changed})

    def accept(self, provider: ProviderId) -> "Package":
        return self.publish(OfferAccepted, offer_id=self.build_offer_id(provider), provider_id=provider)

    def place(self, provider: ProviderId) -> "Package":
        """Publishes the placement and its order."""
        terms = self.compute_terms(provider)
        placed = {"placement_id": an_id(f"placement of {self.package}"), "provider_id": provider}
        self.publish(
            PackagePlaced,
            **placed,
            offer_id=self.build_offer_id(provider),
            proposal_id=None,
            stage=self.stage,
            weekly_hours=self.care.weekly_hours,
            terms=terms,
        )
        lines = tuple(OrderLine(service_type=self.care.service_type, **line.model_dump()) for line in terms.lines)
        return self.publish(PurchaseOrderIssued, **placed, lines=lines, **terms.model_dump(exclude={"lines"}))

    def compute_terms(self, provider: ProviderId) -> Terms:
        price_list = "invented-1 own rate, named from 2025-11-09"
        rate = Decimal(self.market.rates[provider])
        return compute_terms_at_rate(self.care, Units.HOUR, UnitKind.HOUR, rate, price_list=price_list)

    def build_offer_id(self, provider: UUID) -> UUID:
        return an_id(f"offer to {provider} of {self.package}")

    def find_violations(self, *earlier: "Package", status: str = "held") -> list[str]:
        """Judges the market and the packages; `status` is that of an open package."""
        events = [*self.market.build_events(), *(each for other in earlier for each in other.events), *self.events]
        rules = FrameworkRules.from_yaml(_DEFINITION + self.stages)
        evidence = Evidence(
            records=to_topic_records(events),
            webhook_requests=build_receipts(events),
            rules={(FRAMEWORK, 1): rules},
            now=self.now,
            work_list=frozenset() if status == "running" else {str(self.package)},
            statuses={str(self.package): status},
        )
        return find_violations(evidence)
