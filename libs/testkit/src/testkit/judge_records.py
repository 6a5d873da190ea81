"""A recording of two packages as Kafka would have it, told by builders: one placed by offer, one on the open list."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from contracts.catalogue import encode, find_entry
from contracts.definitions import read_definition
from contracts.envelope import Envelope
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
from contracts.examples import COLCHESTER, ESSEX, an_envelope_of, an_example_of, an_id, some_care
from contracts.ids import ProviderId
from contracts.terms import compute_terms, compute_terms_at_rate
from contracts.values import AnswerBy, Channel, PassOverReason, PriceUnit, Rating, ServiceType, Terms, Tier, Urgency
from devstack.home import FRAMEWORK_FILES
from judge import Evidence
from judge.rules import read_rules
from testkit.topics import Kept

DEFINITION: Final = read_definition(FRAMEWORK_FILES[-1].read_text(), source="the newest")
EIGHT: Final = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
NINE: Final = EIGHT + timedelta(hours=1)
ALDER, BIRCH, CEDAR, ELM, GORSE = (ProviderId(an_id(name)) for name in ("Alder", "Birch", "Cedar", "Elm", "Gorse"))
BY_OFFER, OPEN_TO_ALL = an_id("package by offer"), an_id("package open to all")
CARE: Final = some_care()
FIRST_OFFICER, SECOND_OFFICER = "officer:first", "officer:second"
REFERENCE: Final = an_id("reference")


@dataclass(frozen=True)
class Told:
    """One event and when it was said."""

    event: Event
    at: datetime


def the_market() -> list[Told]:
    """Alder, Birch and Cedar in tier 1, Elm in tier 2, Gorse on the spot market; Alder gets no new work."""
    tiers = {ALDER: 1, BIRCH: 1, CEDAR: 1, ELM: 2, GORSE: None}
    events: list[Event] = [FrameworkPublished(definition=DEFINITION)]
    events += [a_list(1, ALDER, BIRCH, CEDAR), a_list(2, ELM)]
    for provider, tier in tiers.items():
        events += _registered(provider, tier)
    events.append(an_example_of(ProviderEmbargoed, provider_id=ALDER))
    return [Told(event, EIGHT) for event in events]


def a_list(tier: int, *ranking: UUID) -> RankedListPublished:
    return RankedListPublished(
        framework=ESSEX,
        area=COLCHESTER,
        tier=Tier(tier),
        list_version=1,
        issued_on=date(2025, 11, 1),
        live_from=date(2025, 11, 9),
        ranking=candidates(*ranking),
    )


def candidates(*ranking: UUID) -> tuple[Candidate, ...]:
    return tuple(Candidate(provider_id=ProviderId(each), rank=rank) for rank, each in enumerate(ranking, 1))


def _registered(provider: ProviderId, tier: int | None) -> list[Event]:
    places = () if tier is None else (Membership(framework=ESSEX, area=COLCHESTER, tier=Tier(tier), eligible=True),)
    return [
        an_example_of(RatingPublished, provider_id=provider, rating=Rating.GOOD),
        EligibilityChanged(
            provider_id=provider,
            memberships=places,
            service_types=tuple(ServiceType),
            spot_areas=(COLCHESTER,) if tier is None else (),
            rating=Rating.GOOD,
        ),
        CapacityDeclared(provider_id=provider, area=COLCHESTER, free_hours=Decimal(40), declared_at=EIGHT),
        RatesSelected(provider_id=provider, framework=ESSEX, area=COLCHESTER, selections=(_selection(),)),
    ]


def _selection() -> Selection:
    rate = SelectedRate(service_type=ServiceType.PERSONAL_CARE, unit=PriceUnit.HOUR, number=2, rate=Decimal("24.90"))
    return Selection(valid_from=date(2025, 11, 9), matrix_version=2, rates=(rate,))


@dataclass
class Teller:
    """Tells the story of one package; `now` goes on with it."""

    package: UUID
    now: datetime = NINE

    def of(self, model: type[Event], **said: object) -> Told:
        return Told(an_example_of(model, package_id=self.package, **said), self.now)

    def begins(self) -> list[Told]:
        return [
            self.of(PackageRequested, care=CARE, wishes={}),
            self.of(SourcingStarted, definition_version=DEFINITION.version),
        ]

    def enters(self, stage: str, tier: int, *ranking: UUID) -> Told:
        return self.of(StageEntered, stage=stage, tier=tier, candidates=candidates(*ranking))

    def passes_over(self, provider: UUID, *reasons: PassOverReason) -> Told:
        return self.of(ProviderPassedOver, provider_id=provider, reasons=reasons)

    def offers(self, stage: str, provider: UUID) -> list[Told]:
        offer = {"offer_id": self.offer_to(provider), "provider_id": provider}
        delivered = {**offer, "channel": Channel.WEBHOOK, "delivered_at": self.now}
        clock = {**offer, "delivered_at": self.now, "answer_by": self.now + timedelta(minutes=30)}
        made = {
            "stage": stage,
            "channel": Channel.WEBHOOK,
            "care": CARE,
            "weekly_hours": CARE.weekly_hours,
            "terms": selected_terms(),
            "answer_by": AnswerBy(minutes=30, brokerage_time=True),
        }
        return [
            self.of(OfferMade, **offer, **made),
            self.of(OfferDelivered, **delivered),
            self.of(OfferClockStarted, **clock),
        ]

    def declines(self, provider: UUID) -> Told:
        self.now += timedelta(minutes=10)
        return self.of(OfferDeclined, offer_id=self.offer_to(provider), provider_id=provider)

    def accepts(self, stage: str, provider: UUID) -> list[Told]:
        self.now += timedelta(minutes=10)
        offer = {"offer_id": self.offer_to(provider), "provider_id": provider}
        return [
            self.of(OfferAccepted, **offer),
            self.places(stage, provider, selected_terms(), offer_id=self.offer_to(provider), proposal_id=None),
            self.orders(provider, selected_terms()),
        ]

    def places(self, stage: str, provider: UUID, terms: Terms, **by: UUID | None) -> Told:
        return self.of(
            PackagePlaced,
            placement_id=self._id("placement"),
            provider_id=provider,
            stage=stage,
            weekly_hours=CARE.weekly_hours,
            terms=terms,
            **by,
        )

    def orders(self, provider: UUID, terms: Terms) -> Told:
        line = OrderLine(service_type=CARE.service_type, **terms.model_dump(exclude={"price_list"}))
        return self.of(
            PurchaseOrderIssued,
            placement_id=self._id("placement"),
            provider_id=provider,
            price_list=terms.price_list,
            lines=(line,),
            weekly_cost=terms.weekly_cost,
        )

    def opens(self) -> Told:
        return self.of(
            PackageListed,
            stage="available-packages",
            ceiling=Decimal("29.00"),
            unit=PriceUnit.HOUR,
            advert=an_example_of(Advert, reference=REFERENCE, weekly_hours=CARE.weekly_hours),
        )

    def awards(self, provider: UUID, rate: str, *, second: str | None) -> list[Told]:
        terms = compute_terms_at_rate(CARE, PriceUnit.HOUR, Decimal(rate), price_list="as proposed")
        who = {"provider_id": provider, "proposal_id": self._id("proposal"), "award_id": self._id("award")}
        proposed = {**who, "terms": terms, "care": CARE, "replaces": None, "rating": Rating.GOOD}
        proposed.pop("award_id")
        awarded = {**who, "officer": FIRST_OFFICER, "rating": Rating.GOOD, "inadequate_reason": None}
        story = [self.of(ProposalReceived, **proposed)]
        if second is not None:
            waits = {**who, "terms": terms, "ceiling": Decimal("29.00"), "officer": FIRST_OFFICER}
            story += [self.of(AwardAwaitsApproval, **waits)]
            story += [self.of(SpotPriceApproved, **who, rate=Decimal(rate), officer=second)]
        return [
            *story,
            self.of(ProposalAwarded, **awarded, second_officer=second),
            self.places("available-packages", provider, terms, offer_id=None, proposal_id=self._id("proposal")),
            self.orders(provider, terms),
        ]

    def offer_to(self, provider: UUID) -> UUID:
        return self._id(f"offer to {provider}")

    def _id(self, what: str) -> UUID:
        return an_id(f"{what} of {self.package}")


def selected_terms() -> Terms:
    terms = compute_terms(CARE, DEFINITION.prices, _selection())
    assert terms is not None, "personal care has a rate"
    return terms


def placed_by_offer() -> list[Told]:
    """Alder is embargoed, Birch declines, Cedar accepts."""
    tell = Teller(BY_OFFER)
    return [
        *tell.begins(),
        tell.enters("tier-1", 1, ALDER, BIRCH, CEDAR),
        tell.passes_over(ALDER, PassOverReason.EMBARGOED),
        *tell.offers("tier-1", BIRCH),
        tell.declines(BIRCH),
        *tell.offers("tier-1", CEDAR),
        *tell.accepts("tier-1", CEDAR),
    ]


def placed_from_open_list(*, second: str | None = SECOND_OFFICER, rate: str = "31.00") -> list[Told]:
    """Everybody on the lists declines; Gorse proposes more than the ceiling, and two officers agree."""
    tell = Teller(OPEN_TO_ALL)
    story = [
        *tell.begins(),
        tell.enters("tier-1", 1, ALDER, BIRCH, CEDAR),
        tell.passes_over(ALDER, PassOverReason.EMBARGOED),
    ]
    for stage, provider in (("tier-1", BIRCH), ("tier-1", CEDAR)):
        story += [*tell.offers(stage, provider), tell.declines(provider)]
    story += [tell.enters("tier-2", 2, ELM), *tell.offers("tier-2", ELM), tell.declines(ELM), tell.opens()]
    return [*story, *tell.awards(GORSE, rate, second=second)]


def on_kafka(told: Sequence[Told]) -> list[Kept]:
    """As the services' relays would have sent it: each stream numbered and chained."""
    last: dict[tuple[str, str], Envelope] = {}
    kept: list[Kept] = []
    for offset, each in enumerate(told):
        entry, payload = find_entry(type(each.event)), encode(each.event)
        stream = entry.owner, each.event.key
        envelope = an_envelope_of(each.event, after=last.get(stream), at=each.at)
        last[stream] = envelope.model_copy(update={"id": an_id(f"event {offset}")}).seal(payload)
        kept.append(Kept(entry.topic, 0, offset, each.event.key, last[stream].to_headers(), payload))
    return kept


# A line of the receivers' log is JSON.
def receipts_of(told: Sequence[Told]) -> list[dict[str, object]]:
    """What the providers' systems have of it: each delivered offer, and the open list for everybody there."""
    return [receipt for each in told for receipt in _receipts(each.event)]


def _receipts(event: Event) -> list[dict[str, object]]:
    if isinstance(event, OfferDelivered):
        return [a_receipt(event.provider_id, offer_id=event.offer_id, package_id=event.package_id)]
    if isinstance(event, PackageListed):
        body = event.advert.model_dump_json()
        return [a_receipt(each, reference=event.advert.reference, body=body) for each in (ALDER, GORSE)]
    return []


def a_receipt(provider: UUID, **about: object) -> dict[str, object]:
    told = {name: str(value) for name, value in about.items()}
    nothing = {"offer_id": None, "package_id": None, "reference": None, "body": None}
    sent = {"headers": {"webhook-id": "msg-1"}, "verified": True, "receipt": "taken", "provider_id": str(provider)}
    return {**sent, **nothing, **told}


def evidence(told: Sequence[Told]) -> Evidence:
    return Evidence(
        records=on_kafka(told), receipts=receipts_of(told), rules=read_rules(FRAMEWORK_FILES), now=told[-1].at
    )


def a_good_recording() -> list[Told]:
    return [*the_market(), *placed_by_offer(), *placed_from_open_list()]


def changed(told: Sequence[Told], which: type[Event], number: int = 0, **said: object) -> list[Told]:
    """With other words in one event: the `number`-th of its kind."""
    at = [position for position, each in enumerate(told) if isinstance(each.event, which)][number]
    event = told[at].event.model_copy(update=said)
    return [*told[:at], replace(told[at], event=event), *told[at + 1 :]]


def moved(told: Sequence[Told], which: type[Event], by: timedelta, number: int = 0) -> list[Told]:
    """With one event said at another time."""
    at = [position for position, each in enumerate(told) if isinstance(each.event, which)][number]
    return [*told[:at], replace(told[at], at=told[at].at + by), *told[at + 1 :]]


def without(told: Sequence[Told], which: type[Event], number: int = 0) -> list[Told]:
    at = [position for position, each in enumerate(told) if isinstance(each.event, which)][number]
    return [*told[:at], *told[at + 1 :]]


URGENT: Final = CARE.model_copy(update={"urgency": Urgency.CRISIS})
