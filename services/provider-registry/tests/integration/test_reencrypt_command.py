"""`python -m provider_registry reencrypt-secrets` as an operator runs it."""

import asyncio
import base64
import json
import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import text

import provider_registry
from service_runtime.postgres.database import Database
from service_runtime.postgres.migrations import migrate
from service_runtime.webhooks.secret_box import SecretBox
from testkit.clocks import MONDAY_NINE
from testkit.servers import TestPostgres

MIGRATIONS = Path(provider_registry.__file__).parent / "migrations"
OLD, NEW = (base64.b64encode(letter * 32).decode() for letter in (b"o", b"n"))
RUN_TIMEOUT = timedelta(minutes=5).total_seconds()


async def run_command(database: Database, *arguments: str, keys: list[str]) -> tuple[int, dict[str, Any]]:
    """Runs the command, and returns its status and the last line that it logs."""
    environment = {
        **os.environ,
        "CALLOFF_DATABASE_URL": database.url,
        "CALLOFF_KAFKA_BOOTSTRAP": "127.0.0.1:9",
        "CALLOFF_TOKEN_ISSUER": "https://identity.example",
        "CALLOFF_TOKEN_JWKS_URL": "https://identity.example/jwks.json",
        "CALLOFF_FINGERPRINT_KEY": "f" * 32,
        "CALLOFF_SOURCING_URL": "https://sourcing.example",
        "CALLOFF_REFERRAL_URL": "https://referral.example",
        "CALLOFF_WEBHOOK_KEYS": json.dumps(keys),
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "provider_registry", "reencrypt-secrets", *arguments),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(RUN_TIMEOUT):
        output, _ = await process.communicate()
    return process.returncode or 0, json.loads(output.decode().splitlines()[-1])


async def test_the_command_counts_re_encrypts_and_reports_what_it_cannot_read(postgres: TestPostgres) -> None:
    database = Database(await postgres.create_database("registry"), name="registry")
    try:
        await migrate(database, MIGRATIONS)
        sealed = SecretBox([OLD]).encrypt("whsec_c2VjcmV0", owner="Alder")
        row = {"owner": "Alder", "url": "https://alder.example/", "secret": sealed, "now": MONDAY_NINE}
        async with database.begin_transaction() as connection:
            await connection.execute(
                text("INSERT INTO endpoints (owner, url, secret, changed_at) VALUES (:owner, :url, :secret, :now)"), row
            )
        status, counted = await run_command(database, "--dry-run", keys=[NEW, OLD])
        assert (status, counted["event"], counted["reencrypted"]) == (0, "secrets counted", 1)
        status, lost = await run_command(database, keys=[NEW])
        assert (status, lost["unreadable"]) == (1, 1)
        status, done = await run_command(database, keys=[NEW, OLD])
        assert (status, done["read"], done["reencrypted"], done["unreadable"]) == (0, 1, 1, 0)
    finally:
        await database.close()
