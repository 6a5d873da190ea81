"""Handlers of referral's commands and events: load, decide, save, publish."""

from dataclasses import dataclass
from datetime import datetime

from contracts.errors import FieldError
from contracts.events.base import PackageEvent
from contracts.events.packages import PackageRequested, PackageWithdrawn, PersonDisclosed, WithdrawalRequested
from contracts.events.searches import PlacementVoided, SourcingStopped
from contracts.ids import CouncilKey, PackageId, ProviderId, ReasonKey, ReferralId
from contracts.office_time import to_office_date
from referral.domain.earlier_package import EarlierPackage, build_followed_package
from referral.domain.errors import CareHasStarted, OpenReferralExists, PersonNotShown, ReferralNotFound
from referral.domain.frameworks import check_withdrawal_reason
from referral.domain.intake import IntakeRules, build_care, find_warnings
from referral.domain.notifications import build_notification
from referral.domain.person import Person
from referral.domain.referral import Referral, Status, build_history_entry
from referral.domain.request import ReferralRequest
from referral.ports import PersonDetails, ReferralWork
from service_runtime.timers.timers import DueTimer
from service_runtime.webhooks.deliveries import Webhook
from service_runtime.webhooks.endpoint_health import check_endpoint


@dataclass(frozen=True)
class SubmitReferral:
    """A council's request for care for one adult."""

    package_id: PackageId
    council: CouncilKey
    request: ReferralRequest
    person_key: str
    rules: IntakeRules


@dataclass(frozen=True)
class SubmissionResult:
    """The new referral, and the fields that were accepted but look wrong."""

    referral: Referral
    warnings: tuple[FieldError, ...]


@dataclass(frozen=True)
class WithdrawReferral:
    """A council's request to stop sourcing of a package."""

    package_id: PackageId
    reason: ReasonKey


@dataclass(frozen=True)
class ShowPerson:
    """A placed provider's request for the person of its package."""

    package_id: PackageId
    council: CouncilKey
    provider_id: ProviderId


async def submit_referral(command: SubmitReferral, work: ReferralWork) -> SubmissionResult:
    """Validates and stores the referral, and publishes PackageRequested, which does not identify the person.

    Raises InvalidInput, FrameworksNotKnown and OpenReferralExists.
    """
    request = command.request
    versions, earlier = await work.frameworks.list_by_council(command.council), await _find_earlier(command, work)
    care = build_care(request, versions, at=work.now, rules=command.rules, earlier=earlier)
    referral = Referral(
        referral_id=ReferralId(work.new_id()),
        package_id=command.package_id,
        council=command.council,
        care=care,
        wishes=request.wishes,
        requested_at=work.now,
        despite_open_referral=request.despite_open_referral,
    )
    open_referral = await work.referrals.add(
        referral, PersonDetails(request.person, request.reference), person_key=command.person_key
    )
    if open_referral is not None:
        raise OpenReferralExists(open_referral)
    requested = PackageRequested(
        package_id=command.package_id, care=care, wishes=request.wishes, follows=build_followed_package(earlier)
    )
    await _publish_and_record(requested, work, before=None, after=referral)
    return SubmissionResult(referral, find_warnings(request))


async def withdraw_referral(command: WithdrawReferral, work: ReferralWork) -> Referral:
    """Publishes WithdrawalRequested, and returns the referral; a repeated request publishes nothing.

    Raises ReferralNotFound, InvalidInput for a reason that the framework does not declare, and CareHasStarted.
    """
    referral = await work.referrals.get(command.package_id)
    if referral is None:
        raise ReferralNotFound
    versions = await work.frameworks.list_by_council(referral.council)
    check_withdrawal_reason(command.reason, versions, referral.care.framework, today=to_office_date(work.now))
    if referral.is_being_withdrawn:
        return referral
    if referral.has_care_started(at=work.now):
        raise CareHasStarted
    requested = WithdrawalRequested(package_id=command.package_id, reason=command.reason)
    updated = referral.apply(requested)
    await work.referrals.save(updated)
    await _publish_and_record(requested, work, before=referral, after=updated)
    return updated


async def show_person(command: ShowPerson, work: ReferralWork) -> Person:
    """Returns the person to the placed provider, and publishes PersonDisclosed.

    Raises PersonNotShown to any other caller, and after the person was erased.
    """
    referral = await work.referrals.get(command.package_id)
    if referral is None or (referral.council, referral.placed_with) != (command.council, command.provider_id):
        raise PersonNotShown
    person_details = await work.referrals.get_person_details(command.package_id)
    if person_details is None:
        raise PersonNotShown
    disclosed = PersonDisclosed(package_id=command.package_id, provider_id=command.provider_id)
    await _publish_and_record(disclosed, work, before=referral, after=referral)
    return person_details.person


async def record_progress(event: PackageEvent, work: ReferralWork) -> None:
    """Updates the referral's status and history after an event of sourcing."""
    await _apply_sourcing_event(event, work)


async def finish_withdrawal(event: SourcingStopped | PlacementVoided, work: ReferralWork) -> None:
    """Publishes PackageWithdrawn once when sourcing has ended a package whose withdrawal is requested.

    A placement that fell through ends nothing: its search goes on, and sourcing answers the withdrawal afterwards.
    """
    referral = await _apply_sourcing_event(event, work)
    if isinstance(event, PlacementVoided) and event.resourced:
        return
    if referral is None or referral.status is not Status.WITHDRAWAL_REQUESTED or referral.withdrawal_reason is None:
        return
    withdrawn = PackageWithdrawn(package_id=event.package_id, reason=referral.withdrawal_reason)
    updated = referral.apply(withdrawn)
    await work.referrals.save(updated)
    await _publish_and_record(withdrawn, work, before=referral, after=updated)


async def _find_earlier(command: SubmitReferral, work: ReferralWork) -> EarlierPackage | None:
    """Returns the package that the request follows; None if it follows none, or one that the council does not have."""
    package_id = command.request.follows_package
    if package_id is None:
        return None
    return await work.referrals.find_earlier_package(package_id, council=command.council, person_key=command.person_key)


async def _apply_sourcing_event(event: PackageEvent, work: ReferralWork) -> Referral | None:
    """Returns the updated referral; None for a package that has no referral here."""
    referral = await work.referrals.get(event.package_id)
    if referral is None:
        return None
    updated = referral.apply(event)
    if updated != referral:
        await work.referrals.save(updated)
    await _record_history(event, work, before=referral, after=updated, at=_get_event_time(work))
    return updated


async def _publish_and_record(
    event: PackageEvent, work: ReferralWork, *, before: Referral | None, after: Referral
) -> None:
    work.publish(event)
    await _record_history(event, work, before=before, after=after, at=work.now)


async def _record_history(
    event: PackageEvent, work: ReferralWork, *, before: Referral | None, after: Referral, at: datetime
) -> None:
    """Adds the event to the history, and notifies the council's endpoint if there is one that is enabled."""
    entry = build_history_entry(event, at=at)
    await work.referrals.add_history_entry(event.package_id, entry)
    notification = build_notification(
        event, entry, before=before, after=after, referral_url=work.notification_terms.referral_url
    )
    if notification is None:
        return
    work.send_webhooks(
        Webhook(
            after.council,
            notification.kind,
            str(after.referral_id),
            notification.data,
            give_up_after=work.notification_terms.notification_delivery_timeout,
            only_with_endpoint=True,
        )
    )


async def check_council_endpoint(timer: DueTimer, work: ReferralWork) -> None:
    """Looks at a failing endpoint; the council reads the result with its endpoint, because it has no other channel."""
    await check_endpoint(timer.about, work)


def _get_event_time(work: ReferralWork) -> datetime:
    """Returns the time at which the event was published, however late it arrived."""
    return work.cause.at or work.now
