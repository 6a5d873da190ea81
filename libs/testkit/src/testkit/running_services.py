"""A whole service in a test: running on real PostgreSQL and Kafka, asked over HTTP, and told events by others."""

import asyncio
import secrets
import socket
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
from contracts.ids import uuid7
from service_runtime.clock import Clock, SystemClock
from service_runtime.kafka.client import OutgoingRecord, Partition, Producer, create_topics
from service_runtime.observability.logs import build_logger
from service_runtime.postgres.migrations import migrate
from service_runtime.service import Runner, Service
from service_runtime.settings import RuntimeSettings
from service_runtime.unit_of_work.streams import StreamKey, stream_key_of
from testkit.databases import Databases
from testkit.tokens import Claims, TokenIssuer
from testkit.topics import begin_at_the_end
from testkit.waiting import until

SettingsT = TypeVar("SettingsT", bound=RuntimeSettings)


@dataclass(frozen=True)
class Reply:
    """An HTTP answer, read."""

    status: int
    headers: Mapping[str, str]
    body: Any  # JSON of any shape


@dataclass
class RunningService:
    """A service that runs in this process."""

    # Tests look into services of every kind.
    service: Service[Any]
    runner: Runner[Any]
    url: str
    issuer: TokenIssuer
    http: aiohttp.ClientSession

    async def ask(
        self,
        method: str,
        path: str,
        *scopes: str,
        body: object = None,
        raw: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        **claims: Unpack[Claims],
    ) -> Reply:
        """One request by a caller with `scopes` and `claims`; `raw` is a body that may be no JSON at all."""
        sent = {**self.issuer.build_bearer_header(*scopes, **claims), **(headers or {})}
        async with self.http.request(method, self.url + path, json=body, data=raw, headers=sent) as answer:
            text = await answer.text()
            kind = answer.headers.get("content-type", "")
            return Reply(
                answer.status, answer.headers, await answer.json(content_type=None) if "json" in kind else text
            )


def settings_for(
    kind: Callable[..., SettingsT], *, database_url: str, bootstrap: str, issuer: TokenIssuer, **more: object
) -> SettingsT:
    """A service's settings for a test, on a free port unless `more` names one."""
    usual: dict[str, object] = {"port": free_port(), "log_level": "warning", "drain_within": 3.0}
    return kind(
        database_url=database_url,
        kafka_bootstrap=bootstrap,
        token_issuer=issuer.issuer,
        token_jwks_url=issuer.jwks_url,
        fingerprint_key=secrets.token_hex(32),
        **{**usual, **more},
    )


def free_port() -> int:
    """A port of the loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def a_service(
    kind: Callable[..., SettingsT],
    # A service's unit of work is its own business.
    build: Callable[[SettingsT], Service[Any]],
    *,
    databases: Databases,
    bootstrap: str,
    issuer: TokenIssuer,
    clock: Clock | None = None,
    **more: object,
) -> AsyncGenerator[RunningService]:
    """Migrates a new database and runs the service on it, in consumer groups of its own that begin at the end."""
    url = await databases.create_database("service")
    settings = settings_for(kind, database_url=url, bootstrap=bootstrap, issuer=issuer, **more)
    service = build(settings)
    # Tests share one Kafka: a name of its own gives each its own consumer groups.
    service = replace(service, name=f"{service.name}-{secrets.token_hex(4)}", clock=clock or SystemClock())
    await create_topics(bootstrap, TOPICS)
    await migrate(service.database, service.migrations)
    groups = {f"calloff.{service.name}": {each.topic for each in service.subscriptions}}
    groups |= {f"calloff.{service.name}.{feed.name}": set(feed.topics) for feed in service.batch_subscriptions}
    for group, topics in groups.items():
        await begin_at_the_end(bootstrap, group, sorted(topics))
    async with _running(service, settings, issuer) as running:
        yield running


@asynccontextmanager
async def _running(
    service: Service[Any], settings: RuntimeSettings, issuer: TokenIssuer
) -> AsyncGenerator[RunningService]:
    stop = asyncio.Event()
    runner = Runner(service, log=build_logger(service.name, level=settings.log_level))
    task = asyncio.create_task(runner.run(stop))
    async with aiohttp.ClientSession(trust_env=False) as http:
        running = RunningService(service, runner, f"http://127.0.0.1:{settings.port}", issuer, http)

        async def is_ready() -> bool:
            if task.done():
                task.result()
            try:
                return (await running.ask("GET", "/readyz")).status == 200
            except aiohttp.ClientError:
                return False

        try:
            await until(is_ready, within=40)
            yield running
        finally:
            stop.set()
            await task


class Voice:
    """Another service, as far as this one hears it: publishes events with proper envelopes and chains."""

    def __init__(self, bootstrap: str, source: str, *, council: str = "essex") -> None:
        self._producer = Producer(bootstrap, client_id=f"test-{source}")
        self._source = source
        self._council = council
        self._last: dict[StreamKey, Envelope] = {}
        self._turns: defaultdict[Partition, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def __aenter__(self) -> "Voice":
        await self._producer.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._producer.close(within=5)

    async def says(self, *events: Event, at: datetime) -> None:
        """Publishes `events` in their order, and returns when Kafka has them."""
        for event in events:
            await self.repeats(self.sealed(event, at=at), event)

    def sealed(self, event: Event, *, at: datetime) -> Envelope:
        """The envelope of `event` as the next one of its stream."""
        stream = stream_key_of(event)
        before = self._last.get(stream)
        envelope = Envelope(
            id=uuid7(at),
            source=f"/calloff/{self._source}",
            type=event.type_name(),
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

    async def repeats(self, envelope: Envelope, event: Event) -> None:
        """Sends exactly this record, as a relay that repeats itself would."""
        stream = stream_key_of(event)
        key = stream.key.encode()
        partition = Partition(stream.topic, await self._producer.choose_partition(stream.topic, key))
        # One at a time, as a relay sends: aiokafka counts the wait of who queues for a partition several times over.
        async with self._turns[partition]:
            await self._producer.send(
                partition, [OutgoingRecord(stream.topic, key, encode(event), envelope.to_headers())]
            )
