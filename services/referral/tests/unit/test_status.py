"""Where a referral stands, folded from what is heard, whichever producer's event comes first."""

from datetime import UTC, datetime
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.events.base import PackageEvent
from contracts.events.listings import (
    AwardAwaitsApproval,
    AwardRefused,
    PackageListed,
    ProposalAwarded,
    ProposalReceived,
    StillListed,
)
from contracts.events.packages import (
    OfferClockStarted,
    OfferDeclined,
    OfferExpired,
    OfferMade,
    OfferWithdrawn,
    PackagePlaced,
    PackageRequested,
    PackageWithdrawn,
    PersonDisclosed,
    PlacementVoided,
    SourcingExhausted,
    SourcingHeld,
    SourcingStarted,
    SourcingStopped,
    StageEntered,
    WithdrawalRequested,
)
from contracts.values import WithdrawalReason
from referral.domain.referral import Referral, Status, What, build_history_entry, find_next_status
from referral.subscriptions import SUBSCRIPTIONS
from testkit.clocks import MONDAY_NINE
from testkit.referral.builders import a_provider_id, a_referral, build_event

HEARD = [each.event for each in SUBSCRIPTIONS if issubclass(each.event, PackageEvent)]
OWN: list[type[PackageEvent]] = [PackageRequested, WithdrawalRequested, PackageWithdrawn, PersonDisclosed]


def told(*events: type[PackageEvent]) -> Referral:
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
def test_the_last_thing_that_matters_says_where_it_stands(story: list[type[PackageEvent]], status: Status) -> None:
    assert told(*story).status is status


def test_a_stop_is_taken_in_for_a_search_that_never_started() -> None:
    stopped = build_event(SourcingStopped, search_id=None)
    assert told(WithdrawalRequested).apply(stopped).status is Status.WITHDRAWAL_REQUESTED


def test_only_a_standing_placement_names_a_provider() -> None:
    placed = a_referral().apply(build_event(PackagePlaced, provider_id=a_provider_id("Alder")))
    assert placed.placed_with == a_provider_id("Alder")
    assert placed.apply(build_event(PlacementVoided)).placed_with is None


def test_the_reason_of_a_withdrawal_is_kept() -> None:
    asked = build_event(WithdrawalRequested, reason=WithdrawalReason.FAMILY_WILL_CARE)
    assert a_referral().apply(asked).withdrawal_reason is WithdrawalReason.FAMILY_WILL_CARE


def test_a_withdrawal_without_a_reason_cannot_be_built() -> None:
    with pytest.raises(ValueError, match="for a reason"):
        a_referral(status=Status.WITHDRAWAL_REQUESTED)


@pytest.mark.parametrize(("at", "started"), [("2026-03-08T23:59:59+00:00", False), ("2026-03-09T00:00:00+00:00", True)])
def test_care_has_started_when_it_is_placed_and_the_day_has_come(at: str, started: bool) -> None:
    instant = datetime.fromisoformat(at).astimezone(UTC)
    assert told(PackagePlaced).has_care_started(at=instant) is started
    assert not a_referral().has_care_started(at=instant)


@given(st.lists(st.sampled_from([*HEARD, *OWN])))
def test_no_order_of_events_breaks_the_fold_and_withdrawn_is_final(story: list[type[PackageEvent]]) -> None:
    referral = told(*story)
    assert (referral.status is Status.WITHDRAWN) == (PackageWithdrawn in story)
    assert referral.is_open == (referral.status is not Status.WITHDRAWN)


@pytest.mark.parametrize("event", [*HEARD, *OWN])
def test_everything_that_is_heard_or_said_has_a_line_in_the_history(event: type[PackageEvent]) -> None:
    line = build_history_entry(build_event(event), at=MONDAY_NINE)
    assert line.at == MONDAY_NINE
    assert line.provider_id == getattr(build_event(event), "provider_id", None)


def test_each_kind_of_line_belongs_to_one_event() -> None:
    assert {build_history_entry(build_event(event), at=MONDAY_NINE).what for event in [*HEARD, *OWN]} == set(What)


def test_an_event_that_does_not_concern_the_council_moves_nothing() -> None:
    assert find_next_status(Status.SOURCING, build_event(OfferClockStarted)) is Status.SOURCING
