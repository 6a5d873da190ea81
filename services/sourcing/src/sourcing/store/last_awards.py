"""When each provider was last placed in an area: by this, a rotation finds whose turn it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from contracts.ids import AreaCode, FrameworkKey, LotKey, ProviderId
from service_runtime.postgres.database import Database
from service_runtime.unit_of_work.rounds import Rounds

_LAST_AWARDS: Final = """
    SELECT wanted.number, provider_id, max(placed_at) AS placed_at
    FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS wanted(framework, lot, area, number)
    JOIN placements USING (framework, lot, area)
    WHERE NOT voided GROUP BY wanted.number, provider_id
"""


@dataclass(frozen=True)
class AwardArea:
    """The area of a lot in which awards rotate."""

    framework: FrameworkKey
    lot: LotKey
    area: AreaCode


LastAwardTimes = Mapping[ProviderId, datetime]


class LastAwards:
    """Last placements by provider, read in one statement for all decisions that wait. Voided ones do not count."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rounds = Rounds[AwardArea, LastAwardTimes](self._read)

    async def find(self, area: AwardArea) -> LastAwardTimes:
        return await self._rounds.submit(area)

    async def _read(self, areas: Sequence[AwardArea]) -> list[LastAwardTimes]:
        rows = await self._database.fetch(
            _LAST_AWARDS,
            [each.framework for each in areas],
            [each.lot for each in areas],
            [each.area for each in areas],
        )
        found: list[dict[ProviderId, datetime]] = [{} for _ in areas]
        for row in rows:
            found[row.number - 1][ProviderId(row.provider_id)] = row.placed_at
        return list(found)
