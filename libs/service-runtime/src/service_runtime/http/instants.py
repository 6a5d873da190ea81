"""Current time for routes that only read, from the service's clock (real or simulated)."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Request

from service_runtime.unit_of_work.executor import Executor


async def _read_clock(request: Request) -> datetime:
    executor: Executor[Any] = request.app.state.executor  # the type of its unit of work does not matter here
    return executor.clock.now()


Now = Annotated[datetime, Depends(_read_clock)]
"""The instant of the request."""
