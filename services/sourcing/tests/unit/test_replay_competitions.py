"""A replay of a competition from the record alone is the same, and finds what was changed: bids, scores, seed, rank."""

from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

import pytest

from contracts.events.competitions import (
    BidOpened,
    BidReceived,
    BidRefused,
    CompetitionAwarded,
    CompetitionOpened,
    CompetitionRanked,
    ScoreGiven,
)
from contracts.events.searches import PackagePlaced
from contracts.example_words import Criteria, OverruleReasons, ScoreReasons
from contracts.framework.stages import MiniCompetition
from sourcing.domain.evolution import replay_search
from sourcing.domain.replay import replay_package
from sourcing.domain.replay_triggers import RecordedEvent
from sourcing.handlers import RUNTIME_TIMERS
from testkit.sourcing.builders import a_known_provider, a_market, a_withdrawal, replace_facts, to_provider_id
from testkit.sourcing.competitions import NOTE, CompetitionDesk, a_competing_definition, a_competition, name_the_price
from testkit.sourcing.recorded_search import RecordingDriver, replace_event


def a_recorded_desk(*names: str, competition: MiniCompetition | None = None) -> tuple[CompetitionDesk, RecordingDriver]:
    definition = a_competing_definition(competition=competition or a_competition())
    driver = RecordingDriver(a_market(*names, definition=definition))
    driver.request()
    return CompetitionDesk(driver), driver


def list_differences(driver: RecordingDriver, record: Sequence[RecordedEvent] | None = None) -> list[str]:
    decisions = replay_package(record or driver.record, driver.past.market, runtime_timers=RUNTIME_TIMERS)
    return [difference for each in decisions for difference in each.differences]


def a_scored_record(*, pass_mark: int | None = None) -> tuple[CompetitionDesk, RecordingDriver]:
    """Alder and Birch are equal; Cedar is behind."""
    desk, driver = a_recorded_desk("Alder", "Birch", "Cedar", competition=a_competition(pass_mark=pass_mark))
    desk.ask("Alder")
    desk.answer()
    for name, rate in (("Alder", "24.00"), ("Birch", "26.00"), ("Birch", "24.00"), ("Cedar", "30.00")):
        desk.bid(name, rate)
    desk.close()
    desk.score_all({"Alder": (4, 4), "Birch": (4, 4), "Cedar": (2, 2)})
    return desk, driver


def get_first(desk: CompetitionDesk) -> str:
    winner = desk.competition.winner
    assert winner is not None
    return next(name for name in ("Alder", "Birch", "Cedar") if to_provider_id(name) == winner.provider_id)


def test_a_competition_from_request_to_placement_is_the_same() -> None:
    desk, driver = a_scored_record()
    desk.award(get_first(desk))
    assert PackagePlaced in {type(each.event) for each in driver.record}
    assert list_differences(driver) == []


def test_the_record_alone_gives_the_state_of_the_search() -> None:
    desk, driver = a_scored_record()
    desk.award(get_first(desk))
    assert replay_search((each.event, each.at) for each in driver.record) == driver.state


def test_an_overruled_award_with_a_second_officer_is_the_same() -> None:
    desk, driver = a_scored_record()
    desk.award("Cedar", overrule_reason=OverruleReasons.CONTINUITY, note_id=NOTE)
    desk.approve(officer="officer:first")
    desk.award("Cedar", overrule_reason=OverruleReasons.CONTINUITY, note_id=NOTE)
    desk.approve()
    assert list_differences(driver) == []


def test_refused_bids_withdrawals_and_awards_are_the_same() -> None:
    desk, driver = a_recorded_desk("Alder", "Birch")
    desk.bid("Alder", "24.00")
    desk.take_back("Alder")
    desk.take_back("Alder")
    desk.bid("Alder", "24.00")
    desk.bid("Birch", "25.00")
    driver.market = replace_facts(driver.market, a_known_provider("Alder", embargoed=True))
    desk.bid("Alder", "23.00")
    lost = desk.find_bid("Birch").bid_id
    desk.close(lost=[lost])
    desk.bid("Birch", "20.00")
    desk.score_all({"Alder": (4, 4)})
    desk.award("Alder")
    desk.score("Alder", Criteria.SKILLS, 2, officer="officer:second")
    assert {BidRefused, BidReceived} < {type(each.event) for each in driver.record}
    assert list_differences(driver) == []


@pytest.mark.parametrize("runs_again", [False, True])
def test_a_competition_that_an_officer_ends_is_the_same(runs_again: bool) -> None:
    desk, driver = a_recorded_desk("Alder")
    desk.bid("Alder", "24.00")
    desk.end(runs_again=runs_again)
    if runs_again:
        desk.bid("Alder", "23.00")
        desk.close()
    assert list_differences(driver) == []


def test_name_the_price_with_and_without_a_winner_is_the_same() -> None:
    for rates in (("24.00", "24.00"), ("29.01", "35.00"), ()):
        desk, driver = a_recorded_desk("Alder", "Birch", competition=name_the_price())
        for name, rate in zip(("Alder", "Birch"), rates, strict=False):
            desk.bid(name, rate)
        desk.close()
        assert list_differences(driver) == []


def test_none_suitable_that_an_officer_confirms_and_a_withdrawal_are_the_same() -> None:
    desk, driver = a_scored_record(pass_mark=5)
    desk.award(None)
    driver.handle(a_withdrawal())
    assert list_differences(driver) == []
    withdrawn, other = a_scored_record()
    other.handle(a_withdrawal())
    assert withdrawn.competition.is_over
    assert list_differences(other) == []


def test_a_changed_score_is_found() -> None:
    _, driver = a_scored_record()
    differences = list_differences(driver, replace_event(driver.record, ScoreGiven, score=5))
    assert any(each.startswith("CompetitionRanked.ranking") for each in differences)


def test_a_changed_rate_of_an_opened_bid_is_found() -> None:
    _, driver = a_scored_record()
    differences = list_differences(driver, replace_event(driver.record, BidOpened, rate=Decimal("20.00")))
    assert differences[0] == "the record has BidOpened, the replay BidRefused"


def test_a_changed_salt_or_content_of_an_opened_bid_is_found() -> None:
    _, driver = a_scored_record()
    for changed in ({"salt": "00" * 32}, {"content_hash": "00" * 32}):
        differences = list_differences(driver, replace_event(driver.record, BidOpened, **changed))
        assert differences[0] == "the record has BidOpened, the replay BidRefused"


def test_a_changed_commitment_is_found() -> None:
    _, driver = a_scored_record()
    differences = list_differences(driver, replace_event(driver.record, BidReceived, commitment="00" * 32))
    assert differences[0] == "the record has BidOpened, the replay BidRefused"


def test_a_changed_seed_is_found() -> None:
    _, driver = a_scored_record()
    differences = list_differences(driver, replace_event(driver.record, CompetitionRanked, seed=UUID(int=7)))
    assert any(".draw: the record has" in each for each in differences)


def test_a_changed_order_of_the_ranking_is_found() -> None:
    _, driver = a_scored_record()
    (ranked,) = (each.event for each in driver.record if isinstance(each.event, CompetitionRanked))
    first, second, third = ranked.ranking
    turned = (second.model_copy(update={"rank": 1}), first.model_copy(update={"rank": 2}), third)
    assert list_differences(driver, replace_event(driver.record, CompetitionRanked, ranking=turned))


def test_an_invitation_that_was_left_out_is_found() -> None:
    _, driver = a_scored_record()
    (opened,) = (each.event for each in driver.record if isinstance(each.event, CompetitionOpened))
    differences = list_differences(driver, replace_event(driver.record, CompetitionOpened, invited=opened.invited[1:]))
    assert differences[0].startswith("CompetitionOpened.invited")


def test_a_changed_weight_is_found() -> None:
    _, driver = a_scored_record()
    differences = list_differences(driver, replace_event(driver.record, CompetitionOpened, price_weight=40))
    assert differences[0] == "CompetitionOpened.price_weight: the record has 40, the replay 30"


def test_a_second_officer_that_was_left_out_is_found() -> None:
    desk, driver = a_scored_record()
    desk.award("Cedar", overrule_reason=OverruleReasons.CONTINUITY, note_id=NOTE)
    desk.approve()
    differences = list_differences(driver, replace_event(driver.record, CompetitionAwarded, second_officer=None))
    assert differences == ["CompetitionAwarded.second_officer: the record has nothing, the replay officer:second"]


def test_a_changed_reason_of_a_score_is_not_hidden() -> None:
    """The reason is an input that nothing follows from: only the chain of hashes proves it."""
    _, driver = a_scored_record()
    changed = replace_event(driver.record, ScoreGiven, score_reason=ScoreReasons.NOT_MET)
    assert list_differences(driver, changed) == []
