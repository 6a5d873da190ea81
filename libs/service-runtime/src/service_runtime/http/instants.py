"""What time it is for a route that only reads: by the service's clock, as for everything else."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Request

from service_runtime.unit_of_work.executor import Performer


async def _now(request: Request) -> datetime:
    performer: Performer[Any] = request.app.state.performer  # which unit of work it opens does not matter here
    return performer.clock.now()


Now = Annotated[datetime, Depends(_now)]
"""The instant of the request."""
