"""What audit listens to: everything, in batches; it follows no single event, and it has no timer."""

from typing import Final

from audit.handlers import keep_everything
from audit.ports import Record
from contracts.catalogue import TOPICS
from service_runtime.kafka.batch_consumer import Intake
from service_runtime.subscriptions import Subscription, TimerSubscription
from service_runtime.unit_of_work.unit_of_work import PostgresWork

SUBSCRIPTIONS: Final[tuple[Subscription[PostgresWork], ...]] = ()

TIMERS: Final[tuple[TimerSubscription[PostgresWork], ...]] = ()

FEEDS: Final[tuple[Intake[Record], ...]] = (Intake("record", TOPICS, keep_everything),)
