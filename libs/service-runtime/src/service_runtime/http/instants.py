"""What time it is for a route that only reads: by the service's clock, as for everything else."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Request

from service_runtime.unit_of_work.executor import Executor


async def _read_clock(request: Request) -> datetime:
    performer: Executor[Any] = request.app.state.performer  # which unit of work it opens does not matter here
    return performer.clock.now()


Now = Annotated[datetime, Depends(_read_clock)]
"""The instant of the request."""
