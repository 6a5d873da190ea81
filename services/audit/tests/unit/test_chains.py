"""Every event has its place in its stream; a repeat is welcome, and everything else is named."""

from datetime import UTC, datetime

from audit.domain.chains import Chain, Link, find_faults
from audit.domain.records import FaultKind, RawRecord, parse_record
from audit.handlers import record_batch
from contracts.envelope import GENESIS
from contracts.events.packages import OfferAccepted, OfferMade, PackageRequested
from contracts.examples import an_example_of, an_id
from service_runtime.kafka.batch_consumer import Batch
from testkit.audit.builders import COUNCIL, InMemoryRecordStore, RecordBuilder

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def make_link(sequence: int, *, after: str = "", name: str = "") -> Link:
    """The event at `sequence`, which names the one before it by `after`."""
    before = after or (GENESIS if sequence == 1 else f"hash-{sequence - 1}")
    return Link(sequence, an_id(f"{name}{sequence}"), before, f"hash-{name}{sequence}")


def follow_links(*links: Link) -> list[tuple[FaultKind, ...]]:
    chain = Chain()
    return [chain.append(each) for each in links]


def test_events_in_their_order_have_no_fault() -> None:
    assert follow_links(make_link(1), make_link(2), make_link(3)) == [(), (), ()]


def test_equal_repeats_are_no_fault_however_late_they_come() -> None:
    assert (
        follow_links(make_link(1), make_link(2), make_link(3), make_link(1), make_link(2), make_link(3), make_link(4))
        == [()] * 7
    )


def test_a_gap_is_named_once_and_the_stream_goes_on_behind_it() -> None:
    assert follow_links(make_link(1), make_link(4), make_link(5)) == [(), (FaultKind.GAP,), ()]


def test_a_stream_that_does_not_begin_with_its_first_event_has_a_gap() -> None:
    assert follow_links(make_link(2)) == [(FaultKind.GAP,)]


def test_what_fills_a_gap_later_is_late_and_has_no_other_fault_where_it_fits() -> None:
    assert follow_links(make_link(1), make_link(3), make_link(2), make_link(2)) == [
        (),
        (FaultKind.GAP,),
        (FaultKind.LATE,),
        (),
    ]


def test_what_fills_a_gap_and_does_not_fit_its_neighbours_breaks_the_chain() -> None:
    assert follow_links(make_link(1), make_link(3), make_link(2, name="other"))[2] == (
        FaultKind.LATE,
        FaultKind.BROKEN_CHAIN,
    )


def test_an_event_that_names_another_hash_before_it_breaks_the_chain() -> None:
    assert follow_links(make_link(1), make_link(2, after="another"), make_link(3)) == [
        (),
        (FaultKind.BROKEN_CHAIN,),
        (),
    ]


def test_the_first_event_names_the_beginning() -> None:
    assert follow_links(make_link(1, after="another")) == [(FaultKind.BROKEN_CHAIN,)]


def test_another_event_in_a_place_that_is_taken_is_a_fork() -> None:
    assert follow_links(make_link(1), make_link(2), make_link(2, name="other"), make_link(3)) == [
        (),
        (),
        (FaultKind.FORK,),
        (),
    ]


def test_a_repeat_with_another_hash_is_named() -> None:
    changed = Link(2, make_link(2).event_id, "hash-1", "another")
    assert follow_links(make_link(1), make_link(2), changed) == [(), (), (FaultKind.CHANGED_REPEAT,)]


def test_two_sources_count_for_themselves() -> None:
    press = RecordBuilder()
    records = press.publish(an_example_of(PackageRequested), an_example_of(OfferMade), an_example_of(OfferAccepted))
    entries = [parse_record(each) for each in records]
    assert [each.stream.source for each in entries] == ["/calloff/referral", "/calloff/sourcing", "/calloff/sourcing"]
    assert list(find_faults(entries, {each.stream: Chain() for each in entries})) == []


class Raw:
    """A record as aiokafka gives it."""

    def __init__(self, arrived: RawRecord, headers: list[tuple[str, bytes]]) -> None:
        self.topic, self.partition, self.offset = vars(arrived.position).values()
        self.timestamp = 0
        self.key, self.value, self.headers = arrived.key, arrived.payload, headers


async def test_a_batch_that_is_taken_in_twice_counts_once() -> None:
    press, record = RecordBuilder(), InMemoryRecordStore()
    envelope = press.make_envelope(requested := an_example_of(PackageRequested))
    raw = Raw(press.make_record(envelope, requested), envelope.to_headers())
    forged = envelope.model_copy(update={"hash": "0" * 64})
    again = Raw(press.make_record(forged, requested), forged.to_headers())
    for _ in range(2):
        await record_batch(Batch([raw, again], NOW), record)  # pyright: ignore[reportArgumentType]  a record's look-alike
    assert len(record.rows) == 2
    violations = await record.list_violations(COUNCIL, after=None, limit=10)
    assert sorted(each.fault.kind for each in violations) == sorted([FaultKind.FORGED_HASH, FaultKind.CHANGED_REPEAT])
