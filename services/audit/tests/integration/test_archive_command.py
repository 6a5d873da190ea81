"""`python -m audit archive`: what is wrong ends it with its reason, before anything is moved."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import pytest

from audit.settings import Settings
from audit.store import TABLES
from audit.wiring import build
from service_runtime.clock import SystemClock
from service_runtime.retention.commands import run_archive_command
from service_runtime.service import Service
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork
from testkit.captured_logs import CapturedLogs
from testkit.databases import a_database, fetch_number, fetch_rows
from testkit.servers import TestPostgres

OLD_EVENT: Final = """
    INSERT INTO journal (id, topic, key, version, type, occurred_at, actor, cause, headers, payload, hash)
    VALUES (gen_random_uuid(), 't', 'k', 1, 't', now() - interval '70 days', 'a', 'c', '', '', 'h') RETURNING 1
"""


class ShiftedClock(SystemClock):
    """The machine's clock, a year ahead."""

    def now(self) -> datetime:
        return super().now() + timedelta(days=365)


def build_service(database_url: str) -> Service[PostgresUnitOfWork]:
    values = {
        "database_url": database_url,
        "kafka_bootstrap": "127.0.0.1:1",
        "token_issuer": "https://identity.example",
        "token_jwks_url": "https://identity.example/jwks",
        "fingerprint_key": "f" * 32,
    }
    return build(Settings.model_validate(values))


async def run_archive(service: Service[PostgresUnitOfWork], folder: Path, *options: str) -> tuple[int, str]:
    """Returns the status, and the reason that is logged."""
    log = CapturedLogs()
    status = await run_archive_command(service, ["archive", str(folder), *options], log=log)
    return status, str(log.entries[-1].fields.get("reason", ""))


async def test_a_clock_that_is_ahead_moves_nothing(postgres: TestPostgres, tmp_path: Path) -> None:
    async with a_database(postgres, TABLES) as database:
        await fetch_rows(database, OLD_EVENT)
        service = build_service(database.url)
        status, reason = await run_archive(replace(service, clock=ShiftedClock()), tmp_path)
        assert status == 1
        assert "ahead of the database's" in reason
        assert await fetch_number(database, "SELECT count(*) FROM journal") == 1
        assert await run_archive(service, tmp_path, "--keep-months", "1") == (0, "")
        assert await fetch_number(database, "SELECT count(*) FROM journal") == 0


async def test_a_database_without_tables_ends_the_command_with_its_reason(
    postgres: TestPostgres, tmp_path: Path
) -> None:
    service = build_service(await postgres.create_database("empty"))
    status, reason = await run_archive(service, tmp_path)
    assert status == 1
    assert 'relation "archives" does not exist' in reason


@pytest.mark.parametrize("months", ["0", "-1", "1000000", "some"])
async def test_a_number_of_months_that_cannot_be_kept_is_refused(tmp_path: Path, months: str) -> None:
    with pytest.raises(SystemExit) as ended:
        await run_archive(build_service("postgresql://nobody@127.0.0.1:1/nothing"), tmp_path, "--keep-months", months)
    assert ended.value.code == 2
