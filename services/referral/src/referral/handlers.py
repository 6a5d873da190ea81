"""What referral does when something happens: load, decide, save, publish."""

from dataclasses import dataclass
from datetime import datetime

from contracts.errors import FieldError
from contracts.events.base import PackageEvent
from contracts.events.packages import (
    PackageRequested,
    PackageWithdrawn,
    PersonDisclosed,
    PlacementVoided,
    SourcingStopped,
    WithdrawalRequested,
)
from contracts.ids import CouncilKey, PackageId, ProviderId, ReferralId
from contracts.office_time import to_office_date
from contracts.values import WithdrawalReason
from referral.domain.errors import CareHasStarted, OpenReferralExists, PersonNotShown, ReferralNotFound
from referral.domain.intake import IntakeRules, ReferralRequest, build_care, find_warnings
from referral.domain.notifications import build_notification
from referral.domain.person import Person
from referral.domain.referral import Referral, Status, build_history_entry
from referral.ports import DISABLED_BY_COUNCIL, PersonDetails, ReferralWork
from service_runtime.webhooks.deliveries import Webhook


@dataclass(frozen=True)
class SubmitReferral:
    """A council's system asks for care for one adult."""

    package_id: PackageId
    council: CouncilKey
    request: ReferralRequest
    person_key: str
    rules: IntakeRules


@dataclass(frozen=True)
class Submitted:
    """The referral, with what was noticed about it and not refused."""

    referral: Referral
    warnings: tuple[FieldError, ...]


@dataclass(frozen=True)
class WithdrawReferral:
    """The council wants the package back."""

    package_id: PackageId
    reason: WithdrawalReason


@dataclass(frozen=True)
class ShowPerson:
    """The provider of a placed package asks whom it is for."""

    package_id: PackageId
    council: CouncilKey
    provider_id: ProviderId


@dataclass(frozen=True)
class PutEndpoint:
    council: CouncilKey
    url: str


@dataclass(frozen=True)
class RotateSecret:
    council: CouncilKey


@dataclass(frozen=True)
class DisableEndpoint:
    council: CouncilKey


async def submit_referral(command: SubmitReferral, work: ReferralWork) -> Submitted:
    """The referral becomes a package that sourcing hears of; the person stays here."""
    request = command.request
    frameworks = await work.frameworks.list_by_council(command.council)
    care = build_care(request, frameworks, today=to_office_date(work.now), rules=command.rules)
    referral = Referral(
        referral_id=ReferralId(work.new_id()),
        package_id=command.package_id,
        council=command.council,
        care=care,
        wishes=request.wishes,
        requested_at=work.now,
        despite_open_referral=request.despite_open_referral,
    )
    in_the_way = await work.referrals.add(
        referral, PersonDetails(request.person, request.reference), person_key=command.person_key
    )
    if in_the_way is not None:
        raise OpenReferralExists(in_the_way)
    requested = PackageRequested(package_id=command.package_id, care=care, wishes=request.wishes)
    await _publish_and_record(requested, work, before=None, after=referral)
    return Submitted(referral, find_warnings(request))


async def withdraw_referral(command: WithdrawReferral, work: ReferralWork) -> Referral:
    """Asks sourcing to stop; asked again, it is the same withdrawal."""
    referral = await work.referrals.get(command.package_id)
    if referral is None:
        raise ReferralNotFound
    if referral.is_being_withdrawn:
        return referral
    if referral.has_care_started(at=work.now):
        raise CareHasStarted
    asked = WithdrawalRequested(package_id=command.package_id, reason=command.reason)
    withdrawing = referral.apply(asked)
    await work.referrals.save(withdrawing)
    await _publish_and_record(asked, work, before=referral, after=withdrawing)
    return withdrawing


async def show_person(command: ShowPerson, work: ReferralWork) -> Person:
    """Shows the placed provider whom the package is for, and puts on record that it was shown."""
    referral = await work.referrals.get(command.package_id)
    if referral is None or (referral.council, referral.placed_with) != (command.council, command.provider_id):
        raise PersonNotShown
    about = await work.referrals.get_about(command.package_id)
    if about is None:
        raise PersonNotShown
    shown = PersonDisclosed(package_id=command.package_id, provider_id=command.provider_id)
    await _publish_and_record(shown, work, before=referral, after=referral)
    return about.person


async def record_progress(event: PackageEvent, work: ReferralWork) -> None:
    """Sourcing has moved on: the council sees where its referral stands."""
    await _apply_sourcing_event(event, work)


async def finish_withdrawal(event: SourcingStopped | PlacementVoided, work: ReferralWork) -> None:
    """Sourcing has answered the withdrawal: it is done, once."""
    referral = await _apply_sourcing_event(event, work)
    if referral is None or referral.status is not Status.WITHDRAWAL_REQUESTED or referral.withdrawal_reason is None:
        return
    done = PackageWithdrawn(package_id=event.package_id, reason=referral.withdrawal_reason)
    withdrawn = referral.apply(done)
    await work.referrals.save(withdrawn)
    await _publish_and_record(done, work, before=referral, after=withdrawn)


async def put_endpoint(command: PutEndpoint, work: ReferralWork) -> str | None:
    """News goes to this URL from now on. The secret of a new endpoint; None where it has one already."""
    return await work.endpoints.put(command.council, command.url)


async def rotate_secret(command: RotateSecret, work: ReferralWork) -> str:
    """A new secret; for a while webhooks are signed with the old one too."""
    return await work.endpoints.rotate_secret(command.council, overlap=work.notification_terms.secret_overlap)


async def disable_endpoint(command: DisableEndpoint, work: ReferralWork) -> None:
    """Nothing is sent there any more; the council asks for its referrals instead."""
    await work.endpoints.disable(command.council, because=DISABLED_BY_COUNCIL)


async def _apply_sourcing_event(event: PackageEvent, work: ReferralWork) -> Referral | None:
    """Takes in what sourcing said; None for a package that did not begin here, which is no business of ours."""
    referral = await work.referrals.get(event.package_id)
    if referral is None:
        return None
    updated = referral.apply(event)
    if updated != referral:
        await work.referrals.save(updated)
    await _record(event, work, before=referral, after=updated, at=_get_event_time(work))
    return updated


async def _publish_and_record(
    event: PackageEvent, work: ReferralWork, *, before: Referral | None, after: Referral
) -> None:
    work.publish(event)
    await _record(event, work, before=before, after=after, at=work.now)


async def _record(
    event: PackageEvent, work: ReferralWork, *, before: Referral | None, after: Referral, at: datetime
) -> None:
    """Adds to the history, and tells the council's own system where it has one that listens."""
    line = build_history_entry(event, at=at)
    await work.referrals.add_history_entry(event.package_id, line)
    news = build_notification(
        event, line, before=before, after=after, referral_url=work.notification_terms.referral_url
    )
    if news is None:
        return
    endpoint = await work.endpoints.get(after.council)
    if endpoint is None or endpoint.disabled_because is not None:
        return
    about, give_up_after = str(after.referral_id), work.notification_terms.notification_delivery_timeout
    work.send_webhooks(Webhook(after.council, news.kind, about, news.data, give_up_after=give_up_after))


def _get_event_time(work: ReferralWork) -> datetime:
    """When what we hear of happened, however late we hear of it."""
    return work.cause.at or work.now
