"""Addresses of the services' databases: a JSON file, or a folder with a file a service, as mounted secrets are."""

import os
import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import unquote, urlsplit, urlunsplit

import asyncpg
import typer
from pydantic import TypeAdapter, ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from calloff.commands.output import err
from calloff.installation import is_readable_by_others
from devstack.config import SERVICES
from devstack.errors import BackUpFailed, InvalidInstallation
from devstack.names import INSTALLATION_VARIABLE

DATABASES_VARIABLE: Final = "CALLOFF_DATABASES"
DatabasesOption = Annotated[
    Path | None,
    typer.Option(
        "--databases",
        envvar=DATABASES_VARIABLE,
        help='The databases\' addresses: a file {"referral": "postgresql://…", …}, or a folder with a file a service.',
    ),
]
_SCHEMES: Final = {"postgresql", "postgres", "postgresql+asyncpg"}
_HOST: Final = r"(?:\[[0-9A-Fa-f:.]+\]|[^][/@:,?#]+)(?::[0-9]+)?"
_ADDRESS: Final = re.compile(rf"(?:[^][/@:?#]*(?::[^][/@:?#]*)?@)?{_HOST}(?:,{_HOST})*/[^/@?#]+(?:\?(?P<query>[^#]*))?")
"""Role, password, hosts and database; a password that is not encoded would be taken for a part of the rest."""
_ADDRESSES: Final = TypeAdapter(dict[str, str])
_NAMES: Final = tuple(service.name for service in SERVICES)
_CONNECT_TIMEOUT: Final = 30.0
"""Seconds."""


@dataclass(frozen=True)
class DatabaseAddress:
    """The address of one service's database. The role in it owns the tables, or is a superuser."""

    service: str
    url: str = field(repr=False)
    """As libpq reads it: `postgresql://role:password@host:5432/name?sslmode=verify-full&sslrootcert=…`."""

    @property
    def place(self) -> str:
        """Host and database, without role and password."""
        address = urlsplit(self.url)
        return f"{address.netloc.rpartition('@')[2]}{address.path}"

    @property
    def url_without_password(self) -> str:
        """For the command line of a program: other users of the machine can read that."""
        address = urlsplit(self.url)
        login, at, host = address.netloc.rpartition("@")
        # Kept as it is written: libpq reads + as a plus sign, which urlencode writes for a space.
        query = "&".join(part for part in address.query.split("&") if _name_setting(part) != "password")
        return urlunsplit(address._replace(netloc=f"{login.partition(':')[0]}{at}{host}", query=query))

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a PostgreSQL program, with the password."""
        address = urlsplit(self.url)
        login = address.netloc.rpartition("@")[0]
        given = [
            unquote(part.partition("=")[2]) for part in address.query.split("&") if _name_setting(part) == "password"
        ]
        password = unquote(login.partition(":")[2]) or "".join(given[-1:])
        return {**os.environ, **({"PGPASSWORD": password} if password else {}), "PGAPPNAME": "calloff"}

    @asynccontextmanager
    async def connect(self, isolation_level: str | None = None) -> AsyncGenerator[AsyncConnection]:
        """A connection in a transaction, which is committed at the end. Raises BackUpFailed where none can be made."""

        async def open_connection() -> asyncpg.Connection:
            try:
                return await asyncpg.connect(self.url, timeout=_CONNECT_TIMEOUT)
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
                message = f"the database of {self.service} at {self.place} cannot be reached: {reason}"
                raise BackUpFailed(message) from error

        engine = create_async_engine("postgresql+asyncpg://", async_creator=open_connection, poolclass=NullPool)
        if isolation_level is not None:
            engine = engine.execution_options(isolation_level=isolation_level)
        try:
            async with engine.begin() as connection:
                yield connection
        finally:
            await engine.dispose()


Databases = Mapping[str, DatabaseAddress]
"""The address of each service's database, by the name of the service."""


def _name_setting(part: str) -> str:
    """The name of a setting in the query of an address."""
    return unquote(part.partition("=")[0])


def require_databases_or_embedded_stack() -> None:
    """Raises InvalidInstallation where commands act on another installation, whose databases have to be named."""
    if os.environ.get(INSTALLATION_VARIABLE):
        message = f"{INSTALLATION_VARIABLE} is set; name the databases of this installation with --databases"
        raise InvalidInstallation(message)


def load_addresses(path: Path) -> Databases:
    """Raises InvalidInstallation, which names what is missing or wrong, without passwords."""
    texts = _read_folder(path) if path.is_dir() else _read_file(path)
    missing = [name for name in _NAMES if name not in texts]
    unknown = [name for name in texts if name not in _NAMES]
    if missing or unknown:
        faults = [*[f"has no {name}" for name in missing], *[f"has an unknown {name}" for name in unknown]]
        raise InvalidInstallation(f"{path} {', '.join(faults)}; it needs the addresses of {', '.join(_NAMES)}")
    databases = {name: _parse_address(path, name, texts[name]) for name in _NAMES}
    _check_differ(path, databases)
    return databases


def _read_folder(folder: Path) -> dict[str, str]:
    """Hidden files are skipped: Kubernetes keeps the versions of a secret in `..data`."""
    try:
        files = [file for file in sorted(folder.iterdir()) if file.is_file() and not file.name.startswith(".")]
        return {file.name: file.read_text(encoding="utf-8").strip() for file in files}
    except (OSError, UnicodeDecodeError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or type(error).__name__
        raise InvalidInstallation(f"the databases' addresses cannot be read from {folder}: {reason}") from None


def _read_file(file: Path) -> dict[str, str]:
    try:
        addresses = _ADDRESSES.validate_json(file.read_bytes(), strict=True)
    except OSError as error:
        message = f"the databases' addresses cannot be read from {file}: {error.strerror or type(error).__name__}"
        raise InvalidInstallation(message) from error
    except ValidationError:
        message = f'{file} is not of the form {{"referral": "postgresql://…", …}}'
        raise InvalidInstallation(message) from None
    if is_readable_by_others(file):
        err.print(f"Warning: other users can read {file}; chmod 600 it.", markup=False, highlight=False, soft_wrap=True)
    return addresses


def _parse_address(path: Path, name: str, text: str) -> DatabaseAddress:
    scheme, separator, rest = text.partition("://")
    written = _ADDRESS.fullmatch(rest)
    if scheme not in _SCHEMES or not separator or written is None:
        message = f"{path}: the address of {name} is not of the form postgresql://role:password@host:5432/database"
        raise InvalidInstallation(f"{message}; / @ : ? # in a password are percent-encoded")
    if "sslpassword" in map(_name_setting, (written["query"] or "").split("&")):
        message = f"{path}: the address of {name} has sslpassword, which other users of the machine could see"
        raise InvalidInstallation(f"{message}; use a key without a password that only its owner can read")
    return DatabaseAddress(name, f"postgresql://{rest}")


def _check_differ(path: Path, databases: Databases) -> None:
    first: dict[str, str] = {}
    for name, address in databases.items():
        if address.place in first:
            message = f"{path}: {first[address.place]} and {name} have the same database; each has its own"
            raise InvalidInstallation(message)
        first[address.place] = name
