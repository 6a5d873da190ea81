"""Path and query parameters that name a place or a ranked list."""

from typing import Annotated, Final

from fastapi import Depends, Path

from provider_registry.domain.places import FrameworkPlace
from service_runtime.http.text_fields import AreaName, FrameworkName, LotName, TierName

LARGEST_VERSION: Final = 1_000_000

FrameworkPath = Annotated[FrameworkName, Path()]
LotPath = Annotated[LotName, Path()]
AreaPath = Annotated[AreaName, Path()]
TierPath = Annotated[TierName, Path()]
VersionPath = Annotated[int, Path(ge=1, le=LARGEST_VERSION)]


async def _parse_place(framework: FrameworkPath, lot: LotPath, area: AreaPath, tier: TierPath) -> FrameworkPlace:
    return FrameworkPlace(framework, lot, area, tier)


PlacePath = Annotated[FrameworkPlace, Depends(_parse_place)]
