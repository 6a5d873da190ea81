"""`python -m <service> archive FOLDER` and `restore-archive FILE`, run by the owner of the tables."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from prometheus_client import Gauge

from contracts.errors import CallOffError
from service_runtime.clock_guard import ClockGuard
from service_runtime.observability.logs import Logger
from service_runtime.postgres.database import Database
from service_runtime.postgres.errors import ConnectionBroken, StatementRefused, is_transient
from service_runtime.postgres.migrations import wait_until_available
from service_runtime.retention.archive_files import ArchiveRefused
from service_runtime.retention.archiver import Archiver
from service_runtime.retention.journal_archive import JournalTable
from service_runtime.service import Service
from service_runtime.startup.errors import ServerUnavailable, StartRefused

ARCHIVE: Final = "archive"
RESTORE: Final = "restore-archive"
KEPT_MONTHS: Final = 24
"""Whole months before the current one that stay in the database by default."""
MAX_KEPT_MONTHS: Final = 1_200


async def run_archive_command(service: Service[Any], arguments: Sequence[str], *, log: Logger) -> int:
    """Archives or restores as the owner of the tables; returns the status of the process.

    It is 1 for what a person has to change first. Raises StartRefused if PostgreSQL refuses the login, and
    ServerUnavailable if it does not answer, or stops answering; the same command then completes the work later.
    """
    options = parse_arguments(service.name, arguments)
    database = service.settings.open_migration_database(service.name)
    archiver = Archiver(database, service.name, [JournalTable(), *service.archived_tables])
    try:
        await wait_until_available(database, command=options.command)
        await _check_clock(database, service, log)
        await _run(archiver, options, service, log)
    except (StartRefused, ServerUnavailable):
        raise
    except (CallOffError, StatementRefused, ConnectionBroken, OSError) as error:
        if _is_outage(error):
            raise ServerUnavailable(f"PostgreSQL stopped answering; run `{options.command}` again later") from error
        reason = str(error) or type(error).__name__
        log.error("not done", command=options.command, reason=reason)  # noqa: TRY400  the reason is complete
        return 1
    else:
        return 0
    finally:
        await database.close()


def _is_outage(error: Exception) -> bool:
    """Returns True for errors of PostgreSQL that pass; those of files are for a person, a full disk among them."""
    is_of_files = isinstance(error, OSError) and not isinstance(error, ConnectionError | TimeoutError)
    return is_transient(error) and not is_of_files


async def _check_clock(database: Database, service: Service[Any], log: Logger) -> None:
    """Raises ClockNotTrusted: a clock that is ahead would move months that stay."""
    difference = Gauge("calloff_clock_difference_seconds", "Not exported", registry=None)
    await ClockGuard(database, service.clock, log=log, difference=difference).compare_until_right()


async def _run(archiver: Archiver, options: argparse.Namespace, service: Service[Any], log: Logger) -> None:
    if options.command == RESTORE:
        manifest = await archiver.restore(options.path)
        log.info("archive restored", archive=manifest.name, rows=manifest.row_count)
        return
    if not options.path.is_dir():
        raise ArchiveRefused(f"{options.path} is no folder; name the folder in which the archives are kept")
    moved = await archiver.archive(options.path, keep_months=options.keep_months, now=service.clock.now())
    for manifest in moved:
        log.info("month archived", archive=manifest.name, rows=manifest.row_count, bytes=manifest.size)
    log.info("archived", months=len(moved))


def parse_arguments(service: str, arguments: Sequence[str]) -> argparse.Namespace:
    """Reads the arguments of both commands. Raises SystemExit, with a line on standard error, for wrong ones."""
    parser = argparse.ArgumentParser(prog=f"python -m {service.replace('-', '_')}")
    commands = parser.add_subparsers(dest="command", required=True)
    archive = commands.add_parser(ARCHIVE, help="move old months into files, and delete them from the database")
    archive.add_argument("path", metavar="FOLDER", type=Path, help="the folder in which the archives are kept")
    archive.add_argument(
        "--keep-months",
        type=_parse_months,
        default=KEPT_MONTHS,
        help=f"whole months before the current one that stay in the database ({KEPT_MONTHS}; at least 1)",
    )
    restore = commands.add_parser(RESTORE, help="put the rows of the newest archive back")
    restore.add_argument("path", metavar="FILE", type=Path, help="a file that `archive` has written")
    return parser.parse_args(arguments)


def _parse_months(value: str) -> int:
    months = int(value)
    if not 1 <= months <= MAX_KEPT_MONTHS:
        raise argparse.ArgumentTypeError(f"1 to {MAX_KEPT_MONTHS} months stay")
    return months
