"""The sentences of events about what providers were notified of."""

from typing import Final

from audit.domain.names import Names, format_channel, format_instant, format_word
from audit.domain.narration import Narration
from contracts.events.notices import CallNeeded, ProviderNotified


def _narrate_provider_notified(event: ProviderNotified, names: Names) -> str:
    return (
        f"{names.find_name(event.provider_id)} was told by {format_channel(event.channel)}: "
        f"{format_word(event.notice.value.replace('.', ' '))}"
    )


def _narrate_call_needed(event: CallNeeded, names: Names) -> str:
    return (
        f"{names.find_name(event.provider_id)} is on the officers' call list: "
        f"{format_word(event.notice.value.replace('.', ' '))}, to be called by {format_instant(event.due_at)}; "
        f"{event.reason.value}"
    )


NOTICE_NARRATIONS: Final = (
    Narration(ProviderNotified, _narrate_provider_notified),
    Narration(CallNeeded, _narrate_call_needed),
)
