"""A load is sustained if every referral was posted on schedule and placed, and the queue did not grow."""

from bench.backlog import Backlog, ReferralTimes

RATE = 10.0


def a_load(*, takes: float = 0.2, grows: float = 0.0, late: float = 0.0, unplaced: int = 0) -> Backlog:
    """Thirty seconds of load; each referral takes `grows` seconds longer than the one before."""
    times = [
        ReferralTimes(posted_at=5.0 + number / RATE, placed_at=5.0 + number / RATE + takes + number * grows)
        for number in range(300)
    ]
    times[150] = ReferralTimes(times[150].posted_at + late, times[150].placed_at)
    times[:unplaced] = [ReferralTimes(each.posted_at, None) for each in times[:unplaced]]
    return Backlog.from_times(times, RATE)


def test_a_load_whose_referrals_all_take_as_long_is_sustained() -> None:
    backlog = a_load()
    assert backlog.is_sustained
    assert abs(backlog.growth) < 0.1


def test_a_slow_but_steady_load_is_sustained() -> None:
    assert a_load(takes=0.9).is_sustained


def test_a_growing_queue_is_not_sustained() -> None:
    backlog = a_load(grows=0.01)
    assert not backlog.is_sustained
    assert backlog.list_faults() == [f"the queue grew by {backlog.growth:.0f}"]


def test_a_referral_without_a_placement_is_not_sustained() -> None:
    assert a_load(unplaced=1).list_faults() == ["1 were not placed"]


def test_a_late_post_is_not_sustained() -> None:
    assert a_load(late=0.7).list_faults() == ["posts were 0.7 s late"]


def test_the_growth_is_the_difference_of_referrals_in_progress() -> None:
    """A referral in progress all the time counts in both thirds, one that is posted in the last third only there."""
    times = [ReferralTimes(0.0, None), ReferralTimes(6.0, None), ReferralTimes(9.0, 9.0)]
    assert Backlog.from_times(times, RATE).growth == 1.0


def test_what_is_posted_at_once_has_no_growth() -> None:
    assert Backlog.from_times([ReferralTimes(1.0, 2.0), ReferralTimes(1.0, 2.0)], RATE).growth == 0.0
