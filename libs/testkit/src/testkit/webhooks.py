"""Harness for webhook engines: a service that stores every result of its deliveries."""

import asyncio
import base64
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from opentelemetry.trace import INVALID_SPAN
from sqlalchemy import text

from contracts.examples import COUNCIL
from service_runtime.dead_letters import parked_keys
from service_runtime.observability.logs import build_logger
from service_runtime.observability.metrics import Metrics
from service_runtime.postgres.database import Database
from service_runtime.unit_of_work import streams
from service_runtime.unit_of_work.claims import Executed
from service_runtime.unit_of_work.executor import Executor
from service_runtime.unit_of_work.streams import Cause, StreamKey
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork
from service_runtime.unit_of_work.wakeups import Wakeups
from service_runtime.webhooks.addresses import AddressRules
from service_runtime.webhooks.config import Limits, WebhookConfig
from service_runtime.webhooks.deliveries import Webhook
from service_runtime.webhooks.endpoints import Endpoint
from service_runtime.webhooks.engine import WebhookEngine
from service_runtime.webhooks.log import LoggedDelivery, load_delivery_log
from service_runtime.webhooks.results import Delivered, EndpointGone, Undeliverable, subscribe_to_deliveries
from service_runtime.webhooks.secret_box import SecretBox
from testkit.clocks import MovableClock
from testkit.units_of_work import ManualClaim
from testkit.waiting import wait_until
from testkit.webhook_receiver import Receiver

GRACE = timedelta(minutes=2)
SECOND = timedelta(seconds=1)
LEASE = Limits().lease
SECRET_BOX = SecretBox([base64.b64encode(b"k" * 32).decode()])
TOPIC = "homecare.packages.v1"
PACKAGE_STREAM = StreamKey(TOPIC, "P-17")
CAUSE = Cause("command:test", "officer:1", COUNCIL)
TABLES = """
CREATE TABLE results (delivery uuid PRIMARY KEY, what text NOT NULL, at timestamptz);
CREATE TABLE gone (owner text PRIMARY KEY);
"""


@dataclass
class WebhookHarness:
    """A service with webhooks that stores each delivery result in the table `results`.

    While `is_failing` is set, and for results of `Poison…`, the handler fails.
    """

    database: Database
    receiver: Receiver
    clock: MovableClock = field(default_factory=MovableClock)
    is_failing: bool = False

    def __post_init__(self) -> None:
        self.rules = AddressRules([self.receiver.address])
        self.metrics = Metrics()
        self.wakeups = Wakeups()
        self.executor = self.build_executor(self.wakeups)

    def build_executor(self, wakeups: Wakeups) -> Executor[PostgresUnitOfWork]:
        return Executor(
            service="registry",
            database=self.database,
            clock=self.clock,
            unit_of_work=PostgresUnitOfWork,
            wakeups=wakeups,
        )

    def build_config(self, **changed: object) -> WebhookConfig[PostgresUnitOfWork]:
        results = subscribe_to_deliveries(
            "offer.made", delivered=self._store_delivered, undeliverable=self._store_undeliverable
        )
        defaults = {"secret_box": SECRET_BOX, "rules": self.rules, "deliveries": (results,), "gone": self._store_gone}
        return WebhookConfig(**(defaults | changed))  # pyright: ignore[reportArgumentType]  fields by their names

    @asynccontextmanager
    async def run_engine(
        self, *, in_other_process: bool = False, **changed: object
    ) -> AsyncGenerator[WebhookEngine[PostgresUnitOfWork]]:
        """Runs an engine until the context ends.

        With `in_other_process` the harness does not wake it up, as if it ran in another process.
        """
        wakeups = Wakeups() if in_other_process else self.wakeups
        executor = self.build_executor(wakeups) if in_other_process else self.executor
        engine = WebhookEngine(
            executor,
            self.build_config(**changed),
            wakeup=wakeups.webhooks,
            log=build_logger("registry", level="error"),
            metrics=self.metrics.webhooks,
        )
        executor.commits.deliveries = engine
        task = asyncio.create_task(engine.run())
        try:
            yield engine
        finally:
            executor.commits.deliveries = None
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _store_result(self, work: PostgresUnitOfWork, delivery: UUID, what: str, at: datetime | None) -> None:
        if self.is_failing or what.startswith("Poison"):
            message = f"the handler of {what} fails"
            raise RuntimeError(message)
        row = {"delivery": delivery, "what": what, "at": at}
        work.write(text("INSERT INTO results VALUES (:delivery, :what, :at)"), row)

    async def _store_delivered(self, result: Delivered, work: PostgresUnitOfWork) -> None:
        await self._store_result(work, result.id, f"{result.owner} has {result.about}", result.delivered_at)

    async def _store_undeliverable(self, result: Undeliverable, work: PostgresUnitOfWork) -> None:
        await self._store_result(work, result.id, f"{result.about}: {result.reason}", result.first_attempt_at)

    async def _store_gone(self, gone: EndpointGone, work: PostgresUnitOfWork) -> None:
        work.write(text("INSERT INTO gone VALUES (:owner)"), {"owner": gone.owner})

    async def execute(
        self, handle: Callable[[PostgresUnitOfWork], Awaitable[object]], *, stream: StreamKey = PACKAGE_STREAM
    ) -> object:
        executed = await self.executor.execute(ManualClaim(stream, CAUSE), handle, span=INVALID_SPAN)
        assert isinstance(executed, Executed)
        return executed.result

    async def put_endpoint(self, owner: str, path: str = "/ok", **changed: object) -> str:
        """Stores the owner's endpoint, a path of the receiver or a URL, and returns its signing secret."""

        async def put(work: PostgresUnitOfWork) -> str | None:
            endpoints = self.build_config(**changed).open_endpoints(work)
            return await endpoints.put(owner, path if "://" in path else f"http://{self.receiver.address}{path}")

        return str(await self.execute(put, stream=StreamKey("homecare.providers.v1", owner)))

    async def rotate_secret(self, owner: str = "Alder", *, overlap: timedelta) -> str:
        """Returns the new signing secret."""

        async def rotate(work: PostgresUnitOfWork) -> str:
            return await self.build_config().open_endpoints(work).rotate_secret(owner, overlap=overlap)

        return str(await self.execute(rotate, stream=StreamKey("homecare.providers.v1", owner)))

    async def queue_webhooks(
        self, *subjects: str, to: str = "Alder", stream: StreamKey = PACKAGE_STREAM, kind: str = "offer.made"
    ) -> None:
        async def queue(work: PostgresUnitOfWork) -> None:
            work.send_webhooks(*(Webhook(to, kind, subject, {"about": subject}, GRACE) for subject in subjects))

        await self.execute(queue, stream=stream)

    async def cancel_webhook(self, about: str) -> bool:
        async def withdraw(work: PostgresUnitOfWork) -> bool:
            return await work.cancel_webhook("offer.made", about)

        return bool(await self.execute(withdraw))

    async def list_results(self) -> list[str]:
        async with self.database.begin_transaction() as connection:
            return [row.what for row in await connection.execute(text("SELECT what FROM results ORDER BY what"))]

    async def has_results(self, count: int) -> bool:
        return len(await self.list_results()) == count

    async def is_parked(self, key: str) -> bool:
        async with self.database.begin_transaction() as connection:
            return [parked.stream.key for parked in await parked_keys.list_parked_keys(connection)] == [key]

    async def get_result_instant(self) -> datetime | None:
        async with self.database.begin_transaction() as connection:
            return (await connection.execute(text("SELECT at FROM results"))).scalar_one()

    async def load_log(self, about: str | StreamKey = "Alder") -> list[LoggedDelivery]:
        async with self.database.begin_transaction() as connection:
            return await load_delivery_log(connection, about)

    async def count_attempts(self, owner: str = "Alder") -> int:
        return sum(len(delivery.attempts) for delivery in await self.load_log(owner))

    async def load_endpoint(self, owner: str = "Alder") -> Endpoint | None:
        async def load(work: PostgresUnitOfWork) -> Endpoint | None:
            return await self.build_config().open_endpoints(work).get(owner)

        endpoint = await self.execute(load, stream=StreamKey("homecare.providers.v1", owner))
        assert endpoint is None or isinstance(endpoint, Endpoint)
        return endpoint

    async def get_next_attempt_at(self) -> datetime:
        async with self.database.begin_transaction() as connection:
            row = await connection.execute(text("SELECT next_attempt_at FROM deliveries WHERE finished_at IS NULL"))
            return row.scalar_one()

    async def wait_until_stored(self, what: str) -> None:
        async def is_stored() -> bool:
            return what in await self.list_results()

        await wait_until(is_stored)

    async def wait_until_attempted(self, times: int, owner: str = "Alder") -> None:
        async def is_attempted() -> bool:
            return await self.count_attempts(owner) == times

        await wait_until(is_attempted)

    async def park_key(self, stream: StreamKey = PACKAGE_STREAM) -> None:
        async with self.database.begin_transaction() as connection:
            await parked_keys.park_key(
                connection, stream, service="registry", council=COUNCIL, because="a test", at=self.clock.now()
            )

    async def unpark_key(self, stream: StreamKey = PACKAGE_STREAM) -> None:
        async with self.database.begin_transaction() as connection:
            await streams.lock_stream(connection, stream)
            await parked_keys.unpark(connection, stream)
