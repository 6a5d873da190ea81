"""Content of mails to the owner of a webhook endpoint that fails or is disabled."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from contracts.events.providers import EndpointAnswer
from contracts.ids import ProviderId
from provider_registry.domain.messages import Message

ENDPOINT_FAILING: Final = "endpoint.failing"
ENDPOINT_DISABLED: Final = "endpoint.disabled"

_KEPT: Final = (
    "Webhooks that do not arrive are kept. Your system can list them at GET /v1/providers/{id}/messages of the provider"
    " registry, and have them sent again at POST /v1/providers/{id}/messages/replay."
)


def build_failing_mail(
    provider_id: ProviderId, *, since: datetime, disabled_from: datetime, answers: Sequence[EndpointAnswer]
) -> Message:
    lines = [
        f"Your webhook endpoint has accepted nothing since {_format(since)}.",
        f"If it accepts nothing until {_format(disabled_from)}, it is disabled. Offers use your other channels then.",
        "",
        *_format_answers(answers),
        "",
        "Any 2xx answer ends this; you need not write to us.",
        _KEPT.format(id=provider_id),
    ]
    return _build_message(ENDPOINT_FAILING, provider_id, "Your webhook endpoint fails", lines)


def build_disabled_mail(provider_id: ProviderId, *, why: str, answers: Sequence[EndpointAnswer] = ()) -> Message:
    """Builds the mail; `why` is a sentence."""
    lines = [
        f"Your webhook endpoint is disabled. {why} Offers use your other channels now.",
        "",
        *_format_answers(answers),
        f"To enable it, put its URL again at PUT /v1/providers/{provider_id}/endpoint; its secret stays the same.",
        _KEPT.format(id=provider_id),
    ]
    return _build_message(ENDPOINT_DISABLED, provider_id, "Your webhook endpoint is disabled", lines)


def build_failed_long(since: datetime) -> str:
    return f"It has accepted nothing since {_format(since)}."


def _build_message(kind: str, provider_id: ProviderId, subject: str, lines: Sequence[str]) -> Message:
    return Message(kind, str(provider_id), {"subject": subject, "text": "\n".join(lines)})


def _format_answers(answers: Sequence[EndpointAnswer]) -> list[str]:
    if not answers:
        return []
    return ["The last attempts, the newest first:", *map(_format_answer, answers)]


def _format_answer(answer: EndpointAnswer) -> str:
    return f"- {_format(answer.at)}: {answer.failure}, after {answer.took_ms} ms"


def _format(at: datetime) -> str:
    return f"{at:%d/%m/%Y %H:%M:%S} UTC"
