"""Moves of a random search while providers compete: bids, questions, scores, awards, approvals and early ends."""

from collections.abc import Callable
from decimal import Decimal
from typing import Final
from uuid import uuid5

from contracts.events.orders import SpotPriceApproved, SpotPriceRefused
from contracts.example_words import (
    CompetitionEndReasons,
    InadequateReasons,
    OverruleReasons,
    PriceRefusals,
    ScoreReasons,
)
from contracts.ids import BidId, NoteId, ProposalId, QuestionId
from sourcing.domain.competitions.competition import Bid, Competition
from sourcing.domain.competitions.contents import BidContent
from sourcing.domain.competitions.triggers import (
    AnswerQuestion,
    AskQuestion,
    AwardBid,
    EndCompetition,
    GiveScore,
    SubmitBid,
    WithdrawBid,
)
from sourcing.domain.triggers import Trigger
from testkit.sourcing.builders import ID_NAMESPACE, PACKAGE, to_provider_id
from testkit.sourcing.search_driver import SearchDriver

BIDDERS: Final = ("Alder", "Birch", "Cedar", "Damson", "Elm", "Spruce")
_OFFICERS: Final = ("officer:first", "officer:second")
_NOTE: Final = NoteId(uuid5(ID_NAMESPACE, "a note"))


def _find_competition(driver: SearchDriver) -> Competition:
    competition = driver.current.competition
    assert competition is not None, "these moves are made while providers compete"
    return competition


def _pick_bid(driver: SearchDriver, pick: int) -> Bid | None:
    bids = _find_competition(driver).bids
    return bids[pick % len(bids)] if bids else None


def _bid(driver: SearchDriver, pick: int) -> Trigger:
    competition, provider = _find_competition(driver), to_provider_id(BIDDERS[pick % len(BIDDERS)])
    rate = (Decimal("24.00"), Decimal("24.00"), Decimal("29.00"), Decimal("29.01"))[pick % 4]
    answers = {each.criterion: "as asked" for each in competition.criteria}
    content = BidContent(rate, answers, f"{len(driver.sealed):064x}", "00" * 32)
    bid_id = BidId(uuid5(ID_NAMESPACE, f"random bid {len(driver.sealed)}"))
    driver.sealed[bid_id] = content.to_unsealed(bid_id)
    commitment = content.compute_commitment(competition.competition_id, provider)
    return SubmitBid(PACKAGE, competition.competition_id, bid_id, provider, commitment, tuple(answers))


def _take_back(driver: SearchDriver, pick: int) -> Trigger:
    provider = to_provider_id(BIDDERS[pick % len(BIDDERS)])
    return WithdrawBid(PACKAGE, _find_competition(driver).competition_id, provider)


def _ask(driver: SearchDriver, pick: int) -> Trigger:
    competition = _find_competition(driver)
    question_id = QuestionId(uuid5(ID_NAMESPACE, f"{competition.competition_id} {len(competition.questions)}"))
    provider = to_provider_id(BIDDERS[pick % len(BIDDERS)])
    return AskQuestion(PACKAGE, competition.competition_id, question_id, provider, "ab" * 32)


def _answer(driver: SearchDriver, pick: int) -> Trigger | None:
    competition = _find_competition(driver)
    if not competition.questions:
        return None
    question = competition.questions[pick % len(competition.questions)]
    return AnswerQuestion(
        PACKAGE, competition.competition_id, question.question_id, _NOTE, _OFFICERS[pick % 2], "cd" * 32
    )


def _score(driver: SearchDriver, pick: int) -> Trigger | None:
    """Gives a score that is missing, if any is; else changes one."""
    competition = _find_competition(driver)
    pairs = [(bid, each.criterion) for bid in competition.bids for each in competition.criteria]
    missing = [(bid, key) for bid, key in pairs if bid.find_score(key) is None]
    chosen = missing or pairs
    if not chosen:
        return None
    bid, key = chosen[pick % len(chosen)]
    return GiveScore(
        PACKAGE, competition.competition_id, bid.bid_id, key, pick % 6, _OFFICERS[pick % 2], ScoreReasons.FULLY_MET
    )


def _award(driver: SearchDriver, pick: int) -> Trigger:
    """Confirms the first bid, overrules it, or confirms that none is suitable."""
    competition, bid = _find_competition(driver), _pick_bid(driver, pick)
    winner = competition.winner
    if winner is not None and pick % 3:
        return AwardBid(
            PACKAGE,
            competition.competition_id,
            winner.bid_id,
            _OFFICERS[pick % 2],
            inadequate_reason=InadequateReasons.CONTINUITY if pick % 2 else None,
        )
    return AwardBid(
        PACKAGE,
        competition.competition_id,
        None if bid is None or winner is None else bid.bid_id,
        _OFFICERS[pick % 2],
        OverruleReasons.CONTINUITY if winner is not None and bid is not None else None,
        _NOTE,
    )


def _decide_on_award(driver: SearchDriver, pick: int) -> Trigger | None:
    """Pricing's second officer, who may be the first one, approves or refuses the award that waits."""
    competition = _find_competition(driver)
    bid = None if competition.award is None else competition.find_bid(competition.award.bid_id)
    if competition.award is None or bid is None:
        return None
    if pick % 4 == 3:
        return SpotPriceRefused(
            package_id=PACKAGE,
            award_id=competition.award.award_id,
            proposal_id=ProposalId(bid.bid_id),
            provider_id=bid.provider_id,
            officer=_OFFICERS[1],
            reason=PriceRefusals.TOO_HIGH,
        )
    return SpotPriceApproved(
        package_id=PACKAGE,
        award_id=competition.award.award_id,
        proposal_id=ProposalId(bid.bid_id),
        provider_id=bid.provider_id,
        rate=bid.content.rate,
        officer=_OFFICERS[pick % 2],
    )


def _end(driver: SearchDriver, pick: int) -> Trigger | None:
    if pick not in {4, 8}:
        return None
    reason = CompetitionEndReasons.NEED_CHANGED
    own_id = _find_competition(driver).competition_id
    return EndCompetition(PACKAGE, own_id, _OFFICERS[0], reason, runs_again=pick == 8)


Moves = tuple[Callable[[SearchDriver, int], Trigger | None], ...]
MOVES_WHILE_BIDDING: Final[Moves] = (*(6 * (_bid,)), _take_back, _ask, _answer, _end)
MOVES_WHILE_JUDGING: Final[Moves] = (*(5 * (_score,)), _award, _award, *(3 * (_decide_on_award,)), _bid, _end)
