"""Service: the declaration of a service's parts; `runner.Runner` runs them as one process."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from fastapi import APIRouter

from service_runtime.clock import Clock, SystemClock
from service_runtime.heartbeat import OutageLog
from service_runtime.kafka.batches import BatchSubscription
from service_runtime.kafka.fetch_limits import BRIEFLY, Gathering
from service_runtime.observability.instruments import MetricSpec
from service_runtime.postgres.database import Database
from service_runtime.projections.projections import Projection
from service_runtime.retention.archived_table import ArchivedTable
from service_runtime.settings import RuntimeSettings
from service_runtime.subscriptions import Subscription, TimerSubscription
from service_runtime.unit_of_work.executor import UnitOfWorkFactory
from service_runtime.unit_of_work.loading import StateQuery
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork
from service_runtime.webhooks.config import WebhookConfig

WorkT = TypeVar("WorkT", bound=PostgresUnitOfWork)


@dataclass(frozen=True)
class Service(Generic[WorkT]):
    """The parts of a service, as `wiring.build` declares them."""

    name: str
    description: str
    settings: RuntimeSettings
    database: Database
    unit_of_work: UnitOfWorkFactory[WorkT]
    migrations: Path
    append_only: Sequence[str] = ()
    """The service's own tables whose rows are never changed; its database role may only read them and append."""
    read_only: Sequence[str] = ()
    """The service's own tables that only the owner of the database writes, as `archive` does."""
    archived_tables: Sequence[ArchivedTable] = ()
    """The service's own tables whose months `archive` moves into files, besides the journal."""
    routes: Sequence[APIRouter] = ()
    subscriptions: Sequence[Subscription[WorkT]] = ()
    gathering: Gathering = BRIEFLY
    """When and for how long the events that the service subscribes to are gathered."""
    timers: Sequence[TimerSubscription[WorkT]] = ()
    states: Sequence[StateQuery] = ()
    """How the state of a topic's streams is loaded; a topic without an entry has none."""
    save_rows: str = ""
    """Common table expressions that write the rows of `PostgresUnitOfWork.put_row`, from the JSON value `:rows`."""
    projections: Sequence[Projection[Any]] = ()
    batch_subscriptions: Sequence[BatchSubscription] = ()
    webhooks: WebhookConfig[WorkT] | None = None
    metrics: Sequence[MetricSpec] = ()
    paused_in_outages: Sequence[str] = ()
    """Kinds of timers that an outage of this service pauses."""
    outage_log: OutageLog | None = None
    """The log from which handlers read outages; the heartbeat keeps it up to date."""
    ports: Mapping[type, object] = field(default_factory=dict[type, object])
    clock: Clock = field(default_factory=SystemClock)
