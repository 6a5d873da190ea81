"""Builders for tests: a package, a market, and a search told step by step; every name in them is invented.

`memory` has repositories without a database, `stories` any search that can happen, `harness` a running service.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import count
from typing import Final
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from contracts.events.base import PackageEvent, ViewUse
from contracts.events.frameworks import RankedListPublished
from contracts.events.listings import InadequateReason, Variation
from contracts.events.orders import SpotPriceApproved
from contracts.events.packages import (
    CallResult,
    Candidate,
    OfferDeclined,
    OfferDelivered,
    OfferExpired,
    OfferUndeliverable,
    OfferWithdrawn,
    PackageRequested,
    WithdrawalRequested,
)
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
from contracts.ids import AreaCode, AwardId, CouncilKey, FrameworkKey, NewId, PackageId, ProviderId
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
from sourcing.domain.decisions import decide
from sourcing.domain.market import MarketSnapshot, ProviderFacts
from sourcing.domain.search import Accept, Decline, Listing, Offer, Proposal, ProviderAnswer, Search
from sourcing.domain.steps import ScheduledTimer, Step, TimerKind
from sourcing.domain.triggers import (
    AnswerOffer,
    AwardProposal,
    Outage,
    RecordCall,
    SubmitProposal,
    Trigger,
    build_timer_trigger,
)

NAMES: Final = UUID("0197a3c0-0000-7000-8000-000000000000")
PACKAGE: Final = PackageId(uuid5(NAMES, "the package"))
FRAMEWORK: Final = FrameworkKey("invented-framework-2026")
AREA: Final = AreaCode("E07999999")
LONDON: Final = ZoneInfo("Europe/London")
A_MONDAY: Final = date(2026, 1, 12)
GOOD_FRIDAY: Final = date(2026, 4, 3)
EASTER_MONDAY: Final = date(2026, 4, 6)


def london(day: date, clock: str) -> datetime:
    """An instant by the clock on the wall in London: `london(A_MONDAY, "09:15")`."""
    return datetime.combine(day, time.fromisoformat(clock), LONDON).astimezone(ZoneInfo("UTC"))


def monday(clock: str) -> datetime:
    """An instant on the Monday on which most tests play."""
    return london(A_MONDAY, clock)


def tuesday(clock: str) -> datetime:
    return london(A_MONDAY + timedelta(days=1), clock)


def to_provider_id(name: str) -> ProviderId:
    """The id of an invented provider; the same name, the same id."""
    return ProviderId(uuid5(NAMES, name))


def count_ids() -> NewId:
    """Ids that count up, so that the same search gives the same ids again."""
    numbers = count(1)
    return lambda: UUID(int=next(numbers))


def a_brokerage_time(*bank_holidays: date) -> BrokerageTime:
    return BrokerageTime(bank_holidays=bank_holidays or (GOOD_FRIDAY, EASTER_MONDAY))


def a_stage(tier: Tier = Tier.ONE, *, exhausted: Exhausted = Exhausted.NEXT_STAGE) -> SequentialOffers:
    return SequentialOffers(stage=f"tier-{int(tier)}", procedure="sequential-offers", tier=tier, exhausted=exhausted)


def an_open_list(*, ceiling: Decimal = Decimal("29.00"), spot: bool = True, **changed: object) -> OpenList:
    """Open to framework and spot providers; up to £29.00 an hour one officer awards alone."""
    ceilings = tuple(Ceiling(service_type=service_type, rate=ceiling) for service_type in ServiceType)
    usual: dict[str, object] = {"stage": "available", "procedure": "open-list", "spot": spot, "ceilings": ceilings}
    return OpenList.model_validate({**usual, **changed})


def a_definition(
    *tiers: Tier,
    version: int = 1,
    service_types: Sequence[ServiceType] = tuple(ServiceType),
    exhausted: Exhausted = Exhausted.NEXT_STAGE,
    open_list: OpenList | None = None,
    selected_by_providers: bool = False,
) -> FrameworkDefinition:
    """A framework with one area and a stage of sequential offers for each of `tiers` (by default tier 1 only)."""
    tiers = tiers or (Tier.ONE,)
    at_last = () if open_list is None else (open_list,)
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
        sourcing=(*(a_stage(tier, exhausted=exhausted) for tier in tiers), *at_last),
    )


def some_care(*, urgency: Urgency = Urgency.ROUTINE, minutes: int = 60, area: AreaCode = AREA) -> Care:
    """Personal care on ten occasions a week, so ten hours unless `minutes` says otherwise."""
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
    """The providers in the order of their rank."""
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


def some_facts(
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
    """A provider that may be offered anything, save for what is said here."""
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
        projection_uses=(ViewUse(view="eligibility", key=str(provider_id), sequence=1),),
    )


def some_rates(name: str, *rates: str, from_day: date = date(2026, 1, 1)) -> RatesSelected:
    """The provider's rate for personal care: the first from `from_day` on, the following each a year later."""
    selections = tuple(
        Selection(
            valid_from=from_day.replace(year=from_day.year + later),
            matrix_version=1,
            rates=(
                SelectedRate(
                    service_type=ServiceType.PERSONAL_CARE, unit=PriceUnit.HOUR, number=later + 1, rate=Decimal(rate)
                ),
            ),
        )
        for later, rate in enumerate(rates)
    )
    return RatesSelected(provider_id=to_provider_id(name), framework=FRAMEWORK, area=AREA, selections=selections)


def a_market(
    *ranked: str, but: Iterable[ProviderFacts] = (), definition: FrameworkDefinition | None = None
) -> MarketSnapshot:
    """Tier 1 ranked as named, everybody eligible by webhook, `but` for these."""
    facts = {to_provider_id(name): some_facts(name) for name in ranked} | {known.provider_id: known for known in but}
    return MarketSnapshot(
        definition=definition or a_definition(),
        ranked_lists={Tier.ONE: a_ranked_list(*ranked)},
        facts=facts,
    )


def replace_facts(market: MarketSnapshot, *changed: ProviderFacts) -> MarketSnapshot:
    return replace(market, facts={**market.facts, **{known.provider_id: known for known in changed}})


def add_list(market: MarketSnapshot, ranked_list: RankedListPublished) -> MarketSnapshot:
    """The market with one more ranked list."""
    return replace(market, ranked_lists={**market.ranked_lists, ranked_list.tier: ranked_list})


def a_decline(reason: DeclineReason = DeclineReason.NO_CAPACITY) -> Decline:
    return Decline(reason)


class SearchDriver:
    """One package's search, told step by step; keeps the record and the alarms as the runtime would.

    `history` has the search as it stood after each step.

    `at` moves with each step that names an instant. Own ends of offers are heard at once, as over Kafka, unless the
    driver is told `by_hand`.
    """

    def __init__(self, market: MarketSnapshot, *, at: datetime | None = None, by_hand: bool = False) -> None:
        self.market = market
        self.at = at or monday("09:00")
        self.state: Search | None = None
        self.history: list[Search] = []
        self.journal: list[tuple[PackageEvent, datetime]] = []
        self.timers: dict[tuple[TimerKind, str], ScheduledTimer] = {}
        self.outages: tuple[Outage, ...] = ()
        self._by_hand = by_hand
        self._new_id = count_ids()

    def handle(self, trigger: Trigger, *, at: datetime | None = None) -> Step:
        """One step; without `by_hand` also the steps that an offer's end asks for. Returns the first one."""
        self.at = at or self.at
        step = decide(
            self.state,
            trigger,
            market=self.market,
            at=self.at,
            new_id=self._new_id,
            outages=self.outages,
        )
        self._record_step(trigger, step)
        if not self._by_hand:
            for event in step.events:
                if isinstance(event, OfferDeclined | OfferExpired | OfferWithdrawn):
                    self.handle(event)
        return step

    def request(self, request: PackageRequested | None = None, *, at: datetime | None = None) -> "SearchDriver":
        self.handle(request or a_request(), at=at)
        return self

    def fire_timer(self, kind: TimerKind, *, at: datetime | None = None) -> Step:
        """The alarm of this kind goes off, at its own instant unless another is named. Raises LookupError."""
        alarm = self.find_timer(kind)
        del self.timers[kind, alarm.about]
        return self.handle(build_timer_trigger(kind, alarm.about), at=at or alarm.at)

    def find_timer(self, kind: TimerKind) -> ScheduledTimer:
        """The alarm of this kind. Raises LookupError where none is set."""
        alarm = next((alarm for alarm in self.timers.values() if alarm.kind is kind), None)
        if alarm is None:
            message = f"no {kind} is set in this search"
            raise LookupError(message)
        return alarm

    def deliver(self, *, channel: Channel = Channel.WEBHOOK, at: datetime | None = None) -> Step:
        """The live offer reaches its provider."""
        self.at = at or self.at
        offer = self.live_offer
        event = OfferDelivered(
            package_id=PACKAGE,
            offer_id=offer.offer_id,
            provider_id=offer.provider_id,
            channel=channel,
            delivered_at=self.at,
        )
        return self.handle(event)

    def fail_delivery(self, *, channel: Channel = Channel.WEBHOOK, at: datetime | None = None) -> Step:
        offer = self.live_offer
        event = OfferUndeliverable(
            package_id=PACKAGE,
            offer_id=offer.offer_id,
            provider_id=offer.provider_id,
            channel=channel,
            first_attempt_at=self.at,
            reason="timed out",
        )
        return self.handle(event, at=at)

    def answer(self, name: str, reply: ProviderAnswer, *, at: datetime | None = None) -> Step:
        """The provider answers the newest offer that it was made."""
        return self.handle(AnswerOffer(PACKAGE, self.find_offer(name).offer_id, to_provider_id(name), reply), at=at)

    def accept(self, name: str, *, at: datetime | None = None) -> Step:
        return self.answer(name, Accept(), at=at)

    def decline(self, name: str, *, at: datetime | None = None) -> Step:
        return self.answer(name, a_decline(), at=at)

    def record_call(
        self,
        name: str,
        result: CallResult = CallResult.REACHED,
        *,
        reply: ProviderAnswer | None = None,
        at: datetime | None = None,
    ) -> Step:
        """An officer telephones the provider about the newest offer that it was made."""
        return self.handle(RecordCall(PACKAGE, self.find_offer(name).offer_id, result, reply), at=at)

    def propose(
        self,
        name: str,
        rate: str,
        *variations: Variation,
        can_start_on: date | None = None,
        at: datetime | None = None,
    ) -> Step:
        """The provider proposes to take the open package."""
        return self.handle(
            SubmitProposal(PACKAGE, to_provider_id(name), Decimal(rate), variations, can_start_on), at=at
        )

    def award(
        self,
        name: str,
        *,
        officer: str = "officer:first",
        inadequate_reason: InadequateReason | None = None,
        at: datetime | None = None,
    ) -> Step:
        """An officer takes the provider's newest proposal."""
        return self.handle(
            AwardProposal(PACKAGE, self.find_proposal(name).proposal_id, officer, inadequate_reason), at=at
        )

    def approve(self, *, officer: str = "officer:second", award_id: AwardId | None = None) -> Step:
        """A second officer agrees to the price of the award that waits."""
        return self.handle(an_approval(self.listing, officer=officer, award_id=award_id))

    def find_proposal(self, name: str) -> Proposal:
        proposal = self.listing.find_proposal_of(to_provider_id(name))
        if proposal is None:
            message = f"{name} has not proposed in this search"
            raise LookupError(message)
        return proposal

    @property
    def listing(self) -> Listing:
        """The package as it stands open to all. Raises LookupError where it is on no list."""
        if self.current.listing is None:
            message = "the package is on no list in this search"
            raise LookupError(message)
        return self.current.listing

    def find_offer(self, name: str) -> Offer:
        """The newest offer to this provider. Raises LookupError where it was made none."""
        offers = [offer for offer in self.current.offers if offer.provider_id == to_provider_id(name)]
        if not offers:
            message = f"{name} was made no offer in this search"
            raise LookupError(message)
        return offers[-1]

    @property
    def current(self) -> Search:
        """The search; a driver that has not begun has none. Raises LookupError."""
        if self.state is None:
            message = "the package was never requested in this search"
            raise LookupError(message)
        return self.state

    @property
    def live_offer(self) -> Offer:
        """The offer that is live now. Raises LookupError where none is."""
        if self.current.live_offer is None:
            message = "no offer is live in this search"
            raise LookupError(message)
        return self.current.live_offer

    @property
    def events(self) -> tuple[PackageEvent, ...]:
        """Everything that was published in this driver, the request included."""
        return tuple(event for event, _ in self.journal)

    def _record_step(self, trigger: Trigger, step: Step) -> None:
        if isinstance(trigger, PackageRequested):
            self.journal.append((trigger, self.at))
        self.journal.extend((event, self.at) for event in step.events)
        self.state = step.search
        if step.search is not None:
            self.history.append(step.search)
        for timer in step.timers:
            self.timers.pop((timer.kind, timer.about), None)
            if isinstance(timer, ScheduledTimer):
                self.timers[timer.kind, timer.about] = timer


def an_approval(listing: Listing, *, officer: str, award_id: AwardId | None = None) -> SpotPriceApproved:
    """Pricing's word about the award that waits, or about another one."""
    if listing.award is None and award_id is None:
        message = "no award waits for a second officer in this search"
        raise LookupError(message)
    award = listing.award
    proposal = listing.proposals[0] if award is None else listing.find_proposal(award.proposal_id)
    assert proposal is not None, "an award is of a proposal"
    return SpotPriceApproved(
        package_id=PACKAGE,
        award_id=award_id or (award.award_id if award is not None else AwardId(UUID(int=0))),
        proposal_id=proposal.proposal_id,
        provider_id=proposal.provider_id,
        rate=proposal.terms.rate,
        officer=officer,
    )


def an_open_package(*but: ProviderFacts, stage: OpenList | None = None, refused: Iterable[str] = ()) -> SearchDriver:
    """A package that tier 1 (Alder alone) has declined, open to all since Monday 09:00; `but` are known providers."""
    market = a_market("Alder", but=but, definition=a_definition(open_list=stage or an_open_list()))
    driver = SearchDriver(market).request(a_request(refused=refused))
    driver.decline("Alder")
    return driver


def a_search(*ranked: str, live_offer: str | None = None, at: datetime | None = None) -> SearchDriver:
    """A search over tier 1 ranked as named, whose live offer, the first one's by default, is delivered at `at`."""
    driver = SearchDriver(a_market(*ranked), at=at).request()
    for name in ranked[: ranked.index(live_offer or ranked[0])]:
        driver.decline(name)
    driver.deliver()
    return driver
