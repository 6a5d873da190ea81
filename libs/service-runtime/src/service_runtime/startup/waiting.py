"""Waits until the checks before the start pass; meanwhile only the probes are answered."""

import asyncio
from collections.abc import Sequence

from service_runtime.http.server import HttpServers
from service_runtime.observability.logs import Logger
from service_runtime.startup.checks import StartCheck, run_until_passed


async def wait_for_start(checks: Sequence[StartCheck], probes: HttpServers, stop: asyncio.Event, log: Logger) -> bool:
    """Returns True when the checks have passed, False if `stop` is set before. Raises StartRefused."""
    passing = asyncio.create_task(run_until_passed(checks, log))
    serving = asyncio.create_task(probes.serve())
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({passing, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if passing.done():
            passing.result()
        return not stop.is_set()
    finally:
        probes.stop()
        passing.cancel()
        stopping.cancel()
        await asyncio.gather(passing, stopping, serving, return_exceptions=True)
