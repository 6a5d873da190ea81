"""The judge counts the capacity that a provider declared for the area where the care is given."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final

import pytest

from contracts.example_words import LOT, ServiceTypes, Tiers
from devstack.councils import list_framework_files
from judge.events import REGISTRY, RecordedEvent
from judge.market import NO_CAPACITY, MarketHistory
from judge.requirements import PlaceKey, Requirement
from judge.rules import read_rules

PROVIDER, FRAMEWORK = "birch", "essex-live-at-home-2025"
OWN_AREA, NEXT_AREA = "E07000066", "E07000067"
EIGHT: Final = datetime(2026, 3, 26, 8, tzinfo=UTC)
RULES: Final = read_rules(list_framework_files())[FRAMEWORK, 1]


def declare_nothing_free(area: str) -> RecordedEvent:
    data = {"area": area, "free_hours": "0.00", "declared_at": EIGHT.isoformat()}
    return RecordedEvent("CapacityDeclared", REGISTRY, PROVIDER, EIGHT, data)


@pytest.mark.parametrize(("full_in", "is_full"), [(NEXT_AREA, True), (OWN_AREA, False)])
def test_a_neighbour_is_full_if_it_declared_nothing_free_in_the_packages_area(*, full_in: str, is_full: bool) -> None:
    market = MarketHistory({PROVIDER: [declare_nothing_free(full_in)]}, {}, [])
    need = Requirement(
        place=PlaceKey(FRAMEWORK, LOT, OWN_AREA, Tiers.ONE),
        area=NEXT_AREA,
        service_type=ServiceTypes.PERSONAL_CARE,
        hours=Decimal(7),
        skills=frozenset(),
        refused=(),
        day=date(2026, 3, 26),
    )
    (reasons,) = market.list_possible_reasons(PROVIDER, need, RULES, datetime(2026, 3, 26, 9, tzinfo=UTC))
    assert (NO_CAPACITY in reasons) is is_full
