"""The event that a projection version came from is found by the version's key."""

from uuid import uuid4

from audit.domain.evidence import find_source_position
from audit.domain.records import StreamName, StreamPosition
from contracts.catalogue import FRAMEWORKS, PROVIDERS
from contracts.events.base import ProjectionVersion
from contracts.events.frameworks import make_ranked_list_key
from contracts.example_words import LOT, Tiers
from contracts.examples import COLCHESTER, FRAMEWORK
from contracts.ids import GroupKey

REGISTRY = "/calloff/provider-registry"


def _find(view: str, key: str) -> StreamPosition | None:
    return find_source_position(ProjectionVersion(view=view, key=key, sequence=2))


def _position(topic: str, subject: str) -> StreamPosition:
    return StreamPosition(StreamName(topic, subject, REGISTRY), 2)


def test_the_capacity_of_an_area_came_from_the_stream_of_the_provider() -> None:
    alder = str(uuid4())
    assert _find("capacity", f"{alder}/{COLCHESTER}") == _position(PROVIDERS, alder)


def test_a_version_of_a_definition_came_from_the_stream_of_the_framework() -> None:
    assert _find("definition-versions", f"{FRAMEWORK}/2") == _position(FRAMEWORKS, FRAMEWORK)


def test_a_ranked_list_came_from_its_own_stream_with_or_without_a_group() -> None:
    for group in (None, GroupKey("nights")):
        key = make_ranked_list_key(FRAMEWORK, LOT, COLCHESTER, Tiers.ONE, group)
        assert _find("ranked-lists", key) == _position(FRAMEWORKS, key)
        assert _find("ranked-list-versions", f"{key}/7") == _position(FRAMEWORKS, key)


def test_an_unknown_projection_has_no_position() -> None:
    assert _find("weather", "tomorrow") is None
