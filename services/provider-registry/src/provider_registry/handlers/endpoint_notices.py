"""Notices about webhook endpoints that fail or are disabled: on the record, and by mail if there is a mailbox."""

from collections.abc import Sequence
from uuid import UUID

from contracts.events.providers import EndpointAnswer, EndpointDisabled, EndpointFailing
from contracts.ids import ProviderId
from provider_registry.domain.endpoint_mails import build_disabled_mail, build_failed_long, build_failing_mail
from provider_registry.domain.messages import Message
from provider_registry.ports import RegistryWork
from service_runtime.timers.timers import DueTimer
from service_runtime.webhooks import endpoint_health
from service_runtime.webhooks.deliveries import Webhook
from service_runtime.webhooks.endpoint_health import DisabledEndpoint, FailingEndpoint, check_endpoint
from service_runtime.webhooks.mail import to_mailbox
from service_runtime.webhooks.results import EndpointGone


async def check_provider_endpoint(timer: DueTimer, work: RegistryWork) -> None:
    """Looks at a failing endpoint, and publishes and mails what follows."""
    match await check_endpoint(timer.about, work):
        case FailingEndpoint() as failing:
            _publish_failing(failing, work)
        case DisabledEndpoint() as disabled:
            _publish_disabled(disabled, work)
        case None:
            pass


async def publish_endpoint_gone(gone: EndpointGone, work: RegistryWork) -> None:
    """Publishes EndpointDisabled after a 410; the provider's channels change in the handler of that event."""
    provider_id = _to_provider_id(gone.owner)
    work.publish(EndpointDisabled(provider_id=provider_id, reason="gone"))
    _queue_mail(provider_id, build_disabled_mail(provider_id, why="It answered 410 (gone)."), work)


def _publish_failing(failing: FailingEndpoint, work: RegistryWork) -> None:
    provider_id, answers = _to_provider_id(failing.owner), _to_event_answers(failing.answers)
    work.publish(
        EndpointFailing(
            provider_id=provider_id,
            failing_since=failing.since,
            disabled_from=failing.disabled_from,
            answers=answers,
        )
    )
    mail = build_failing_mail(provider_id, since=failing.since, disabled_from=failing.disabled_from, answers=answers)
    _queue_mail(provider_id, mail, work)


def _publish_disabled(disabled: DisabledEndpoint, work: RegistryWork) -> None:
    provider_id = _to_provider_id(disabled.owner)
    work.publish(EndpointDisabled(provider_id=provider_id, reason="gone", failing_since=disabled.since))
    why = build_failed_long(disabled.since)
    mail = build_disabled_mail(provider_id, why=why, answers=_to_event_answers(disabled.answers))
    _queue_mail(provider_id, mail, work)


def _queue_mail(provider_id: ProviderId, message: Message, work: RegistryWork) -> None:
    """Queues a mail if there are a mail server and a mailbox; otherwise officers read the list of failing endpoints."""
    terms = work.delivery_terms
    if terms.mail is None:
        return
    work.send_webhooks(
        Webhook(
            owner=to_mailbox(str(provider_id)),
            kind=message.kind,
            about=message.about,
            data=message.data,
            give_up_after=terms.notification_delivery_timeout,
            only_with_endpoint=True,
        )
    )


def _to_event_answers(answers: Sequence[endpoint_health.EndpointAnswer]) -> tuple[EndpointAnswer, ...]:
    return tuple(
        EndpointAnswer(
            at=each.at, status=each.status, failure=each.failure, took_ms=round(each.took.total_seconds() * 1000)
        )
        for each in answers
    )


def _to_provider_id(owner: str) -> ProviderId:
    return ProviderId(UUID(owner))
