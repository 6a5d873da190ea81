"""The environment variables about PostgreSQL."""

from collections.abc import Iterator
from typing import Final

from pydantic import Field

from service_runtime.postgres.connection import DatabaseTls, SslMode
from service_runtime.postgres.database import Database
from service_runtime.settings_base import EnvironmentSettings, to_variable
from service_runtime.settings_types import DatabaseUrl, ReadableFile
from service_runtime.tls import ClientTls, find_file_faults

_VERIFYING: Final = frozenset({"verify-ca", "verify-full"})
_ENCRYPTING: Final = _VERIFYING | {"require"}
_FILES: Final = ("database_sslrootcert", "database_sslcert", "database_sslkey")


class DatabaseSettings(EnvironmentSettings):
    """How PostgreSQL is reached."""

    database_url: DatabaseUrl = Field(description="postgresql://role:password@host:port/database")
    migration_database_url: DatabaseUrl | None = Field(
        default=None, description="the same database as the role that owns its tables, for `migrate` only"
    )
    database_sslmode: SslMode = Field(
        default="prefer", description="how connections to PostgreSQL are encrypted, in libpq's words"
    )
    database_sslrootcert: ReadableFile | None = Field(
        default=None, description="certificate of the authority of PostgreSQL's certificate; unset: the machine's"
    )
    database_sslcert: ReadableFile | None = Field(default=None, description="certificate of the service")
    database_sslkey: ReadableFile | None = Field(default=None, description="key of the service's certificate")
    pool_size: int = Field(default=20, ge=2, description="number of connections to the database; all stay open")

    def open_database(self, service: str) -> Database:
        """Builds the service's database; no connection is opened before first use."""
        return Database(
            self.database_url.get_secret_value(), name=service, pool_size=self.pool_size, tls=self.build_database_tls()
        )

    def open_migration_database(self, service: str) -> Database:
        """Builds the database as the owner of its tables, if the settings name one."""
        url = self.migration_database_url or self.database_url
        return Database(url.get_secret_value(), name=f"{service}-migrate", tls=self.build_database_tls())

    def build_database_tls(self) -> DatabaseTls:
        if self.database_sslmode not in _ENCRYPTING:
            return DatabaseTls(self.database_sslmode)
        tls = ClientTls(
            self.database_sslrootcert,
            self.database_sslcert,
            self.database_sslkey,
            check_hostname=self.database_sslmode == "verify-full",
            # As libpq does it: with the certificate of an authority, `require` verifies as well.
            verify=self.database_sslmode in _VERIFYING or self.database_sslrootcert is not None,
        )
        return DatabaseTls(self.database_sslmode, tls)

    def find_contradictions(self) -> Iterator[str]:
        yield from super().find_contradictions()
        if self.database_sslmode not in _ENCRYPTING:
            for name in self.list_set(_FILES):
                yield f"{name} needs CALLOFF_DATABASE_SSLMODE=verify-full, verify-ca or require; others verify nothing"
            return
        files = (self.database_sslrootcert, self.database_sslcert, self.database_sslkey)
        yield from find_file_faults(files, [to_variable(name) for name in _FILES])
