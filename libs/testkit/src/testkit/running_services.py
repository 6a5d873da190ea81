"""Runs a service in the test process on real PostgreSQL and Kafka, and publishes events in place of other services."""

import asyncio
import base64
import io
import secrets
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar, Unpack

import aiohttp

from contracts.catalogue import TOPICS, encode
from contracts.envelope import GENESIS, Envelope
from contracts.events.base import Event
from contracts.examples import COUNCIL
from contracts.ids import uuid7
from devstack.embedded import ports
from service_runtime.clock import Clock
from service_runtime.kafka.client import OutgoingRecord, Partition, Producer
from service_runtime.kafka.connection import KafkaConnection
from service_runtime.kafka.topic_admin import create_topics
from service_runtime.observability.logs import build_logger
from service_runtime.postgres.database import Database
from service_runtime.postgres.migrations import migrate
from service_runtime.runner import Runner
from service_runtime.service import Service
from service_runtime.settings import RuntimeSettings
from service_runtime.unit_of_work.streams import StreamKey, stream_key_of
from testkit.databases import DatabaseFactory, create_database_with_roles
from testkit.http_response import HttpResponse, read_response
from testkit.tokens import Claims, TokenIssuer
from testkit.topics import move_group_to_end
from testkit.waiting import wait_until

SettingsT = TypeVar("SettingsT", bound=RuntimeSettings)


@dataclass
class RunningService:
    """A service that runs in this process, with its URL and the issuer of its callers' tokens."""

    # Any: the unit of work differs from service to service.
    service: Service[Any]
    owner: Database
    """The service's database as the role that owns its tables; the service itself has another role."""
    runner: Runner[Any]
    url: str
    issuer: TokenIssuer
    http: aiohttp.ClientSession

    async def request(
        self,
        method: str,
        path: str,
        *scopes: str,
        body: object = None,
        raw: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        **claims: Unpack[Claims],
    ) -> HttpResponse:
        """Sends a request with a token for `scopes` and `claims`. `body` is sent as JSON, `raw` as it is."""
        all_headers = {**self.issuer.build_bearer_header(*scopes, **claims), **(headers or {})}
        data = None if raw is None else io.BytesIO(raw)
        async with self.http.request(method, self.url + path, json=body, data=data, headers=all_headers) as response:
            return await read_response(response)


def build_settings(
    settings_type: Callable[..., SettingsT],
    *,
    database_url: str,
    kafka: KafkaConnection,
    issuer: TokenIssuer,
    **changed: object,
) -> SettingsT:
    """Builds a service's settings for a test, with a free port unless `changed` sets one."""
    defaults: dict[str, object] = {
        "port": find_free_port(),
        "log_level": "warning",
        "drain_within": 3.0,
        **_draw_encryption_keys(settings_type),
    }
    return settings_type(
        database_url=database_url,
        kafka_bootstrap=kafka.bootstrap,
        token_issuer=issuer.issuer,
        token_jwks_url=issuer.jwks_url,
        fingerprint_key=secrets.token_hex(32),
        **{**defaults, **changed},
    )


def _draw_encryption_keys(settings_type: object) -> dict[str, object]:
    """Draws a key for each setting that must have a list of encryption keys."""
    fields: Mapping[str, Any] = getattr(settings_type, "model_fields", {})  # Any: pydantic's fields
    required = [name for name, field in fields.items() if name.endswith("_keys") and field.is_required()]
    return {name: (base64.b64encode(secrets.token_bytes(32)).decode(),) for name in required}


def find_free_port() -> int:
    """Returns a port of 127.0.0.1 that no process listens on and that is no ephemeral port of outgoing connections."""
    return ports.find_free_port()


@asynccontextmanager
async def run_service(
    settings_type: Callable[..., SettingsT],
    # Any: the unit of work differs from service to service.
    build: Callable[[SettingsT], Service[Any]],
    *,
    databases: DatabaseFactory,
    kafka: KafkaConnection,
    issuer: TokenIssuer,
    clock: Clock | None = None,
    keeps_name: bool = False,
    **changed: object,
) -> AsyncGenerator[RunningService]:
    """Creates and migrates a database, and runs the service on it until the context ends.

    `build` builds the service from its settings, which `changed` overrides. The service gets a unique name and its own
    consumer groups, which start at the current end of the topics. With `keeps_name`, on a Kafka that no other test
    uses, it keeps its name, by which audit recognises the owner of an event.
    """
    roles = await create_database_with_roles(databases, "service")
    settings = build_settings(settings_type, database_url=roles.service_url, kafka=kafka, issuer=issuer, **changed)
    service = build(settings)
    # Tests share one Kafka, and the names of consumer groups contain the service's name.
    if not keeps_name:
        service = replace(service, name=f"{service.name}-{secrets.token_hex(4)}")
    if clock is not None:  # a jump of such a clock is no outage
        service = replace(service, clock=clock, paused_in_outages=())
    await create_topics(kafka, TOPICS)
    owner = Database(roles.owner_url, name="owner")
    await migrate(
        owner,
        service.migrations,
        service_role=roles.service_role,
        append_only=service.append_only,
        read_only=service.read_only,
    )
    groups = {f"calloff.{service.name}": {each.topic for each in service.subscriptions}}
    groups |= {f"calloff.{service.name}.{feed.name}": set(feed.topics) for feed in service.batch_subscriptions}
    for group, topics in groups.items():
        await move_group_to_end(kafka, group, sorted(topics))
    async with _run(service, owner, settings, issuer) as running:
        yield running
    await owner.close()


@asynccontextmanager
async def run_peer(
    running: RunningService,
    build: Callable[[Any], Service[Any]],  # Any: settings and unit of work differ from service to service
    **changed: object,
) -> AsyncGenerator[RunningService]:
    """Runs a second process of a running service, on its database and in its groups, with `changed` settings."""
    settings = running.service.settings.model_copy(update={"port": find_free_port(), **changed})
    first = running.service
    service = replace(build(settings), name=first.name, clock=first.clock, paused_in_outages=first.paused_in_outages)
    async with _run(service, running.owner, settings, running.issuer) as peer:
        yield peer


@asynccontextmanager
async def _run(
    service: Service[Any], owner: Database, settings: RuntimeSettings, issuer: TokenIssuer
) -> AsyncGenerator[RunningService]:
    stop = asyncio.Event()
    runner = Runner(service, log=build_logger(service.name, level=settings.log_level))
    task = asyncio.create_task(runner.run(stop))
    async with aiohttp.ClientSession(trust_env=False) as http:
        running = RunningService(service, owner, runner, f"http://127.0.0.1:{settings.port}", issuer, http)

        async def is_ready() -> bool:
            if task.done():
                task.result()
            try:
                return (await running.request("GET", "/readyz")).status == 200
            except aiohttp.ClientError:
                return False

        try:
            await wait_until(is_ready, within=40)
            yield running
        finally:
            stop.set()
            await task


class EventPublisher:
    """Publishes events to Kafka in place of the service `source`, with envelopes and hash chains like a relay."""

    def __init__(self, kafka: KafkaConnection, source: str, *, council: str = COUNCIL) -> None:
        self._producer = Producer(kafka, client_id=f"test-{source}")
        self._source = source
        self._council = council
        self._last: dict[StreamKey, Envelope] = {}
        self._locks: defaultdict[Partition, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def __aenter__(self) -> "EventPublisher":
        await self._producer.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._producer.close(within=5)

    async def publish(self, *events: Event, at: datetime) -> None:
        """Publishes `events` in this order. Returns when Kafka has acknowledged them."""
        for event in events:
            await self.send_event(self.build_envelope(event, at=at), event)

    def build_envelope(self, event: Event, *, at: datetime) -> Envelope:
        """Builds the envelope that continues the event's stream: the next sequence number and the previous hash."""
        stream = stream_key_of(event)
        before = self._last.get(stream)
        envelope = Envelope(
            id=uuid7(at),
            source=f"/calloff/{self._source}",
            type=event.get_type_name(),
            subject=event.key,
            time=at,
            council=self._council,
            correlationid=event.correlation,
            causationid="test",
            actor=f"service:{self._source}",
            sequence=before.sequence + 1 if before else 1,
            prevhash=before.hash if before else GENESIS,
        ).seal(encode(event))
        self._last[stream] = envelope
        return envelope

    async def send_event(self, envelope: Envelope, event: Event) -> None:
        """Sends this record; a second call with the same envelope sends a duplicate, as a relay may."""
        stream = stream_key_of(event)
        key = stream.key.encode()
        partition = Partition(stream.topic, await self._producer.choose_partition(stream.topic, key))
        # One at a time, as a relay sends: aiokafka counts the wait of callers that queue for a partition several times.
        async with self._locks[partition]:
            await self._producer.send(
                partition, [OutgoingRecord(stream.topic, key, encode(event), envelope.to_headers())]
            )
