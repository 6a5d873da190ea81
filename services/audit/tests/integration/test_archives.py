"""Archives of the record: months move into files, and chains are verified in them, after them and across both."""

import gzip
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio

from audit.domain.archives import ArchivedPart, ArchiveVerifier
from audit.domain.chains import find_faults
from audit.domain.records import FaultKind, RawRecord, parse_record
from audit.domain.verification import Verifier
from audit.store import TABLES
from audit.store.archive import RecordsTable
from audit.store.archive_queries import PostgresArchiveQueries
from audit.store.archive_reader import read_archives
from audit.store.queries import PostgresRecordQueries
from audit.store.records import PostgresRecordStore
from contracts.catalogue import PACKAGES, PROVIDERS
from contracts.events.offers import OfferAccepted, OfferDeclined, OfferMade
from contracts.events.packages import PackageRequested
from contracts.events.searches import SourcingStarted
from contracts.examples import COUNCIL, MONDAY_NINE, an_example_of
from contracts.ids import CouncilKey
from service_runtime.postgres.database import Database
from service_runtime.postgres.errors import StatementRefused
from service_runtime.retention.archive_files import ArchiveDamaged, Manifest
from service_runtime.retention.archiver import Archiver
from testkit.audit.builders import PACKAGE, RecordBuilder, make_registration
from testkit.databases import a_database, fetch_number, fetch_rows
from testkit.servers import TestPostgres

MONTHS: Final = (
    datetime(2025, 12, 10, tzinfo=UTC),
    datetime(2026, 1, 10, tzinfo=UTC),
    datetime(2026, 2, 10, tzinfo=UTC),
)
EVENTS: Final = (SourcingStarted, OfferMade, OfferDeclined)
ROWS: Final = 'SELECT CAST(records AS text) AS row FROM records ORDER BY topic, partition, "offset"'


@dataclass
class Record:
    """The record of one database, without Kafka."""

    database: Database
    builder: RecordBuilder = field(default_factory=RecordBuilder)
    stored: list[RawRecord] = field(default_factory=list[RawRecord])

    async def store(self, *records: RawRecord, at: datetime = MONDAY_NINE) -> list[FaultKind]:
        """Stores records as they arrive, and returns the faults that are found on arrival."""
        entries = [parse_record(each) for each in records]
        self.stored.extend(records)
        async with self.database.begin_transaction() as connection:
            store = PostgresRecordStore(connection)
            chains = await store.load_chains(entries)
            result = await store.add_records(entries, at=at)
        return [fault.kind for fault in (*find_faults(result.new_records, chains), *result.conflicts)]

    async def archive(self, folder: Path, *, keep_months: int = 1) -> list[Manifest]:
        return await self.archiver.archive(folder, keep_months=keep_months, now=MONDAY_NINE)

    @property
    def archiver(self) -> Archiver:
        return Archiver(self.database, "audit", [RecordsTable()])

    async def verify(self) -> list[FaultKind]:
        """Verifies what is in the database, as the service does."""
        queries, verifier = PostgresRecordQueries(self.database), Verifier()
        kinds = [fault.kind for fault in await queries.find_missing(limit=500)]
        async for row in queries.stream_records(None):
            kinds += [fault.kind for fault in verifier.check(row).faults]
        return kinds

    async def read_rows(self) -> list[str]:
        return [row.row for row in await fetch_rows(self.database, ROWS)]

    async def change_as_owner(self, statement: str) -> None:
        async with self.database.begin_transaction() as connection:
            await connection.run(f"ALTER TABLE records DISABLE TRIGGER USER; {statement}")
            await connection.run("ALTER TABLE records ENABLE TRIGGER USER")


@pytest_asyncio.fixture
async def record(postgres: TestPostgres) -> AsyncGenerator[Record]:
    """A package with an event in each month, another with all in the first one, and a provider of the first month."""
    async with a_database(postgres, TABLES) as database:
        record = Record(database)
        build = record.builder.publish
        requested = build(an_example_of(PackageRequested, package_id=PACKAGE), make_registration("Alder"))
        assert await record.store(*requested, at=MONTHS[0]) == []
        for kind, at in zip(EVENTS, MONTHS, strict=True):
            assert await record.store(*build(an_example_of(kind, package_id=PACKAGE)), at=at) == []
        yield record


def verify_files(folder: Path, moved: Sequence[Manifest]) -> ArchivedPart:
    return ArchiveVerifier().verify(read_archives(folder / each.name for each in moved))


async def test_old_months_of_the_packages_topics_move_and_other_topics_stay(record: Record, tmp_path: Path) -> None:
    moved = await record.archive(tmp_path)
    assert [(each.name, each.row_count, each.extent) for each in moved] == [
        ("audit-record-2025-12.jsonl.gz", 2, {f"{PACKAGES}/0": (0, 2)}),
        ("audit-record-2026-01.jsonl.gz", 1, {f"{PACKAGES}/0": (2, 3)}),
    ]
    rows = await fetch_rows(record.database, 'SELECT topic, "offset" FROM records ORDER BY topic')
    assert [(row.topic, row.offset) for row in rows] == [(PACKAGES, 3), (PROVIDERS, 0)]
    assert await record.archive(tmp_path) == []


async def test_the_rest_of_a_chain_is_verified_from_the_last_archived_event_on(record: Record, tmp_path: Path) -> None:
    await record.archive(tmp_path)
    assert await record.verify() == []
    await fetch_rows(record.database, "UPDATE archived_streams SET hash = repeat('0', 64) WHERE sequence = 2")
    assert await record.verify() == [FaultKind.BROKEN_CHAIN]


async def test_a_row_that_is_missing_after_the_archives_is_found(record: Record, tmp_path: Path) -> None:
    next_event = record.builder.publish(an_example_of(OfferAccepted, package_id=PACKAGE))
    await record.archive(tmp_path)
    await record.store(*next_event)
    await record.change_as_owner("DELETE FROM records WHERE \"offset\" = 3 AND topic = 'homecare.packages.v1'")
    assert await record.verify() == [FaultKind.MISSING, FaultKind.GAP]


async def test_archives_are_verified_from_the_first_event_and_lead_to_the_record(
    record: Record, tmp_path: Path
) -> None:
    moved = await record.archive(tmp_path)
    found = verify_files(tmp_path, moved)
    assert (found.report.records, found.streams, found.report.faults) == (3, 2, [])
    assert found.heads_digest == await PostgresArchiveQueries(record.database).compute_heads_digest()
    assert verify_files(tmp_path, moved[:1]).heads_digest != found.heads_digest
    assert [fault.kind for fault in verify_files(tmp_path, moved[1:]).report.faults] == [
        FaultKind.MISSING,
        FaultKind.GAP,
    ]


async def test_an_event_after_the_archives_is_compared_with_the_last_archived_one(
    record: Record, tmp_path: Path
) -> None:
    build = record.builder
    accepted, other = an_example_of(OfferAccepted, package_id=PACKAGE), an_example_of(OfferDeclined, package_id=PACKAGE)
    await record.archive(tmp_path, keep_months=0)
    assert await fetch_number(record.database, "SELECT count(*) FROM records WHERE topic = :topic", topic=PACKAGES) == 0
    last = record.stored[-1]
    assert (
        await record.store(build.make_raw_record(PACKAGES, last.key, parse_record(last).envelope, last.payload)) == []
    )
    envelope = build.make_envelope(accepted)
    forged = envelope.model_copy(update={"prevhash": "f" * 64}).seal(last.payload or b"")
    assert FaultKind.BROKEN_CHAIN in await record.store(build.make_raw_record(PACKAGES, last.key, forged, last.payload))
    fork = parse_record(last).envelope
    assert fork is not None
    changed = fork.model_copy(update={"id": envelope.id}).seal(last.payload or b"")
    assert await record.store(build.make_raw_record(PACKAGES, last.key, changed, last.payload)) == [FaultKind.FORK]
    assert await record.store(build.make_record(build.make_envelope(other), other)) != []


async def test_a_repeat_of_an_archived_event_is_a_violation_because_it_cannot_be_compared(
    record: Record, tmp_path: Path
) -> None:
    await record.archive(tmp_path)
    first = next(each for each in record.stored if parse_record(each).stream.source.endswith("sourcing"))
    repeat = record.builder.make_raw_record(PACKAGES, first.key, parse_record(first).envelope, first.payload)
    assert await record.store(repeat) == [FaultKind.IN_ARCHIVE]
    assert await record.verify() == []


async def test_a_topic_that_is_read_again_from_its_beginning_is_not_stored_again(
    record: Record, tmp_path: Path
) -> None:
    await record.archive(tmp_path)
    before = await record.read_rows()
    assert await record.store(*list(record.stored)) == []
    assert await record.read_rows() == before


async def test_archives_are_restored_and_the_record_is_as_it_was(record: Record, tmp_path: Path) -> None:
    before = await record.read_rows()
    moved = await record.archive(tmp_path)
    for each in reversed(moved):
        await record.archiver.restore(tmp_path / each.name)
    assert await record.read_rows() == before
    assert await record.verify() == []
    assert await fetch_number(record.database, "SELECT count(*) FROM archived_streams") == 0
    assert await record.archive(tmp_path) == moved


async def test_only_archived_rows_can_be_deleted(record: Record, tmp_path: Path) -> None:
    (*_, newest) = await record.archive(tmp_path)
    await record.archiver.restore(tmp_path / newest.name)
    with pytest.raises(StatementRefused, match="append-only"):
        await fetch_rows(record.database, 'DELETE FROM records WHERE "offset" = 2')
    with pytest.raises(StatementRefused, match="append-only"):
        await fetch_rows(record.database, "UPDATE records SET council = 'elsewhere'")


async def test_a_package_is_found_in_its_archives_by_its_own_council_only(record: Record, tmp_path: Path) -> None:
    moved = await record.archive(tmp_path)
    queries = PostgresArchiveQueries(record.database)
    assert await queries.find_archives_of_package(PACKAGE, COUNCIL) == [each.name for each in moved]
    assert await queries.find_archives_of_package(PACKAGE, CouncilKey("elsewhere")) == []
    assert [(each.name, each.sha256) for each in await queries.list_archives()] == [
        (each.name, each.sha256) for each in moved
    ]


async def test_a_file_of_another_table_is_refused_in_words(tmp_path: Path, record: Record) -> None:
    moved = await record.archive(tmp_path)
    with pytest.raises(ArchiveDamaged, match="is not an archive of audit's record"):
        list(read_archives([write_foreign(tmp_path)]))
    assert verify_files(tmp_path, moved).report.found == 0


def write_foreign(folder: Path) -> Path:
    path = folder / "sourcing-journal-2026-01.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"format": "calloff-archive-1"}\n{"position": 1}\n'))
    return path
