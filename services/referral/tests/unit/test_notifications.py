"""Notifications to a council's endpoint: which events are notified, and what the data contains."""

from dataclasses import replace
from datetime import timedelta
from functools import reduce

import pytest

from contracts.events.base import PackageEvent
from contracts.events.listings import AwardAwaitsApproval, PackageListed, ProposalAwarded, StillListed
from contracts.events.offers import OfferDeclined, OfferMade
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
from contracts.examples import COUNCIL
from referral.domain.intake import IntakeRules
from referral.domain.notifications import Notification, build_notification
from referral.domain.referral import Referral, build_history_entry
from referral.handlers import (
    SubmitReferral,
    WithdrawReferral,
    finish_withdrawal,
    record_progress,
    submit_referral,
    withdraw_referral,
)
from service_runtime.webhooks.deliveries import encode_body
from service_runtime.webhooks.endpoint_commands import PutEndpoint, put_endpoint
from testkit.clocks import MONDAY_NINE
from testkit.referral.builders import (
    KEYS,
    PACKAGE,
    a_referral,
    a_request,
    build_event,
    to_provider_id,
)
from testkit.referral.fakes import InMemoryReferralWork

URL = "https://council.example/news"
ALDER = to_provider_id("Alder")


def build_last_notification(*story: type[PackageEvent]) -> Notification | None:
    """Returns the notification about the last event of a story."""
    *earlier, last = story
    before: Referral = reduce(lambda referral, event: referral.apply(build_event(event)), earlier, a_referral())
    return build_notification_of(build_event(last), before)


def build_notification_of(event: PackageEvent, before: Referral | None) -> Notification | None:
    after = a_referral() if before is None else before.apply(event)
    entry = build_history_entry(event, at=MONDAY_NINE)
    return build_notification(event, entry, before=before, after=after, referral_url="https://referral.example")


@pytest.mark.parametrize(
    ("story", "kind", "status"),
    [
        ([SourcingStarted], "package.changed", "sourcing"),
        ([SourcingHeld], "package.changed", "held"),
        ([SourcingStarted, StageEntered], "package.changed", "sourcing"),
        ([SourcingStarted, SourcingExhausted], "package.not_placed_yet", "exhausted"),
        ([SourcingStarted, PackageListed], "package.not_placed_yet", "listed"),
        ([PackageListed, StillListed], "package.not_placed_yet", "listed"),
        ([SourcingExhausted, OfferMade], "package.changed", "sourcing"),
        ([OfferMade, PackagePlaced], "package.placed", "placed"),
        ([PackagePlaced, PlacementVoided], "package.changed", "sourcing"),
        ([PackagePlaced, WithdrawalRequested], "package.changed", "withdrawal requested"),
        ([WithdrawalRequested, SourcingStopped, PackageWithdrawn], "package.stopped", "withdrawn"),
    ],
)
def test_a_change_of_status_is_notified(story: list[type[PackageEvent]], kind: str, status: str) -> None:
    notification = build_last_notification(*story)
    assert notification is not None
    assert (notification.kind, notification.data["status"]) == (kind, status)


@pytest.mark.parametrize(
    "story",
    [
        [SourcingStarted, OfferMade],
        [SourcingStarted, OfferMade, OfferDeclined],
        [PackageListed, AwardAwaitsApproval],
        [PackageListed, ProposalAwarded],
        [PackagePlaced, PersonDisclosed],
        [WithdrawalRequested, PackagePlaced],
        [WithdrawalRequested, PackageListed],
        [WithdrawalRequested, SourcingStopped],
        [PackagePlaced, WithdrawalRequested, PlacementVoided],
        [PackageWithdrawn, PackagePlaced],
        [PackageWithdrawn, StageEntered],
    ],
)
def test_an_event_without_effect_for_the_council_is_not_notified(story: list[type[PackageEvent]]) -> None:
    assert build_last_notification(*story) is None


def test_a_placement_notification_contains_provider_and_costs() -> None:
    placed = build_event(PackagePlaced, provider_id=ALDER)
    assert isinstance(placed, PackagePlaced)
    referral = a_referral()
    notification = build_notification_of(placed, referral)
    assert notification is not None
    assert notification.data == {
        "referral_id": str(referral.referral_id),
        "package_id": str(PACKAGE),
        "status": "placed",
        "what": "placed",
        "at": MONDAY_NINE.isoformat(),
        "stage": "tier-1",
        "provider_id": str(ALDER),
        "weekly_cost": f"{placed.terms.weekly_cost:.2f}",
        "fixed_cost": "0.00",
        "links": {"referral": f"https://referral.example/v1/referrals/{referral.referral_id}"},
    }


def test_a_notification_distinguishes_listed_from_still_listed() -> None:
    listed, still = build_last_notification(PackageListed), build_last_notification(PackageListed, StillListed)
    assert listed is not None
    assert still is not None
    assert (listed.data["what"], still.data["what"]) == ("listed for all to propose", "still listed")


def test_a_notification_does_not_contain_the_withdrawal_reason() -> None:
    died = build_event(PackageWithdrawn, reason=WithdrawalReasons.PERSON_DIED)
    withdrawing = a_referral().apply(build_event(WithdrawalRequested))
    notification = build_notification_of(died, withdrawing)
    assert notification is not None
    assert WithdrawalReasons.PERSON_DIED not in str(notification.data)


async def submit(work: InMemoryReferralWork) -> Referral:
    request = a_request()
    key = KEYS.compute_key(request.person, COUNCIL)
    result = await submit_referral(SubmitReferral(PACKAGE, COUNCIL, request, key, IntakeRules()), work)
    return result.referral


async def make_work_with_endpoint() -> InMemoryReferralWork:
    """Returns a unit of work in which the council has an endpoint."""
    work = InMemoryReferralWork().add_definitions()
    await put_endpoint(PutEndpoint(COUNCIL, URL), work)
    return work


async def test_a_received_referral_is_notified_without_personal_data() -> None:
    work = await make_work_with_endpoint()
    referral = await submit(work)
    (webhook,) = work.webhooks
    assert (webhook.owner, webhook.kind, webhook.about) == (COUNCIL, "referral.received", str(referral.referral_id))
    assert webhook.give_up_after == timedelta(hours=24)
    assert set(webhook.data) == {"referral_id", "package_id", "status", "what", "at", "links"}
    body = encode_body(webhook, at=MONDAY_NINE).decode()
    assert not any(word in body for word in ("Test Person", "OUR-REFERENCE-1", "CO1", "1940"))


async def test_notifications_follow_a_referral_in_order() -> None:
    work = await make_work_with_endpoint()
    await submit(work)
    for event in (SourcingStarted, StageEntered, OfferMade, PackagePlaced):
        progress = build_event(event)
        assert isinstance(progress, SourcingStarted | StageEntered | OfferMade | PackagePlaced)
        await record_progress(progress, work)
    await withdraw_referral(WithdrawReferral(PACKAGE, WithdrawalReasons.NO_LONGER_NEEDED), work)
    voided = build_event(PlacementVoided)
    assert isinstance(voided, PlacementVoided)
    await finish_withdrawal(voided, work)
    assert [webhook.kind for webhook in work.webhooks] == [
        "referral.received",
        "package.changed",
        "package.changed",
        "package.placed",
        "package.changed",
        "package.stopped",
    ]


async def test_a_notification_has_the_time_of_the_event_not_of_its_arrival() -> None:
    work = await make_work_with_endpoint()
    await submit(work)
    earlier = MONDAY_NINE - timedelta(minutes=1)
    work.cause = replace(work.cause, at=earlier)
    started = build_event(SourcingStarted)
    assert isinstance(started, SourcingStarted)
    await record_progress(started, work)
    assert work.webhooks[-1].data["at"] == earlier.isoformat()


async def test_a_notification_is_queued_only_for_a_council_with_an_endpoint() -> None:
    """Whether there is one is looked up as the notification is queued."""
    work = InMemoryReferralWork().add_definitions()
    await submit(work)
    assert [(webhook.owner, webhook.only_with_endpoint) for webhook in work.webhooks] == [(COUNCIL, True)]


def test_a_new_referral_has_its_own_notification_type() -> None:
    notification = build_notification_of(build_event(PackageRequested), None)
    assert notification is not None
    assert notification.kind == "referral.received"
