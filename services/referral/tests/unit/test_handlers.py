"""Handlers of commands and events, with an in-memory unit of work."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from contracts.events.base import PackageEvent
from contracts.events.offers import OfferMade
from contracts.events.packages import PackageRequested, PackageWithdrawn, PersonDisclosed, WithdrawalRequested
from contracts.events.searches import PackagePlaced, PlacementVoided, SourcingStarted, SourcingStopped
from contracts.example_words import ServiceTypes, WithdrawalReasons
from contracts.examples import COUNCIL, an_id
from contracts.ids import CouncilKey, PackageId
from referral.domain.errors import CareHasStarted, OpenReferralExists, PersonNotShown, ReferralNotFound
from referral.domain.intake import IntakeRules
from referral.domain.referral import HistoryKind, Status
from referral.domain.request import DespiteOpenReferral, ReferralRequest
from referral.handlers import (
    ShowPerson,
    SubmissionResult,
    SubmitReferral,
    WithdrawReferral,
    finish_withdrawal,
    record_progress,
    show_person,
    submit_referral,
    withdraw_referral,
)
from testkit.referral.builders import (
    KEYS,
    PACKAGE,
    a_person,
    a_request,
    build_event,
    to_provider_id,
)
from testkit.referral.fakes import InMemoryReferralWork

ALDER = to_provider_id("Alder")
WITHDRAW = WithdrawReferral(PACKAGE, WithdrawalReasons.NO_LONGER_NEEDED)


async def submit(
    work: InMemoryReferralWork, request: ReferralRequest | None = None, *, package_id: PackageId = PACKAGE
) -> SubmissionResult:
    request = request or a_request()
    key = KEYS.compute_key(request.person, COUNCIL)
    return await submit_referral(SubmitReferral(package_id, COUNCIL, request, key, IntakeRules()), work)


async def a_placed_referral() -> InMemoryReferralWork:
    work = InMemoryReferralWork().add_definitions()
    await submit(work)
    placed = build_event(PackagePlaced, provider_id=ALDER)
    assert isinstance(placed, PackagePlaced)
    await record_progress(placed, work)
    work.published.clear()
    return work


def make_show_person(**changed: object) -> ShowPerson:
    return replace(ShowPerson(PACKAGE, COUNCIL, ALDER), **changed)


async def end_sourcing(work: InMemoryReferralWork, event: type[SourcingStopped] | type[PlacementVoided]) -> None:
    ended = build_event(event)
    assert isinstance(ended, SourcingStopped | PlacementVoided)
    await finish_withdrawal(ended, work)


def list_history_kinds(work: InMemoryReferralWork) -> list[HistoryKind]:
    return [entry.kind for _, entry in work.tables.history]


async def test_a_placement_that_fell_through_does_not_finish_a_withdrawal() -> None:
    work = InMemoryReferralWork().add_definitions()
    await submit(work)
    await withdraw_referral(WITHDRAW, work)
    voided = build_event(PlacementVoided)
    assert isinstance(voided, PlacementVoided)
    await finish_withdrawal(voided.model_copy(update={"resourced": True}), work)
    assert PackageWithdrawn not in [type(event) for event in work.published]
    await end_sourcing(work, SourcingStopped)
    assert [type(event) for event in work.published][-1] is PackageWithdrawn


async def test_a_submitted_referral_publishes_a_package_without_the_person() -> None:
    work = InMemoryReferralWork().add_definitions()
    result = await submit(work)
    assert [type(event) for event in work.published] == [PackageRequested]
    event = work.published[0]
    assert isinstance(event, PackageRequested)
    assert (event.package_id, event.care) == (PACKAGE, result.referral.care)
    assert list_history_kinds(work) == [HistoryKind.REQUESTED]


async def test_one_person_has_one_open_referral_for_a_service() -> None:
    work = InMemoryReferralWork().add_definitions()
    first = await submit(work)
    with pytest.raises(OpenReferralExists, match=str(first.referral.referral_id)):
        await submit(work, package_id=PackageId(an_id("another")))
    assert len(work.published) == 1


async def test_a_second_referral_is_accepted_with_a_reason_or_for_another_service_or_person() -> None:
    work = InMemoryReferralWork().add_definitions()
    await submit(work)
    reason = DespiteOpenReferral.SEPARATE_PACKAGE
    await submit(work, a_request(despite_open_referral=reason), package_id=PackageId(an_id("second")))
    night = a_request(service_type=ServiceTypes.NIGHT_SLEEP)
    await submit(work, night, package_id=PackageId(an_id("third")))
    another = a_request(person=a_person(nhs_number="9990000026"))
    await submit(work, another, package_id=PackageId(an_id("fourth")))
    assert len(work.published) == 4


async def test_a_withdrawal_is_requested_once_and_completed_once_after_sourcing_stops() -> None:
    work = InMemoryReferralWork().add_definitions()
    await submit(work)
    assert (await withdraw_referral(WITHDRAW, work)).status is Status.WITHDRAWAL_REQUESTED
    again = replace(WITHDRAW, reason=WithdrawalReasons.MOVED_AWAY)
    assert (await withdraw_referral(again, work)).withdrawal_reason == WithdrawalReasons.NO_LONGER_NEEDED
    await end_sourcing(work, SourcingStopped)
    await end_sourcing(work, SourcingStopped)
    assert (await withdraw_referral(WITHDRAW, work)).status is Status.WITHDRAWN
    assert [type(event) for event in work.published] == [PackageRequested, WithdrawalRequested, PackageWithdrawn]
    withdrawn = work.published[-1]
    assert isinstance(withdrawn, PackageWithdrawn)
    assert withdrawn.reason == WithdrawalReasons.NO_LONGER_NEEDED


async def test_a_withdrawn_person_can_be_referred_again() -> None:
    work = InMemoryReferralWork().add_definitions()
    await submit(work)
    await withdraw_referral(WITHDRAW, work)
    await end_sourcing(work, SourcingStopped)
    await submit(work, package_id=PackageId(an_id("again")))


async def test_a_placement_is_voided_before_the_withdrawal_is_completed() -> None:
    work = await a_placed_referral()
    await withdraw_referral(WITHDRAW, work)
    await end_sourcing(work, PlacementVoided)
    assert [type(event) for event in work.published] == [WithdrawalRequested, PackageWithdrawn]
    assert list_history_kinds(work)[-3:] == [
        HistoryKind.WITHDRAWAL_REQUESTED,
        HistoryKind.PLACEMENT_VOIDED,
        HistoryKind.WITHDRAWN,
    ]


async def test_a_withdrawal_after_the_start_of_care_is_refused() -> None:
    work = await a_placed_referral()
    work.now = datetime(2026, 3, 9, 0, 0, tzinfo=UTC)
    with pytest.raises(CareHasStarted):
        await withdraw_referral(WITHDRAW, work)
    assert work.published == []


async def test_a_package_without_a_referral_cannot_be_withdrawn_and_its_events_are_ignored() -> None:
    work = InMemoryReferralWork()
    with pytest.raises(ReferralNotFound):
        await withdraw_referral(WITHDRAW, work)
    await end_sourcing(work, SourcingStopped)
    assert work.tables.history == []


async def test_the_placed_provider_sees_the_person_and_every_disclosure_is_published() -> None:
    work = await a_placed_referral()
    assert await show_person(make_show_person(), work) == a_person()
    assert await show_person(make_show_person(), work) == a_person()
    assert work.published == [PersonDisclosed(package_id=PACKAGE, provider_id=ALDER)] * 2
    assert list_history_kinds(work)[-2:] == [HistoryKind.PERSON_SHOWN] * 2


@pytest.mark.parametrize(
    "changed",
    [
        {"provider_id": to_provider_id("Birch")},
        {"council": CouncilKey("another")},
        {"package_id": PackageId(an_id("no such package"))},
    ],
)
async def test_every_other_caller_gets_the_same_refusal(changed: dict[str, object]) -> None:
    work = await a_placed_referral()
    with pytest.raises(PersonNotShown) as refused:
        await show_person(make_show_person(**changed), work)
    assert str(refused.value) == str(PersonNotShown())
    assert work.published == []


async def test_the_provider_cannot_see_the_person_after_the_placement_is_voided() -> None:
    work = await a_placed_referral()
    await withdraw_referral(WITHDRAW, work)
    await end_sourcing(work, PlacementVoided)
    with pytest.raises(PersonNotShown):
        await show_person(make_show_person(), work)


async def test_an_erased_person_is_not_shown() -> None:
    work = await a_placed_referral()
    work.tables.person_details.clear()
    with pytest.raises(PersonNotShown):
        await show_person(make_show_person(), work)


@pytest.mark.parametrize("event", [SourcingStarted, OfferMade])
async def test_the_history_has_the_time_of_the_event_not_of_its_arrival(
    event: type[PackageEvent],
) -> None:
    work = InMemoryReferralWork().add_definitions()
    await submit(work)
    earlier = datetime(2026, 3, 2, 8, 59, tzinfo=UTC)
    work.cause = replace(work.cause, at=earlier)
    progress = build_event(event)
    assert isinstance(progress, SourcingStarted | OfferMade)
    await record_progress(progress, work)
    assert work.tables.history[-1][1].at == earlier
