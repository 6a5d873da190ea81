"""Archives of the journal: whole months move into files, can be verified there, and come back."""

import asyncio
import gzip
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from contracts.catalogue import PACKAGES
from contracts.examples import MONDAY_NINE
from service_runtime.kafka.connection import KafkaConnection
from service_runtime.outbox.journal import decode_headers
from service_runtime.postgres import schema
from service_runtime.postgres.database import Connection, Database
from service_runtime.postgres.errors import StatementRefused
from service_runtime.postgres.grants import grant_privileges
from service_runtime.retention.archive_files import ArchiveDamaged, ArchiveRefused, Manifest, decode_bytes, read_rows
from service_runtime.retention.archived_table import Extent
from service_runtime.retention.archiver import Archiver
from service_runtime.retention.journal_archive import BATCH_SIZE, JournalTable
from service_runtime.retention.journal_verification import verify_journal
from testkit.archiving_process import STEPS
from testkit.chain_checker import find_chain_faults
from testkit.clocks import MovableClock
from testkit.databases import create_database_with_roles, fetch_number, fetch_rows
from testkit.sample_service import SampleService
from testkit.servers import TestPostgres
from testkit.topics import TopicRecord

NOWHERE = KafkaConnection("127.0.0.1:1")
MONTHS = ("2025-12", "2026-01", "2026-02")
PACKAGE = uuid4()
ROWS = "SELECT * FROM journal ORDER BY position"
COUNT = "SELECT count(*) FROM journal"


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
async def sample(database: Database, clock: MovableClock) -> SampleService:
    """A service without Kafka: a package with four events in each month of MONTHS, and one each day of this month."""
    sample = SampleService("sample", database, NOWHERE, clock=clock)
    for month in MONTHS:
        clock.set_to(datetime.fromisoformat(f"{month}-01T00:00:00+00:00"))
        await publish(sample, PACKAGE, uuid4())
        clock.set_to(datetime.fromisoformat(f"{month}-28T23:59:59.999999+00:00"))
        await publish(sample, PACKAGE, uuid4())
    clock.set_to(datetime(2026, 3, 1, tzinfo=UTC))
    await publish(sample, PACKAGE)
    return sample


async def publish(sample: SampleService, *packages: UUID) -> None:
    """Publishes one event about each package, and sends it."""
    for package in packages:
        await sample.request_withdrawal(package)
    await fetch_rows(sample.database, "DELETE FROM outbox")


async def read_journal(database: Database) -> list[dict[str, Any]]:
    return [{name: row[name] for name in row.keys()} for row in await fetch_rows(database, ROWS)]  # noqa: SIM118


def list_names(folder: Path, pattern: str = "*") -> set[str]:
    return {path.name for path in folder.glob(pattern)}


def an_archiver(database: Database) -> Archiver:
    return Archiver(database, "sample", [JournalTable()])


async def archive(sample: SampleService, folder: Path, *, keep_months: int = 1) -> list[Manifest]:
    return await an_archiver(sample.database).archive(folder, keep_months=keep_months, now=MONDAY_NINE)


def to_topic_record(row: dict[str, Any]) -> TopicRecord:
    headers = decode_headers(decode_bytes(row["headers"]) or b"")
    return TopicRecord(row["topic"], 0, row["version"], row["key"], headers, decode_bytes(row["payload"]) or b"")


async def test_months_before_the_kept_ones_move_into_files_oldest_first(sample: SampleService, tmp_path: Path) -> None:
    moved = await archive(sample, tmp_path)
    assert [(each.month, each.row_count, each.extent) for each in moved] == [
        ("2025-12", 4, {"positions": (1, 5)}),
        ("2026-01", 4, {"positions": (5, 9)}),
    ]
    assert [row["position"] for row in await read_journal(sample.database)] == [9, 10, 11, 12, 13]
    assert list_names(tmp_path) == {
        f"sample-journal-{month}{ending}" for month in MONTHS[:2] for ending in (".jsonl.gz", ".manifest.json")
    }
    assert await archive(sample, tmp_path) == []


async def test_the_chain_leads_from_the_archives_into_the_table_and_goes_on(
    sample: SampleService, tmp_path: Path
) -> None:
    moved = await archive(sample, tmp_path)
    await publish(sample, PACKAGE)
    archived = [row for each in moved for row in read_rows(tmp_path / each.name)]
    online = await fetch_rows(sample.database, "SELECT topic, key, version, headers, payload FROM journal")
    kept = [TopicRecord(row.topic, 0, row.version, row.key, decode_headers(row.headers), row.payload) for row in online]
    records = [*map(to_topic_record, archived), *kept]
    assert find_chain_faults(records) == []
    assert [each.offset for each in records if each.key == str(PACKAGE)] == list(range(1, 9))
    assert find_chain_faults(records[1:]) != []


async def test_archives_of_the_journal_are_verified_over_all_files(sample: SampleService, tmp_path: Path) -> None:
    files = [(tmp_path / each.name, each) for each in await archive(sample, tmp_path)]
    report = verify_journal(files)
    assert (report.records, report.streams, report.faults) == (8, 5, [])
    rows = await fetch_rows(sample.database, "SELECT version - 1 AS before FROM journal ORDER BY position LIMIT 1")
    assert report.last_hashes[PACKAGES, str(PACKAGE)][0] == rows[0].before
    (path, manifest), second = files
    changed = gzip.decompress(path.read_bytes()).replace(str(PACKAGE)[:8].encode(), b"00000000")
    path.write_bytes(gzip.compress(changed))
    found = verify_journal([(path, manifest), second])
    assert {fault.kind for fault in found.faults} >= {
        "the hash is not that of the bytes",
        "events before it are missing",
    }


async def test_a_journal_is_not_verified_over_a_gap(sample: SampleService, tmp_path: Path) -> None:
    later = datetime(2026, 5, 1, tzinfo=UTC)
    moved = await an_archiver(sample.database).archive(tmp_path, keep_months=1, now=later)
    files = [(tmp_path / each.name, each) for each in moved]
    with pytest.raises(ArchiveRefused, match=f"the archive before {moved[2].name} is missing: it ends at position 8"):
        verify_journal([files[0], files[2]])
    assert verify_journal(files[1:]).faults == []


async def test_archives_are_restored_newest_first_and_the_journal_is_as_it_was(
    sample: SampleService, tmp_path: Path
) -> None:
    before = await read_journal(sample.database)
    oldest, newest = await archive(sample, tmp_path)
    archiver = an_archiver(sample.database)
    with pytest.raises(ArchiveRefused, match=f"restore {newest.name} first"):
        await archiver.restore(tmp_path / oldest.name)
    await archiver.restore(tmp_path / newest.name)
    await archiver.restore(tmp_path / oldest.name)
    assert await read_journal(sample.database) == before
    with pytest.raises(ArchiveRefused, match="these rows are in their table"):
        await archiver.restore(tmp_path / oldest.name)
    assert await archive(sample, tmp_path) == [oldest, newest]


async def test_only_rows_of_a_listed_archive_can_be_deleted(sample: SampleService, tmp_path: Path) -> None:
    (oldest, newest) = await archive(sample, tmp_path)
    archiver = an_archiver(sample.database)
    await archiver.restore(tmp_path / newest.name)
    for statement in ("DELETE FROM journal WHERE position = 5", "DELETE FROM journal", "TRUNCATE journal CASCADE"):
        with pytest.raises(StatementRefused, match="append-only"):
            await fetch_rows(sample.database, statement)
    assert await fetch_number(sample.database, COUNT) == 13 - oldest.row_count


@pytest.mark.parametrize("step", STEPS)
async def test_a_process_killed_while_it_archives_has_moved_nothing_and_the_next_one_moves_all(
    sample: SampleService, tmp_path: Path, step: str
) -> None:
    before = await read_journal(sample.database)
    command = ("-m", "testkit.archiving_process", sample.database.url, str(tmp_path), step)
    process = await asyncio.create_subprocess_exec(sys.executable, *command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    assert (await process.stdout.readline()).decode().strip() == step
    process.kill()
    await process.wait()
    assert await read_journal(sample.database) == before
    assert await fetch_number(sample.database, "SELECT count(*) FROM archives") == 0
    moved = await archive(sample, tmp_path)
    assert [each.month for each in moved] == list(MONTHS[:2])
    assert not list_names(tmp_path, "*.unfinished")
    for each in reversed(moved):
        await an_archiver(sample.database).restore(tmp_path / each.name)
    assert await read_journal(sample.database) == before


async def test_two_processes_that_archive_at_once_move_each_month_once(sample: SampleService, tmp_path: Path) -> None:
    both = await asyncio.gather(archive(sample, tmp_path), archive(sample, tmp_path))
    assert sorted(each.month for moved in both for each in moved) == list(MONTHS[:2])
    assert await fetch_number(sample.database, COUNT) == 5


class WatchedTable(JournalTable):
    """The journal; notes for how many seconds the server keeps the transaction open while the file is written."""

    patience: int = 0

    async def register(self, connection: Connection, name: str, extent: Extent) -> None:
        (row,) = (await connection.execute(text("SHOW idle_in_transaction_session_timeout"))).all()
        self.patience = int(row.idle_in_transaction_session_timeout.removesuffix("min")) * 60
        await super().register(connection, name, extent)


async def test_the_transaction_stays_open_while_a_large_file_reaches_its_disk(
    sample: SampleService, tmp_path: Path
) -> None:
    table = WatchedTable()
    await Archiver(sample.database, "sample", [table]).archive(tmp_path, keep_months=1, now=MONDAY_NINE)
    assert table.patience >= 600


async def test_a_month_with_an_event_that_waits_to_be_sent_stays(sample: SampleService, tmp_path: Path) -> None:
    await fetch_rows(sample.database, "INSERT INTO outbox (position) VALUES (6)")
    with pytest.raises(ArchiveRefused, match="1 events up to position 8 of the journal wait to be sent"):
        await archive(sample, tmp_path)
    assert await fetch_number(sample.database, COUNT) == 9


async def test_months_that_are_longer_than_a_batch_end_at_the_right_row(database: Database, tmp_path: Path) -> None:
    insert = """
        INSERT INTO journal (id, topic, key, version, type, occurred_at, actor, cause, headers, payload, hash)
        SELECT gen_random_uuid(), 't', 'k', n, 't', CASE WHEN n <= :january THEN CAST(:at AS timestamptz)
               ELSE CAST(:at AS timestamptz) + interval '1 month' END, 'a', 'c', '', '', 'h'
        FROM generate_series(1, :count) AS n RETURNING 1
    """
    january, count = BATCH_SIZE, 3 * BATCH_SIZE + 1
    await fetch_rows(database, insert, january=january, count=count, at=datetime(2026, 1, 31, 23, tzinfo=UTC))
    moved = await an_archiver(database).archive(tmp_path, keep_months=1, now=datetime(2026, 5, 2, tzinfo=UTC))
    assert [(each.row_count, each.extent["positions"]) for each in moved] == [
        (january, (1, january + 1)),
        (count - january, (january + 1, count + 1)),
    ]
    assert await fetch_number(database, COUNT) == 0
    await an_archiver(database).restore(tmp_path / moved[1].name)
    assert await fetch_number(database, COUNT) == count - january


async def test_a_row_that_is_out_of_order_by_the_clock_moves_with_the_rows_around_it(
    sample: SampleService, clock: MovableClock, tmp_path: Path
) -> None:
    clock.set_to(datetime(2026, 2, 28, 23, 59, tzinfo=UTC))
    await publish(sample, PACKAGE)
    moved = await an_archiver(sample.database).archive(tmp_path, keep_months=1, now=datetime(2026, 5, 2, tzinfo=UTC))
    assert [(each.month, each.extent["positions"]) for each in moved] == [
        ("2025-12", (1, 5)),
        ("2026-01", (5, 9)),
        ("2026-02", (9, 13)),
        ("2026-03", (13, 15)),
    ]


async def test_a_file_that_was_changed_is_not_restored(sample: SampleService, tmp_path: Path) -> None:
    _, newest = await archive(sample, tmp_path)
    path = tmp_path / newest.name
    content = gzip.decompress(path.read_bytes()).replace(b"service", b"forgery")
    path.write_bytes(gzip.compress(content))
    with pytest.raises(ArchiveDamaged, match="was changed"):
        await an_archiver(sample.database).restore(path)
    assert await fetch_number(sample.database, COUNT) == 5


async def test_a_file_of_another_content_is_not_overwritten(sample: SampleService, tmp_path: Path) -> None:
    other = tmp_path / "sample-journal-2025-12.jsonl.gz"
    other.write_bytes(b"of another installation")
    with pytest.raises(ArchiveRefused, match="exists with other content"):
        await archive(sample, tmp_path)
    assert other.read_bytes() == b"of another installation"
    assert await fetch_number(sample.database, COUNT) == 13


async def test_a_service_cannot_archive_with_its_own_role(postgres: TestPostgres, tmp_path: Path) -> None:
    roles = await create_database_with_roles(postgres, "archive")
    owner, service = Database(roles.owner_url, name="owner"), Database(roles.service_url, name="service")
    async with owner.open_unpooled_connection() as connection:
        await connection.run(schema.TABLES)
    async with owner.open_migration_connection() as connection:
        await grant_privileges(connection, roles.service_role)
    await publish(SampleService("sample", service, NOWHERE, clock=MovableClock()), PACKAGE)
    later = datetime(2026, 6, 1, tzinfo=UTC)
    with pytest.raises(ArchiveRefused, match="set CALLOFF_MIGRATION_DATABASE_URL"):
        await an_archiver(service).archive(tmp_path, keep_months=1, now=later)
    assert not list_names(tmp_path)
    assert [each.row_count for each in await an_archiver(owner).archive(tmp_path, keep_months=1, now=later)] == [1]
    await owner.close()
    await service.close()
