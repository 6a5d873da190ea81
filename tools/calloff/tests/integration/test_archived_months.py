"""A restore puts archived months of the record back before topics are made from it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from audit.domain.records import parse_record
from audit.store import TABLES
from audit.store.archive import RecordsTable
from audit.store.records import PostgresRecordStore
from calloff.backup.archived_months import check_nothing_archived, restore_archives
from contracts.events.offers import OfferMade
from contracts.events.searches import SourcingStarted
from contracts.examples import MONDAY_NINE, an_example_of
from devstack.errors import RecordIncomplete
from service_runtime.retention.archiver import Archiver
from testkit.audit.builders import PACKAGE, RecordBuilder
from testkit.databases import a_database, fetch_number
from testkit.servers import TestPostgres

MONTHS = (datetime(2025, 12, 10, tzinfo=UTC), datetime(2026, 1, 10, tzinfo=UTC))
EVENTS = (SourcingStarted, OfferMade)


async def test_archives_come_back_newest_first_and_only_then_is_the_record_whole(
    postgres: TestPostgres, tmp_path: Path
) -> None:
    records = RecordBuilder().publish(*(an_example_of(kind, package_id=PACKAGE) for kind in EVENTS))
    async with a_database(postgres, TABLES, name="audit") as database:
        for record, at in zip(records, MONTHS, strict=True):
            async with database.begin_transaction() as connection:
                await PostgresRecordStore(connection).add_records([parse_record(record)], at=at)
        archiver = Archiver(database, "audit", [RecordsTable()])
        moved = await archiver.archive(tmp_path, keep_months=1, now=MONDAY_NINE)
        assert [each.month for each in moved] == ["2025-12", "2026-01"]

        async with database.open_migration_connection() as connection:
            with pytest.raises(RecordIncomplete, match=f"{moved[0].name}, {moved[1].name}.*--archive"):
                await check_nothing_archived(connection)
        await restore_archives(database.url, [tmp_path / each.name for each in moved])
        async with database.open_migration_connection() as connection:
            await check_nothing_archived(connection)
        assert await fetch_number(database, "SELECT count(*) FROM records") == len(EVENTS)
