"""Prepares databases and topics of the compose stack, then ends: `python -m devstack.compose.setup`.

Creates a database and two roles for each service, migrates each as the owner of its tables, and applies the topics.
A second run changes nothing that is in place.
"""

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence

from devstack.compose.folders import STACK, find_volumes
from devstack.compose.secrets import SUPERUSER, build_database_url
from devstack.config import ROLES, SERVICES, ServiceDefinition
from devstack.databases import PostgresAtUrl, create_databases
from devstack.errors import StackFailed
from devstack.home import Home
from devstack.keys import StackKeys
from devstack.steps import run_concurrently

COMMAND = "calloff-service"


async def set_up() -> None:
    """Raises StackFailed if a step ends with a failure; what it wrote stands in the log of this container."""
    keys = StackKeys.load(Home(find_volumes() / STACK), roles=(*ROLES, SUPERUSER))
    server = PostgresAtUrl(build_database_url("postgres", SUPERUSER, keys))
    await create_databases(server, SERVICES, keys.databases)
    _report(f"{len(SERVICES)} databases exist, each with its owner and its service's role")
    await run_concurrently(_apply_topics(), *[_migrate(service, keys) for service in SERVICES])


async def _migrate(service: ServiceDefinition, keys: StackKeys) -> None:
    environment = {
        "CALLOFF_SECRETS_DIR": str(find_volumes() / service.name),
        "CALLOFF_MIGRATION_DATABASE_URL": build_database_url(service.package, service.owner, keys),
    }
    await _run([service.name, "migrate"], environment)
    _report(f"{service.name} is migrated")


async def _apply_topics() -> None:
    await _run(["topics", "apply"], {"CALLOFF_SECRETS_DIR": ""})  # this Kafka takes no login
    _report("the topics are in place")


async def _run(arguments: Sequence[str], environment: Mapping[str, str]) -> None:
    process = await asyncio.create_subprocess_exec(COMMAND, *arguments, env={**os.environ, **environment})
    status = await process.wait()
    if status != 0:
        raise StackFailed(f"`{COMMAND} {' '.join(arguments)}` ended with status {status}; its reason is above")


def _report(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - the log of the one-shot


if __name__ == "__main__":
    try:
        asyncio.run(set_up())
    except StackFailed as failure:
        sys.exit(f"setup: {failure}")
