"""Attempts: sends one request or mail for a claimed delivery, and tells what the delivery becomes by its answer.

Whatever the other end does, the attempt is logged like any other, with a status and a failure of a fixed set.
"""

import time
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

from opentelemetry.trace import Span

from service_runtime.clock import Clock
from service_runtime.observability.logs import Logger
from service_runtime.observability.tracing import mark_failed
from service_runtime.webhooks.config import WebhookConfig
from service_runtime.webhooks.deliveries import Attempt, DueDelivery, SettledDelivery
from service_runtime.webhooks.mail import MAILBOX
from service_runtime.webhooks.mail_sending import MailSender
from service_runtime.webhooks.sending import (
    UNKNOWN_FAILURE,
    EndpointResponse,
    RequestTimeout,
    Sender,
    describe_failure,
)
from service_runtime.webhooks.settlement import settle_attempt
from service_runtime.webhooks.signing_keys import decrypt_keys


class AttemptRunner:
    """Makes attempts. As an asynchronous context manager it owns the connections to endpoints.

    `chance` (0 to 1) replaces the random part of the backoff.
    """

    def __init__(
        self, webhook_config: WebhookConfig[Any], *, clock: Clock, log: Logger, chance: float | None = None
    ) -> None:  # Any: the units of work of the result handlers
        self._clock = clock
        self._secret_box = webhook_config.secret_box
        self._sender = Sender(
            webhook_config.rules,
            clock=clock,
            resolver=webhook_config.resolver,
            proxy=webhook_config.egress_proxy,
            tls=webhook_config.tls,
        )
        self._mail = (
            None
            if webhook_config.mail is None
            else MailSender(webhook_config.mail, clock=clock, composer=webhook_config.mail_composer)
        )
        self._log = log
        self._chance = chance
        self.count = 0

    async def __aenter__(self) -> Self:
        await self._sender.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._sender.__aexit__(kind, error, trace)

    async def attempt(self, due: DueDelivery, limit: RequestTimeout, span: Span) -> SettledDelivery:
        """Sends the delivery once within `limit`; `span` gets the status and the failure."""
        self.count += 1
        at, began = self._clock.now(), time.perf_counter()
        answer = await self._get_answer(due, limit)
        took = timedelta(seconds=time.perf_counter() - began)
        if answer.status is not None:
            span.set_attribute("http.response.status_code", answer.status)
        if answer.failure is not None:
            mark_failed(span, answer.failure)
        attempt = Attempt(due.attempts, at, took, answer.status, answer.failure)
        return settle_attempt(
            due,
            attempt,
            now=answer.at,
            retry_after=answer.retry_after,
            is_final=answer.is_final,
            chance=self._chance,
        )

    async def _get_answer(self, due: DueDelivery, limit: RequestTimeout) -> EndpointResponse:
        try:
            return await self._send(due, limit)
        except Exception as error:  # noqa: BLE001  whatever ends an attempt, the attempt has failed
            failure = describe_failure(error)
            if failure == UNKNOWN_FAILURE:
                self._log.error("webhook attempt failed", webhook=str(due.id), error=type(error).__name__)
            return EndpointResponse(None, self._clock.now(), failure)

    async def _send(self, due: DueDelivery, limit: RequestTimeout) -> EndpointResponse:
        keys = decrypt_keys(self._secret_box, due.secrets, owner=due.owner, now=self._clock.now())
        if self._mail is not None and due.url == MAILBOX:
            return await self._mail.send(keys[0], str(due.id), due.body, limit=limit)
        return await self._sender.send(due.url or "", str(due.id), due.body, keys=keys, limit=limit)
