"""Memberships in PostgreSQL."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import text

from contracts.ids import AreaCode, FrameworkKey
from contracts.values import Tier
from provider_registry.domain.provider import FrameworkPlace
from service_runtime.unit_of_work.streams import StreamKey

TABLES: Final = """
CREATE TABLE memberships (
    provider_id uuid NOT NULL REFERENCES providers,
    framework text NOT NULL,
    area text NOT NULL,
    tier smallint NOT NULL,
    PRIMARY KEY (framework, area, tier, provider_id)
);
CREATE INDEX memberships_of_a_provider ON memberships (provider_id);
"""

ADD_MEMBERSHIPS = text(
    """
    INSERT INTO memberships (provider_id, framework, area, tier)
    SELECT :provider_id, framework, area, tier
    FROM unnest(CAST(:frameworks AS text[]), CAST(:areas AS text[]), CAST(:tiers AS smallint[]))
         AS joined(framework, area, tier)
    """
)
REMOVE_MEMBERSHIPS = text(
    """
    DELETE FROM memberships
    USING unnest(CAST(:frameworks AS text[]), CAST(:areas AS text[]), CAST(:tiers AS smallint[]))
          AS gone(framework, area, tier)
    WHERE provider_id = :provider_id AND memberships.framework = gone.framework AND memberships.area = gone.area
      AND memberships.tier = gone.tier
    """
)
MEMBERS = text(
    """
    SELECT framework, area, tier, array_agg(provider_id) AS providers
    FROM memberships
    JOIN unnest(CAST(:frameworks AS text[]), CAST(:areas AS text[]), CAST(:tiers AS smallint[]))
         AS requested(framework, area, tier) USING (framework, area, tier)
    GROUP BY framework, area, tier
    """
)
MEMBERS_OF_FRAMEWORK = text(
    "SELECT DISTINCT provider_id FROM memberships WHERE framework = :framework ORDER BY provider_id"
)


def to_place_stream(place: FrameworkPlace) -> StreamKey:
    """The stream whose revision changes with the place's members."""
    return StreamKey("places", f"{place.framework}/{place.area}/{int(place.tier)}")


def to_place_row(place: FrameworkPlace) -> dict[str, object]:
    return {"framework": place.framework, "area": place.area, "tier": int(place.tier)}


def to_columns(places: Sequence[FrameworkPlace]) -> dict[str, object]:
    return {
        "frameworks": [place.framework for place in places],
        "areas": [place.area for place in places],
        "tiers": [int(place.tier) for place in places],
    }


def to_place(row: Any) -> FrameworkPlace:  # a row's attributes are its columns
    return FrameworkPlace(FrameworkKey(row.framework), AreaCode(row.area), Tier(row.tier))
