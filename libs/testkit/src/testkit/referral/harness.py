"""The harness of referral's integration tests: a running service, a council's system, and sourcing's events."""

import io
import json
import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from aiohttp import web

from contracts.events.base import PackageEvent
from contracts.events.frameworks import FrameworkPublished
from contracts.examples import a_definition
from contracts.ids import CouncilKey, FrameworkKey, PackageId
from referral.domain.request import DespiteOpenReferral
from service_runtime.kafka.connection import KafkaConnection
from service_runtime.postgres.database import Database
from testkit.clocks import MovableClock
from testkit.databases import fetch_number
from testkit.http_client import ServiceClient
from testkit.http_response import HttpResponse
from testkit.referral.builders import a_body_with_person, build_event
from testkit.running_services import EventPublisher, RunningService
from testkit.waiting import wait_until

ENDPOINT = "/v1/council/endpoint"
WRITE, READ = "referrals:write", "referrals:read"


@dataclass
class CouncilWebhookReceiver:
    """Receives the council's webhooks, stores them in `requests` and responds with `status`."""

    port: int
    status: int = 204
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list[tuple[dict[str, str], bytes]])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/news"

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.requests]

    def find_bodies(self, package_id: PackageId) -> list[dict[str, Any]]:
        return [each for each in self.bodies if each["data"]["package_id"] == str(package_id)]

    def list_types(self, package_id: PackageId) -> list[str]:
        return [each["type"] for each in self.find_bodies(package_id)]

    @asynccontextmanager
    async def serve(self) -> AsyncGenerator[None]:
        app = web.Application()
        app.router.add_post("/news", self._receive)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", self.port).start()
            yield
        finally:
            await runner.cleanup()

    async def _receive(self, request: web.Request) -> web.Response:
        self.requests.append((dict(request.headers), await request.read()))
        return web.Response(status=self.status)


@dataclass
class ReferralHarness:
    """A running referral service, the council's webhook receiver, and a publisher of sourcing's events."""

    referral: RunningService
    receiver: CouncilWebhookReceiver
    sourcing: EventPublisher
    clock: MovableClock
    council: CouncilKey
    kafka: KafkaConnection
    logs: io.StringIO

    @property
    def database(self) -> Database:
        return self.referral.service.database

    @property
    def client(self) -> ServiceClient:
        """A client with the scopes of the council's system."""
        return ServiceClient(self.referral.http, self.referral.url, self.referral.issuer, self.council, (WRITE, READ))

    async def publish_definition(self) -> None:
        """Publishes a framework of the council with the area Colchester, and waits until referral has projected it."""
        definition = a_definition(framework=FrameworkKey(f"invented-{self.council}"), council=self.council)
        await self.sourcing.publish(FrameworkPublished(definition=definition), at=self.clock.now())
        known = "SELECT count(*) FROM projections WHERE key LIKE :key"
        await wait_until(lambda: fetch_number(self.database, known, key=f"%{self.council}/1"), within=30)

    async def request(
        self, method: str, path: str, body: object = None, *, scope: str = WRITE, council: str | None = None
    ) -> HttpResponse:
        return await self.referral.request(method, path, scope, body=body, council=council or self.council)

    async def register_endpoint(self) -> str | None:
        """Registers the receiver as the council's endpoint. Returns the secret of a new endpoint, else None."""
        answer = await self.request("PUT", ENDPOINT, {"url": self.receiver.url})
        assert answer.status == 200
        return answer.body["secret"]

    async def post_referral(self) -> tuple[PackageId, UUID]:
        body = a_body_with_person(
            name="Test Quillfeather",
            date_of_birth="1931-12-09",
            nhs_number=None,
            address={"lines": [f"{secrets.randbelow(10_000)} Plantagenet Mews"], "postcode": "CO4 0AE"},
            communication_needs="needs-planted",
        )
        another = {"area": "E07000071", "despite_open_referral": DespiteOpenReferral.SEPARATE_PACKAGE}
        answer = await self.request("POST", "/v1/referrals", {**body, **another})
        assert answer.status == 201, answer.body
        return PackageId(UUID(answer.body["package_id"])), UUID(answer.body["referral_id"])

    async def publish_events(self, package_id: PackageId, *events: type[PackageEvent], **fields: object) -> None:
        """Publishes, as sourcing, examples of `events` about a package, all with these fields."""
        await self.sourcing.publish(
            *(build_event(event, package_id, **fields) for event in events), at=self.clock.now()
        )
