"""Checks before a service works: what it depends on lets it in, and has what this version needs.

A check returns, or raises StartRefused for what no waiting changes. Any other error is transient: the check is made
again, without end, and the reason is logged.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from contracts.catalogue import list_owned_topics
from contracts.errors import CallOffError
from service_runtime.kafka.availability import KafkaRefusal, check_kafka
from service_runtime.kafka.connection import KafkaConnection
from service_runtime.observability.logs import Logger
from service_runtime.postgres.availability import URL_VARIABLE, explain_refusal
from service_runtime.postgres.database import Database
from service_runtime.postgres.errors import sqlstate
from service_runtime.postgres.migrations import SchemaState, compare_schema
from service_runtime.service import Service
from service_runtime.startup.errors import StartRefused
from service_runtime.startup.published_records import PublishedRecordsCheck
from service_runtime.startup.topics import TopicsCheck, list_used_topics

RETRY_EVERY: Final = 0.5
"""Seconds."""
LOG_EVERY: Final = 20
"""Attempts that fail for the same reason, of which one is logged."""

StartCheck = Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class StartChecks:
    """The checks of one process."""

    before_http: Sequence[StartCheck]
    """Until these pass, nothing but the probes is answered: without its database a service can do nothing."""
    before_work: Sequence[StartCheck]
    """Until these pass, no event, timer or webhook is handled and no command taken; queries are answered."""


NO_CHECKS: Final = StartChecks((), ())


def list_checks(service: Service[Any], log: Logger) -> StartChecks:
    """Lists the checks of a process that serves."""
    kafka = service.settings.build_kafka_connection()
    topics = TopicsCheck(kafka, list_used_topics(service), service.settings.replication, log)
    published = PublishedRecordsCheck(service.name, service.database, kafka, log)
    return StartChecks(
        before_http=(partial(check_schema, service, log),),
        before_work=(
            partial(check_kafka_access, kafka),
            topics.run,
            partial(published.run, list_owned_topics(service.name)),
        ),
    )


async def check_login(database: Database) -> None:
    """Raises StartRefused if PostgreSQL refuses the login, its certificate is not accepted, or there is no database."""
    try:
        await database.fetch("SELECT 1")
    except Exception as error:
        if (reason := explain_refusal(error)) is not None:
            raise StartRefused(reason) from error
        if isinstance(error, TimeoutError):
            raise TimeoutError(f"PostgreSQL does not answer at the address in {URL_VARIABLE}") from error
        raise


async def check_schema(service: Service[Any], log: Logger) -> None:
    """Raises StartRefused if the tables are older than this version, or are missing.

    Newer tables are accepted: while a new version is rolled out, the old one may be started once more.
    """
    await check_login(service.database)
    state = await compare_schema(service.database, service.migrations)
    command = f"calloff-service {service.name} migrate"
    if state is SchemaState.MISSING:
        raise StartRefused(f"the database of CALLOFF_DATABASE_URL has no tables; run `{command}` first")
    if state is SchemaState.OLDER:
        raise StartRefused(f"the database of CALLOFF_DATABASE_URL is older than this version; run `{command}` first")
    if state is SchemaState.NEWER:
        log.warning("the database is newer than this version, which is right only during an update")


async def check_kafka_access(kafka: KafkaConnection) -> None:
    """Raises StartRefused if Kafka refuses the login or its certificate is not accepted."""
    try:
        await check_kafka(kafka)
    except KafkaRefusal as refusal:
        raise StartRefused(str(refusal)) from refusal


async def run_once(checks: Sequence[StartCheck], log: Logger) -> bool:
    """Runs the checks; returns False after the first that fails for now. Raises StartRefused."""
    return await _find_failure(checks, log, is_logged=True) is None


async def run_until_passed(checks: Sequence[StartCheck], log: Logger) -> None:
    """Runs the checks again and again until all pass in one go. Raises StartRefused."""
    last, attempt = "", 0
    while (failure := await _find_failure(checks, log, is_logged=attempt % LOG_EVERY == 0)) is not None:
        attempt = attempt + 1 if failure == last else 1
        last = failure
        await asyncio.sleep(RETRY_EVERY)


async def _find_failure(checks: Sequence[StartCheck], log: Logger, *, is_logged: bool) -> str | None:
    for check in checks:
        try:
            await check()
        except StartRefused:
            raise
        except Exception as error:  # noqa: BLE001  the server may still be starting
            if is_logged:
                # The words of this project, or host, port and the system's words: nothing that may hold a password.
                reason = str(error) if isinstance(error, CallOffError | OSError) else ""
                log.warning("waiting to start", error=type(error).__name__, sqlstate=sqlstate(error), reason=reason)
            return type(error).__name__
    return None
