"""Topics as code: compares the topics of a Kafka with their specifications, and plans what to change.

A plan creates missing topics and raises settings; it never lowers a limit, changes a number of partitions or touches
settings and topics that no specification names. What it cannot mend is a contradiction, in words.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from contracts.catalogue import SPECIFICATIONS, TopicSpecification

MIN_INSYNC_REPLICAS: Final = "min.insync.replicas"
_MAY_BE_HIGHER: Final = frozenset(
    {
        "retention.ms",
        "retention.bytes",
        "max.message.bytes",
        "message.timestamp.before.max.ms",
        "message.timestamp.after.max.ms",
        MIN_INSYNC_REPLICAS,
    }
)
"""Numbers that may be higher than specified; all other settings must be as specified."""
_UNLIMITED: Final = {"retention.ms": -1, "retention.bytes": -1}
"""Values that stand for no limit."""


@dataclass(frozen=True)
class Replication:
    """How many replicas a topic has, and how many of them must have a batch before it is acknowledged."""

    factor: int = 1
    min_insync: int = 1


@dataclass(frozen=True)
class ExistingTopic:
    """A topic as Kafka describes it."""

    name: str
    partitions: int
    replication_factor: int
    """Of the partition with the fewest replicas."""
    settings: Mapping[str, str] | None
    """Effective values, also where the broker's default applies; None where they may not be read."""


@dataclass(frozen=True)
class SettingChange:
    """A setting of a topic that differs from its specification and can be changed."""

    topic: str
    setting: str
    present: str
    specified: str

    def __str__(self) -> str:
        return f"topic {self.topic} has {self.setting}={self.present}, it must be {self.specified}"


@dataclass(frozen=True)
class Contradiction:
    """A difference between a topic and its specification that no change of a setting removes."""

    topic: str
    because: str

    def __str__(self) -> str:
        return f"topic {self.topic} {self.because}"


@dataclass(frozen=True)
class TopicPlan:
    """What `apply` does, and what it cannot do."""

    missing: tuple[TopicSpecification, ...]
    changes: tuple[SettingChange, ...]
    contradictions: tuple[Contradiction, ...]

    @property
    def is_empty(self) -> bool:
        return not (self.missing or self.changes or self.contradictions)


def find_specifications(topics: Iterable[str]) -> tuple[TopicSpecification, ...]:
    """Returns the specification of each topic; a topic outside the catalogue is set up like those of the catalogue."""
    declared = {specification.name: specification for specification in SPECIFICATIONS}
    return tuple(declared.get(topic) or TopicSpecification(topic) for topic in topics)


def build_settings(specification: TopicSpecification, replication: Replication) -> dict[str, str]:
    """Returns the settings with which the topic is created."""
    return {**specification.settings, MIN_INSYNC_REPLICAS: str(replication.min_insync)}


def plan_topics(
    specifications: Iterable[TopicSpecification], existing: Mapping[str, ExistingTopic], replication: Replication
) -> TopicPlan:
    """Compares topics with their specifications. Topics without a specification are left alone."""
    missing: list[TopicSpecification] = []
    changes: list[SettingChange] = []
    contradictions: list[Contradiction] = []
    for specification in specifications:
        topic = existing.get(specification.name)
        if topic is None:
            missing.append(specification)
            continue
        changes += _find_changes(specification, topic, replication)
        contradictions += _find_contradictions(specification, topic, replication)
    return TopicPlan(tuple(missing), tuple(changes), tuple(contradictions))


def _find_changes(
    specification: TopicSpecification, topic: ExistingTopic, replication: Replication
) -> Iterator[SettingChange]:
    for setting, specified in build_settings(specification, replication).items():
        present = (topic.settings or {}).get(setting)
        if present is None or _satisfies(setting, present, specified):
            continue
        if setting == MIN_INSYNC_REPLICAS and int(specified) > topic.replication_factor:
            continue  # nothing could be written; the replication factor is the contradiction
        yield SettingChange(topic.name, setting, present, specified)


def _satisfies(setting: str, present: str, specified: str) -> bool:
    if setting not in _MAY_BE_HIGHER:
        return present == specified
    unlimited = _UNLIMITED.get(setting)
    if int(present) == unlimited:
        return True
    return int(specified) != unlimited and int(present) >= int(specified)


def _find_contradictions(
    specification: TopicSpecification, topic: ExistingTopic, replication: Replication
) -> Iterator[Contradiction]:
    if topic.partitions != specification.partitions:
        yield Contradiction(
            topic.name,
            f"has {topic.partitions} partitions, it must have {specification.partitions}: the number is never changed,"
            " because keys would move and lose their order;"
            " fill a new topic from the record (docs/operations.md, Topics)",
        )
    if topic.replication_factor < replication.factor:
        yield Contradiction(
            topic.name,
            f"has replication factor {topic.replication_factor}, it must be at least {replication.factor}:"
            " add replicas with kafka-reassign-partitions.sh (docs/operations.md, Topics), or lower"
            " CALLOFF_KAFKA_REPLICATION_FACTOR",
        )
    insync = int((topic.settings or {}).get(MIN_INSYNC_REPLICAS, "1"))
    if insync > topic.replication_factor:
        yield Contradiction(
            topic.name,
            f"has {MIN_INSYNC_REPLICAS}={insync} and replication factor {topic.replication_factor}: nothing can be"
            " written; add replicas with kafka-reassign-partitions.sh, or lower the setting with kafka-configs.sh",
        )
