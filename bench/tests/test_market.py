"""The measured chains take the same road at any hour: an urgent package waits for no list."""

import pytest

from bench.market import build_definitions
from contracts.definitions import read_definition
from contracts.example_words import Routes
from contracts.examples import some_care


@pytest.mark.parametrize("definition", build_definitions(), ids=lambda _: "definition")
def test_urgent_packages_go_from_tier_1_to_tier_2_at_once(definition: bytes) -> None:
    framework = read_definition(definition.decode(), source="the bench")
    care = some_care(framework=framework.framework, route=Routes.HOSPITAL_DISCHARGE, urgent=True)
    road = framework.list_road(framework.describe_kind(care))
    assert [stage.stage for stage in road] == ["tier-1", "tier-2", "available-packages"]
