"""Plays scenarios on the rules alone: the market as given, one search, and time that passes alarm by alarm."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from contracts.errors import CallOffError
from contracts.events.listings import InadequateReason, Variation
from contracts.events.orders import SpotPriceRefusal, SpotPriceRefused
from contracts.events.packages import (
    CallResult,
    OfferExtended,
    OfferMade,
    PackagePlaced,
    ProviderPassedOver,
    SourcingStopped,
)
from contracts.events.providers import EligibilityChanged
from contracts.framework import FrameworkDefinition, OpenList
from contracts.values import Channel, DeclineReason, PassOverReason, Rating, ServiceType, Tier, Urgency
from sourcing.domain.explanation import explain_stages
from sourcing.domain.market import MarketSnapshot, ProviderFacts
from sourcing.domain.search import Accept, Decline, ProviderAnswer
from sourcing.domain.steps import (
    AnswerNotUsed,
    AwaitsApproval,
    AwardBarred,
    Declined,
    Done,
    Outcome,
    Placed,
    ProposalNotUsed,
    Proposed,
    ScheduledTimer,
    Step,
    TimerKind,
)
from sourcing.domain.triggers import Outage, OutageOver, ProjectionUpdated, Trigger
from sourcing.domain.work_items import (
    AwardToApprove,
    CallToMake,
    ExhaustedSearch,
    HeldSearch,
    NoProposals,
    ProposalsToDecide,
    find_work_item,
)
from testkit.sourcing.builders import (
    A_MONDAY,
    AREA,
    FRAMEWORK,
    PACKAGE,
    SearchDriver,
    a_definition,
    a_ranked_list,
    a_request,
    a_withdrawal,
    an_open_list,
    some_facts,
    some_rates,
    to_provider_id,
)
from testkit.sourcing.scenario_tables import InstantReader

_WORK: Final = {
    ExhaustedSearch: "exhausted",
    HeldSearch: "held",
    CallToMake: "call to make",
    AwardToApprove: "price to approve",
    ProposalsToDecide: "proposals to decide",
    NoProposals: "nobody proposes",
}
_CHANNELS: Final = {"telephone": Channel.PHONE, "email": Channel.EMAIL, "webhook": Channel.WEBHOOK}


@dataclass
class RulesScenarioRunner:
    """One scenario. The package needs ten hours of personal care a week; everybody may have it, save as said."""

    reader: InstantReader = field(default_factory=lambda: InstantReader.from_monday(A_MONDAY))
    lists: dict[Tier, tuple[str, ...] | None] = field(default_factory=dict[Tier, tuple[str, ...] | None])
    known: dict[str, ProviderFacts] = field(default_factory=dict[str, ProviderFacts])
    refused: tuple[str, ...] = ()
    preferred: tuple[str, ...] = ()
    open_list: OpenList | None = None
    rates_are_selected: bool = False
    definition_is_known: bool = True
    at: datetime | None = None
    result: str = "nothing"
    _driver: SearchDriver | None = None

    # --- given

    def rank_providers(self, tier: Decimal, names: tuple[str, ...]) -> None:
        self.lists[Tier(int(tier))] = names
        for name in names:
            self.known.setdefault(name, some_facts(name))
        self._look_again()

    def remove_list(self, tier: Decimal) -> None:
        self.lists[Tier(int(tier))] = None

    def add_open_list(self, ceiling: Decimal) -> None:
        self.open_list = an_open_list(ceiling=ceiling)

    def add_framework_open_list(self) -> None:
        self.open_list = an_open_list(spot=False)

    def add_spot_providers(self, names: tuple[str, ...]) -> None:
        for name in names:
            self.known[name] = some_facts(name, tiers=(), spot=True)

    def enable_rate_selection(self) -> None:
        self.rates_are_selected = True

    def select_rate(self, name: str, rate: Decimal) -> None:
        self._update_facts(name, rates=some_rates(name, str(rate)))

    def select_live_in_rate(self, name: str) -> None:
        rates = some_rates(name, "25.00")
        (selection,) = rates.selections
        (line,) = selection.rates
        other = line.model_copy(update={"service_type": ServiceType.LIVE_IN})
        selections = (selection.model_copy(update={"rates": (other,)}),)
        self._update_facts(name, rates=rates.model_copy(update={"selections": selections}))

    def set_channels(self, name: str, channels: str) -> None:
        self._update_facts(name, channels=tuple(_CHANNELS[channel] for channel in channels.split(", then ")))

    def remove_provider(self, name: str) -> None:
        self.known.pop(name, None)

    def drop_below_floor(self, name: str) -> None:
        self._update_eligibility(name, eligible=False, reasons=(PassOverReason.RATING_BELOW_FLOOR,))

    def set_membership(self, name: str, tier: Decimal) -> None:
        self.known[name] = some_facts(name, tiers=(Tier(int(tier)),))

    def introduce_provider(self, name: str) -> None:
        self._update_facts(name)

    def embargo(self, name: str) -> None:
        self._update_facts(name, embargoed=True)

    def lift_embargo(self, name: str) -> None:
        self._update_facts(name, embargoed=False)

    def declare_capacity(self, name: str, hours: Decimal) -> None:
        self._update_facts(name, free_hours=hours)

    def fail_requirement(self, name: str) -> None:
        self._update_eligibility(name, eligible=False)

    def remove_service_types(self, name: str) -> None:
        self._update_eligibility(name, service_types=())

    def set_rating(self, name: str, rating: str) -> None:
        self._update_eligibility(name, rating=Rating(rating))

    def refuse_providers(self, names: tuple[str, ...]) -> None:
        self.refused = names

    def prefer_providers(self, names: tuple[str, ...]) -> None:
        self.preferred = names

    def remove_definition(self) -> None:
        self.definition_is_known = False
        self._look_again()

    def publish_definition(self) -> None:
        self.definition_is_known = True
        self._look_again()

    def _update_facts(self, name: str, **changed: object) -> None:
        facts = self.known.get(name, some_facts(name))
        self.known[name] = replace(facts, **changed)  # pyright: ignore[reportArgumentType]  fields by their names
        self._look_again()

    def _update_eligibility(
        self, name: str, *, eligible: bool = True, reasons: tuple[PassOverReason, ...] = (), **changed: object
    ) -> None:
        """Changes what provider-registry says of a provider: its memberships, or `changed` as named."""
        known = self.known.get(name, some_facts(name)).eligibility
        assert known is not None, f"nothing is known of {name}"
        if not eligible:
            judged = {"eligible": False, "reasons": reasons}
            changed["memberships"] = tuple(each.model_copy(update=judged) for each in known.memberships)
        eligibility: EligibilityChanged = known.model_copy(update=changed)
        self._update_facts(name, eligibility=eligibility)

    # --- when

    @property
    def driver(self) -> SearchDriver:
        assert self._driver is not None, "no package was requested"
        return self._driver

    def advance_time(self, until: datetime) -> None:
        """All alarms before go off; of those at this very instant only the end of an offer comes before the rest."""
        self.at = until
        if self._driver is None:
            return
        self._fire_timers(
            lambda alarm: alarm.at < until or (alarm.at == until and alarm.kind is TimerKind.OFFER_EXPIRES)
        )
        self.driver.at = until

    def request_package(self) -> None:
        self._request(Urgency.ROUTINE)

    def request_urgent_package(self) -> None:
        self._request(Urgency.HOSPITAL_DISCHARGE)

    def withdraw_package(self) -> None:
        self._run_step(lambda: self.driver.handle(a_withdrawal()))

    def settle(self) -> None:
        """Nothing more happens, but for what is due."""
        self._fire_timers(lambda alarm: alarm.at <= self.driver.at)

    def receive_offer(self, name: str) -> None:
        self.check_live_offer(name)
        self._run_step(lambda: self.driver.deliver(channel=self.driver.live_offer.channel))

    def fail_delivery(self, name: str) -> None:
        self.check_live_offer(name)
        self._run_step(lambda: self.driver.fail_delivery(channel=self.driver.live_offer.channel))

    def accept(self, name: str) -> None:
        self._run_step(lambda: self.driver.accept(name))

    def decline(self, name: str) -> None:
        self._run_step(lambda: self.driver.decline(name))

    def record_call(self, name: str) -> None:
        self._record_call(name)

    def record_unanswered_call(self, name: str) -> None:
        self._record_call(name, reached=False)

    def accept_by_phone(self, name: str) -> None:
        self._record_call(name, Accept())

    def decline_by_phone(self, name: str) -> None:
        self._record_call(name, Decline(DeclineReason.RISK))

    def simulate_outage(self, until: datetime) -> None:
        """No alarm goes off before we are back."""
        self.driver.outages = (*self.driver.outages, Outage(self.driver.at, until))
        self.driver.at = until
        self._run_step(lambda: self.driver.handle(OutageOver()))

    def propose(self, name: str, rate: Decimal) -> None:
        self._run_step(lambda: self.driver.propose(name, str(rate)))

    def propose_other_times(self, name: str, rate: Decimal) -> None:
        self._run_step(lambda: self.driver.propose(name, str(rate), Variation.OTHER_TIMES))

    def award(self, officer: str, name: str) -> None:
        self._run_step(lambda: self.driver.award(name, officer=f"officer:{officer}"))

    def award_with_reason(self, officer: str, name: str) -> None:
        reason = InadequateReason.NO_OTHER_PROPOSAL
        self._run_step(lambda: self.driver.award(name, officer=f"officer:{officer}", inadequate_reason=reason))

    def approve_price(self, officer: str) -> None:
        self._run_step(lambda: self.driver.approve(officer=f"officer:{officer}"))

    def refuse_price(self, officer: str) -> None:
        award = self.driver.listing.award
        assert award is not None, "no award waits"
        proposal = self.driver.listing.find_proposal(award.proposal_id)
        assert proposal is not None, "an award is of a proposal"
        word = SpotPriceRefused(
            package_id=PACKAGE,
            award_id=award.award_id,
            proposal_id=award.proposal_id,
            provider_id=proposal.provider_id,
            officer=f"officer:{officer}",
            reason=SpotPriceRefusal.TOO_HIGH,
        )
        self._run_step(lambda: self.driver.handle(word))

    def _request(self, urgency: Urgency) -> None:
        self._driver = SearchDriver(self._build_market(), at=self.at)
        request = a_request(urgency=urgency, refused=self.refused, preferred=self.preferred)
        self._run_step(lambda: self.driver.handle(request))

    def _record_call(self, name: str, reply: ProviderAnswer | None = None, *, reached: bool = True) -> None:
        result = CallResult.REACHED if reached else CallResult.NOBODY_REACHED
        self._run_step(lambda: self.driver.record_call(name, result, reply=reply))

    def _look_again(self) -> None:
        """Something that is known has changed: who waits for it looks again."""
        if self._driver is not None:
            self.driver.market = self._build_market()
            self._run_step(lambda: self.driver.handle(_A_VIEW_MOVED))

    def _run_step(self, act: Callable[[], Step]) -> None:
        """Does it, keeps what the one who asked is told, and lets what is due at this instant follow."""
        try:
            self.result = _describe_outcome(act().outcome)
        except CallOffError as refusal:
            self.result = refusal.title
        self.settle()

    def _fire_timers(self, is_due: Callable[[ScheduledTimer], bool]) -> None:
        while due := [alarm for alarm in self.driver.timers.values() if is_due(alarm)]:
            first = min(due, key=lambda alarm: alarm.at)
            self.driver.fire_timer(first.kind, at=first.at)

    def _build_market(self) -> MarketSnapshot:
        lists = {tier: a_ranked_list(*names, tier=tier) for tier, names in self.lists.items() if names is not None}
        facts = {known.provider_id: known for known in self.known.values()}
        return MarketSnapshot(self._build_definition() if self.definition_is_known else None, lists, facts)

    def _build_definition(self) -> FrameworkDefinition:
        return a_definition(
            *sorted(self.lists), open_list=self.open_list, selected_by_providers=self.rates_are_selected
        )

    # --- then

    def check_answer_by(self, name: str, at: datetime) -> None:
        ended = self.driver.find_offer(name).answer_by
        assert ended == at, f"it ends {ended}"

    def check_channel(self, name: str, channel: str) -> None:
        goes = self.driver.find_offer(name).channel
        assert goes is _CHANNELS[channel], f"it goes by {goes}"

    def check_rate(self, name: str, rate: Decimal) -> None:
        terms = self.driver.find_offer(name).terms
        assert terms.rate == rate, f"it is at £{terms.rate}"

    def check_live_offer(self, name: str) -> None:
        live = self.driver.current.live_offer
        assert live is not None, "nobody has one"
        assert live.provider_id == to_provider_id(name), "somebody else has it"

    def check_no_live_offer(self) -> None:
        assert self.driver.current.live_offer is None, "somebody has one"

    def check_offer_made_at(self, name: str, at: datetime) -> None:
        made = self.driver.find_offer(name).made_at
        assert made == at, f"it was asked {made}"

    def check_offer_order(self, names: tuple[str, ...]) -> None:
        asked = [event.provider_id for event in self.driver.events if isinstance(event, OfferMade)]
        assert asked == [to_provider_id(name) for name in names], f"{len(asked)} were asked, or others"

    def check_passed_over(self, name: str, reasons: str) -> None:
        passed = [event for event in self.driver.events if isinstance(event, ProviderPassedOver)]
        found = [", ".join(event.reasons) for event in passed if event.provider_id == to_provider_id(name)]
        assert found == [reasons], f"the record says {found}"

    def check_turn_outcome(self, name: str, stage: str, outcome: str) -> None:
        turns = [turn for told in explain_stages(self.driver.events) if told.stage == stage for turn in told.turns]
        found = [turn.outcome for turn in turns if turn.provider_id == to_provider_id(name)]
        assert found == [outcome], f"the record says {found}"

    def check_placement(self, name: str) -> None:
        placement = self.driver.current.placement
        assert placement is not None, "it is placed with nobody"
        assert not placement.voided, "the placement is voided"
        assert placement.provider_id == to_provider_id(name), "it is placed with somebody else"

    def check_placement_rate(self, name: str, rate: Decimal) -> None:
        self.check_placement(name)
        placement = self.driver.current.placement
        assert placement is not None
        assert placement.terms.rate == rate, f"it is placed at £{placement.terms.rate}"

    def check_voided(self) -> None:
        placement = self.driver.current.placement
        assert placement is not None, "it was never placed"
        assert placement.voided, "it stands"

    def check_status(self, status: str) -> None:
        state = "open to all" if self.driver.current.status == "listed" else self.driver.current.status
        assert state == status, f"it is {state}"

    def check_result(self, words: str) -> None:
        assert self.result == words, f"told was: {self.result}"

    def check_work_item(self, what: str) -> None:
        item = find_work_item(self.driver.current)
        found = "nothing" if item is None else _WORK[type(item)]
        assert found == what, f"it says {found}"

    def check_missing(self, what: str) -> None:
        missing = [self._describe_missing(each) for each in self.driver.current.missing]
        assert missing == what.split(", "), f"it waits for {missing}"

    def check_extensions(self, times: Decimal) -> None:
        count = sum(isinstance(event, OfferExtended) for event in self.driver.events)
        assert count == times, f"it was {count} times"

    def check_no_repeated_end(self) -> None:
        for kind in (PackagePlaced, SourcingStopped):
            assert sum(isinstance(event, kind) for event in self.driver.events) <= 1, kind.__name__

    def _describe_missing(self, missing: str) -> str:
        """`the rates of Alder`"""
        view, _, key = missing.partition("/")
        names = {str(to_provider_id(name)): name for names in self.lists.values() for name in names or ()}
        named = next((names[each] for each in names if each in key), None)
        if named is not None:
            return f"the {view} of {named}"
        return {f"definitions/{FRAMEWORK}": "the definition"}.get(
            missing, missing.replace(f"ranked-lists/{FRAMEWORK}/{AREA}/", "the list of tier ")
        )


_A_VIEW_MOVED: Final[Trigger] = ProjectionUpdated()


def _describe_outcome(outcome: Outcome) -> str:  # noqa: PLR0911  a line for each outcome reads best
    """What the one who asked is told."""
    match outcome:
        case Done():
            return "nothing"
        case Placed():
            return "placed"
        case Declined():
            return "declined"
        case Proposed():
            return "the proposal stands"
        case AwaitsApproval():
            return "a second officer has to approve the price"
        case AnswerNotUsed(reason=reason, passed_over=against):
            return ": ".join([reason.value, *([", ".join(against)] if against else [])])
        case ProposalNotUsed(reasons=reasons):
            return ", ".join(reasons)
        case AwardBarred(reasons=reasons):
            return ", ".join(reasons)
