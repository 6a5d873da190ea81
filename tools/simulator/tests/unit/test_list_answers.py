"""How simulated providers answer lists: the seed decides, every kind of answer occurs, and none depends on ids."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

import pytest

from contracts.example_words import Units
from simulator.behaviour import TICKED_ONE_IN, draw_tick
from simulator.demo.list_answers import TICK_WEIGHTS, TickKind, draw_list_bids, draw_tick_kind, plan_ticks
from simulator.webhook_receivers import PackageAdvert

PROVIDER = UUID("0197a3c0-0000-7000-8000-000000000001")
PROVIDERS = [uuid5(PROVIDER, str(number)) for number in range(1_000)]
SENT_AT = datetime(2027, 3, 24, 16, tzinfo=UTC)
CLOSES_AT = datetime(2027, 3, 25, 10, tzinfo=UTC)


def an_advert(reference: UUID = PROVIDER) -> PackageAdvert:
    return PackageAdvert(reference=reference, area="E07000076", weekly_hours="10.00", age_band="75-84")


def test_every_kind_of_tick_is_drawn_and_the_reference_decides_nothing() -> None:
    drawn = [draw_tick_kind(1, each, an_advert()) for each in PROVIDERS]
    assert set(Counter(drawn)) == set(TICK_WEIGHTS)
    assert drawn == [draw_tick_kind(1, each, an_advert(uuid5(each, "another list"))) for each in PROVIDERS]
    assert drawn != [draw_tick_kind(2, each, an_advert()) for each in PROVIDERS]


@pytest.mark.parametrize("kind", TickKind)
def test_only_late_ticks_are_sent_after_the_closing(kind: TickKind) -> None:
    ticks = plan_ticks(kind, now=SENT_AT, closes_at=CLOSES_AT)
    assert all(each.at > CLOSES_AT for each in ticks) is (kind in {TickKind.LATE, TickKind.NOTHING})
    assert all(each.at > SENT_AT for each in ticks)


def test_a_tick_at_the_last_instant_is_sent_at_the_closing() -> None:
    (tick,) = plan_ticks(TickKind.LAST_INSTANT, now=SENT_AT, closes_at=CLOSES_AT)
    assert tick.at == CLOSES_AT


def test_a_tick_is_taken_back_after_it_was_made() -> None:
    first, second = plan_ticks(TickKind.TAKEN_BACK, now=SENT_AT, closes_at=CLOSES_AT)
    assert (first.interested, second.interested) == (True, False)
    assert first.at < second.at < CLOSES_AT


def test_few_providers_propose_for_packages_outside_their_areas() -> None:
    def count(*, is_own_area: bool) -> int:
        bids = (
            draw_list_bids(1, each, an_advert(), Units.HOUR, day="2027-03-25", is_own_area=is_own_area)
            for each in PROVIDERS
        )
        return sum(bool(each) for each in bids)

    assert 0 < count(is_own_area=False) < 60 < 300 < count(is_own_area=True)


def test_a_bid_for_a_later_list_is_drawn_anew() -> None:
    bids = [
        [draw_list_bids(1, each, an_advert(), Units.HOUR, day=day, is_own_area=True) for each in PROVIDERS]
        for day in ("2027-03-25", "2027-03-30")
    ]
    assert bids[0] != bids[1]
    assert all(bid.delay >= timedelta(minutes=15) for found in bids[0] for bid in found)


def test_systems_on_the_real_clock_tick_one_row_in_three() -> None:
    ticked = sum(draw_tick(1, PROVIDER, each) for each in PROVIDERS)
    assert ticked == pytest.approx(len(PROVIDERS) / TICKED_ONE_IN, rel=0.2)
