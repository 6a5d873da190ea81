"""PostgreSQL by TLS: every connection is encrypted and verified, and what does not fit is named with its setting."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import text

from devstack.embedded import MissingPrerequisite
from service_runtime.postgres.availability import explain_refusal
from service_runtime.postgres.connection import DatabaseTls
from service_runtime.postgres.database import Database
from service_runtime.tls import ClientTls
from testkit.certificates import Authority
from testkit.secured_postgres import SecuredPostgres
from testkit.servers import TestPostgres
from testkit.waiting import wait_until

pytestmark = pytest.mark.xdist_group("own-servers")
IS_ENCRYPTED = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"


@dataclass
class Secured:
    """A PostgreSQL whose certificate is for 127.0.0.1, its authority and another one."""

    server: SecuredPostgres
    authority: Authority
    stranger: Authority

    def open(self, authority: Authority | None = None, url: str | None = None) -> Database:
        chosen = self.authority if authority is None else authority
        return Database(url or self.server.get_url(), tls=build_full_tls(chosen))


def build_full_tls(authority: Authority) -> DatabaseTls:
    return DatabaseTls("verify-full", ClientTls(authority.ca_file))


@pytest_asyncio.fixture(scope="module")
async def secured(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Secured]:
    folder = tmp_path_factory.mktemp("secured-postgres")
    authority = Authority(folder / "authority")
    server = SecuredPostgres(folder / "postgres", authority, host="127.0.0.1")
    try:
        await asyncio.to_thread(server.start)
    except MissingPrerequisite as missing:
        pytest.skip(str(missing))
    yield Secured(server, authority, Authority(folder / "stranger", "another authority"))
    server.discard()


async def explain(database: Database) -> str:
    """Returns why the database refuses a connection."""
    with pytest.raises(Exception) as refused:
        await database.fetch("SELECT 1")
    await database.close()
    return explain_refusal(refused.value) or f"transient: {refused.value!r}"


async def test_every_connection_is_encrypted_with_verify_full(secured: Secured) -> None:
    database = secured.open()
    assert [row.ssl for row in await database.fetch(IS_ENCRYPTED)] == [True]
    async with database.open_unpooled_connection() as connection:
        assert [row.ssl for row in await connection.fetch(IS_ENCRYPTED)] == [True]
    async with database.open_migration_connection() as connection:
        assert (await connection.execute(text(IS_ENCRYPTED))).scalar_one() is True
    await database.close()


async def test_a_certificate_of_another_authority_is_refused_in_words(secured: Secured) -> None:
    reason = await explain(secured.open(secured.stranger))
    assert "certificate is not accepted" in reason
    assert "check CALLOFF_DATABASE_SSLROOTCERT" in reason


async def test_a_certificate_for_another_host_is_refused_with_its_name(secured: Secured) -> None:
    reason = await explain(secured.open(url=secured.server.get_url().replace("127.0.0.1", "localhost")))
    assert "not valid for 'localhost'" in reason


async def test_verify_ca_accepts_another_name_and_no_other_authority(secured: Secured) -> None:
    url = secured.server.get_url().replace("127.0.0.1", "localhost")
    tls = DatabaseTls("verify-ca", ClientTls(secured.authority.ca_file, check_hostname=False))
    database = Database(url, tls=tls)
    assert [row.ssl for row in await database.fetch(IS_ENCRYPTED)] == [True]
    await database.close()
    strange = DatabaseTls("verify-ca", ClientTls(secured.stranger.ca_file, check_hostname=False))
    assert "certificate is not accepted" in await explain(Database(url, tls=strange))


async def test_a_certificate_of_the_client_that_the_server_refuses_is_named(secured: Secured) -> None:
    def show(certificate: Path) -> Database:
        tls = DatabaseTls("verify-full", ClientTls(secured.authority.ca_file, certificate))
        return Database(secured.server.get_url(), tls=tls)

    accepted = show(secured.authority.issue("client"))
    assert [row.ssl for row in await accepted.fetch(IS_ENCRYPTED)] == [True]
    await accepted.close()

    async def explain_other_than_reset(certificate: Path) -> str | None:
        """Returns None where the reset of the connection overtakes the reason, as TCP allows."""
        reason = await explain(show(certificate))
        return None if reason.startswith("transient") else reason

    for refused in (secured.stranger.issue("client"), secured.authority.issue("old", life=timedelta(hours=-1))):
        reason = await wait_until(lambda refused=refused: explain_other_than_reset(refused), within=60)
        assert "does not accept the client's certificate" in reason
        assert "CALLOFF_DATABASE_SSLCERT" in reason


@pytest.mark.parametrize(
    ("parameter", "because"),
    [
        ("connect_timeout=5", "has a parameter that PostgreSQL does not know"),
        ("target_session_attrs=nonsense", "has a value that PostgreSQL refuses"),
        ("work_mem=nonsense", "has a value that PostgreSQL refuses"),
    ],
)
async def test_a_parameter_of_the_url_that_is_refused_is_named(parameter: str, because: str, secured: Secured) -> None:
    reason = await explain(secured.open(url=f"{secured.server.get_url()}?{parameter}"))
    assert because in reason
    assert "CALLOFF_DATABASE_URL" in reason


async def test_the_mode_disable_encrypts_nothing(secured: Secured) -> None:
    database = Database(secured.server.get_url(), tls=DatabaseTls("disable"))
    assert [row.ssl for row in await database.fetch(IS_ENCRYPTED)] == [False]
    await database.close()


async def test_a_server_that_offers_no_tls_is_refused_with_the_setting_that_asks_for_it(
    postgres: TestPostgres, secured: Secured
) -> None:
    shows = Database(postgres.url)
    has_tls = [row.ssl for row in await shows.fetch("SHOW ssl")] == ["on"]
    await shows.close()
    assert not has_tls, "this test needs a server without TLS, as the embedded one is"
    assert "offers no TLS, which CALLOFF_DATABASE_SSLMODE asks for" in await explain(secured.open(url=postgres.url))


async def test_a_replaced_authority_is_used_by_the_next_connection(secured: Secured) -> None:
    file = secured.stranger.ca_file.with_name("changing.pem")
    file.write_bytes(secured.stranger.ca_file.read_bytes())
    database = Database(secured.server.get_url(), tls=DatabaseTls("verify-full", ClientTls(file)))
    with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
        await database.fetch("SELECT 1")
    file.write_bytes(secured.authority.ca_file.read_bytes())
    assert [row.ssl for row in await database.fetch(IS_ENCRYPTED)] == [True]
    await database.close()
