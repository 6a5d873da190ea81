"""What audit listens to: everything, in batches; it follows no single event, and it has no timer."""

from typing import Final

from audit.handlers import keep_everything
from audit.ports import Record
from contracts.catalogue import TOPICS
from service_runtime.batch_feed import Intake
from service_runtime.subscriptions import Subscription, TimerSubscription
from service_runtime.work import PostgresWork

SUBSCRIPTIONS: Final[tuple[Subscription[PostgresWork], ...]] = ()

TIMERS: Final[tuple[TimerSubscription[PostgresWork], ...]] = ()

FEEDS: Final[tuple[Intake[Record], ...]] = (Intake("record", TOPICS, keep_everything),)
