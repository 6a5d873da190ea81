"""A turnstile as a whole service in a process of its own, on the clock that its environment names.

It takes orders without a token: `/asks` lets through and closes at given instants, `/calls` sends a webhook.
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
from contracts.ids import PackageId
from contracts.values import WithdrawalReason
from service_runtime.http.app import inject
from service_runtime.idempotency import CommandClaim
from service_runtime.postgres.database import Database
from service_runtime.service import Service, run
from service_runtime.settings import RuntimeSettings
from service_runtime.subscriptions import on_timer
from service_runtime.timers.timers import DueTimer, Precedence, Timer
from service_runtime.unit_of_work.executor import Executor
from service_runtime.unit_of_work.streams import Cause
from service_runtime.webhooks.addresses import AddressRules
from service_runtime.webhooks.config import WebhookConfig
from service_runtime.webhooks.deliveries import Webhook
from service_runtime.webhooks.results import Undeliverable, subscribe_to_deliveries
from service_runtime.webhooks.secret_box import SecretBox
from testkit.sample_service import SUBSCRIPTIONS, TurnstileWork, answer_nothing, stream_of

GRACE = timedelta(minutes=2)
VAULT = SecretBox([base64.b64encode(b"k" * 32).decode()])
Outlet = Annotated[WebhookConfig[TurnstileWork], inject(WebhookConfig)]
router = APIRouter()


class ChildSettings(RuntimeSettings):
    name: str
    receiver: str


class Closing(BaseModel):
    about: str
    at: datetime
    precedence: Precedence


class Ask(BaseModel):
    package_id: UUID
    closings: tuple[Closing, ...] = ()


class Call(BaseModel):
    package_id: UUID
    url: str


async def _do(request: Request, package: UUID, handle: Callable[[TurnstileWork], Awaitable[None]]) -> None:
    performer: Executor[TurnstileWork] = request.app.state.performer
    claim = CommandClaim[None](
        on=stream_of(package),
        why=Cause(f"command:{uuid4()}", "system:test", "essex"),
        caller="essex/system:test",
        idempotency_key=None,
        fingerprint="",
        answer=answer_nothing,
    )
    await performer.execute(claim, handle, span=INVALID_SPAN)


@router.post("/asks")
async def post_ask(ask: Ask, request: Request) -> None:
    async def handle(work: TurnstileWork) -> None:
        reason = WithdrawalReason.NO_LONGER_NEEDED
        work.publish(WithdrawalRequested(package_id=PackageId(ask.package_id), reason=reason))
        work.schedule(*[Timer("close", each.about, each.at, each.precedence) for each in ask.closings])

    await _do(request, ask.package_id, handle)


@router.post("/calls")
async def post_call(call: Call, request: Request, outlet: Outlet) -> None:
    async def handle(work: TurnstileWork) -> None:
        endpoints = outlet.open_endpoints(work.connection, now=work.now)
        await endpoints.put(str(call.package_id), call.url)
        work.send_webhooks(Webhook(str(call.package_id), "call.made", "C-1", {}, give_up_after=GRACE))

    await _do(request, call.package_id, handle)


async def close(timer: DueTimer, work: TurnstileWork) -> None:
    await work.note_closing(UUID(timer.stream.key), f"{timer.about} at {work.now:%d %H:%M:%S}")


async def give_up(result: Undeliverable, work: TurnstileWork) -> None:
    await work.note_closing(
        UUID(result.stream.key), f"given up at {work.now:%d %H:%M:%S} after {result.attempts} attempts"
    )


def build(settings: ChildSettings) -> Service[TurnstileWork]:
    outlet = WebhookConfig[TurnstileWork](
        secret_box=VAULT,
        rules=AddressRules([settings.receiver]),
        deliveries=(subscribe_to_deliveries("call.made", undeliverable=give_up),),
    )
    return Service(
        name=settings.name,
        description="a test",
        settings=settings,
        database=Database(settings.database_url.get_secret_value(), name="turnstile-child"),
        unit_of_work=TurnstileWork,
        migrations=Path(),
        routes=(router,),
        subscriptions=SUBSCRIPTIONS,
        timers=(on_timer("close", close),),
        webhooks=outlet,
        ports={WebhookConfig: outlet},
    )


if __name__ == "__main__":
    run(ChildSettings, build)
