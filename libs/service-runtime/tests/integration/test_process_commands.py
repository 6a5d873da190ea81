"""The exit status of `archive` and `reencrypt-secrets` says whether another attempt may succeed."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from pydantic import SecretStr
from sqlalchemy import make_url

from service_runtime.postgres import migrations
from service_runtime.postgres.database import Connection, Database
from service_runtime.process_commands import run_command
from service_runtime.retention.archived_table import ArchivedTable
from service_runtime.retention.commands import run_archive_command
from service_runtime.retention.journal_archive import JournalTable
from service_runtime.service import Service
from service_runtime.settings import RuntimeSettings
from service_runtime.startup.errors import EXIT_CONFIG, EXIT_TEMPORARY, ServerUnavailable, StartRefused
from testkit.captured_logs import CapturedLogs
from testkit.clocks import FixedClock
from testkit.databases import fetch_number
from testkit.running_services import find_free_port
from testkit.sample_service import NO_KAFKA, SAVE_ROWS, SampleService, SampleUnitOfWork

TWO_MONTHS_LATER = datetime(2026, 5, 2, 9, 0, tzinfo=UTC)


class LostTable(JournalTable):
    """A table that the archiver cannot read, because the server ends the connection."""

    async def find_oldest(self, connection: Connection) -> datetime | None:
        await connection.fetch("SELECT pg_terminate_backend(pg_backend_pid())")
        return await super().find_oldest(connection)


async def run_archive(
    url: str, *arguments: str, logs: CapturedLogs | None = None, tables: Sequence[ArchivedTable] = ()
) -> int:
    """Runs `archive`, and returns the exit status."""
    service = build_service(url, tables=tables)
    return await run_archive_command(service, ["archive", *arguments], log=logs or CapturedLogs())


def build_service(url: str, *, tables: Sequence[ArchivedTable] = ()) -> Service[SampleUnitOfWork]:
    """A service whose Kafka does not exist."""
    return Service(
        name="sample",
        description="a test",
        settings=RuntimeSettings(
            database_url=SecretStr(url),
            kafka_bootstrap=NO_KAFKA.bootstrap,
            token_issuer="https://nobody.example",
            token_jwks_url="https://nobody.example/keys",
            fingerprint_key=SecretStr("f" * 32),
        ),
        database=Database(url),
        unit_of_work=SampleUnitOfWork,
        save_rows=SAVE_ROWS,
        migrations=Path(),
        archived_tables=tables,
        clock=FixedClock(TWO_MONTHS_LATER),
    )


def list_suffixes(folder: Path) -> set[str]:
    return {path.suffix for path in folder.iterdir()}


async def test_without_kafka_old_months_are_moved(database: Database, tmp_path: Path) -> None:
    sample = SampleService("sample", database, NO_KAFKA, clock=FixedClock())
    await sample.request_withdrawal(uuid4())
    await database.fetch("DELETE FROM outbox")
    assert await run_archive(database.url, str(tmp_path), "--keep-months", "2") == 0
    assert await fetch_number(database, "SELECT count(*) FROM journal") == 1
    assert await run_archive(database.url, str(tmp_path), "--keep-months", "1") == 0
    assert await fetch_number(database, "SELECT count(*) FROM journal") == 0
    assert list_suffixes(tmp_path) == {".gz", ".json"}


async def test_what_a_person_has_to_change_ends_with_1_and_a_reason(database: Database, tmp_path: Path) -> None:
    logs = CapturedLogs()
    assert await run_archive(database.url, str(tmp_path / "absent"), logs=logs) == 1
    (entry,) = logs.find_entries("not done")
    assert "is no folder" in str(entry.fields["reason"])


async def test_a_login_that_is_refused_is_a_wrong_setting(database: Database, tmp_path: Path) -> None:
    absent = make_url(database.url).set(database="absent").render_as_string(hide_password=False)
    with pytest.raises(StartRefused, match="CALLOFF_MIGRATION_DATABASE_URL") as refused:
        await run_archive(absent, str(tmp_path))
    assert refused.value.exit_status == EXIT_CONFIG


async def test_a_server_that_does_not_answer_is_tried_again_later(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(migrations, "START_ATTEMPTS", 1)
    with pytest.raises(ServerUnavailable, match="run `archive` again later") as refused:
        await run_archive(f"postgresql://nobody@127.0.0.1:{find_free_port()}/nothing", str(tmp_path))
    assert refused.value.exit_status == EXIT_TEMPORARY


async def test_reencryption_waits_for_the_services_own_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrations, "START_ATTEMPTS", 1)
    service = build_service(f"postgresql://nobody@127.0.0.1:{find_free_port()}/nothing")
    with pytest.raises(ServerUnavailable, match="address in CALLOFF_DATABASE_URL; run `reencrypt-secrets` again later"):
        await asyncio.to_thread(run_command, service, ["reencrypt-secrets"])


async def test_a_server_that_goes_away_meanwhile_is_tried_again_later(database: Database, tmp_path: Path) -> None:
    with pytest.raises(ServerUnavailable, match="PostgreSQL stopped answering") as refused:
        await run_archive(database.url, str(tmp_path), tables=[LostTable()])
    assert refused.value.exit_status == EXIT_TEMPORARY
