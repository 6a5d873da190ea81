"""Check of the topics: a service does not start on topics that contradict their specifications.

Missing topics are waited for: a job of the installation makes them, and its order can slip.
"""

from collections.abc import Collection
from typing import Final

from service_runtime.kafka.topic_admin import open_topic_admin
from service_runtime.kafka.topics import Replication, TopicPlan, find_specifications, plan_topics
from service_runtime.observability.logs import Logger
from service_runtime.startup.errors import StartRefused
from service_runtime.startup.waiting import WaitLog, repeat_while_unavailable

_COMMAND: Final = "`calloff topics apply` (in the image: `calloff-service topics apply`)"


async def check_topics(bootstrap: str, topics: Collection[str], *, replication: Replication, log: Logger) -> None:
    """Waits until all `topics` exist. Raises StartRefused if one contradicts its specification."""
    waiting = WaitLog(log)

    async def check() -> None:
        specifications = find_specifications(topics)
        async with open_topic_admin(bootstrap) as admin:
            existing = await admin.describe(specifications)
            while (plan := plan_topics(specifications, existing, replication)).missing:
                names = ", ".join(each.name for each in plan.missing)
                await waiting.wait("waiting for topics", missing=names, made_by=_COMMAND)
                existing = await admin.describe(specifications)
        if plan.changes or plan.contradictions:
            raise StartRefused(_describe(plan))
        if hidden := [topic.name for topic in existing.values() if topic.settings is None]:
            log.warning("settings of topics not checked: no right to describe them", topics=", ".join(hidden))

    await repeat_while_unavailable(check, name="topics", log=log)


def _describe(plan: TopicPlan) -> str:
    differences = "; ".join(str(each) for each in (*plan.changes, *plan.contradictions))
    return f"{differences}; {_COMMAND} mends settings" if plan.changes else differences
