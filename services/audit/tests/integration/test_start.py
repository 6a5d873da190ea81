"""Starts of the real process: what is wrong ends it at once with one line, and what is transient is waited for."""

import asyncio
import os
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from sqlalchemy import make_url

import audit
from service_runtime.postgres.database import Database
from service_runtime.postgres.migrations import migrate
from testkit.databases import DatabaseRoles, create_database_with_roles
from testkit.running_services import find_free_port
from testkit.servers import TestKafka, TestPostgres
from testkit.waiting import wait_until

pytestmark = pytest.mark.xdist_group("own-servers")
EX_CONFIG = 78
EX_TEMPFAIL = 75
COMMANDS = {
    "serve": (),
    "migrate": ("migrate",),
    "reencrypt": ("reencrypt-secrets",),
    "archive": ("archive", "/tmp"),
}
every_command = pytest.mark.parametrize("arguments", COMMANDS.values(), ids=COMMANDS)
MIGRATIONS = Path(audit.__file__).parent / "migrations"


@dataclass
class Start:
    """The environment of a process, and how it ended."""

    environment: Mapping[str, str]

    async def run(self, *arguments: str, **changed: str) -> tuple[int | None, list[str]]:
        """Runs the process until it ends; returns its exit status and the lines of its standard error."""
        process = await self.begin(*arguments, **changed)
        _, errors = await process.communicate()
        return process.returncode, errors.decode().splitlines()

    async def begin(self, *arguments: str, **changed: str) -> asyncio.subprocess.Process:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CALLOFF_")}
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "audit",
            *arguments,
            env={**environment, **self.environment, **changed},
            stderr=asyncio.subprocess.PIPE,
        )


@pytest_asyncio.fixture
async def roles(postgres: TestPostgres) -> DatabaseRoles:
    return await create_database_with_roles(postgres, "start")


@pytest_asyncio.fixture
async def start(roles: DatabaseRoles, own_kafka: TestKafka) -> Start:
    """A start on a database without tables."""
    return Start(
        {
            "CALLOFF_DATABASE_URL": roles.service_url,
            "CALLOFF_KAFKA_BOOTSTRAP": own_kafka.bootstrap,
            "CALLOFF_TOKEN_ISSUER": "https://identity.example",
            "CALLOFF_TOKEN_JWKS_URL": "https://identity.example/jwks",
            "CALLOFF_FINGERPRINT_KEY": "f" * 32,
            "CALLOFF_PORT": str(find_free_port()),
            "CALLOFF_HEALTH_PORT": str(find_free_port()),
        }
    )


async def migrate_as_owner(roles: DatabaseRoles) -> None:
    owner = Database(roles.owner_url)
    await migrate(owner, MIGRATIONS, service_role=roles.service_role)
    await owner.close()


async def execute_as_owner(roles: DatabaseRoles, statement: str) -> None:
    owner = Database(roles.owner_url)
    await owner.fetch(statement)
    await owner.close()


@every_command
async def test_wrong_settings_end_every_command_with_one_line_each(arguments: tuple[str, ...], start: Start) -> None:
    status, lines = await start.run(*arguments, CALLOFF_PORT="eighty", CALLOFF_ROLE="boss", CALLOFF_POTR="1")
    assert status == EX_CONFIG
    assert lines == [
        "calloff audit: CALLOFF_PORT must be a whole number from 0 to 65535",
        "calloff audit: CALLOFF_ROLE must be api, worker or all",
        "calloff audit: CALLOFF_POTR is no setting of this service and is ignored; did you mean CALLOFF_PORT?",
    ]


@every_command
async def test_a_wrong_password_ends_every_command_at_once(
    arguments: tuple[str, ...], start: Start, roles: DatabaseRoles
) -> None:
    url = make_url(roles.service_url).set(password="wrong").render_as_string(hide_password=False)
    status, lines = await start.run(*arguments, CALLOFF_DATABASE_URL=url)
    assert status == EX_CONFIG
    assert len(lines) == 1
    assert "the database refuses the login; check role and password in CALLOFF_" in lines[0]


async def test_a_database_that_does_not_exist_ends_the_start(start: Start, roles: DatabaseRoles) -> None:
    url = make_url(roles.service_url).set(database="nowhere").render_as_string(hide_password=False)
    assert await start.run(CALLOFF_DATABASE_URL=url) == (
        EX_CONFIG,
        ["calloff audit: the database of CALLOFF_DATABASE_URL does not exist"],
    )


@every_command
async def test_a_parameter_of_the_url_that_postgresql_does_not_know_ends_every_command(
    arguments: tuple[str, ...], start: Start, roles: DatabaseRoles
) -> None:
    status, lines = await start.run(*arguments, CALLOFF_DATABASE_URL=f"{roles.service_url}?connect_timeout=5")
    assert (status, len(lines)) == (EX_CONFIG, 1)
    assert "has a parameter that PostgreSQL does not know" in lines[0]


@pytest.mark.parametrize("variable", ["CALLOFF_PORT", "CALLOFF_HEALTH_PORT"])
async def test_a_port_that_is_taken_ends_the_start_before_anything_works(variable: str, start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        status, lines = await start.run(**{variable: str(taken.getsockname()[1])})
    assert status == EX_CONFIG
    expected = f"{variable} and CALLOFF_HOST must be an address that this process can listen on"
    assert lines == [f"calloff audit: {expected} (Address already in use)"]


async def test_an_address_of_another_machine_ends_the_start(start: Start) -> None:
    status, lines = await start.run(CALLOFF_HOST="192.0.2.1")
    assert status == EX_CONFIG
    assert [line.partition("(")[2] for line in lines] == ["Cannot assign requested address)"] * 2


async def test_a_database_without_tables_ends_the_start_and_names_the_command(start: Start) -> None:
    line = (
        "calloff audit: the database of CALLOFF_DATABASE_URL has no tables; run `calloff-service audit migrate` first"
    )
    assert await start.run() == (EX_CONFIG, [line])


async def test_an_older_database_ends_the_start_and_names_the_command(start: Start, roles: DatabaseRoles) -> None:
    await migrate_as_owner(roles)
    await execute_as_owner(roles, "UPDATE alembic_version SET version_num = '0001'")
    status, lines = await start.run()
    assert (status, len(lines)) == (EX_CONFIG, 1)
    assert "is older than this version; run `calloff-service audit migrate` first" in lines[0]


async def test_a_newer_database_is_accepted_with_a_warning(start: Start, roles: DatabaseRoles) -> None:
    await migrate_as_owner(roles)
    await execute_as_owner(roles, "UPDATE alembic_version SET version_num = '9999'")
    process = await start.begin()
    assert process.stderr is not None
    seen: list[str] = []
    while not seen or "service started" not in seen[-1]:
        seen.append((await process.stderr.readline()).decode())
        assert seen[-1], "the process ended"
    assert any("newer than this version" in line for line in seen)
    process.terminate()
    await process.communicate()


async def test_a_wrong_protocol_of_kafka_ends_the_start(start: Start, roles: DatabaseRoles) -> None:
    await migrate_as_owner(roles)
    status, lines = await start.run(CALLOFF_KAFKA_SECURITY_PROTOCOL="SSL")
    assert (status, len(lines)) == (EX_CONFIG, 1)
    assert "Kafka's listener answers without TLS; set CALLOFF_KAFKA_SECURITY_PROTOCOL" in lines[0]


async def test_secrets_come_from_files_and_the_environment_wins(
    start: Start, roles: DatabaseRoles, tmp_path: Path
) -> None:
    (tmp_path / "CALLOFF_DATABASE_URL").write_text(roles.service_url + "\n")
    (tmp_path / "CALLOFF_FINGERPRINT_KEY").write_text("short\n")
    environment = {name: value for name, value in start.environment.items() if name != "CALLOFF_DATABASE_URL"}
    status, lines = await Start({**environment, "CALLOFF_SECRETS_DIR": str(tmp_path)}).run()
    assert status == EX_CONFIG
    assert "has no tables" in lines[0], "the file names the database, and the variable wins over the short key"


async def test_a_missing_folder_of_secrets_and_a_file_that_is_no_text_are_named(start: Start, tmp_path: Path) -> None:
    _, lines = await start.run(CALLOFF_SECRETS_DIR=str(tmp_path / "nowhere"))
    expected = "must be the path of a folder that this process can list, with one file for each secret"
    assert lines == [f"calloff audit: CALLOFF_SECRETS_DIR {expected}"]
    (tmp_path / "CALLOFF_DATABASE_URL").write_bytes(b"\xff\xfe")
    _, lines = await start.run(CALLOFF_SECRETS_DIR=str(tmp_path))
    assert lines == [
        "calloff audit: CALLOFF_DATABASE_URL in CALLOFF_SECRETS_DIR must be a file of text that this process can read"
    ]


async def test_while_postgresql_does_not_answer_only_the_probes_are_answered(start: Start) -> None:
    url = f"postgresql://nobody:nothing@127.0.0.1:{find_free_port()}/nowhere"
    live = f"http://127.0.0.1:{start.environment['CALLOFF_HEALTH_PORT']}"
    process = await start.begin(CALLOFF_DATABASE_URL=url)
    async with aiohttp.ClientSession(trust_env=False) as http:

        async def get_status(address: str) -> int:
            try:
                async with http.get(address) as response:
                    return response.status
            except aiohttp.ClientConnectionError:
                return 0

        async def is_alive() -> bool:
            assert process.returncode is None
            return await get_status(f"{live}/healthz") == 200

        await wait_until(is_alive, within=60)
        assert await get_status(f"{live}/readyz") == 503
        assert await get_status(f"http://127.0.0.1:{start.environment['CALLOFF_PORT']}/healthz") == 0
    process.terminate()
    await process.communicate()
    assert process.returncode == 0
