"""Pauses of endpoints: an endpoint that asks for no requests before an instant (`Retry-After`) gets none.

The pause is a column of the endpoint's row, so that it holds for all processes and after a restart. `claim` and
`apply_changes` start no delivery before it ends. No delivery waits longer for it than `give_up_after`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from service_runtime.postgres.database import Connection


@dataclass(frozen=True)
class Pause:
    """The endpoint of `owner` at `url` has asked for no requests before `until`."""

    owner: str
    url: str
    until: datetime


_STORE = text(
    """
    UPDATE endpoints SET paused_until = greatest(paused_until, until)
    FROM unnest(CAST(:owners AS text[]), CAST(:urls AS text[]), CAST(:untils AS timestamptz[]))
         AS asked(asked_owner, asked_url, until)
    WHERE owner = asked_owner AND url = asked_url
    """
)


class UnstoredPauses:
    """The pauses that this process knows and has not stored yet."""

    def __init__(self) -> None:
        self._by_owner: dict[str, Pause] = {}

    def __len__(self) -> int:
        return len(self._by_owner)

    def __contains__(self, owner: str) -> bool:
        return owner in self._by_owner

    def add(self, pause: Pause) -> None:
        known = self._by_owner.get(pause.owner)
        if known is None or known.url != pause.url or known.until < pause.until:
            self._by_owner[pause.owner] = pause

    async def store(self, connection: Connection) -> None:
        """Stores them; one whose endpoint has another URL by now is dropped."""
        pauses = list(self._by_owner.values())
        if not pauses:
            return
        await connection.run_counted(_STORE, _build_arguments(pauses))
        for pause in pauses:
            if self._by_owner.get(pause.owner) == pause:
                del self._by_owner[pause.owner]


def _build_arguments(pauses: Sequence[Pause]) -> dict[str, object]:
    return {
        "owners": [pause.owner for pause in pauses],
        "urls": [pause.url for pause in pauses],
        "untils": [pause.until for pause in pauses],
    }
