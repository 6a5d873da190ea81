"""Whatever is bid and scored: commitments open to their bids, and the ranking follows from its figures alone."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.events.competitions import BidOpened, BidReceived, RankedBid
from contracts.example_words import Criteria
from contracts.sealed_bids import compute_commitment
from testkit.sourcing.competitions import CompetitionDesk, a_competition, name_the_price, open_desk, some_ceilings

NAMES = ("Alder", "Birch", "Cedar", "Dogwood")
RATES = st.decimals(Decimal("15.00"), Decimal("40.00"), places=2).map(str)
BIDS = st.dictionaries(st.sampled_from(NAMES), RATES, min_size=1)
SCORES = st.integers(0, 5)
FEW_SCORES = st.integers(3, 4)


def a_closed_desk(bids: dict[str, str], **changed: object) -> CompetitionDesk:
    desk = open_desk(*NAMES, competition=a_competition(**changed))
    for name, rate in bids.items():
        desk.bid(name, rate)
    desk.close()
    return desk


def rank(desk: CompetitionDesk, scores: Sequence[tuple[str, int, int]]) -> tuple[RankedBid, ...]:
    """Gives these scores of a provider by a criterion in this order, and returns the ranking."""
    for name, criterion, score in scores:
        desk.score(name, Criteria.ALL[criterion], score)
    return desk.competition.ranking


@settings(max_examples=60, deadline=None)
@given(bids=st.lists(st.tuples(st.sampled_from(NAMES), RATES), min_size=1, max_size=12))
def test_every_commitment_opens_to_its_bid_and_the_newest_bid_of_each_provider_is_opened(
    bids: list[tuple[str, str]],
) -> None:
    desk = open_desk(*NAMES)
    for number, (name, rate) in enumerate(bids):
        desk.bid(name, rate, salt=f"{number:064x}")
    opened = [each for each in desk.close().events if isinstance(each, BidOpened)]
    committed = {each.bid_id: each.commitment for each in desk.driver.events if isinstance(each, BidReceived)}
    assert sorted(str(each.rate) for each in opened) == sorted(dict(bids).values())
    for each in opened:
        assert committed[each.bid_id] == compute_commitment(
            competition_id=each.competition_id,
            provider_id=each.provider_id,
            rate=each.rate,
            content_hash=each.content_hash,
            salt=each.salt,
        )


@settings(max_examples=60, deadline=None)
@given(bids=BIDS, data=st.data())
def test_the_order_of_scoring_does_not_change_the_ranking(bids: dict[str, str], data: st.DataObject) -> None:
    scores = [(name, criterion, data.draw(FEW_SCORES)) for name in bids for criterion in range(len(Criteria.ALL))]
    turned = data.draw(st.permutations(scores))
    assert rank(a_closed_desk(bids), scores) == rank(a_closed_desk(bids), turned)


@settings(max_examples=60, deadline=None)
@given(bids=BIDS, data=st.data())
def test_the_ranking_follows_from_its_own_figures(bids: dict[str, str], data: st.DataObject) -> None:
    scores = [(name, criterion, data.draw(SCORES)) for name in bids for criterion in range(len(Criteria.ALL))]
    ranking = rank(a_closed_desk(bids, pass_mark=2), scores)
    suitable = [each for each in ranking if not each.unsuitable]
    assert [each.rank for each in ranking] == list(range(1, len(bids) + 1))
    assert list(ranking[: len(suitable)]) == suitable
    assert suitable == sorted(suitable, key=lambda each: (-each.total, each.draw))
    for each in ranking:
        assert each.total == each.quality + each.price
        assert 0 <= each.quality <= 70
        assert 0 <= each.price <= 30
    for each in suitable:
        lowest = min(other.rate for other in suitable)
        exact = Fraction(lowest) / Fraction(each.rate) * 30
        assert abs(Fraction(each.price) - exact) <= Fraction(1, 200)
        assert (each.price == 30) or each.rate > lowest


@settings(max_examples=60, deadline=None)
@given(bids=BIDS, ceiling=st.decimals(Decimal("15.00"), Decimal("40.00"), places=2))
def test_name_the_price_gives_the_lowest_rate_that_is_not_above_the_ceiling(
    bids: dict[str, str], ceiling: Decimal
) -> None:
    desk = open_desk(*NAMES, competition=name_the_price(ceilings=some_ceilings(str(ceiling))))
    for name, rate in bids.items():
        desk.bid(name, rate)
    desk.close()
    within = [Decimal(rate) for rate in bids.values() if Decimal(rate) <= ceiling]
    winner = desk.competition.winner
    assert (None if winner is None else winner.rate) == min(within, default=None)
