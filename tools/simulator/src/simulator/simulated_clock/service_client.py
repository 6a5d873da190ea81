"""A process of the stack over its simulation's routes, on a connection that is kept."""

from typing import Final

import aiohttp
from pydantic import ValidationError

from devstack.errors import InstantInPast, NotSimulated, ParticipantUnreachable
from service_runtime.simulated_clock import ACTIVITY, CLOCK, KEY_HEADER, Activity, Order

_PATIENCE: Final = aiohttp.ClientTimeout(total=10)
_ABSENT: Final = frozenset({404, 405})


class OverHttp:
    """One participant in another process."""

    def __init__(self, name: str, url: str, *, key: str, session: aiohttp.ClientSession) -> None:
        self.name = name
        self._url = url
        self._headers = {KEY_HEADER: key}
        self._session = session

    async def activity(self) -> Activity:
        return await self._ask("GET", ACTIVITY, None)

    async def set_clock(self, order: Order) -> Activity:
        return await self._ask("POST", CLOCK, order.model_dump_json())

    async def _ask(self, method: str, path: str, body: str | None) -> Activity:
        """Raises NotSimulated where there are no such routes."""
        try:
            async with self._session.request(
                method, self._url + path, data=body, headers=self._headers, timeout=_PATIENCE
            ) as answer:
                said = await answer.read()
                if answer.status == 200:
                    return Activity.model_validate_json(said)
        except (aiohttp.ClientError, TimeoutError, OSError, ValidationError) as error:
            raise ParticipantUnreachable(f"{self.name} gives no answer ({type(error).__name__})") from error
        if answer.status in _ABSENT:
            raise NotSimulated(f"{self.name} is not on a simulated clock; start with `calloff up --simulated-clock`")
        if answer.status == 409:
            raise InstantInPast(f"{self.name}: {said.decode()}")
        raise ParticipantUnreachable(f"{self.name} answers {answer.status}")
