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
from sourcing.domain.explanation import explain
from sourcing.domain.market import Market, ProviderFacts
from sourcing.domain.progress import (
    AwardToApprove,
    CallToMake,
    ExhaustedSearch,
    HeldSearch,
    NobodyProposes,
    ProposalsToDecide,
    work_item,
)
from sourcing.domain.search import Accept, Decline, Reply
from sourcing.domain.steps import (
    Alarm,
    AlarmKind,
    AwaitsApproval,
    Barred,
    Declined,
    Done,
    Late,
    NotTaken,
    Outcome,
    Placed,
    Proposed,
    Step,
)
from sourcing.domain.triggers import Happening, Outage, OutageOver, Retry
from testkit.sourcing.builders import (
    A_MONDAY,
    AREA,
    FRAMEWORK,
    PACKAGE,
    Story,
    a_definition,
    a_ranked_list,
    a_request,
    a_withdrawal,
    an_open_list,
    facts_about,
    provider,
    selected_rates,
)
from testkit.sourcing.scenario_tables import Diary

_WORK: Final = {
    ExhaustedSearch: "exhausted",
    HeldSearch: "held",
    CallToMake: "call to make",
    AwardToApprove: "price to approve",
    ProposalsToDecide: "proposals to decide",
    NobodyProposes: "nobody proposes",
}
_CHANNELS: Final = {"telephone": Channel.PHONE, "email": Channel.EMAIL, "webhook": Channel.WEBHOOK}


@dataclass
class Telling:
    """One scenario. The package needs ten hours of personal care a week; everybody may have it, save as said."""

    diary: Diary = field(default_factory=lambda: Diary.of_week(A_MONDAY))
    lists: dict[Tier, tuple[str, ...] | None] = field(default_factory=dict[Tier, tuple[str, ...] | None])
    known: dict[str, ProviderFacts] = field(default_factory=dict[str, ProviderFacts])
    refused: tuple[str, ...] = ()
    preferred: tuple[str, ...] = ()
    open_list: OpenList | None = None
    rates_are_selected: bool = False
    definition_is_known: bool = True
    at: datetime | None = None
    told: str = "nothing"
    _story: Story | None = None

    # --- given

    def ranks(self, tier: Decimal, names: tuple[str, ...]) -> None:
        self.lists[Tier(int(tier))] = names
        for name in names:
            self.known.setdefault(name, facts_about(name))
        self._changes()

    def lacks_list(self, tier: Decimal) -> None:
        self.lists[Tier(int(tier))] = None

    def has_open_list(self, ceiling: Decimal) -> None:
        self.open_list = an_open_list(ceiling=ceiling)

    def has_open_list_for_framework(self) -> None:
        self.open_list = an_open_list(spot=False)

    def sell_spot(self, names: tuple[str, ...]) -> None:
        for name in names:
            self.known[name] = facts_about(name, tiers=(), spot=True)

    def select_rates(self) -> None:
        self.rates_are_selected = True

    def has_selected(self, name: str, rate: Decimal) -> None:
        self._know(name, rates=selected_rates(name, str(rate)))

    def has_selected_for_live_in(self, name: str) -> None:
        rates = selected_rates(name, "25.00")
        (selection,) = rates.selections
        (line,) = selection.rates
        other = line.model_copy(update={"service_type": ServiceType.LIVE_IN})
        selections = (selection.model_copy(update={"rates": (other,)}),)
        self._know(name, rates=rates.model_copy(update={"selections": selections}))

    def is_reached_by(self, name: str, channels: str) -> None:
        self._know(name, channels=tuple(_CHANNELS[channel] for channel in channels.split(", then ")))

    def is_unknown(self, name: str) -> None:
        self.known.pop(name, None)

    def drops_below_floor(self, name: str) -> None:
        self._judge(name, eligible=False, reasons=(PassOverReason.RATING_BELOW_FLOOR,))

    def is_member_of(self, name: str, tier: Decimal) -> None:
        self.known[name] = facts_about(name, tiers=(Tier(int(tier)),))

    def is_introduced(self, name: str) -> None:
        self._know(name)

    def is_embargoed(self, name: str) -> None:
        self._know(name, embargoed=True)

    def is_free_of_embargo(self, name: str) -> None:
        self._know(name, embargoed=False)

    def has_free(self, name: str, hours: Decimal) -> None:
        self._know(name, free_hours=hours)

    def misses_requirement(self, name: str) -> None:
        self._judge(name, eligible=False)

    def lacks_service(self, name: str) -> None:
        self._judge(name, service_types=())

    def is_rated(self, name: str, rating: str) -> None:
        self._judge(name, rating=Rating(rating))

    def are_refused(self, names: tuple[str, ...]) -> None:
        self.refused = names

    def are_preferred(self, names: tuple[str, ...]) -> None:
        self.preferred = names

    def lacks_definition(self) -> None:
        self.definition_is_known = False
        self._changes()

    def has_definition(self) -> None:
        self.definition_is_known = True
        self._changes()

    def _know(self, name: str, **changed: object) -> None:
        facts = self.known.get(name, facts_about(name))
        self.known[name] = replace(facts, **changed)  # pyright: ignore[reportArgumentType]  fields by their names
        self._changes()

    def _judge(
        self, name: str, *, eligible: bool = True, reasons: tuple[PassOverReason, ...] = (), **changed: object
    ) -> None:
        """Changes what provider-registry says of a provider: its memberships, or `changed` as named."""
        known = self.known.get(name, facts_about(name)).eligibility
        assert known is not None, f"nothing is known of {name}"
        if not eligible:
            judged = {"eligible": False, "reasons": reasons}
            changed["memberships"] = tuple(each.model_copy(update=judged) for each in known.memberships)
        eligibility: EligibilityChanged = known.model_copy(update=changed)
        self._know(name, eligibility=eligibility)

    # --- when

    @property
    def story(self) -> Story:
        assert self._story is not None, "no package was requested"
        return self._story

    def passes_time(self, until: datetime) -> None:
        """All alarms before go off; of those at this very instant only the end of an offer comes before the rest."""
        self.at = until
        if self._story is None:
            return
        self._ring(lambda alarm: alarm.at < until or (alarm.at == until and alarm.kind is AlarmKind.OFFER_EXPIRES))
        self.story.at = until

    def is_requested(self) -> None:
        self._request(Urgency.ROUTINE)

    def is_requested_urgently(self) -> None:
        self._request(Urgency.HOSPITAL_DISCHARGE)

    def is_withdrawn(self) -> None:
        self._try(lambda: self.story.happens(a_withdrawal()))

    def rests(self) -> None:
        """Nothing more happens, but for what is due."""
        self._ring(lambda alarm: alarm.at <= self.story.at)

    def receives(self, name: str) -> None:
        self.is_live(name)
        self._try(lambda: self.story.delivered(channel=self.story.live_offer.channel))

    def is_not_delivered(self, name: str) -> None:
        self.is_live(name)
        self._try(lambda: self.story.undeliverable(channel=self.story.live_offer.channel))

    def accepts(self, name: str) -> None:
        self._try(lambda: self.story.accepts(name))

    def declines(self, name: str) -> None:
        self._try(lambda: self.story.declines(name))

    def is_called(self, name: str) -> None:
        self._call(name)

    def is_called_in_vain(self, name: str) -> None:
        self._call(name, reached=False)

    def accepts_on_phone(self, name: str) -> None:
        self._call(name, Accept())

    def declines_on_phone(self, name: str) -> None:
        self._call(name, Decline(DeclineReason.RISK))

    def goes_down(self, until: datetime) -> None:
        """No alarm goes off before we are back."""
        self.story.outages = (*self.story.outages, Outage(self.story.at, until))
        self.story.at = until
        self._try(lambda: self.story.happens(OutageOver()))

    def proposes(self, name: str, rate: Decimal) -> None:
        self._try(lambda: self.story.proposes(name, str(rate)))

    def proposes_other_times(self, name: str, rate: Decimal) -> None:
        self._try(lambda: self.story.proposes(name, str(rate), Variation.OTHER_TIMES))

    def awards(self, officer: str, name: str) -> None:
        self._try(lambda: self.story.awards(name, officer=f"officer:{officer}"))

    def awards_inadequate(self, officer: str, name: str) -> None:
        reason = InadequateReason.NO_OTHER_PROPOSAL
        self._try(lambda: self.story.awards(name, officer=f"officer:{officer}", inadequate_reason=reason))

    def approves(self, officer: str) -> None:
        self._try(lambda: self.story.approved(officer=f"officer:{officer}"))

    def refuses(self, officer: str) -> None:
        award = self.story.listing.award
        assert award is not None, "no award waits"
        proposal = self.story.listing.proposal(award.proposal_id)
        assert proposal is not None, "an award is of a proposal"
        word = SpotPriceRefused(
            package_id=PACKAGE,
            award_id=award.award_id,
            proposal_id=award.proposal_id,
            provider_id=proposal.provider_id,
            officer=f"officer:{officer}",
            reason=SpotPriceRefusal.TOO_HIGH,
        )
        self._try(lambda: self.story.happens(word))

    def _request(self, urgency: Urgency) -> None:
        self._story = Story(self._market(), at=self.at)
        request = a_request(urgency=urgency, refused=self.refused, preferred=self.preferred)
        self._try(lambda: self.story.happens(request))

    def _call(self, name: str, reply: Reply | None = None, *, reached: bool = True) -> None:
        result = CallResult.REACHED if reached else CallResult.NOBODY_REACHED
        self._try(lambda: self.story.called(name, result, reply=reply))

    def _changes(self) -> None:
        """Something that is known has changed: who waits for it looks again."""
        if self._story is not None:
            self.story.market = self._market()
            self._try(lambda: self.story.happens(_A_VIEW_MOVED))

    def _try(self, act: Callable[[], Step]) -> None:
        """Does it, keeps what the one who asked is told, and lets what is due at this instant follow."""
        try:
            self.told = _said(act().outcome)
        except CallOffError as refusal:
            self.told = refusal.title
        self.rests()

    def _ring(self, is_due: Callable[[Alarm], bool]) -> None:
        while due := [alarm for alarm in self.story.alarms.values() if is_due(alarm)]:
            first = min(due, key=lambda alarm: alarm.at)
            self.story.rings(first.kind, at=first.at)

    def _market(self) -> Market:
        lists = {tier: a_ranked_list(*names, tier=tier) for tier, names in self.lists.items() if names is not None}
        facts = {known.provider_id: known for known in self.known.values()}
        return Market(self._definition() if self.definition_is_known else None, lists, facts)

    def _definition(self) -> FrameworkDefinition:
        return a_definition(
            *sorted(self.lists), open_list=self.open_list, selected_by_providers=self.rates_are_selected
        )

    # --- then

    def ends(self, name: str, at: datetime) -> None:
        ended = self.story.offer_to(name).answer_by
        assert ended == at, f"it ends {ended}"

    def goes_by(self, name: str, channel: str) -> None:
        goes = self.story.offer_to(name).channel
        assert goes is _CHANNELS[channel], f"it goes by {goes}"

    def is_at(self, name: str, rate: Decimal) -> None:
        terms = self.story.offer_to(name).terms
        assert terms.rate == rate, f"it is at £{terms.rate}"

    def is_live(self, name: str) -> None:
        live = self.story.known.live_offer
        assert live is not None, "nobody has one"
        assert live.provider_id == provider(name), "somebody else has it"

    def nobody_has_offer(self) -> None:
        assert self.story.known.live_offer is None, "somebody has one"

    def was_asked(self, name: str, at: datetime) -> None:
        made = self.story.offer_to(name).made_at
        assert made == at, f"it was asked {made}"

    def were_asked(self, names: tuple[str, ...]) -> None:
        asked = [event.provider_id for event in self.story.events if isinstance(event, OfferMade)]
        assert asked == [provider(name) for name in names], f"{len(asked)} were asked, or others"

    def was_passed_over(self, name: str, reasons: str) -> None:
        passed = [event for event in self.story.events if isinstance(event, ProviderPassedOver)]
        found = [", ".join(event.reasons) for event in passed if event.provider_id == provider(name)]
        assert found == [reasons], f"the record says {found}"

    def came_out(self, name: str, stage: str, outcome: str) -> None:
        turns = [turn for told in explain(self.story.events) if told.stage == stage for turn in told.turns]
        found = [turn.outcome for turn in turns if turn.provider_id == provider(name)]
        assert found == [outcome], f"the record says {found}"

    def is_placed(self, name: str) -> None:
        placement = self.story.known.placement
        assert placement is not None, "it is placed with nobody"
        assert not placement.voided, "the placement is voided"
        assert placement.provider_id == provider(name), "it is placed with somebody else"

    def is_placed_at(self, name: str, rate: Decimal) -> None:
        self.is_placed(name)
        placement = self.story.known.placement
        assert placement is not None
        assert placement.terms.rate == rate, f"it is placed at £{placement.terms.rate}"

    def is_voided(self) -> None:
        placement = self.story.known.placement
        assert placement is not None, "it was never placed"
        assert placement.voided, "it stands"

    def is_in_state(self, status: str) -> None:
        state = "open to all" if self.story.known.status == "listed" else self.story.known.status
        assert state == status, f"it is {state}"

    def was_told(self, words: str) -> None:
        assert self.told == words, f"told was: {self.told}"

    def has_work(self, what: str) -> None:
        item = work_item(self.story.known)
        found = "nothing" if item is None else _WORK[type(item)]
        assert found == what, f"it says {found}"

    def is_held_for(self, what: str) -> None:
        missing = [self._in_words(each) for each in self.story.known.missing]
        assert missing == what.split(", "), f"it waits for {missing}"

    def was_extended(self, times: Decimal) -> None:
        count = sum(isinstance(event, OfferExtended) for event in self.story.events)
        assert count == times, f"it was {count} times"

    def happened_once(self) -> None:
        for kind in (PackagePlaced, SourcingStopped):
            assert sum(isinstance(event, kind) for event in self.story.events) <= 1, kind.__name__

    def _in_words(self, missing: str) -> str:
        """`the rates of Alder`"""
        view, _, key = missing.partition("/")
        names = {str(provider(name)): name for names in self.lists.values() for name in names or ()}
        named = next((names[each] for each in names if each in key), None)
        if named is not None:
            return f"the {view} of {named}"
        return {f"definitions/{FRAMEWORK}": "the definition"}.get(
            missing, missing.replace(f"ranked-lists/{FRAMEWORK}/{AREA}/", "the list of tier ")
        )


_A_VIEW_MOVED: Final[Happening] = Retry()


def _said(outcome: Outcome) -> str:  # noqa: PLR0911  a line for each outcome reads best
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
        case Late(reason=reason, passed_over=against):
            return ": ".join([reason.value, *([", ".join(against)] if against else [])])
        case NotTaken(reasons=reasons):
            return ", ".join(reasons)
        case Barred(reasons=reasons):
            return ", ".join(reasons)
