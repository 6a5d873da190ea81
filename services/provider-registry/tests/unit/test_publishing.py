"""Versions of definitions and lists are consecutive and immutable."""

from datetime import date

import pytest

from contracts.errors import InvalidInput
from contracts.events.frameworks import RankedListPublished
from contracts.examples import COUNCIL
from contracts.framework.brokerage import BankHolidayOverride, BrokerageTime
from contracts.framework.definition import FrameworkDefinition
from contracts.framework.words import ListGroup
from contracts.ids import AreaCode, GroupKey
from contracts.values import Rating
from provider_registry.domain.errors import (
    FrameworkNotFound,
    FrameworkTaken,
    NoSuchTier,
    VersionAlreadyPublished,
    VersionOutOfTurn,
)
from provider_registry.domain.places import ListScope
from provider_registry.domain.publishing import (
    check_owner,
    check_proclaimed_days,
    check_ranked_list,
    check_scope,
    is_new_version,
)
from provider_registry.handlers.ranked_lists import PublishRankedList
from testkit.provider_registry.builders import OTHER_COUNCIL, a_framework, a_place, to_provider_id

SCOPE = ListScope(a_place())
ALDER, BIRCH = to_provider_id("Alder"), to_provider_id("Birch")


def a_list(*names: str, issued_on: date = date(2026, 1, 1), live_from: date = date(2026, 1, 5)) -> RankedListPublished:
    ranking = tuple(to_provider_id(name) for name in names)
    return PublishRankedList(SCOPE, 1, issued_on, live_from, ranking).as_event()


def test_the_first_version_is_one_and_the_next_is_one_more() -> None:
    assert is_new_version("content", version=1, newest=0, published=None)
    assert is_new_version("content", version=4, newest=3, published=None)


@pytest.mark.parametrize(("version", "newest"), [(2, 0), (5, 3), (1_000_000, 1)])
def test_a_version_that_leaves_a_gap_is_refused_with_the_expected_one(version: int, newest: int) -> None:
    with pytest.raises(VersionOutOfTurn, match=f"the next version is {newest + 1}"):
        is_new_version("content", version=version, newest=newest, published=None)


def test_identical_content_is_not_new_also_for_an_older_version() -> None:
    assert not is_new_version("content", version=2, newest=5, published="content")


def test_a_published_version_never_changes() -> None:
    with pytest.raises(VersionAlreadyPublished, match="publish version 6"):
        is_new_version("other content", version=2, newest=5, published="content")


def test_a_council_publishes_its_own_frameworks_only() -> None:
    with pytest.raises(InvalidInput) as refused:
        check_owner(a_framework(council=OTHER_COUNCIL), council=COUNCIL, newest=None)
    assert [field.pointer for field in refused.value.fields] == ["#/council"]
    with pytest.raises(FrameworkTaken):
        check_owner(a_framework(version=2), council=COUNCIL, newest=a_framework(council=OTHER_COUNCIL))


def a_framework_with(override: BankHolidayOverride) -> FrameworkDefinition:
    brokerage = BrokerageTime(bank_holidays=(), overrides=(override,))
    return a_framework().model_copy(update={"brokerage": brokerage})


def test_a_day_that_was_proclaimed_stays_in_every_later_version() -> None:
    day, proclaimed_on = date(2026, 9, 21), date(2026, 9, 10)
    funeral = BankHolidayOverride(day=day, closed=True, name="State funeral", proclaimed_on=proclaimed_on)
    newest = a_framework_with(funeral)
    check_proclaimed_days(newest, newest=None)
    check_proclaimed_days(a_framework_with(funeral), newest=newest)
    check_proclaimed_days(a_framework_with(funeral.model_copy(update={"closed": False})), newest=newest)
    with pytest.raises(InvalidInput) as refused:
        check_proclaimed_days(a_framework(), newest=newest)
    assert [field.pointer for field in refused.value.fields] == ["#/brokerage/overrides"]
    assert "2026-09-21 (State funeral), proclaimed by an earlier version" in refused.value.fields[0].detail


def test_a_list_needs_a_framework_of_the_council_with_that_area_and_tier() -> None:
    check_scope(SCOPE, a_framework(), council=COUNCIL)
    with pytest.raises(FrameworkNotFound):
        check_scope(SCOPE, None, council=COUNCIL)
    with pytest.raises(FrameworkNotFound):
        check_scope(SCOPE, a_framework(), council=OTHER_COUNCIL)
    with pytest.raises(NoSuchTier):
        check_scope(ListScope(a_place(AreaCode("E07000001"))), a_framework(), council=COUNCIL)


def test_a_list_of_a_group_needs_that_group_in_the_definition() -> None:
    live_in = ListScope(a_place(), GroupKey("live-in"))
    with pytest.raises(NoSuchTier):
        check_scope(live_in, a_framework(), council=COUNCIL)
    groups = (ListGroup(group=GroupKey("live-in"), title="Live-in care"),)
    check_scope(live_in, a_framework(list_groups=groups), council=COUNCIL)


def test_ranks_count_from_one_without_gaps() -> None:
    ranked = a_list("Alder", "Birch", "Cedar")
    assert [(each.provider_id, each.rank) for each in ranked.ranking] == [
        (ALDER, 1),
        (BIRCH, 2),
        (to_provider_id("Cedar"), 3),
    ]


def test_a_list_of_providers_with_a_place_is_valid_and_so_is_an_empty_one() -> None:
    check_ranked_list(a_list("Alder", "Birch"), holders={ALDER, BIRCH})
    check_ranked_list(a_list(), holders=frozenset())


def test_all_errors_of_a_list_are_reported_at_once() -> None:
    ranked = a_list("Alder", "Alder", "Birch", issued_on=date(2026, 1, 5), live_from=date(2026, 1, 1))
    with pytest.raises(InvalidInput) as refused:
        check_ranked_list(ranked, holders={ALDER})
    assert [field.pointer for field in refused.value.fields] == ["#/live_from", "#/ranking/1", "#/ranking/2"]


def test_a_list_may_go_live_on_the_day_it_is_issued() -> None:
    check_ranked_list(a_list(issued_on=date(2026, 1, 5), live_from=date(2026, 1, 5)), holders=frozenset())


def test_a_definition_that_differs_in_one_word_is_different() -> None:
    with pytest.raises(VersionAlreadyPublished):
        is_new_version(
            a_framework(tier_one=Rating.OUTSTANDING), version=1, newest=1, published=a_framework(tier_one=Rating.GOOD)
        )
