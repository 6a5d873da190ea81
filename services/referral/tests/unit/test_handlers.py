"""What referral publishes and refuses, told with everything in memory."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from contracts.events.base import PackageEvent
from contracts.events.packages import (
    OfferMade,
    PackagePlaced,
    PackageRequested,
    PackageWithdrawn,
    PersonDisclosed,
    PlacementVoided,
    SourcingStarted,
    SourcingStopped,
    WithdrawalRequested,
)
from contracts.examples import an_id
from contracts.ids import CouncilKey, PackageId
from contracts.values import ServiceType, WithdrawalReason
from referral.domain.errors import CareHasStarted, OpenReferralExists, PersonNotShown, ReferralNotFound
from referral.domain.intake import DespiteOpenReferral, IntakeRules, ReferralRequest
from referral.domain.referral import Status, What
from referral.handlers import (
    ShowPerson,
    SubmitReferral,
    Submitted,
    WithdrawReferral,
    finish_withdrawal,
    record_progress,
    show_person,
    submit_referral,
    withdraw_referral,
)
from testkit.referral.builders import (
    COUNCIL,
    KEYS,
    PACKAGE,
    a_person,
    a_provider_id,
    a_request,
    build_event,
)
from testkit.referral.fakes import InMemoryReferralWork

ALDER = a_provider_id("Alder")
WITHDRAW = WithdrawReferral(PACKAGE, WithdrawalReason.NO_LONGER_NEEDED)


async def submitted(
    work: InMemoryReferralWork, request: ReferralRequest | None = None, *, package_id: PackageId = PACKAGE
) -> Submitted:
    request = request or a_request()
    key = KEYS.compute_key(request.person, COUNCIL)
    return await submit_referral(SubmitReferral(package_id, COUNCIL, request, key, IntakeRules()), work)


async def a_placed_one() -> InMemoryReferralWork:
    work = InMemoryReferralWork().add_definitions()
    await submitted(work)
    placed = build_event(PackagePlaced, provider_id=ALDER)
    assert isinstance(placed, PackagePlaced)
    await record_progress(placed, work)
    work.published.clear()
    return work


def ask(**changed: object) -> ShowPerson:
    return replace(ShowPerson(PACKAGE, COUNCIL, ALDER), **changed)


async def heard(work: InMemoryReferralWork, event: type[SourcingStopped] | type[PlacementVoided]) -> None:
    happened = build_event(event)
    assert isinstance(happened, SourcingStopped | PlacementVoided)
    await finish_withdrawal(happened, work)


def happened(work: InMemoryReferralWork) -> list[What]:
    return [line.what for _, line in work.shelf.history]


async def test_a_referral_becomes_a_package_that_tells_nobody_who_it_is_for() -> None:
    work = InMemoryReferralWork().add_definitions()
    result = await submitted(work)
    assert [type(event) for event in work.published] == [PackageRequested]
    event = work.published[0]
    assert isinstance(event, PackageRequested)
    assert (event.package_id, event.care) == (PACKAGE, result.referral.care)
    assert happened(work) == [What.REQUESTED]


async def test_one_person_has_one_open_referral_for_a_service() -> None:
    work = InMemoryReferralWork().add_definitions()
    first = await submitted(work)
    with pytest.raises(OpenReferralExists, match=str(first.referral.referral_id)):
        await submitted(work, package_id=PackageId(an_id("another")))
    assert len(work.published) == 1


async def test_unless_there_is_a_reason_or_it_is_another_service_or_the_first_is_withdrawn() -> None:
    work = InMemoryReferralWork().add_definitions()
    await submitted(work)
    why = DespiteOpenReferral.SEPARATE_PACKAGE
    await submitted(work, a_request(despite_open_referral=why), package_id=PackageId(an_id("second")))
    night = a_request(service_type=ServiceType.NIGHT_SLEEP)
    await submitted(work, night, package_id=PackageId(an_id("third")))
    another = a_request(person=a_person(nhs_number="9990000026"))
    await submitted(work, another, package_id=PackageId(an_id("fourth")))
    assert len(work.published) == 4


async def test_a_withdrawal_is_asked_for_once_and_done_once_sourcing_has_answered() -> None:
    work = InMemoryReferralWork().add_definitions()
    await submitted(work)
    assert (await withdraw_referral(WITHDRAW, work)).status is Status.WITHDRAWAL_REQUESTED
    again = replace(WITHDRAW, reason=WithdrawalReason.MOVED_AWAY)
    assert (await withdraw_referral(again, work)).withdrawal_reason is WithdrawalReason.NO_LONGER_NEEDED
    await heard(work, SourcingStopped)
    await heard(work, SourcingStopped)
    assert (await withdraw_referral(WITHDRAW, work)).status is Status.WITHDRAWN
    assert [type(event) for event in work.published] == [PackageRequested, WithdrawalRequested, PackageWithdrawn]
    done = work.published[-1]
    assert isinstance(done, PackageWithdrawn)
    assert done.reason is WithdrawalReason.NO_LONGER_NEEDED


async def test_a_withdrawn_person_can_be_referred_again() -> None:
    work = InMemoryReferralWork().add_definitions()
    await submitted(work)
    await withdraw_referral(WITHDRAW, work)
    await heard(work, SourcingStopped)
    await submitted(work, package_id=PackageId(an_id("again")))


async def test_a_placement_is_voided_before_the_withdrawal_is_done() -> None:
    work = await a_placed_one()
    await withdraw_referral(WITHDRAW, work)
    await heard(work, PlacementVoided)
    assert [type(event) for event in work.published] == [WithdrawalRequested, PackageWithdrawn]
    assert happened(work)[-3:] == [What.WITHDRAWAL_REQUESTED, What.PLACEMENT_VOIDED, What.WITHDRAWN]


async def test_after_care_has_started_there_is_no_withdrawal() -> None:
    work = await a_placed_one()
    work.now = datetime(2026, 3, 9, 0, 0, tzinfo=UTC)
    with pytest.raises(CareHasStarted):
        await withdraw_referral(WITHDRAW, work)
    assert work.published == []


async def test_a_package_that_began_elsewhere_cannot_be_withdrawn_and_what_is_said_of_it_is_let_pass() -> None:
    work = InMemoryReferralWork()
    with pytest.raises(ReferralNotFound):
        await withdraw_referral(WITHDRAW, work)
    await heard(work, SourcingStopped)
    assert work.shelf.history == []


async def test_the_placed_provider_is_shown_the_person_and_each_showing_is_on_record() -> None:
    work = await a_placed_one()
    assert await show_person(ask(), work) == a_person()
    assert await show_person(ask(), work) == a_person()
    assert work.published == [PersonDisclosed(package_id=PACKAGE, provider_id=ALDER)] * 2
    assert happened(work)[-2:] == [What.PERSON_SHOWN] * 2


@pytest.mark.parametrize(
    "changed",
    [
        {"provider_id": a_provider_id("Birch")},
        {"council": CouncilKey("another")},
        {"package_id": PackageId(an_id("no such package"))},
    ],
)
async def test_nobody_else_is_and_all_get_the_same_answer(changed: dict[str, object]) -> None:
    work = await a_placed_one()
    with pytest.raises(PersonNotShown) as refused:
        await show_person(ask(**changed), work)
    assert str(refused.value) == str(PersonNotShown())
    assert work.published == []


async def test_a_voided_placement_takes_the_person_away_again() -> None:
    work = await a_placed_one()
    await withdraw_referral(WITHDRAW, work)
    await heard(work, PlacementVoided)
    with pytest.raises(PersonNotShown):
        await show_person(ask(), work)


async def test_an_erased_person_is_shown_to_nobody() -> None:
    work = await a_placed_one()
    work.shelf.abouts.clear()
    with pytest.raises(PersonNotShown):
        await show_person(ask(), work)


@pytest.mark.parametrize("event", [SourcingStarted, OfferMade])
async def test_the_history_has_the_instant_at_which_it_happened_not_at_which_we_heard(
    event: type[PackageEvent],
) -> None:
    work = InMemoryReferralWork().add_definitions()
    await submitted(work)
    earlier = datetime(2026, 3, 2, 8, 59, tzinfo=UTC)
    work.cause = replace(work.cause, at=earlier)
    happening = build_event(event)
    assert isinstance(happening, SourcingStarted | OfferMade)
    await record_progress(happening, work)
    assert work.shelf.history[-1][1].at == earlier
