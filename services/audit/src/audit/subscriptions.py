"""Subscriptions of audit: every topic, in batches; no single event and no timer."""

from typing import Final

from audit.handlers import record_batch, record_rejected
from audit.ports import RecordStore
from contracts.catalogue import TOPICS
from service_runtime.kafka.batches import BatchHandlerEntry
from service_runtime.kafka.fetch_limits import Gathering
from service_runtime.subscriptions import Subscription, TimerSubscription
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork

GATHERING: Final = Gathering(above=1, milliseconds=250)
"""Records that are stored together; nobody waits for them."""

SUBSCRIPTIONS: Final[tuple[Subscription[PostgresUnitOfWork], ...]] = ()

TIMERS: Final[tuple[TimerSubscription[PostgresUnitOfWork], ...]] = ()

BATCH_SUBSCRIPTIONS: Final[tuple[BatchHandlerEntry[RecordStore], ...]] = (
    BatchHandlerEntry("record", TOPICS, record_batch, gathering=GATHERING, rejection_handler=record_rejected),
)
