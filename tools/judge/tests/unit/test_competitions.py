"""The judge recomputes sealed bids, closes and rankings, and finds what was planted."""

import json
from datetime import timedelta
from typing import Any

import pytest

from contracts.catalogue import encode
from judge.competitions import check_competitions, check_open_competition
from judge.events import SOURCING, PackageHistory, RecordedEvent
from testkit.sourcing.builders import on_monday
from testkit.sourcing.competitions import CompetitionDesk, a_scored_desk, open_desk

BIDS = {"Alder": ("24.00", 4, 5), "Birch": ("20.00", 3, 3), "Cedar": ("26.00", 1, 1)}


def read_story(desk: CompetitionDesk) -> list[RecordedEvent]:
    """The package's events as the judge reads them from Kafka."""
    return [
        RecordedEvent(type(event).__name__, SOURCING, event.key, at, json.loads(encode(event)))
        for event, at in desk.driver.journal
    ]


def plant(story: PackageHistory, kind: str, **changed: Any) -> list[RecordedEvent]:  # Any: values of JSON
    """The story with other values in the first event of this kind."""
    position = next(number for number, each in enumerate(story) if each.kind == kind)
    event = story[position]
    planted = RecordedEvent(event.kind, event.source, event.key, event.at, {**event.data, **changed})
    return [*story[:position], planted, *story[position + 1 :]]


def test_a_competition_as_sourcing_runs_it_is_without_fault() -> None:
    desk = a_scored_desk(BIDS)
    desk.award("Alder")
    assert list(check_competitions(read_story(desk))) == []


@pytest.mark.parametrize(
    ("kind", "changed", "fault"),
    [
        ("BidOpened", {"rate": "19.00"}, "does not open to its commitment"),
        ("BidOpened", {"salt": "00" * 32}, "does not open to its commitment"),
        ("BidReceived", {"commitment": "00" * 32}, "does not open to its commitment"),
        ("CompetitionOpened", {"invited": []}, "bid without an invitation"),
        ("CompetitionOpened", {"closes_at": "2026-01-12T14:00:00Z"}, "before 2026-01-12T14:00:00"),
        ("CompetitionOpened", {"closes_at": "2026-01-12T08:59:00Z"}, "after the close"),
    ],
)
def test_what_was_planted_is_found(kind: str, changed: dict[str, Any], fault: str) -> None:
    story = plant(read_story(a_scored_desk(BIDS)), kind, **changed)
    assert any(fault in each for each in check_competitions(story))


def test_a_ranking_in_another_order_or_with_other_points_is_found() -> None:
    story = read_story(a_scored_desk(BIDS))
    ranking = next(each for each in story if each.kind == "CompetitionRanked").data["ranking"]
    turned = plant(story, "CompetitionRanked", ranking=[ranking[1], ranking[0], ranking[2]])
    assert "the ranking is not in the order of its figures" in list(check_competitions(turned))
    dearer = plant(story, "CompetitionRanked", ranking=[{**ranking[0], "price": "29.00"}, *ranking[1:]])
    assert any("points for its price" in each for each in check_competitions(dearer))


def test_an_open_competition_closes_in_the_future_or_is_on_the_work_list() -> None:
    desk = open_desk("Alder")
    desk.bid("Alder", "24.00")
    story = read_story(desk)
    assert list(check_open_competition(story, is_on_work_list=False, now=on_monday("12:00"))) == []
    late = list(check_open_competition(story, is_on_work_list=False, now=on_monday("13:00") + timedelta(seconds=1)))
    assert late == ["the competition should have closed at 2026-01-12T13:00:00+00:00"]
    desk.close()
    closed = read_story(desk)
    assert list(check_open_competition(closed, is_on_work_list=True, now=on_monday("14:00"))) == []
    assert list(check_open_competition(closed, is_on_work_list=False, now=on_monday("14:00"))) != []
