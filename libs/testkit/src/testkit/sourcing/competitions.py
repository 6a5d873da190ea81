"""Competitions for tests of the rules: definitions with one, and a desk at which providers bid and officers score."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import uuid5

from contracts.events.orders import SpotPriceApproved, SpotPriceRefused
from contracts.example_words import CompetitionEndReasons, Criteria, PriceRefusals, ScoreReasons, ServiceTypes, Tiers
from contracts.framework.competitions import Criterion, Span
from contracts.framework.definition import FrameworkDefinition
from contracts.framework.stages import Ceiling, MiniCompetition, Recipients, Stage
from contracts.framework.words import Area
from contracts.ids import AwardId, BidId, CriterionKey, NoteId, ProposalId, QuestionId, ReasonKey, TierKey
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
from sourcing.domain.market import ProviderFacts
from sourcing.domain.steps import Step, TimerKind
from testkit.sourcing.builders import ID_NAMESPACE, PACKAGE, a_market, on_monday, to_provider_id
from testkit.sourcing.definitions import a_definition, a_stage
from testkit.sourcing.search_driver import SearchDriver

NOTE: Final = NoteId(uuid5(ID_NAMESPACE, "a note"))
CRITERIA: Final = (
    Criterion(criterion=Criteria.CONTINUITY, title="Continuity of carers", weight=40),
    Criterion(criterion=Criteria.SKILLS, title="Skills of the team", weight=30),
)
ANSWERS: Final[Mapping[CriterionKey, str]] = {
    Criteria.CONTINUITY: "the same four carers",
    Criteria.SKILLS: "two of them are nurses",
}


def some_ceilings(rate: str) -> tuple[Ceiling, ...]:
    """The same ceiling in pounds for each service type."""
    return tuple(Ceiling(service_type=each, rate=Decimal(rate)) for each in ServiceTypes.ALL)


def a_competition(**changed: object) -> MiniCompetition:
    """Tier 1 bids within 4 hours of brokerage time; quality has 70% in two criteria, the price 30%."""
    usual: dict[str, object] = {
        "stage": "bids",
        "procedure": "mini-competition",
        "to": Recipients(tiers=(Tiers.ONE,)),
        "criteria": CRITERIA,
        "price_weight": 30,
        "ceilings": some_ceilings("29.00"),
        "open_for": Span(routine=timedelta(hours=4), urgent=timedelta(hours=2)),
        "questions_end": Span(routine=timedelta(hours=1), urgent=timedelta(minutes=30)),
    }
    return MiniCompetition.model_validate({**usual, **changed})


def name_the_price(**changed: object) -> MiniCompetition:
    """As `a_competition`; the lowest rate that is not above the ceiling wins."""
    return a_competition(**{"criteria": (), "price_weight": 100, "lowest_price": True, **changed})


def a_competing_definition(
    *stages: Stage,
    competition: MiniCompetition | None = None,
    tiers: Sequence[TierKey] = (Tiers.ONE,),
    areas: Sequence[Area] = (),
) -> FrameworkDefinition:
    """A competition, then `stages`, by default the ranked list of tier 1."""
    sourcing = (competition or a_competition(), *(stages or (a_stage(),)))
    if areas:
        return a_definition(*tiers, sourcing=sourcing, areas=tuple(areas))
    return a_definition(*tiers, sourcing=sourcing)


def a_competition_desk(
    *names: str,
    competition: MiniCompetition | None = None,
    overrides: Sequence[ProviderFacts] = (),
    at: datetime | None = None,
) -> "CompetitionDesk":
    """A market of eligible providers of tier 1, none of whose packages is requested yet."""
    definition = a_competing_definition(competition=competition)
    market = a_market(*names, overrides=overrides, definition=definition)
    return CompetitionDesk(SearchDriver(market, at=at))


@dataclass
class CompetitionDesk:
    """Sends the commands of providers and officers to a driver."""

    driver: SearchDriver
    _bids: int = 0

    @property
    def competition(self) -> Competition:
        """The newest competition. Raises LookupError before one was opened."""
        competition = self.driver.current.competition
        if competition is None:
            message = "no competition was opened in this search"
            raise LookupError(message)
        return competition

    def find_bid(self, name: str) -> Bid:
        bid = self.competition.find_bid_of(to_provider_id(name))
        if bid is None:
            message = f"{name} has no bid in this competition"
            raise LookupError(message)
        return bid

    def bid(
        self,
        name: str,
        rate: str,
        *,
        answers: Mapping[CriterionKey, str] | None = None,
        at: datetime | None = None,
        salt: str = "5a" * 32,
    ) -> Step:
        """Hands in a sealed bid with an answer to each criterion, at a rate in pounds."""
        usual = {each.criterion: ANSWERS[each.criterion] for each in self.competition.criteria}
        content = BidContent(Decimal(rate), usual if answers is None else answers, salt, "6b" * 32)
        self._bids += 1
        bid_id = BidId(uuid5(ID_NAMESPACE, f"bid {self._bids}"))
        provider = to_provider_id(name)
        commitment = content.compute_commitment(self.competition.competition_id, provider)
        self.driver.sealed[bid_id] = content.to_unsealed(bid_id)
        command = SubmitBid(
            PACKAGE, self.competition.competition_id, bid_id, provider, commitment, tuple(content.answers)
        )
        return self.driver.handle(command, at=at)

    def take_back(self, name: str, *, at: datetime | None = None) -> Step:
        return self.driver.handle(WithdrawBid(PACKAGE, self.competition.competition_id, to_provider_id(name)), at=at)

    def ask(self, name: str, *, number: int = 1, at: datetime | None = None) -> Step:
        command = AskQuestion(
            PACKAGE, self.competition.competition_id, make_question_id(number), to_provider_id(name), "ab" * 32
        )
        return self.driver.handle(command, at=at)

    def answer(self, *, number: int = 1, note: NoteId = NOTE, at: datetime | None = None) -> Step:
        command = AnswerQuestion(
            PACKAGE, self.competition.competition_id, make_question_id(number), note, "officer:first", "cd" * 32
        )
        return self.driver.handle(command, at=at)

    def close(self, *, at: datetime | None = None, lost: Sequence[BidId] = ()) -> Step:
        """Fires the closing timer after the contents of the bids that are `lost` were deleted."""
        for bid_id in lost:
            del self.driver.sealed[bid_id]
        return self.driver.fire_timer(TimerKind.COMPETITION_CLOSES, at=at)

    def score(
        self,
        name: str,
        criterion: CriterionKey,
        score: int,
        *,
        officer: str = "officer:first",
        reason: ReasonKey | None = ScoreReasons.FULLY_MET,
        note_id: NoteId | None = None,
    ) -> Step:
        command = GiveScore(
            PACKAGE,
            self.competition.competition_id,
            self.find_bid(name).bid_id,
            criterion,
            score,
            officer,
            reason,
            note_id,
            None if note_id is None else "ef" * 32,
        )
        return self.driver.handle(command)

    def score_all(self, scores: Mapping[str, tuple[int, int]]) -> Step:
        """Scores continuity and skills of each bid; returns the last step."""
        steps = [
            self.score(name, criterion, score)
            for name, pair in scores.items()
            for criterion, score in zip((Criteria.CONTINUITY, Criteria.SKILLS), pair, strict=True)
        ]
        return steps[-1]

    def award(
        self,
        name: str | None,
        *,
        officer: str = "officer:first",
        overrule_reason: ReasonKey | None = None,
        note_id: NoteId | None = None,
        inadequate_reason: ReasonKey | None = None,
    ) -> Step:
        """Awards to the provider's bid; None confirms that no bid is suitable."""
        command = AwardBid(
            PACKAGE,
            self.competition.competition_id,
            None if name is None else self.find_bid(name).bid_id,
            officer,
            overrule_reason,
            note_id,
            inadequate_reason,
        )
        return self.driver.handle(command)

    def approve(self, *, officer: str = "officer:second", award_id: AwardId | None = None) -> Step:
        """Reports that pricing's second officer approved the waiting award, or `award_id`."""
        pending = self.competition.award
        bid = self.competition.bids[0] if pending is None else self.competition.find_bid(pending.bid_id)
        assert bid is not None, "an award names a bid of its competition"
        found = award_id or (None if pending is None else pending.award_id)
        assert found is not None, "no award waits for a second officer"
        event = SpotPriceApproved(
            package_id=PACKAGE,
            award_id=found,
            proposal_id=ProposalId(bid.bid_id),
            provider_id=bid.provider_id,
            rate=bid.content.rate,
            officer=officer,
        )
        return self.driver.handle(event)

    def refuse(self) -> Step:
        """Reports that pricing's second officer refused the waiting award."""
        pending = self.competition.award
        assert pending is not None, "no award waits for a second officer"
        event = SpotPriceRefused(
            package_id=PACKAGE,
            award_id=pending.award_id,
            proposal_id=ProposalId(pending.bid_id),
            provider_id=self.competition.bids[0].provider_id,
            officer="officer:second",
            reason=PriceRefusals.TOO_HIGH,
        )
        return self.driver.handle(event)

    def end(self, *, reason: ReasonKey = CompetitionEndReasons.NEED_CHANGED, runs_again: bool = False) -> Step:
        command = EndCompetition(
            PACKAGE, self.competition.competition_id, "officer:first", reason, runs_again=runs_again
        )
        return self.driver.handle(command)


def make_question_id(number: int) -> QuestionId:
    return QuestionId(uuid5(ID_NAMESPACE, f"question {number}"))


def open_desk(
    *names: str,
    competition: MiniCompetition | None = None,
    overrides: Sequence[ProviderFacts] = (),
    at: datetime | None = None,
) -> CompetitionDesk:
    """A competition that opened on Monday at 09:00 and takes bids until 13:00."""
    desk = a_competition_desk(*names, competition=competition, overrides=overrides, at=at or on_monday("09:00"))
    desk.driver.request()
    return desk


def a_scored_desk(scores: Mapping[str, tuple[str, int, int]], **changed: object) -> CompetitionDesk:
    """A closed competition; each provider has bid a rate and got scores for continuity and skills."""
    desk = open_desk(*scores, competition=a_competition(**changed))
    for name, (rate, _, _) in scores.items():
        desk.bid(name, rate)
    desk.close()
    desk.score_all({name: (continuity, skills) for name, (_, continuity, skills) in scores.items()})
    return desk
