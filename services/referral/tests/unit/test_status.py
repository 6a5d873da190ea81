"""The status and history of a referral after events, in any order of producers."""

from datetime import UTC, datetime
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.events.base import PackageEvent
from contracts.events.competitions import CompetitionEnded, CompetitionOpened
from contracts.events.listings import (
    AwardAwaitsApproval,
    AwardRefused,
    PackageListed,
    ProposalAwarded,
    ProposalReceived,
    StillListed,
)
from contracts.events.offers import OfferClockStarted, OfferDeclined, OfferExpired, OfferMade, OfferWithdrawn
from contracts.events.packages import PackageRequested, PackageWithdrawn, PersonDisclosed, WithdrawalRequested
from contracts.events.searches import (
    PackagePlaced,
    PlacementVoided,
    SourcingExhausted,
    SourcingHeld,
    SourcingStarted,
    SourcingStopped,
    StageEntered,
)
from contracts.example_words import WithdrawalReasons
from referral.domain.referral import HistoryKind, Referral, Status, build_history_entry, find_next_status
from referral.subscriptions import SUBSCRIPTIONS
from testkit.clocks import MONDAY_NINE
from testkit.referral.builders import a_referral, build_event, to_provider_id

SUBSCRIBED_EVENTS = [
    subscription.event for subscription in SUBSCRIPTIONS if issubclass(subscription.event, PackageEvent)
]
OWN_EVENTS: list[type[PackageEvent]] = [PackageRequested, WithdrawalRequested, PackageWithdrawn, PersonDisclosed]


def apply_events(*events: type[PackageEvent]) -> Referral:
    return reduce(lambda referral, event: referral.apply(build_event(event)), events, a_referral())


@pytest.mark.parametrize(
    ("story", "status"),
    [
        ([], Status.REQUESTED),
        ([SourcingStarted], Status.SOURCING),
        ([SourcingHeld], Status.HELD),
        ([SourcingHeld, SourcingStarted, StageEntered], Status.SOURCING),
        ([SourcingStarted, StageEntered, OfferMade, OfferDeclined], Status.SOURCING),
        ([SourcingStarted, StageEntered, OfferMade, OfferExpired, SourcingExhausted], Status.EXHAUSTED),
        ([SourcingExhausted, OfferMade], Status.SOURCING),
        ([SourcingStarted, OfferExpired, PackageListed], Status.LISTED),
        ([PackageListed, StillListed, ProposalReceived], Status.LISTED),
        ([PackageListed, AwardAwaitsApproval, AwardRefused], Status.LISTED),
        ([PackageListed, ProposalAwarded, PackagePlaced], Status.PLACED),
        ([PackageListed, WithdrawalRequested, StillListed], Status.WITHDRAWAL_REQUESTED),
        ([PackageListed, OfferMade], Status.SOURCING),
        ([SourcingStarted, OfferMade, PackagePlaced], Status.PLACED),
        ([PackagePlaced, PersonDisclosed], Status.PLACED),
        ([PackagePlaced, WithdrawalRequested], Status.WITHDRAWAL_REQUESTED),
        ([PackagePlaced, WithdrawalRequested, PlacementVoided, PackageWithdrawn], Status.WITHDRAWN),
        ([WithdrawalRequested, PackagePlaced], Status.WITHDRAWAL_REQUESTED),
        ([WithdrawalRequested, SourcingStopped], Status.WITHDRAWAL_REQUESTED),
        ([WithdrawalRequested, SourcingStopped, PackageWithdrawn], Status.WITHDRAWN),
        ([WithdrawalRequested, SourcingStopped, PackageWithdrawn, SourcingStarted], Status.WITHDRAWN),
        ([OfferMade, WithdrawalRequested, OfferWithdrawn], Status.WITHDRAWAL_REQUESTED),
    ],
)
def test_the_status_follows_the_last_relevant_event(story: list[type[PackageEvent]], status: Status) -> None:
    assert apply_events(*story).status is status


def test_a_stop_of_a_search_that_never_started_is_accepted() -> None:
    stopped = build_event(SourcingStopped, search_id=None)
    assert apply_events(WithdrawalRequested).apply(stopped).status is Status.WITHDRAWAL_REQUESTED


def test_only_a_current_placement_has_a_provider() -> None:
    placed = a_referral().apply(build_event(PackagePlaced, provider_id=to_provider_id("Alder")))
    assert placed.placed_with == to_provider_id("Alder")
    assert placed.apply(build_event(PlacementVoided)).placed_with is None


def test_the_reason_of_a_withdrawal_is_stored() -> None:
    requested = build_event(WithdrawalRequested, reason=WithdrawalReasons.FAMILY_WILL_CARE)
    assert a_referral().apply(requested).withdrawal_reason == WithdrawalReasons.FAMILY_WILL_CARE


def test_a_withdrawal_without_a_reason_cannot_be_built() -> None:
    with pytest.raises(ValueError, match="needs a reason"):
        a_referral(status=Status.WITHDRAWAL_REQUESTED)


@pytest.mark.parametrize(("at", "started"), [("2026-03-08T23:59:59+00:00", False), ("2026-03-09T00:00:00+00:00", True)])
def test_care_has_started_if_it_is_placed_and_the_start_date_has_come(at: str, started: bool) -> None:
    instant = datetime.fromisoformat(at).astimezone(UTC)
    assert apply_events(PackagePlaced).has_care_started(at=instant) is started
    assert not a_referral().has_care_started(at=instant)


@given(st.lists(st.sampled_from([*SUBSCRIBED_EVENTS, *OWN_EVENTS])))
def test_withdrawn_is_final_in_any_order_of_events(story: list[type[PackageEvent]]) -> None:
    referral = apply_events(*story)
    assert (referral.status is Status.WITHDRAWN) == (PackageWithdrawn in story)
    assert referral.is_open == (referral.status is not Status.WITHDRAWN)


@pytest.mark.parametrize("event", [*SUBSCRIBED_EVENTS, *OWN_EVENTS])
def test_every_event_of_a_referral_has_a_history_entry(event: type[PackageEvent]) -> None:
    entry = build_history_entry(build_event(event), at=MONDAY_NINE)
    assert entry.at == MONDAY_NINE
    assert entry.provider_id == getattr(build_event(event), "provider_id", None)


def test_every_history_kind_belongs_to_an_event() -> None:
    assert {
        build_history_entry(build_event(event), at=MONDAY_NINE).kind for event in [*SUBSCRIBED_EVENTS, *OWN_EVENTS]
    } == set(HistoryKind)


def test_an_unrelated_event_does_not_change_the_status() -> None:
    assert find_next_status(Status.SOURCING, build_event(OfferClockStarted)) is Status.SOURCING


def test_a_package_that_was_held_is_sourced_again_when_a_competition_opens() -> None:
    status = find_next_status(Status.HELD, build_event(CompetitionOpened))
    assert status is Status.SOURCING
    assert find_next_status(status, build_event(CompetitionEnded)) is Status.SOURCING
