"""Maps each trigger to the function that decides on it. Decisions are pure, so the journal can replay each of them."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar

from contracts.events.competitions import CompetitionEnded
from contracts.events.offers import (
    AcceptanceReceived,
    OfferDeclined,
    OfferDelivered,
    OfferExpired,
    OfferUndeliverable,
    OfferWithdrawn,
)
from contracts.events.orders import SpotPriceApproved, SpotPriceRefused
from contracts.events.packages import PackageRequested, WithdrawalRequested
from contracts.events.searches import SourcingStopped
from contracts.ids import NewId
from sourcing.domain.answering import answer_offer, expire_offer, find_awaited_offer, record_call, start_answer_clock
from sourcing.domain.awarding import award_proposal
from sourcing.domain.changing_versions import change_version
from sourcing.domain.competitions.approvals import drop_after_refusal, place_after_approval
from sourcing.domain.competitions.awarding import award_bid
from sourcing.domain.competitions.bidding import submit_bid, withdraw_bid
from sourcing.domain.competitions.closing import close_competition
from sourcing.domain.competitions.ending import end_early
from sourcing.domain.competitions.errors import CompetitionNotFound
from sourcing.domain.competitions.extending import extend_open_competition
from sourcing.domain.competitions.questioning import answer_question, ask_question
from sourcing.domain.competitions.scoring import give_score
from sourcing.domain.competitions.triggers import (
    AnswerQuestion,
    AskQuestion,
    AwardBid,
    CompetitionCommand,
    CompetitionDue,
    EndCompetition,
    GiveScore,
    SubmitBid,
    WithdrawBid,
)
from sourcing.domain.draft import Draft
from sourcing.domain.errors import ListingNotFound, ListRowNotFound, OfferNotFound, PackageNotOpen
from sourcing.domain.evolution import begin_search
from sourcing.domain.list_cut_off import close_list_of_package, list_package_at_cut_off
from sourcing.domain.listing import add_to_next_list, report_overdue_listing
from sourcing.domain.market import MarketSnapshot
from sourcing.domain.offering import (
    continue_after_competition,
    continue_search,
    is_awaiting_next_step,
    resume_search,
    start_search,
)
from sourcing.domain.officers.assigning import assign_officer
from sourcing.domain.officers.commands import (
    AnswerCounterOffer,
    ApproveAct,
    AssignOfficer,
    DirectOffer,
    MakeCounterOffer,
    OfficerCommand,
    OverrideSuspension,
    PauseSearch,
    PlaceByHand,
    RefuseAct,
    ResourcePackage,
    ResumeSearch,
    SkipProvider,
    TakeUpTick,
    WithdrawAward,
)
from sourcing.domain.officers.countering import answer_counter_offer, make_counter_offer
from sourcing.domain.officers.deciding import approve_act, refuse_act
from sourcing.domain.officers.directing import direct_offer
from sourcing.domain.officers.overriding_suspensions import override_suspension
from sourcing.domain.officers.pausing import pause_search, resume_search_by_officer
from sourcing.domain.officers.placing_by_hand import place_by_hand
from sourcing.domain.officers.resourcing import resource_package
from sourcing.domain.officers.skipping import skip_provider
from sourcing.domain.officers.taking_up_ticks import take_up_tick
from sourcing.domain.officers.withdrawing_awards import withdraw_waiting_award
from sourcing.domain.outages import extend_live_offers, finish_outage
from sourcing.domain.proclaimed_holidays import extend_for_proclaimed_holidays
from sourcing.domain.proposing import submit_proposal
from sourcing.domain.redirecting import redirect_overdue_offer, redirect_undeliverable_offer
from sourcing.domain.search import Search
from sourcing.domain.steps import Result, Step
from sourcing.domain.stopping import stop_search
from sourcing.domain.ticking import register_interest
from sourcing.domain.timers import plan_timers
from sourcing.domain.triggers import (
    AnswerOffer,
    AwardProposal,
    ChangeVersion,
    DeliveryOverdue,
    ListCloses,
    ListCutOff,
    ListGoesOut,
    ListingOverdue,
    NextOfferDue,
    OfferExpiryDue,
    Outage,
    OutageOver,
    ProjectionUpdated,
    RecordCall,
    RegisterInterest,
    SubmitProposal,
    Trigger,
)

TriggerT = TypeVar("TriggerT", bound=Trigger)
# `_on` checks a function against its trigger; a table of many triggers can only say Any.
Decision = Callable[[Draft, Any], Result]


def _on(trigger: type[TriggerT], decision: Callable[[Draft, TriggerT], Result]) -> tuple[type[object], Decision]:
    return trigger, decision


DECISIONS: Final[Mapping[type[object], Decision]] = dict(
    (
        # Events
        _on(PackageRequested, start_search),
        _on(OfferDelivered, start_answer_clock),
        _on(OfferUndeliverable, redirect_undeliverable_offer),
        _on(AcceptanceReceived, continue_search),
        _on(OfferDeclined, continue_search),
        _on(OfferExpired, continue_search),
        _on(OfferWithdrawn, continue_search),
        _on(CompetitionEnded, continue_after_competition),
        _on(SpotPriceApproved, place_after_approval),
        _on(SpotPriceRefused, drop_after_refusal),
        _on(WithdrawalRequested, stop_search),
        # Timers
        _on(OfferExpiryDue, expire_offer),
        _on(DeliveryOverdue, redirect_overdue_offer),
        _on(NextOfferDue, resume_search),
        _on(ListingOverdue, report_overdue_listing),
        _on(ListCutOff, list_package_at_cut_off),
        _on(ListCloses, close_list_of_package),
        _on(ListGoesOut, add_to_next_list),
        _on(CompetitionDue, close_competition),
        _on(OutageOver, finish_outage),
        _on(ProjectionUpdated, resume_search),
        # Commands
        _on(AnswerOffer, answer_offer),
        _on(RecordCall, record_call),
        _on(RegisterInterest, register_interest),
        _on(SubmitProposal, submit_proposal),
        _on(AwardProposal, award_proposal),
        _on(ChangeVersion, change_version),
        # Commands of officers
        _on(PauseSearch, pause_search),
        _on(ResumeSearch, resume_search_by_officer),
        _on(SkipProvider, skip_provider),
        _on(DirectOffer, direct_offer),
        _on(TakeUpTick, take_up_tick),
        _on(OverrideSuspension, override_suspension),
        _on(PlaceByHand, place_by_hand),
        _on(ApproveAct, approve_act),
        _on(RefuseAct, refuse_act),
        _on(ResourcePackage, resource_package),
        _on(WithdrawAward, withdraw_waiting_award),
        _on(AssignOfficer, assign_officer),
        _on(MakeCounterOffer, make_counter_offer),
        _on(AnswerCounterOffer, answer_counter_offer),
        _on(AskQuestion, ask_question),
        _on(AnswerQuestion, answer_question),
        _on(SubmitBid, submit_bid),
        _on(WithdrawBid, withdraw_bid),
        _on(GiveScore, give_score),
        _on(AwardBid, award_bid),
        _on(EndCompetition, end_early),
    )
)


def decide(
    search: Search | None,
    trigger: Trigger,
    *,
    market: MarketSnapshot,
    at: datetime,
    new_id: NewId,
    outages: Sequence[Outage] = (),
) -> Step:
    """Decide the next step of a search. The same arguments give the same step, ids included.

    `outages` are those since the first live offer was made or the competition opened; the time to answer is extended
    by them first, and by bank holidays that were proclaimed since. Raises NotFound
    and Conflict (`errors`) for commands that cannot be carried out, and MarketNotKnown where a definition or an
    eligibility that the decision needs is missing.
    """
    current = search
    if current is None:
        if not isinstance(trigger, PackageRequested):
            return _decide_without_search(trigger)
        current = begin_search(trigger, at)
    draft = Draft(current, market, at, new_id, before=search)
    extend_for_proclaimed_holidays(draft)
    extend_live_offers(draft, outages)
    extend_open_competition(draft, outages)
    result = DECISIONS[type(trigger)](draft, trigger)
    return Step(draft.search, tuple(draft.events), plan_timers(draft, result), result.outcome)


def is_stale(search: Search, trigger: Trigger) -> bool:
    """Return whether `trigger` changes nothing, whatever the market; `decide` would return the search unchanged.

    The most frequent case is an event about an offer that has ended: providers' systems often answer before
    OfferDelivered arrives.
    """
    if search.live_offers:
        return False
    match trigger:
        case OfferDelivered():
            return find_awaited_offer(search, trigger) is None
        case AcceptanceReceived() | OfferDeclined() | OfferExpired() | OfferWithdrawn():
            return not is_awaiting_next_step(search, trigger)
        case _:
            return False


def _decide_without_search(trigger: Trigger) -> Step:
    """Answer a withdrawal of a package that was never requested; refuse commands about it; ignore the rest."""
    if isinstance(trigger, CompetitionCommand):
        raise CompetitionNotFound
    match trigger:
        case WithdrawalRequested():
            return Step(None, (SourcingStopped(package_id=trigger.package_id, search_id=None),))
        case AnswerOffer() | RecordCall():
            raise OfferNotFound
        case SubmitProposal() | AnswerCounterOffer():
            raise ListingNotFound
        case RegisterInterest():
            raise ListRowNotFound
        case _ if isinstance(trigger, AwardProposal | ChangeVersion | OfficerCommand):
            raise PackageNotOpen("this package was never requested here; look its id up in the work list")
        case _:
            return Step(None)
