"""Composition root of audit: every part of the service is wired here."""

from pathlib import Path

from audit.api import archives, checks, evidence, trails
from audit.ports import ArchiveQueries, RecordQueries
from audit.settings import Settings
from audit.store.archive import RecordsTable
from audit.store.archive_queries import PostgresArchiveQueries
from audit.store.gauges import GAUGES
from audit.store.queries import PostgresRecordQueries
from audit.store.records import PostgresRecordStore
from audit.subscriptions import BATCH_SUBSCRIPTIONS, SUBSCRIPTIONS, TIMERS
from service_runtime.kafka.batches import bind_batch_handlers
from service_runtime.service import Service
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork


def build(settings: Settings) -> Service[PostgresUnitOfWork]:
    database = settings.open_database("audit")
    return Service(
        name="audit",
        description="The record: what happened to a package and why, and proof that the record was not altered.",
        settings=settings,
        database=database,
        unit_of_work=PostgresUnitOfWork,
        migrations=Path(__file__).parent / "migrations",
        append_only=("records", "violations"),
        read_only=("archived_offsets", "archived_streams"),
        archived_tables=(RecordsTable(),),
        routes=(trails.router, evidence.router, checks.router, archives.router),
        subscriptions=SUBSCRIPTIONS,
        timers=TIMERS,
        batch_subscriptions=bind_batch_handlers(BATCH_SUBSCRIPTIONS, PostgresRecordStore),
        metrics=GAUGES,
        ports={
            RecordQueries: PostgresRecordQueries(database),
            ArchiveQueries: PostgresArchiveQueries(database),
        },
    )
