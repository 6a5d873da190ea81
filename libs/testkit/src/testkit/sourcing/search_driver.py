"""Drives one search through the domain rules, one trigger at a time, without a database."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from contracts.events.base import PackageEvent
from contracts.events.competitions import CompetitionEnded
from contracts.events.offers import CallResult, OfferDelivered, OfferUndeliverable
from contracts.events.orders import SpotPriceApproved
from contracts.events.packages import PackageRequested
from contracts.framework.stages import OpenList
from contracts.ids import AwardId, BidId, ReasonKey
from contracts.values import Channel
from sourcing.domain.competitions.triggers import CompetitionDue, UnsealedBid
from sourcing.domain.decisions import decide
from sourcing.domain.list_ids import make_list_id
from sourcing.domain.listed_package import Listing, Proposal
from sourcing.domain.market import MarketSnapshot, ProviderFacts
from sourcing.domain.offer import Accept, Offer, ProviderAnswer
from sourcing.domain.search import Search
from sourcing.domain.steps import ScheduledTimer, Step, TimerKind
from sourcing.domain.triggers import (
    AnswerOffer,
    AnswerRecorded,
    AwardProposal,
    Outage,
    RecordCall,
    RegisterInterest,
    SubmitProposal,
    Trigger,
    build_timer_trigger,
)
from testkit.sourcing.builders import (
    PACKAGE,
    a_decline,
    a_market,
    a_request,
    build_id_counter,
    on_monday,
    to_provider_id,
)
from testkit.sourcing.definitions import FRAMEWORK, a_definition, an_open_list


class SearchDriver:
    """Decides one package's search step by step, and stores events and timers in place of the runtime.

    `at` is the current instant; a step that names an instant moves it. `journal` has the published events with their
    instants, `history` the search after each step, `timers` the scheduled timers,
    `sealed` the contents of bids, which the close of a competition opens. The events by which answers and ends
    of offers are recorded are handled as soon as they are published, as if Kafka had delivered them, unless
    `handle_own_events` is False.
    """

    def __init__(self, market: MarketSnapshot, *, at: datetime | None = None, handle_own_events: bool = True) -> None:
        self.market = market
        self.at = at or on_monday("09:00")
        self.state: Search | None = None
        self.history: list[Search] = []
        self.journal: list[tuple[PackageEvent, datetime]] = []
        self.timers: dict[tuple[TimerKind, str], ScheduledTimer] = {}
        self.outages: tuple[Outage, ...] = ()
        self.sealed: dict[BidId, UnsealedBid] = {}
        self._handle_own_events = handle_own_events
        self._new_id = build_id_counter()

    def handle(self, trigger: Trigger, *, at: datetime | None = None) -> Step:
        """Handles `trigger` and, if `handle_own_events`, the answers recorded by it. Returns the first step."""
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
        if self._handle_own_events:
            for event in step.events:
                if isinstance(event, AnswerRecorded | CompetitionEnded):
                    self.handle(event)
        return step

    def request(self, request: PackageRequested | None = None, *, at: datetime | None = None) -> "SearchDriver":
        self.handle(request or a_request(), at=at)
        return self

    def tick(self, name: str, *, interested: bool = True, at: datetime | None = None) -> Step:
        """Ticks the package for a provider on the Batching List that it is or was on; else on one of today."""
        entry = self.current.batching
        list_id = entry.list_id if entry is not None else make_list_id(FRAMEWORK, "batching-list", self.at.date())
        command = RegisterInterest(PACKAGE, list_id, to_provider_id(name), interested)
        return self.handle(command, at=at)

    def fire_timer(self, kind: TimerKind, name: str | None = None, *, at: datetime | None = None) -> Step:
        """Fires the timer of this kind, at its due instant unless `at` is given. Raises LookupError if none is set."""
        timer = self.find_timer(kind, name)
        del self.timers[kind, timer.about]
        trigger = build_timer_trigger(kind, timer.about)
        if isinstance(trigger, CompetitionDue):
            trigger = replace(trigger, bids=tuple(self.sealed.values()))
        return self.handle(trigger, at=at or timer.at)

    def find_timer(self, kind: TimerKind, name: str | None = None) -> ScheduledTimer:
        """Returns the earliest timer of this kind, or that of the offer to `name`. Raises LookupError without one."""
        about = None if name is None else str(self.find_offer(name).offer_id)
        timers = (timer for timer in self.timers.values() if timer.kind is kind and about in {None, timer.about})
        timer = min(timers, key=lambda timer: timer.at, default=None)
        if timer is None:
            message = f"no timer {kind} is set in this search"
            raise LookupError(message)
        return timer

    def deliver(
        self, name: str | None = None, *, channel: Channel = Channel.WEBHOOK, at: datetime | None = None
    ) -> Step:
        """Reports that the live offer, or the offer to `name`, was delivered."""
        self.at = at or self.at
        offer = self.live_offer if name is None else self.find_offer(name)
        event = OfferDelivered(
            package_id=PACKAGE,
            offer_id=offer.offer_id,
            provider_id=offer.provider_id,
            channel=channel,
            delivered_at=self.at,
        )
        return self.handle(event)

    def fail_delivery(
        self, name: str | None = None, *, channel: Channel = Channel.WEBHOOK, at: datetime | None = None
    ) -> Step:
        offer = self.live_offer if name is None else self.find_offer(name)
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
        """Sends the provider's answer to the newest offer that was made to it."""
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
        """Records an officer's call to the provider about the newest offer that was made to it."""
        return self.handle(RecordCall(PACKAGE, self.find_offer(name).offer_id, result, reply), at=at)

    def propose(
        self,
        name: str,
        rate: str,
        *variations: ReasonKey,
        can_start_on: date | None = None,
        at: datetime | None = None,
    ) -> Step:
        """Submits the provider's proposal for the listed package; `rate` is in pounds."""
        return self.handle(
            SubmitProposal(PACKAGE, to_provider_id(name), Decimal(rate), variations, can_start_on), at=at
        )

    def award(
        self,
        name: str,
        *,
        officer: str = "officer:first",
        inadequate_reason: ReasonKey | None = None,
        at: datetime | None = None,
    ) -> Step:
        """Awards the package to the provider's newest proposal, on behalf of `officer`."""
        return self.handle(
            AwardProposal(PACKAGE, self.find_proposal(name).proposal_id, officer, inadequate_reason), at=at
        )

    def approve(self, *, officer: str = "officer:second", award_id: AwardId | None = None) -> Step:
        """Reports that a second officer approved the price of the pending award, or of `award_id`."""
        return self.handle(an_approval(self.listing, officer=officer, award_id=award_id))

    def find_proposal(self, name: str) -> Proposal:
        proposal = self.listing.find_proposal_of(to_provider_id(name))
        if proposal is None:
            message = f"{name} has made no proposal in this search"
            raise LookupError(message)
        return proposal

    @property
    def listing(self) -> Listing:
        """The listing of the package on the open list. Raises LookupError if it is not listed."""
        if self.current.listing is None:
            message = "the package is not on the open list in this search"
            raise LookupError(message)
        return self.current.listing

    def find_offer(self, name: str) -> Offer:
        """Returns the newest offer to this provider. Raises LookupError if there is none."""
        offers = [offer for offer in self.current.offers if offer.provider_id == to_provider_id(name)]
        if not offers:
            message = f"no offer was made to {name} in this search"
            raise LookupError(message)
        return offers[-1]

    @property
    def current(self) -> Search:
        """The search in its latest state. Raises LookupError before the package was requested."""
        if self.state is None:
            message = "the package was not requested yet; call `request` first"
            raise LookupError(message)
        return self.state

    @property
    def live_offer(self) -> Offer:
        """The only live offer. Raises LookupError if there is none, or more than one."""
        if len(self.current.live_offers) != 1:
            message = f"{len(self.current.live_offers)} offers are live in this search"
            raise LookupError(message)
        return self.current.live_offers[0]

    @property
    def events(self) -> tuple[PackageEvent, ...]:
        """All published events in order, with the request as the first."""
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
    """The event by which pricing approves the pending award, or the award `award_id`."""
    if listing.award is None and award_id is None:
        message = "no award is pending in this search"
        raise LookupError(message)
    award = listing.award
    proposal = listing.proposals[0] if award is None else listing.find_proposal(award.proposal_id)
    assert proposal is not None, "the award refers to a proposal of the listing"
    return SpotPriceApproved(
        package_id=PACKAGE,
        award_id=award_id or (award.award_id if award is not None else AwardId(UUID(int=0))),
        proposal_id=proposal.proposal_id,
        provider_id=proposal.provider_id,
        rate=proposal.terms.rate,
        officer=officer,
    )


def an_open_package(
    *providers: ProviderFacts, stage: OpenList | None = None, refused: Iterable[str] = ()
) -> SearchDriver:
    """A package on the open list since Monday 09:00, after Alder, alone in tier 1, declined it.

    `providers` are further providers of the market.
    """
    market = a_market("Alder", overrides=providers, definition=a_definition(open_list=stage or an_open_list()))
    driver = SearchDriver(market).request(a_request(refused=refused))
    driver.decline("Alder")
    return driver


def a_search(*ranked: str, live_offer: str | None = None, at: datetime | None = None) -> SearchDriver:
    """A search over tier 1, ranked as named, with a delivered live offer to `live_offer` (by default the first)."""
    driver = SearchDriver(a_market(*ranked), at=at).request()
    for name in ranked[: ranked.index(live_offer or ranked[0])]:
        driver.decline(name)
    driver.deliver()
    return driver
