"""The harness of provider-registry's integration tests: a running service, sourcing's events, and webhook receivers."""

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Unpack
from uuid import UUID, uuid4

from aiohttp import web
from standardwebhooks import Webhook

from contracts.bank_holidays import list_bank_holidays
from contracts.catalogue import BY_TYPE, PACKAGES, decode, find_entry
from contracts.events.base import Event
from contracts.events.offers import OfferMade
from contracts.example_words import LOT, Tiers
from contracts.examples import COLCHESTER, COUNCIL, an_example_of
from contracts.ids import AreaCode, FrameworkKey, OfferId, PackageId, ProviderId, TierKey
from contracts.values import Channel
from service_runtime.kafka.connection import KafkaConnection
from service_runtime.postgres.database import Database
from testkit.clocks import MovableClock
from testkit.http_response import HttpResponse, read_response
from testkit.provider_registry.builders import A_PHONE
from testkit.running_services import EventPublisher, RunningService
from testkit.tokens import Claims
from testkit.topics import read_topic
from testkit.waiting import wait_until

ADMIN, OPERATE, ANSWER = "registry:admin", "sourcing:operate", "offers:answer"
SECOND_OFFICER = "officer-2"
"""The subject of the officer who approves what `system-1` has proposed."""

DEFINITION_TEMPLATE = """
framework: {framework}
version: {version}
council: {council}
title: Invented framework
source: invented for tests
runs_from: 2025-11-09
runs_until: 2031-11-08
{life}
areas:
  - {{code: E07000071, name: Colchester}}
  - {{code: E07000076, name: Tendring, fewest_providers: 2}}
service_types: [{{service_type: personal-care, title: Personal care}}, {{service_type: live-in, title: Live-in care}}]
lots: [{{lot: home-care, title: Home care}}]
tiers:
  - {{tier: tier-1, title: Tier 1, providers_per_area: {cap}, entry: [{{rule: overall-rating, at_least: {floor}}}, {{rule: turnover, at_least: 290000}}]}}
  - {{tier: tier-2, title: Tier 2, entry: [{{rule: overall-rating, at_least: Requires improvement}}]}}
units: [{{unit: hour, title: hour, kind: hour}}]
routes: [{{route: community, title: Community}}]
skills: [{{skill: dementia, title: Dementia care}}]
list_groups: [{{group: live-in, title: Live-in care, service_types: [live-in]}}]
reasons:
  decline: [{{reason: no-capacity, title: No capacity}}]
  withdrawal: [{{reason: no-longer-needed, title: No longer needed}}]
brokerage:
  bank_holidays: [{holidays}]
prices:
  invented: true
  price_list: invented-1
  matrix:
    - {{service_type: personal-care, unit: hour, rate: 24.10}}
    - {{service_type: live-in, unit: hour, rate: 24.10}}
sourcing:
  - {{stage: tier-1, procedure: sequential-offers, to: {{tiers: [tier-1]}}}}
  - {{stage: tier-2, procedure: sequential-offers, to: {{tiers: [tier-2]}}}}
"""  # noqa: E501  one line for each tier


@dataclass(frozen=True)
class ReceivedWebhook:
    """One webhook request that a provider's system received."""

    headers: Mapping[str, str]
    body: bytes

    @property
    def content(self) -> dict[str, Any]:
        return json.loads(self.body)

    def verify(self, secret: str) -> dict[str, Any]:
        """Verifies the signature and returns the content. Raises WebhookVerificationError."""
        return Webhook(secret).verify(self.body, dict(self.headers))


@dataclass
class WebhookReceiver:
    """Receives the webhooks of all providers, each under its own path.

    It responds with status 204, or with the one in `statuses` for the provider.
    """

    port: int
    received: dict[str, list[ReceivedWebhook]] = field(default_factory=dict[str, list[ReceivedWebhook]])
    statuses: dict[str, int] = field(default_factory=dict[str, int])

    def build_url(self, provider: UUID) -> str:
        return f"http://127.0.0.1:{self.port}/{provider}"

    def get_received(self, provider: UUID) -> list[ReceivedWebhook]:
        return self.received.get(str(provider), [])

    def get_received_types(self, provider: UUID) -> list[str]:
        return [each.content["type"] for each in self.get_received(provider)]

    async def receive(self, request: web.Request) -> web.Response:
        name = request.match_info["provider"]
        self.received.setdefault(name, []).append(ReceivedWebhook(dict(request.headers), await request.read()))
        return web.Response(status=self.statuses.get(name, 204))

    @asynccontextmanager
    async def serve(self) -> AsyncGenerator["WebhookReceiver"]:
        app = web.Application()
        app.router.add_post("/{provider}", self.receive)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", self.port).start()
            yield self
        finally:
            await runner.cleanup()


@dataclass
class RegistryHarness:
    """A running provider-registry, a publisher of sourcing's events, and the receiver of providers' webhooks."""

    registry: RunningService
    sourcing: EventPublisher
    receiver: WebhookReceiver
    clock: MovableClock
    kafka: KafkaConnection
    framework: FrameworkKey

    @property
    def database(self) -> Database:
        return self.registry.service.database

    async def request(
        self, method: str, path: str, body: object = None, *, scope: str = ADMIN, **claims: Unpack[Claims]
    ) -> HttpResponse:
        return await self.registry.request(method, path, scope, body=body, **{"council": COUNCIL, **claims})

    async def request_as_provider(
        self, provider: UUID, method: str, path: str, body: object = None, **headers: str
    ) -> HttpResponse:
        subject = f"provider-{provider}"
        return await self.registry.request(
            method,
            path,
            ANSWER,
            body=body,
            headers=headers,
            provider_id=str(provider),
            subject=subject,
            council=COUNCIL,
        )

    async def publish_definition(
        self, text: str | None = None, *, council: str = COUNCIL, **changed: Any
    ) -> HttpResponse:
        """Proposes a definition as one officer and approves it as another one.

        Returns the response to the proposal if it is refused or was published before, else that to the approval.
        """
        proposed = await self.propose_definition(text, council=council, **changed)
        if proposed.status != 202:
            return proposed
        path = f"/v1/frameworks/{proposed.body['framework']}/versions/{proposed.body['version']}/approval"
        return await self.request("POST", path, council=council, subject=SECOND_OFFICER)

    async def propose_definition(
        self, text: str | None = None, *, council: str = COUNCIL, subject: str = "system-1", **changed: Any
    ) -> HttpResponse:
        yaml = self.render_definition(council=council, **changed) if text is None else text
        headers = {
            **self.registry.issuer.build_bearer_header(ADMIN, council=council, subject=subject),
            "content-type": "application/yaml",
        }
        async with self.registry.http.post(
            f"{self.registry.url}/v1/frameworks", data=yaml.encode(), headers=headers
        ) as answer:
            return await read_response(answer)

    def render_definition(self, **changed: object) -> str:
        """Renders a definition as YAML; `changed` sets values of the template."""
        defaults: dict[str, object] = {
            "framework": self.framework,
            "version": 1,
            "council": COUNCIL,
            "cap": 10,
            "floor": "Good",
            "life": "joining: {mode: at any time}",
            "holidays": ", ".join(map(str, list_bank_holidays(range(2025, 2032)))),
        }
        return DEFINITION_TEMPLATE.format(**{**defaults, **changed})

    async def register_provider(
        self, name: str = "Alder Care Ltd", *, with_endpoint: bool = False, provider_id: UUID | None = None
    ) -> ProviderId:
        """Registers a provider with one branch rated Good; `with_endpoint` registers the receiver for it too."""
        provider = provider_id or uuid4()
        body = {**a_body(name), "provider_id": str(provider)}
        assert (await self.request("POST", "/v1/providers", body)).status == 201
        branch = {
            "name": f"{name} Colchester",
            "outward_code": "CO1",
            "domiciliary_care": True,
            "rating": "Good",
            "published_on": "2026-01-05",
        }
        answer = await self.request("PUT", f"/v1/providers/{provider}/branches/{uuid4()}", branch)
        assert answer.status == 200
        if with_endpoint:
            await self.register_endpoint(provider)
        return ProviderId(provider)

    async def register_endpoint(self, provider: UUID) -> str:
        """Registers the receiver as the provider's webhook endpoint, and returns the signing secret."""
        answer = await self.request_as_provider(
            provider, "PUT", f"/v1/providers/{provider}/endpoint", {"url": self.receiver.build_url(provider)}
        )
        assert answer.status == 200
        return answer.body["secret"]

    async def set_places(self, provider: UUID, *tiers: TierKey, area: AreaCode = COLCHESTER) -> HttpResponse:
        """Sets the provider's places, active since the framework's start."""
        places = [self.build_place(tier, area) for tier in tiers]
        return await self.request("PUT", f"/v1/providers/{provider}/places", {"places": places})

    def build_place(
        self, tier: TierKey = Tiers.ONE, area: AreaCode = COLCHESTER, **changed: object
    ) -> dict[str, object]:
        """Builds a place for a request body."""
        usual: dict[str, object] = {"framework": self.framework, "lot": LOT, "area": area, "tier": tier}
        return {**usual, "joined_on": "2025-11-09", **changed}

    async def set_spot_areas(self, provider: UUID, *areas: str, if_match: str = "*") -> HttpResponse:
        """Sets the areas that the provider serves outside any framework."""
        path = f"/v1/providers/{provider}/spot-areas"
        return await self.registry.request(
            "PUT", path, ADMIN, body={"areas": list(areas)}, headers={"If-Match": if_match}, council=COUNCIL
        )

    async def make_offer(self, provider: UUID, *, channel: Channel = Channel.WEBHOOK, **changed: object) -> OfferMade:
        """Publishes, as sourcing, an offer of a new package to the provider; it has two minutes to arrive."""
        usual: dict[str, object] = {
            "package_id": PackageId(uuid4()),
            "offer_id": OfferId(uuid4()),
            "deliver_within_minutes": 2,
        }
        event = an_example_of(OfferMade, **{**usual, "provider_id": provider, "channel": channel, **changed})
        await self.publish(event)
        return event

    async def publish(self, *events: Event) -> None:
        await self.sourcing.publish(*events, at=self.clock.now())

    async def read_events(self, subject: str, *, topic: str = PACKAGES) -> list[Event]:
        """Reads the events about a subject that this service instance published to Kafka."""
        records = await read_topic(self.kafka, topic, keys={subject})
        own = f"/calloff/{self.registry.service.name}"
        published = [record for record in records if record.get_header("ce_source") == own]
        return [decode(BY_TYPE[record.get_header("ce_type")].event, record.value) for record in published]

    async def wait_for_event(self, event: type[Event], subject: str, *, times: int = 1) -> list[Event]:
        """Waits until the registry has published `event` at least `times` times about the subject.

        Returns all its events about the subject.
        """

        async def find_events() -> list[Event]:
            found = await self.read_events(subject, topic=find_entry(event).topic)
            return found if sum(isinstance(each, event) for each in found) >= times else []

        return await wait_until(find_events, within=20)


def a_body(name: str = "Alder Care Ltd", **changed: object) -> dict[str, object]:
    """The request body that registers a provider."""
    defaults: dict[str, object] = {
        "name": name,
        "turnover": "400000.00",
        "turnover_evidence": "filed accounts 2023/24",
        "phone": A_PHONE,
    }
    return {**defaults, **changed}
