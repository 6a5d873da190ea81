"""What is planned for topics that differ from their specifications, and what is refused."""

from contracts.catalogue import KEPT_FOREVER, PARTITIONS, SPECIFICATIONS, TOPICS, TopicSpecification
from service_runtime.kafka.client import LARGEST_BATCH
from service_runtime.kafka.topics import (
    MIN_INSYNC_REPLICAS,
    ExistingTopic,
    Replication,
    TopicPlan,
    find_specifications,
    plan_topics,
)

SPECIFICATION = TopicSpecification("homecare.packages.v1")
THREE = Replication(factor=3, min_insync=2)


def plan_for(
    *, partitions: int = PARTITIONS, factor: int = 3, replication: Replication = THREE, **settings: str
) -> TopicPlan:
    """Plans for one topic that is as specified for three replicas but for what is named; `__` stands for a dot."""
    changed = {name.replace("__", "."): value for name, value in settings.items()}
    present = {**KEPT_FOREVER, MIN_INSYNC_REPLICAS: "2", **changed}
    topic = ExistingTopic(SPECIFICATION.name, partitions, factor, present)
    return plan_topics([SPECIFICATION], {topic.name: topic}, replication)


def test_a_topic_as_specified_needs_nothing() -> None:
    assert plan_for().is_empty


def test_a_missing_topic_is_created() -> None:
    assert plan_topics(SPECIFICATIONS, {}, THREE).missing == SPECIFICATIONS


def test_a_finite_retention_is_raised_to_unlimited() -> None:
    (change,) = plan_for(retention__ms="604800000").changes
    assert (change.setting, change.present, change.specified) == ("retention.ms", "604800000", "-1")


def test_compaction_is_changed() -> None:
    (change,) = plan_for(cleanup__policy="compact,delete").changes
    assert change.specified == "delete"


def test_a_limit_that_is_too_small_is_raised_and_a_greater_one_is_left() -> None:
    assert [change.setting for change in plan_for(max__message__bytes="20000").changes] == ["max.message.bytes"]
    assert plan_for(max__message__bytes="5000000").is_empty


def test_a_retention_is_never_lowered() -> None:
    finite = TopicSpecification("homecare.other.v1", settings={"retention.ms": "1000", "retention.bytes": "1000"})
    for present in ("-1", "1001"):
        settings = {"retention.ms": present, "retention.bytes": present, MIN_INSYNC_REPLICAS: "2"}
        topic = ExistingTopic(finite.name, PARTITIONS, 3, settings)
        assert plan_topics([finite], {finite.name: topic}, THREE).is_empty


def test_a_topic_with_another_number_of_partitions_is_refused_and_its_number_never_changed() -> None:
    for partitions in (6, 24):
        plan = plan_for(partitions=partitions)
        assert (plan.missing, plan.changes) == ((), ())
        (contradiction,) = plan.contradictions
        assert f"has {partitions} partitions, it must have 12" in str(contradiction)


def test_too_few_replicas_are_refused_with_the_tool_that_adds_some() -> None:
    plan = plan_for(factor=1, min__insync__replicas="1")
    assert plan.changes == (), "with min.insync.replicas=2 nothing could be written to one replica"
    (contradiction,) = plan.contradictions
    assert "kafka-reassign-partitions" in str(contradiction)
    assert "replication factor 1, it must be at least 3" in str(contradiction)


def test_more_replicas_than_asked_for_are_left() -> None:
    assert plan_for(replication=Replication()).is_empty


def test_a_topic_to_which_nothing_can_be_written_is_refused() -> None:
    plan = plan_for(factor=1, replication=Replication(), min__insync__replicas="2")
    (contradiction,) = plan.contradictions
    assert "nothing can be written" in str(contradiction)


def test_settings_and_topics_without_a_specification_are_left_alone() -> None:
    foreign = ExistingTopic("another.topic", 3, 1, {"retention.ms": "1000"})
    settings = {**KEPT_FOREVER, MIN_INSYNC_REPLICAS: "2", "segment.ms": "1000"}
    topic = ExistingTopic(SPECIFICATION.name, PARTITIONS, 3, settings)
    assert plan_topics([SPECIFICATION], {topic.name: topic, foreign.name: foreign}, THREE).is_empty


def test_settings_that_may_not_be_read_are_not_judged() -> None:
    topic = ExistingTopic(SPECIFICATION.name, 6, 3, settings=None)
    plan = plan_topics([SPECIFICATION], {topic.name: topic}, THREE)
    assert plan.changes == ()
    assert len(plan.contradictions) == 1


def test_every_topic_of_the_catalogue_takes_the_largest_batch_and_deletes_nothing() -> None:
    specifications = find_specifications(TOPICS)
    assert [specification.name for specification in specifications] == list(TOPICS)
    for specification in specifications:
        assert int(specification.settings["max.message.bytes"]) >= LARGEST_BATCH
        assert specification.settings["retention.ms"] == specification.settings["retention.bytes"] == "-1"
        assert specification.settings["cleanup.policy"] == "delete"
