"""Sample service in a separate process, on the clock that its environment names.

Its routes need no token: `/asks` requests a withdrawal and schedules timers, `/calls` sends a webhook.
"""

import base64
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Request
from opentelemetry.trace import INVALID_SPAN
from pydantic import BaseModel

from contracts.events.packages import WithdrawalRequested
from contracts.example_words import WithdrawalReasons
from contracts.ids import PackageId
from contracts.precedence import Precedence
from service_runtime.http.app import inject
from service_runtime.idempotency import CommandClaim
from service_runtime.postgres.database import Database
from service_runtime.process import run
from service_runtime.service import Service
from service_runtime.settings import RuntimeSettings
from service_runtime.subscriptions import on_timer
from service_runtime.timers.timers import DueTimer, Timer
from service_runtime.unit_of_work.executor import Executor
from service_runtime.unit_of_work.streams import Cause
from service_runtime.webhooks.addresses import AddressRules
from service_runtime.webhooks.config import WebhookConfig
from service_runtime.webhooks.deliveries import Webhook
from service_runtime.webhooks.results import Undeliverable, subscribe_to_deliveries
from service_runtime.webhooks.secret_box import SecretBox
from testkit.sample_service import SAVE_ROWS, SUBSCRIPTIONS, SampleUnitOfWork, build_empty_response, to_stream_key

GRACE = timedelta(minutes=2)
SECRET_BOX = SecretBox([base64.b64encode(b"k" * 32).decode()])
Webhooks = Annotated[WebhookConfig[SampleUnitOfWork], inject(WebhookConfig)]
router = APIRouter()


class ChildSettings(RuntimeSettings):
    name: str
    receiver: str


class TimerRequest(BaseModel):
    about: str
    at: datetime
    precedence: Precedence


class WithdrawalBody(BaseModel):
    package_id: UUID
    closings: tuple[TimerRequest, ...] = ()


class WebhookBody(BaseModel):
    package_id: UUID
    url: str


async def _execute(request: Request, package: UUID, handle: Callable[[SampleUnitOfWork], Awaitable[None]]) -> None:
    executor: Executor[SampleUnitOfWork] = request.app.state.executor
    claim = CommandClaim[None](
        on=to_stream_key(package),
        why=Cause(f"command:{uuid4()}", "system:test", "amberside"),
        caller="amberside/system:test",
        idempotency_key=None,
        fingerprint="",
        answer=build_empty_response,
    )
    await executor.execute(claim, handle, span=INVALID_SPAN)


@router.post("/asks")
async def post_withdrawal(ask: WithdrawalBody, request: Request) -> None:
    async def handle(work: SampleUnitOfWork) -> None:
        reason = WithdrawalReasons.NO_LONGER_NEEDED
        work.publish(WithdrawalRequested(package_id=PackageId(ask.package_id), reason=reason))
        work.schedule(*[Timer("close", timer.about, timer.at, timer.precedence) for timer in ask.closings])

    await _execute(request, ask.package_id, handle)


@router.post("/calls")
async def post_webhook(call: WebhookBody, request: Request, webhooks: Webhooks) -> None:
    async def handle(work: SampleUnitOfWork) -> None:
        endpoints = webhooks.open_endpoints(work)
        await endpoints.put(str(call.package_id), call.url)
        work.send_webhooks(Webhook(str(call.package_id), "call.made", "C-1", {}, give_up_after=GRACE))

    await _execute(request, call.package_id, handle)


async def record_closing(timer: DueTimer, work: SampleUnitOfWork) -> None:
    await work.record_timer(UUID(timer.stream.key), f"{timer.about} at {work.now:%d %H:%M:%S}")


async def record_undeliverable(result: Undeliverable, work: SampleUnitOfWork) -> None:
    await work.record_timer(
        UUID(result.stream.key), f"given up at {work.now:%d %H:%M:%S} after {result.attempts} attempts"
    )


def build(settings: ChildSettings) -> Service[SampleUnitOfWork]:
    webhooks = WebhookConfig[SampleUnitOfWork](
        secret_box=SECRET_BOX,
        rules=AddressRules([settings.receiver]),
        deliveries=(subscribe_to_deliveries("call.made", undeliverable=record_undeliverable),),
    )
    return Service(
        name=settings.name,
        description="a test",
        settings=settings,
        database=Database(settings.database_url.get_secret_value(), name="sample-child"),
        unit_of_work=SampleUnitOfWork,
        save_rows=SAVE_ROWS,
        migrations=Path(),
        routes=(router,),
        subscriptions=SUBSCRIPTIONS,
        timers=(on_timer("close", record_closing),),
        webhooks=webhooks,
        ports={WebhookConfig: webhooks},
    )


if __name__ == "__main__":
    run(ChildSettings, build)
