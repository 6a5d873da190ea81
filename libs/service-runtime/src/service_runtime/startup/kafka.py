"""Check of Kafka at a start: the topics of the service as specified, and none of its published events lost."""

from typing import Any

from contracts.catalogue import TOPICS, find_entry, list_owned_topics
from service_runtime.kafka.topics import Replication
from service_runtime.observability.logs import Logger
from service_runtime.service import Service
from service_runtime.startup.published_records import PublishedRecordsCheck
from service_runtime.startup.topics import check_topics


async def check_kafka(service: Service[Any], *, log: Logger) -> None:
    """Waits while Kafka, PostgreSQL or a topic is away. Raises StartRefused."""
    settings = service.settings
    replication = Replication(settings.kafka_replication_factor, settings.kafka_min_insync_replicas)
    await check_topics(settings.kafka_bootstrap, list_used_topics(service), replication=replication, log=log)
    published = PublishedRecordsCheck(service.name, service.database, settings.kafka_bootstrap, log)
    await published.run(list_owned_topics(service.name))


def list_used_topics(service: Service[Any]) -> tuple[str, ...]:
    """Returns the topics that the service reads or publishes to."""
    used = {subscription.topic for subscription in service.subscriptions}
    used |= {find_entry(event).topic for projection in service.projections for event in projection.event_types}
    used |= {topic for subscription in service.batch_subscriptions for topic in subscription.topics}
    used |= set(list_owned_topics(service.name))
    return tuple(topic for topic in TOPICS if topic in used)
