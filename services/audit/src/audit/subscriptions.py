"""What audit listens to: everything, in batches; it follows no single event, and it has no timer."""

from typing import Final

from audit.handlers import keep_everything
from audit.ports import Record
from contracts.catalogue import TOPICS
from service_runtime.kafka.batch_consumer import BatchHandlerEntry
from service_runtime.subscriptions import Subscription, TimerSubscription
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork

SUBSCRIPTIONS: Final[tuple[Subscription[PostgresUnitOfWork], ...]] = ()

TIMERS: Final[tuple[TimerSubscription[PostgresUnitOfWork], ...]] = ()

FEEDS: Final[tuple[BatchHandlerEntry[Record], ...]] = (BatchHandlerEntry("record", TOPICS, keep_everything),)
