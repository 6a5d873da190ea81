"""Commands of a service beside serving: `python -m <service> COMMAND`. Each returns the exit status of the process."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from service_runtime.observability.logs import build_logger
from service_runtime.postgres.availability import URL_VARIABLE
from service_runtime.postgres.migrations import migrate_when_available, wait_until_available, wait_until_migrated
from service_runtime.retention.commands import ARCHIVE, RESTORE, run_archive_command
from service_runtime.service import Service
from service_runtime.startup.checks import check_schema
from service_runtime.startup.errors import StartRefused
from service_runtime.webhooks.reencryption import reencrypt_secrets

MIGRATE: Final = "migrate"
REENCRYPT: Final = "reencrypt-secrets"
WAIT: Final = "--wait"
DRY_RUN: Final = "--dry-run"
USAGE: Final = (
    f"a command must be {MIGRATE} [{WAIT}], {REENCRYPT} [{DRY_RUN}], {ARCHIVE} FOLDER [--keep-months N] or"
    f" {RESTORE} FILE; without one the service serves"
)

Command = Callable[[Service[Any], Sequence[str]], Awaitable[int]]


def check_command(arguments: Sequence[str]) -> None:
    """Raises StartRefused if the arguments are no command. None at all means to serve."""
    if not arguments:
        return
    options = _OPTIONS.get(arguments[0])
    if arguments[0] not in COMMANDS or (options is not None and not options.issuperset(arguments[1:])):
        raise StartRefused(USAGE)


def run_command(service: Service[Any], arguments: Sequence[str]) -> int:
    """Runs the command that `check_command` accepts, and returns the exit status. Raises StartRefused."""
    return asyncio.run(_run_and_close(service, arguments))


async def _run_and_close(service: Service[Any], arguments: Sequence[str]) -> int:
    try:
        return await COMMANDS[arguments[0]](service, arguments)
    finally:
        await service.database.close()


async def _migrate(service: Service[Any], arguments: Sequence[str]) -> int:
    """Migrates as the owner of the tables, if the settings name one, and gives the service's role its privileges.

    With `--wait` it waits, as the service's role, until another process has migrated.
    """
    settings = service.settings
    if WAIT in arguments:
        log = build_logger(service.name, level=settings.log_level)
        await wait_until_migrated(service.database, service.migrations, log=log)
        return 0
    role = unquote(urlsplit(settings.database_url.get_secret_value()).username or "")  # may name several hosts
    await migrate_when_available(
        settings.open_migration_database(service.name),
        service.migrations,
        service_role=role,
        append_only=service.append_only,
        read_only=service.read_only,
    )
    return 0


async def _reencrypt(service: Service[Any], arguments: Sequence[str]) -> int:
    """Encrypts stored secrets with the first key; returns 1 if there is something that cannot be decrypted."""
    log = build_logger(service.name, level=service.settings.log_level)
    dry_run = DRY_RUN in arguments
    await wait_until_available(service.database, command=REENCRYPT, variable=URL_VARIABLE)
    if service.webhooks is None:
        log.info("this service stores no secrets of endpoints")
        return 0
    await check_schema(service, log)
    done = await reencrypt_secrets(service.database, service.webhooks.secret_box, dry_run=dry_run)
    log.info("secrets counted" if dry_run else "secrets re-encrypted", **asdict(done))
    return 1 if done.unreadable else 0


async def _archive(service: Service[Any], arguments: Sequence[str]) -> int:
    log = build_logger(service.name, level=service.settings.log_level)
    return await run_archive_command(service, arguments, log=log)


COMMANDS: Final[Mapping[str, Command]] = {
    MIGRATE: _migrate,
    REENCRYPT: _reencrypt,
    ARCHIVE: _archive,
    RESTORE: _archive,
}
_OPTIONS: Final = {MIGRATE: {WAIT}, REENCRYPT: {DRY_RUN}}
"""The options of the commands that do not parse their arguments themselves."""
