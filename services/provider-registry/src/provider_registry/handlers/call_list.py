"""Commands on the officers' call list, and the report of a mail that came back."""

from dataclasses import dataclass, replace

from contracts.events.notices import CallReason, NoticeKind
from contracts.events.offers import CallResult
from contracts.ids import NoticeId
from contracts.values import Channel
from provider_registry.domain.errors import CallRecordedAtSourcing, NoCallNeeded, NoticeNotFound
from provider_registry.domain.notice import Notice, NoticeState
from provider_registry.handlers.notices import mark_notified, put_on_call_list
from provider_registry.ports import RegistryWork
from provider_registry.ports.notices import CallRecord, MailBounce

_ENDS_OF_OFFERS = (NoticeKind.OFFER_WITHDRAWN, NoticeKind.OFFER_EXPIRED)


@dataclass(frozen=True)
class RecordNoticeCall:
    """An officer has telephoned the provider of a notice."""

    notice_id: NoticeId
    result: CallResult


async def record_notice_call(command: RecordNoticeCall, work: RegistryWork) -> Notice:
    """Records the call with its officer; a call that reaches the provider tells it.

    Raises NoticeNotFound, NoCallNeeded, and CallRecordedAtSourcing for an offer by telephone.
    """
    notice = await work.notices.find(command.notice_id)
    if notice is None or notice.council != work.cause.council:
        raise NoticeNotFound
    if notice.state is not NoticeState.TO_CALL:
        raise NoCallNeeded(notice.state)
    if notice.is_offer and notice.because is not CallReason.MAIL_BOUNCED:
        raise CallRecordedAtSourcing(notice.about)
    called = replace(notice, calls=notice.calls + 1)
    work.notices.add_call(called, CallRecord(called.calls, command.result, work.cause.actor, work.now))
    if command.result is CallResult.REACHED:
        return mark_notified(called, Channel.PHONE, work)
    work.notices.save(called)
    return called


async def record_mail_bounce(bounce: MailBounce, work: RegistryWork) -> None:
    """Records that a mail came back for good, once, and puts its notice on the call list unless that is pointless."""
    if await work.notices.has_bounced(bounce.mail_id):
        return
    work.notices.add_bounce(bounce)
    notice = await work.notices.find_by_mail(bounce.mail_id)
    if notice is None or notice.channel is not Channel.EMAIL or notice.state is NoticeState.LAPSED:
        return
    if not await _has_ended(notice, work):
        await put_on_call_list(notice, CallReason.MAIL_BOUNCED, work)


async def _has_ended(notice: Notice, work: RegistryWork) -> bool:
    """Returns True for an offer of whose end the provider is told anyway."""
    if not notice.is_offer or notice.package_id is None:
        return False
    for kind in _ENDS_OF_OFFERS:
        if await work.notices.find_newest(notice.package_id, kind, notice.about) is not None:
            return True
    return False
