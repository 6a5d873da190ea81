"""The client of a process's simulation routes, over a shared HTTP session."""

from typing import Final

import aiohttp
from pydantic import ValidationError

from devstack.errors import InstantInPast, NotSimulated, ParticipantUnreachable
from service_runtime.simulated_clock.messages import ACTIVITY_PATH, CLOCK_PATH, KEY_HEADER, Activity, ClockSetting

_TIMEOUT: Final = aiohttp.ClientTimeout(total=10)
_ABSENT: Final = frozenset({404, 405})


class SimulatedProcessClient:
    """One process on the simulated clock."""

    def __init__(self, name: str, url: str, *, key: str, session: aiohttp.ClientSession) -> None:
        self.name = name
        self._url = url
        self._headers = {KEY_HEADER: key}
        self._session = session

    async def read_activity(self) -> Activity:
        return await self._send("GET", ACTIVITY_PATH, None)

    async def set_clock(self, setting: ClockSetting) -> Activity:
        return await self._send("POST", CLOCK_PATH, setting.model_dump_json())

    async def _send(self, method: str, path: str, body: str | None) -> Activity:
        """Raises NotSimulated if the process has no simulation routes."""
        try:
            async with self._session.request(
                method, self._url + path, data=body, headers=self._headers, timeout=_TIMEOUT
            ) as response:
                content = await response.read()
                if response.status == 200:
                    return Activity.model_validate_json(content)
        except (aiohttp.ClientError, TimeoutError, OSError, ValidationError) as error:
            raise ParticipantUnreachable(f"{self.name} does not answer ({type(error).__name__})") from error
        if response.status in _ABSENT:
            raise NotSimulated(f"{self.name} is not on a simulated clock; start with `calloff up --simulated-clock`")
        if response.status == 409:
            raise InstantInPast(f"{self.name}: {content.decode()}")
        raise ParticipantUnreachable(f"{self.name} answers {response.status}")
