"""Events of a package that were moved into archives of the journal are counted."""

from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from contracts.catalogue import PACKAGES
from contracts.examples import MONDAY_NINE
from contracts.ids import PackageId
from service_runtime.retention.archiver import Archiver
from service_runtime.retention.journal_archive import JournalTable
from sourcing.store import TABLES
from sourcing.store.offer_index import OfferIndex
from sourcing.store.queries import PostgresSearchQueries
from testkit.databases import a_database, fetch_rows
from testkit.servers import TestPostgres

OLD = datetime(2025, 12, 10, tzinfo=UTC)
STREAM = "INSERT INTO streams (topic, key, version) VALUES (:topic, :key, 3) RETURNING 1"
EVENT = """
    INSERT INTO journal (id, topic, key, version, type, occurred_at, actor, cause, headers, payload, hash)
    VALUES (gen_random_uuid(), :topic, :key, :version, 't', :at, 'a', 'c', '', '', 'h') RETURNING 1
"""


async def test_archived_events_of_a_package_are_counted(postgres: TestPostgres, tmp_path: Path) -> None:
    package = PackageId(uuid4())
    async with a_database(postgres, TABLES, name="searches") as database:
        queries = PostgresSearchQueries(database, OfferIndex())
        await fetch_rows(database, STREAM, topic=PACKAGES, key=str(package))
        for version, at in enumerate((OLD, OLD, MONDAY_NINE), start=1):
            await fetch_rows(database, EVENT, topic=PACKAGES, key=str(package), version=version, at=at)
        assert await queries.count_archived_events(package) == 0
        await Archiver(database, "sourcing", [JournalTable()]).archive(tmp_path, keep_months=1, now=MONDAY_NINE)
        assert await queries.count_archived_events(package) == 2
        assert await queries.count_archived_events(PackageId(uuid4())) == 0
