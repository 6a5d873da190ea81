"""`calloff decision` heads each stage with what decides about its order."""

from collections.abc import Callable
from typing import Final, Protocol
from uuid import uuid4

import pytest
from typer.testing import Result

PACKAGE, ALDER = str(uuid4()), str(uuid4())
TURN: Final[dict[str, object]] = {"provider_id": ALDER, "rank": 1, "outcome": "declined", "reasons": []}
STAGE: Final[dict[str, object]] = {"stage": "tier-1", "turns": [TURN]}

Run = Callable[..., Result]


class FakeServices(Protocol):
    """The fixture of conftest."""

    answers: dict[str, tuple[int, object]]


@pytest.mark.parametrize(
    ("stage", "heading"),
    [
        ({"lists": [{"tier": "tier-1", "list_version": 3}]}, "tier-1, ranked list 3 of tier-1"),
        ({"lists": [{"tier": "zone", "group": "nights", "list_version": 1}]}, "ranked list 1 of zone (nights)"),
        ({"order": ["price", "rotation"]}, "tier-1, by price, then rotation"),
        ({}, "tier-1"),
    ],
)
def test_a_stage_is_shown_with_what_decides_about_its_order(
    services: FakeServices, run: Run, stage: dict[str, object], heading: str
) -> None:
    decision: dict[str, object] = {"status": "running", "area": "E07000071", "placed_with": None, "missing": []}
    services.answers[f"/v1/packages/{PACKAGE}/decision"] = (200, {**decision, "stages": [{**STAGE, **stage}]})
    assert heading in run("decision", PACKAGE).stdout
