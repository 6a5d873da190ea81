"""Check of the topics: a service does not work on topics that contradict their specifications.

Missing topics are waited for: a job of the installation makes them, and its order can slip.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from contracts.catalogue import TOPICS, find_entry, list_owned_topics
from service_runtime.kafka.connection import KafkaConnection
from service_runtime.kafka.topic_admin import open_topic_admin
from service_runtime.kafka.topics import Replication, TopicPlan, find_specifications, plan_topics
from service_runtime.observability.logs import Logger
from service_runtime.service import Service
from service_runtime.startup.errors import StartDelayed, StartRefused

_COMMAND: Final = "`calloff topics apply` (in the image: `calloff-service topics apply`)"


def list_used_topics(service: Service[Any]) -> tuple[str, ...]:
    """Returns the topics that the service reads or publishes to."""
    used = {subscription.topic for subscription in service.subscriptions}
    used |= {find_entry(event).topic for projection in service.projections for event in projection.event_types}
    used |= {topic for subscription in service.batch_subscriptions for topic in subscription.topics}
    used |= set(list_owned_topics(service.name))
    return tuple(topic for topic in TOPICS if topic in used)


@dataclass(frozen=True)
class TopicsCheck:
    """Compares topics with their specifications."""

    kafka: KafkaConnection
    topics: Collection[str]
    replication: Replication
    log: Logger

    async def run(self) -> None:
        """Raises StartDelayed while a topic is missing, and StartRefused if one contradicts its specification."""
        specifications = find_specifications(self.topics)
        async with open_topic_admin(self.kafka) as admin:
            existing = await admin.describe(specifications)
        plan = plan_topics(specifications, existing, self.replication)
        if plan.changes or plan.contradictions:
            raise StartRefused(_describe(plan))
        if plan.missing:
            names = ", ".join(each.name for each in plan.missing)
            raise StartDelayed(f"Kafka has no topic {names}, or hides it from this user; {_COMMAND} makes it")
        if hidden := [topic.name for topic in existing.values() if topic.settings is None]:
            self.log.warning("settings of topics not checked: no right to describe them", topics=", ".join(hidden))


def _describe(plan: TopicPlan) -> str:
    differences = "; ".join(str(each) for each in (*plan.changes, *plan.contradictions))
    return f"{differences}; {_COMMAND} mends settings" if plan.changes else differences
