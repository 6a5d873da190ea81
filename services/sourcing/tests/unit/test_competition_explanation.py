"""The decision of a package that was competed for, explained from its events alone."""

from contracts.example_words import OverruleReasons
from contracts.values import PassOverReason
from sourcing.domain.explanation import CandidateTurn, explain_stages
from testkit.sourcing.builders import a_known_provider, to_provider_id
from testkit.sourcing.competitions import NOTE, CompetitionDesk, a_scored_desk, open_desk


def list_turns(desk: CompetitionDesk) -> dict[object, CandidateTurn]:
    """The turns of the competition's stage by provider."""
    stage = next(each for each in explain_stages(desk.driver.events) if each.stage == "bids")
    return {turn.provider_id: turn for turn in stage.turns}


def test_who_was_invited_and_who_was_not_and_why() -> None:
    desk = open_desk("Alder", "Birch", overrides=(a_known_provider("Birch", embargoed=True),))
    turns = list_turns(desk)
    assert turns[to_provider_id("Alder")].outcome == "invited to bid"
    birch = turns[to_provider_id("Birch")]
    assert (birch.outcome, birch.reasons) == ("not invited", (PassOverReason.EMBARGOED,))


def test_a_sealed_bid_is_explained_without_its_rate_until_the_close() -> None:
    desk = open_desk("Alder")
    desk.bid("Alder", "24.00")
    sealed = list_turns(desk)[to_provider_id("Alder")]
    assert (sealed.outcome, sealed.terms) == ("sealed bid", None)
    desk.close()
    opened = list_turns(desk)[to_provider_id("Alder")]
    assert opened.terms is not None
    assert (opened.outcome, str(opened.terms.rate)) == ("bid", "24.00")


def test_after_the_award_each_bidder_has_its_outcome() -> None:
    desk = a_scored_desk({"Alder": ("24.00", 4, 5), "Birch": ("20.00", 3, 3)})
    desk.award("Birch", overrule_reason=OverruleReasons.CONTINUITY, note_id=NOTE)
    desk.approve()
    turns = list_turns(desk)
    assert turns[to_provider_id("Birch")].outcome == "placed"
    assert turns[to_provider_id("Alder")].outcome == "bid, not awarded"


def test_a_bid_that_was_taken_back_or_came_late_is_named() -> None:
    desk = open_desk("Alder", "Birch")
    desk.bid("Alder", "24.00")
    desk.take_back("Alder")
    assert list_turns(desk)[to_provider_id("Alder")].outcome == "bid withdrawn"
    desk.close()
    desk.bid("Birch", "20.00")
    late = [each for each in explain_stages(desk.driver.events) if each.stage == "bids"]
    assert len(late) == 1
