"""Places of providers in PostgreSQL."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import TypeAdapter
from pydantic_core import to_json
from sqlalchemy import text

from contracts.ids import AreaCode, FrameworkKey, LotKey, ProviderId, TierKey
from provider_registry.domain.places import FrameworkPlace, ProviderPlace
from provider_registry.domain.provider import Provider
from service_runtime.postgres.database import Reader
from service_runtime.unit_of_work.streams import StreamKey

TABLES: Final = """
CREATE TABLE places (
    provider_id uuid NOT NULL REFERENCES providers,
    framework text NOT NULL,
    lot text NOT NULL,
    area text NOT NULL,
    tier text NOT NULL,
    service_types text[] NOT NULL,
    number integer,
    applied_on date,
    awarded_on date,
    joined_on date NOT NULL,
    until date,
    existing_until date,
    changes jsonb NOT NULL,
    approval jsonb,
    PRIMARY KEY (framework, lot, area, tier, provider_id)
);
CREATE INDEX places_of_a_provider ON places (provider_id);
"""

SAVE_PLACES = text(
    """
    INSERT INTO places SELECT * FROM jsonb_populate_recordset(CAST(NULL AS places), CAST(:places AS jsonb))
    ON CONFLICT (framework, lot, area, tier, provider_id) DO UPDATE SET
        service_types = excluded.service_types, number = excluded.number, applied_on = excluded.applied_on,
        awarded_on = excluded.awarded_on, joined_on = excluded.joined_on, until = excluded.until,
        existing_until = excluded.existing_until, changes = excluded.changes, approval = excluded.approval
    """
)
_PLACES: Final = """
    unnest(CAST(:frameworks AS text[]), CAST(:lots AS text[]), CAST(:areas AS text[]), CAST(:tiers AS text[]))
"""
REMOVE_PLACES = text(
    f"""
    DELETE FROM places USING {_PLACES} AS gone(framework, lot, area, tier)
    WHERE provider_id = :provider_id AND places.framework = gone.framework AND places.lot = gone.lot
      AND places.area = gone.area AND places.tier = gone.tier
    """  # noqa: S608  our own columns
)
PROVIDERS_OF_PLACES = text(
    f"""
    SELECT provider_id, CAST(to_jsonb(places) AS text) AS place FROM places
    JOIN {_PLACES} AS requested(framework, lot, area, tier) USING (framework, lot, area, tier)
    """  # noqa: S608  our own columns
)
PROVIDERS_OF_FRAMEWORK = text(
    "SELECT DISTINCT provider_id FROM places WHERE framework = :framework ORDER BY provider_id"
)
_PLACES_OF_FRAMEWORKS = text(
    """
    SELECT provider_id, CAST(to_jsonb(places) AS text) AS place FROM places
    WHERE framework = ANY(CAST(:frameworks AS text[])) ORDER BY provider_id
    """
)

_PLACE: Final = TypeAdapter(ProviderPlace)
_KEY: Final = ("framework", "lot", "area", "tier")


async def load_places(
    reader: Reader, frameworks: Sequence[FrameworkKey]
) -> Mapping[FrameworkKey, Mapping[ProviderId, Sequence[ProviderPlace]]]:
    """Returns the places of frameworks, by framework and provider."""
    found: dict[FrameworkKey, dict[ProviderId, list[ProviderPlace]]] = {each: {} for each in frameworks}
    for row in await reader.execute(_PLACES_OF_FRAMEWORKS, {"frameworks": list(frameworks)}):
        place = read_place(row.place)
        found[place.place.framework].setdefault(ProviderId(row.provider_id), []).append(place)
    return found


def to_place_stream(place: FrameworkPlace) -> StreamKey:
    """The stream whose revision changes with the providers that hold the place."""
    return StreamKey("places", f"{place.framework}/{place.lot}/{place.area}/{place.tier}")


def to_place_row(place: FrameworkPlace) -> dict[str, object]:
    return {"framework": place.framework, "lot": place.lot, "area": place.area, "tier": place.tier}


def to_columns(places: Sequence[FrameworkPlace]) -> dict[str, object]:
    return {
        "frameworks": [place.framework for place in places],
        "lots": [place.lot for place in places],
        "areas": [place.area for place in places],
        "tiers": [place.tier for place in places],
    }


def write_places(provider: Provider, places: Sequence[ProviderPlace]) -> str:
    """Returns rows of the table as a JSON array."""
    rows: list[dict[str, Any]] = []  # columns of any type
    for each in places:
        values = _PLACE.dump_python(each, mode="json", exclude={"place"})
        rows.append({"provider_id": provider.provider_id, **to_place_row(each.place), **values})
    return to_json(rows).decode()


def read_place(row: str) -> ProviderPlace:
    """Reads a row of the table from its JSON."""
    return to_place(json.loads(row))


def to_place(row: Mapping[str, Any]) -> ProviderPlace:  # one place as PostgreSQL's row_to_json gives it
    values = {name: value for name, value in row.items() if name not in {*_KEY, "provider_id"}}
    place = FrameworkPlace(
        FrameworkKey(row["framework"]), LotKey(row["lot"]), AreaCode(row["area"]), TierKey(row["tier"])
    )
    return _PLACE.validate_python({"place": place, **values})
