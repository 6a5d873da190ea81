"""The places of Live Well at Home are those of the report on its extension (document 004, paragraphs 13 and 18)."""

from collections import Counter
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

from contracts.definitions import read_definition
from contracts.ids import AreaCode, FrameworkKey, LotKey, TierKey

FOLDER = Path(__file__).parents[2] / "frameworks"
NAME = "oxfordshire-live-well-at-home.yaml"
FRAMEWORK = read_definition((FOLDER / NAME).read_text(encoding="utf-8"), source=NAME)


class _Place(BaseModel):
    model_config = ConfigDict(extra="forbid")
    lot: LotKey
    area: AreaCode
    tier: TierKey
    number: int
    provider: str


class _Places(BaseModel):
    model_config = ConfigDict(extra="forbid")
    framework: FrameworkKey
    places: list[_Place]


FILE = _Places.model_validate(yaml.safe_load((FOLDER / "places" / NAME).read_text(encoding="utf-8")))
TABLE = {
    "Cherwell": ["Care Outlook Ltd", "All Care (GB) Ltd", "Mega Resource"],
    "Oxford": ["Eleanor Nursing and Social Care Ltd", "Agincare UK Ltd", "Care Outlook Ltd", "All Care (GB) Ltd"],
    "South Oxfordshire": ["All Care (GB) Ltd"],
    "Vale of White Horse": ["Agincare UK Ltd", "All Care (GB) Ltd"],
    "West Oxfordshire": ["Agincare UK Ltd", "Care Outlook Ltd", "All Care (GB) Ltd"],
}
"""The strategic provider of each zone, then its shadow providers by number."""


def test_every_place_is_one_of_the_framework() -> None:
    assert FILE.framework == FRAMEWORK.framework
    assert all(FRAMEWORK.has_place(each.lot, each.area, each.tier) for each in FILE.places)


def test_each_zone_has_its_strategic_provider_and_its_shadows_in_their_order() -> None:
    found = {area.name: _list_providers(area.code) for area in FRAMEWORK.areas if area.name in TABLE}
    assert found == TABLE


def _list_providers(area: AreaCode) -> list[str]:
    tiers = [TierKey("strategic"), TierKey("shadow")]
    places = [each for each in FILE.places if each.area == area]
    return [each.provider for each in sorted(places, key=lambda each: (tiers.index(each.tier), each.number))]


def test_numbers_of_an_area_and_tier_begin_at_one_and_have_no_gap() -> None:
    numbers: dict[tuple[AreaCode, TierKey], list[int]] = {}
    for each in FILE.places:
        numbers.setdefault((each.area, each.tier), []).append(each.number)
    assert all(sorted(found) == list(range(1, len(found) + 1)) for found in numbers.values())


def test_four_companies_hold_the_five_zones() -> None:
    assert len({each.provider for each in FILE.places if each.tier == "strategic"}) == 4


def test_one_provider_delivers_at_six_schemes_and_the_other_at_eight() -> None:
    schemes = [each for each in FILE.places if each.tier == "scheme"]
    assert Counter(each.provider for each in schemes) == {"Radis": 6, "All Care (GB) Ltd": 8}
    assert len({each.area for each in schemes}) == 14
