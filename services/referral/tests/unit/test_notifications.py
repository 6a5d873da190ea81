"""What a council's own system is told of its referral, and what it is not."""

from dataclasses import replace
from datetime import timedelta
from functools import reduce

import pytest

from contracts.events.base import PackageEvent
from contracts.events.listings import AwardAwaitsApproval, PackageListed, ProposalAwarded, StillListed
from contracts.events.packages import (
    OfferDeclined,
    OfferMade,
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
from contracts.ids import CouncilKey
from contracts.values import WithdrawalReason
from referral.domain.intake import IntakeRules
from referral.domain.notifications import Notification, build_notification
from referral.domain.referral import Referral, build_history_entry
from referral.handlers import (
    DisableEndpoint,
    PutEndpoint,
    RotateSecret,
    SubmitReferral,
    WithdrawReferral,
    disable_endpoint,
    finish_withdrawal,
    put_endpoint,
    record_progress,
    rotate_secret,
    submit_referral,
    withdraw_referral,
)
from service_runtime.webhooks.deliveries import encode_body
from testkit.clocks import MONDAY_NINE
from testkit.referral.builders import (
    COUNCIL,
    KEYS,
    PACKAGE,
    a_provider_id,
    a_referral,
    a_request,
    build_event,
)
from testkit.referral.fakes import InMemoryReferralWork

URL = "https://council.example/news"
ALDER = a_provider_id("Alder")


def told(*story: type[PackageEvent]) -> Notification | None:
    """What the last event of a story is to the council."""
    *earlier, last = story
    before: Referral = reduce(lambda referral, event: referral.apply(build_event(event)), earlier, a_referral())
    return news_by(build_event(last), before)


def news_by(event: PackageEvent, before: Referral | None) -> Notification | None:
    after = a_referral() if before is None else before.apply(event)
    line = build_history_entry(event, at=MONDAY_NINE)
    return build_notification(event, line, before=before, after=after, referral_url="https://referral.example")


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
def test_a_council_hears_where_its_referral_stands(story: list[type[PackageEvent]], kind: str, status: str) -> None:
    news = told(*story)
    assert news is not None
    assert (news.kind, news.data["status"]) == (kind, status)


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
def test_what_changes_nothing_for_the_council_is_no_news(story: list[type[PackageEvent]]) -> None:
    assert told(*story) is None


def test_a_placement_is_told_with_the_provider_and_what_it_costs_a_week() -> None:
    placed = build_event(PackagePlaced, provider_id=ALDER)
    assert isinstance(placed, PackagePlaced)
    referral = a_referral()
    news = news_by(placed, referral)
    assert news is not None
    assert news.data == {
        "referral_id": str(referral.referral_id),
        "package_id": str(PACKAGE),
        "status": "placed",
        "what": "placed",
        "at": MONDAY_NINE.isoformat(),
        "stage": "tier-1",
        "provider_id": str(ALDER),
        "weekly_cost": f"{placed.terms.weekly_cost:.2f}",
        "links": {"referral": f"https://referral.example/v1/referrals/{referral.referral_id}"},
    }


def test_a_package_that_is_still_listed_can_be_told_from_one_that_has_just_been() -> None:
    listed, still = told(PackageListed), told(PackageListed, StillListed)
    assert listed is not None
    assert still is not None
    assert (listed.data["what"], still.data["what"]) == ("listed for all to propose", "still listed")


def test_why_a_referral_was_withdrawn_may_be_about_the_person_and_stays_behind_the_link() -> None:
    died = build_event(PackageWithdrawn, reason=WithdrawalReason.PERSON_DIED)
    withdrawing = a_referral().apply(build_event(WithdrawalRequested))
    news = news_by(died, withdrawing)
    assert news is not None
    assert WithdrawalReason.PERSON_DIED.value not in str(news.data)


async def submitted(work: InMemoryReferralWork) -> Referral:
    request = a_request()
    key = KEYS.compute_key(request.person, COUNCIL)
    result = await submit_referral(SubmitReferral(PACKAGE, COUNCIL, request, key, IntakeRules()), work)
    return result.referral


async def with_system() -> InMemoryReferralWork:
    """The council has an endpoint."""
    work = InMemoryReferralWork().add_definitions()
    await put_endpoint(PutEndpoint(COUNCIL, URL), work)
    return work


async def test_a_referral_is_told_when_it_is_received_and_its_webhook_says_nothing_of_the_person() -> None:
    work = await with_system()
    referral = await submitted(work)
    (webhook,) = work.webhooks
    assert (webhook.owner, webhook.kind, webhook.about) == (COUNCIL, "referral.received", str(referral.referral_id))
    assert webhook.give_up_after == timedelta(hours=24)
    assert set(webhook.data) == {"referral_id", "package_id", "status", "what", "at", "links"}
    body = encode_body(webhook, at=MONDAY_NINE).decode()
    assert not any(word in body for word in ("Test Person", "OUR-REFERENCE-1", "CO1", "1940"))


async def test_a_whole_life_is_told_in_its_order() -> None:
    work = await with_system()
    await submitted(work)
    for event in (SourcingStarted, StageEntered, OfferMade, PackagePlaced):
        happening = build_event(event)
        assert isinstance(happening, SourcingStarted | StageEntered | OfferMade | PackagePlaced)
        await record_progress(happening, work)
    await withdraw_referral(WithdrawReferral(PACKAGE, WithdrawalReason.NO_LONGER_NEEDED), work)
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


async def test_news_tells_when_it_happened_not_when_we_heard_of_it() -> None:
    work = await with_system()
    await submitted(work)
    earlier = MONDAY_NINE - timedelta(minutes=1)
    work.cause = replace(work.cause, at=earlier)
    started = build_event(SourcingStarted)
    assert isinstance(started, SourcingStarted)
    await record_progress(started, work)
    assert work.webhooks[-1].data["at"] == earlier.isoformat()


async def test_nothing_is_sent_where_no_system_listens() -> None:
    without = InMemoryReferralWork().add_definitions()
    await submitted(without)
    disabled = await with_system()
    await disable_endpoint(DisableEndpoint(COUNCIL), disabled)
    await submitted(disabled)
    elsewhere = InMemoryReferralWork().add_definitions()
    await put_endpoint(PutEndpoint(CouncilKey("another"), URL), elsewhere)
    await submitted(elsewhere)
    assert [without.webhooks, disabled.webhooks, elsewhere.webhooks] == [[], [], []]


async def test_an_endpoint_has_one_secret_until_it_is_rotated() -> None:
    work = InMemoryReferralWork()
    first = await put_endpoint(PutEndpoint(COUNCIL, URL), work)
    again = await put_endpoint(PutEndpoint(COUNCIL, URL), work)
    rotated = await rotate_secret(RotateSecret(COUNCIL), work)
    assert first is not None
    assert (again, rotated != first) == (None, True)


def test_a_new_referral_is_news_of_its_own() -> None:
    news = news_by(build_event(PackageRequested), None)
    assert news is not None
    assert news.kind == "referral.received"
