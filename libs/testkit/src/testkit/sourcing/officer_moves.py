"""The moves of officers in a random search: each chooses a command from a search's state and a random number."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from contracts.example_words import InadequateReasons, OfficerReasons, Tiers
from contracts.ids import ActId, AwardId, CounterOfferId, ProposalId
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
from testkit.sourcing.builders import PACKAGE, to_provider_id
from testkit.sourcing.search_driver import SearchDriver
from testkit.sourcing.search_moves import NAMES, OFFICERS, SPOT_NAMES

REASON: Final = OfficerReasons.OTHER
NOTHING: Final = UUID(int=0)
"""The id of an act, award or proposal that no search has."""


def _pause(_: SearchDriver, pick: int) -> OfficerCommand:
    return PauseSearch(PACKAGE, OFFICERS[pick % 2], REASON)


def _resume(_: SearchDriver, pick: int) -> OfficerCommand:
    return ResumeSearch(PACKAGE, OFFICERS[pick % 2], REASON)


def _skip(_: SearchDriver, pick: int) -> OfficerCommand:
    provider = None if pick % 6 == 5 else to_provider_id(NAMES[pick % 5])
    return SkipProvider(PACKAGE, OFFICERS[pick % 2], REASON, provider)


def _direct(_: SearchDriver, pick: int) -> OfficerCommand:
    tier = (None, Tiers.ONE, Tiers.TWO)[pick % 3]
    return DirectOffer(PACKAGE, to_provider_id(NAMES[pick % 5]), OFFICERS[pick % 2], REASON, tier=tier)


def _take_up_tick(_: SearchDriver, pick: int) -> OfficerCommand:
    return TakeUpTick(PACKAGE, to_provider_id(NAMES[pick % 5]), OFFICERS[pick % 2], REASON)


def _override_suspension(_: SearchDriver, pick: int) -> OfficerCommand:
    return OverrideSuspension(PACKAGE, OFFICERS[pick % 2], REASON)


def _place(_: SearchDriver, pick: int) -> OfficerCommand:
    name = (*NAMES, *SPOT_NAMES)[pick % 7]
    rate = Decimal(("24.00", "29.00", "31.00")[pick % 3])
    reason = InadequateReasons.CONTINUITY if pick % 2 else None
    return PlaceByHand(PACKAGE, to_provider_id(name), rate, OFFICERS[pick % 2], REASON, reason)


def _pick_act(driver: SearchDriver, pick: int) -> ActId:
    pending = driver.current.acts.pending
    return pending[pick // 2 % len(pending)].act_id if pending else ActId(NOTHING)


def _approve(driver: SearchDriver, pick: int) -> OfficerCommand:
    return ApproveAct(PACKAGE, _pick_act(driver, pick), OFFICERS[pick % 2])


def _refuse(driver: SearchDriver, pick: int) -> OfficerCommand:
    return RefuseAct(PACKAGE, _pick_act(driver, pick), OFFICERS[pick % 2])


def _resource(_: SearchDriver, pick: int) -> OfficerCommand:
    stage = (None, None, "tier-1", "tier-2", "available", "all")[pick % 6]
    return ResourcePackage(PACKAGE, OFFICERS[pick % 2], REASON, stage)


def _withdraw_award(driver: SearchDriver, pick: int) -> OfficerCommand:
    listing = driver.current.listing
    award = listing.award.award_id if listing is not None and listing.award is not None else AwardId(NOTHING)
    return WithdrawAward(PACKAGE, award, OFFICERS[pick % 2], REASON)


def _assign(_: SearchDriver, pick: int) -> OfficerCommand:
    return AssignOfficer(PACKAGE, (None, *OFFICERS)[pick % 3], OFFICERS[pick % 2])


def _counter(driver: SearchDriver, pick: int) -> OfficerCommand:
    proposals = driver.current.listing.proposals if driver.current.listing is not None else ()
    proposal = proposals[pick % len(proposals)].proposal_id if proposals else ProposalId(NOTHING)
    until = driver.at + timedelta(minutes=(20, 2_000)[pick % 2])
    return MakeCounterOffer(PACKAGE, proposal, Decimal("28.50"), until, OFFICERS[pick % 2], REASON)


def _answer_counter_offer(driver: SearchDriver, pick: int) -> OfficerCommand:
    made = driver.current.listing.counter_offers if driver.current.listing is not None else ()
    if not made:
        provider = to_provider_id(SPOT_NAMES[0])
        return AnswerCounterOffer(PACKAGE, CounterOfferId(NOTHING), provider, accepts=True)
    offer, officer = made[pick % len(made)], OFFICERS[0] if pick % 3 == 0 else None
    return AnswerCounterOffer(
        PACKAGE, offer.counter_offer_id, offer.provider_id, accepts=bool(pick % 2), entered_by=officer
    )


OFFICER_MOVES: Final[Sequence[Callable[[SearchDriver, int], OfficerCommand]]] = (
    _pause,
    _resume,
    _resume,
    _skip,
    _skip,
    _direct,
    _direct,
    _take_up_tick,
    _override_suspension,
    _place,
    _approve,
    _approve,
    _approve,
    _refuse,
    _resource,
    _resource,
    _withdraw_award,
    _assign,
    _counter,
    _counter,
    _answer_counter_offer,
    _answer_counter_offer,
)
