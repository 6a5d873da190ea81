"""Progress of a consumer: standing still and failing are measured, and an outage of Kafka does not count."""

import pytest
from aiokafka.errors import KafkaConnectionError, NodeNotReadyError, TopicAuthorizationFailedError
from prometheus_client import CollectorRegistry, Counter, Gauge

from service_runtime.kafka.client import Partition
from service_runtime.kafka.progress import (
    FIRST_PAUSE,
    LONGEST_PAUSE,
    STALLED_AFTER,
    UNREADY_AFTER,
    ArrivalWatch,
    ConsumerStalled,
    Progress,
)
from service_runtime.postgres.errors import ConnectionBroken

STALLED = STALLED_AFTER + 1
ONE, OTHER = Partition("packages", 1), Partition("packages", 2)
LATER = UNREADY_AFTER + 1


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def progress(registry: CollectorRegistry) -> Progress:
    rebuilds = Counter("rebuilds", "rebuilds", ["group"], registry=registry)
    return Progress("calloff.sample", rebuilds, Gauge("stalled", "stalled", ["group"], registry=registry))


def test_a_partition_that_stands_still_is_noticed_though_another_one_moves(
    progress: Progress, registry: CollectorRegistry
) -> None:
    progress.observe({ONE: 3, OTHER: 0}, {ONE: 5, OTHER: 100}, now=0)
    progress.observe({ONE: 3, OTHER: 50}, {ONE: 5, OTHER: 100}, now=LATER)
    assert progress.seconds == LATER
    assert registry.get_sample_value("stalled", {"group": "calloff.sample"}) == LATER
    because = progress.explain()
    assert because is not None
    assert "consumer calloff.sample stands still" in because


def test_a_partition_that_moves_or_has_nothing_to_read_does_not_stand_still(progress: Progress) -> None:
    progress.observe({ONE: 3, OTHER: 7}, {ONE: 5, OTHER: 7}, now=0)
    progress.observe({ONE: 4, OTHER: 7}, {ONE: 9, OTHER: 7}, now=LATER)
    assert progress.seconds == 0
    progress.observe({ONE: 9, OTHER: 7}, {ONE: 9, OTHER: 7}, now=2 * LATER)
    progress.observe({ONE: 9, OTHER: 7}, {ONE: 9, OTHER: 7}, now=3 * LATER)
    assert progress.explain() is None


def test_failures_without_progress_make_the_consumer_unready_and_the_pauses_grow(
    progress: Progress, registry: CollectorRegistry
) -> None:
    pauses = [progress.count_failure(TopicAuthorizationFailedError(), {}, now=second) for second in range(40)]
    assert pauses[0] == FIRST_PAUSE
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_PAUSE
    because = progress.explain()
    assert because is not None
    assert "fails with TopicAuthorizationFailedError" in because
    assert registry.get_sample_value("rebuilds_total", {"group": "calloff.sample"}) == 40


def test_progress_between_failures_ends_the_count(progress: Progress) -> None:
    for second in range(40):
        assert progress.count_failure(ValueError(), {ONE: second}, now=second) <= 2 * FIRST_PAUSE
    assert progress.explain() is None


def test_a_member_that_begins_again_at_an_earlier_offset_makes_no_progress(progress: Progress) -> None:
    for second in range(40):
        progress.observe({ONE: 3}, {ONE: 9}, now=second)
        progress.count_failure(ValueError(), {ONE: 5}, now=second + 0.5)
    assert progress.explain() is not None


@pytest.mark.parametrize("error", [KafkaConnectionError(), NodeNotReadyError()])
def test_a_kafka_that_does_not_answer_is_no_fault_of_the_consumer(progress: Progress, error: Exception) -> None:
    progress.observe({ONE: 3}, {ONE: 5}, now=0)
    progress.observe({ONE: 3}, {ONE: 5}, now=LATER)
    assert progress.explain() is not None
    assert progress.count_failure(error, {ONE: 3}, now=2 * LATER) == FIRST_PAUSE
    assert progress.explain() is None


def test_a_database_that_is_down_is_retried_without_growing_pauses(progress: Progress) -> None:
    assert {progress.count_failure(ConnectionBroken("down"), {}, now=second) for second in range(9)} == {FIRST_PAUSE}


def test_a_consumer_to_which_no_record_arrives_although_some_wait_is_stalled() -> None:
    watch = ArrivalWatch(now=0)
    watch.check(7, is_busy=False, now=STALLED_AFTER)
    with pytest.raises(ConsumerStalled, match="7 records to read"):
        watch.check(7, is_busy=False, now=STALLED)


@pytest.mark.parametrize(("lag", "is_busy"), [(0, False), (7, True)])
def test_a_consumer_that_is_busy_or_has_nothing_to_read_is_not_stalled(lag: int, *, is_busy: bool) -> None:
    watch = ArrivalWatch(now=0)
    watch.check(lag, is_busy=is_busy, now=STALLED)
    watch.check(7, is_busy=False, now=STALLED)
    watch.note_arrival(STALLED)
    watch.check(7, is_busy=False, now=STALLED + STALLED_AFTER)
