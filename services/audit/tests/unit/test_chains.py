"""Chains: gaps, forks, late events and changed repeats are faults; equal repeats are not."""

from datetime import UTC, datetime

from audit.domain.chains import Chain, Link, find_faults
from audit.domain.records import FaultKind, RawRecord, parse_record
from audit.handlers import record_batch
from contracts.envelope import GENESIS
from contracts.events.offers import OfferAccepted, OfferMade
from contracts.events.packages import PackageRequested
from contracts.examples import COUNCIL, an_example_of, an_id
from service_runtime.kafka.batches import Batch
from testkit.audit.builders import InMemoryRecordStore, RecordBuilder

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def make_link(sequence: int, *, after: str = "", name: str = "") -> Link:
    """Returns the link at `sequence`; `after` is its previous hash, by default that of the link before."""
    prevhash = after or (GENESIS if sequence == 1 else f"hash-{sequence - 1}")
    return Link(sequence, an_id(f"{name}{sequence}"), prevhash, f"hash-{name}{sequence}")


def append_links(*links: Link) -> list[tuple[FaultKind, ...]]:
    chain = Chain()
    return [chain.append(link) for link in links]


def test_events_in_order_have_no_fault() -> None:
    assert append_links(make_link(1), make_link(2), make_link(3)) == [(), (), ()]


def test_equal_repeats_are_no_fault_however_late_they_arrive() -> None:
    assert (
        append_links(make_link(1), make_link(2), make_link(3), make_link(1), make_link(2), make_link(3), make_link(4))
        == [()] * 7
    )


def test_a_gap_is_reported_once_and_the_stream_continues_after_it() -> None:
    assert append_links(make_link(1), make_link(4), make_link(5)) == [(), (FaultKind.GAP,), ()]


def test_a_stream_that_does_not_begin_with_its_first_event_has_a_gap() -> None:
    assert append_links(make_link(2)) == [(FaultKind.GAP,)]


def test_an_event_that_fills_a_gap_and_fits_its_neighbours_is_only_late() -> None:
    assert append_links(make_link(1), make_link(3), make_link(2), make_link(2)) == [
        (),
        (FaultKind.GAP,),
        (FaultKind.LATE,),
        (),
    ]


def test_an_event_that_fills_a_gap_and_does_not_fit_its_neighbours_breaks_the_chain() -> None:
    assert append_links(make_link(1), make_link(3), make_link(2, name="other"))[2] == (
        FaultKind.LATE,
        FaultKind.BROKEN_CHAIN,
    )


def test_an_event_with_another_previous_hash_breaks_the_chain() -> None:
    assert append_links(make_link(1), make_link(2, after="another"), make_link(3)) == [
        (),
        (FaultKind.BROKEN_CHAIN,),
        (),
    ]


def test_the_first_event_must_have_the_genesis_hash() -> None:
    assert append_links(make_link(1, after="another")) == [(FaultKind.BROKEN_CHAIN,)]


def test_two_events_with_one_sequence_number_are_a_fork() -> None:
    assert append_links(make_link(1), make_link(2), make_link(2, name="other"), make_link(3)) == [
        (),
        (),
        (FaultKind.FORK,),
        (),
    ]


def test_a_repeat_with_another_hash_is_a_fault() -> None:
    changed = Link(2, make_link(2).event_id, "hash-1", "another")
    assert append_links(make_link(1), make_link(2), changed) == [(), (), (FaultKind.CHANGED_REPEAT,)]


def test_two_sources_have_separate_chains() -> None:
    builder = RecordBuilder()
    records = builder.publish(an_example_of(PackageRequested), an_example_of(OfferMade), an_example_of(OfferAccepted))
    entries = [parse_record(record) for record in records]
    assert [entry.stream.source for entry in entries] == ["/calloff/referral", "/calloff/sourcing", "/calloff/sourcing"]
    assert list(find_faults(entries, {entry.stream: Chain() for entry in entries})) == []


class FakeKafkaRecord:
    """A record with the attributes of aiokafka's records."""

    def __init__(self, arrived: RawRecord, headers: list[tuple[str, bytes]]) -> None:
        self.topic, self.partition, self.offset = vars(arrived.position).values()
        self.timestamp = 0
        self.key, self.value, self.headers = arrived.key, arrived.payload, headers


async def test_a_batch_that_is_recorded_twice_counts_once() -> None:
    builder, record = RecordBuilder(), InMemoryRecordStore()
    envelope = builder.make_envelope(requested := an_example_of(PackageRequested))
    raw = FakeKafkaRecord(builder.make_record(envelope, requested), envelope.to_headers())
    forged = envelope.model_copy(update={"hash": "0" * 64})
    again = FakeKafkaRecord(builder.make_record(forged, requested), forged.to_headers())
    for _ in range(2):
        await record_batch(Batch([raw, again], NOW), record)  # pyright: ignore[reportArgumentType]  a fake record
    assert len(record.rows) == 2
    violations = await record.list_violations(COUNCIL, after=None, limit=10)
    assert sorted(each.fault.kind for each in violations) == sorted([FaultKind.FORGED_HASH, FaultKind.CHANGED_REPEAT])
