"""Rate limit of commands: bursts and normal use pass, one caller's flood is refused, and memory is bounded."""

import pytest

from contracts.errors import TooManyRequests
from service_runtime.http import rate_limits
from service_runtime.http.rate_limits import CommandRateLimit
from service_runtime.settings import RuntimeSettings


class Seconds:
    """A monotonic clock that tests move."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def count_taken(limit: CommandRateLimit, times: int, caller: str = "amberside/system:a") -> int:
    taken = 0
    for _ in range(times):
        try:
            limit.take(caller)
        except TooManyRequests:
            continue
        taken += 1
    return taken


def test_a_burst_passes_and_a_flood_is_refused_until_the_seconds_have_passed() -> None:
    seconds = Seconds()
    limit = CommandRateLimit(per_second=2, burst=10, monotonic=seconds)
    assert count_taken(limit, 50) == 10
    with pytest.raises(TooManyRequests, match="more than 2 commands a second") as refused:
        limit.take("amberside/system:a")
    seconds.now += refused.value.retry_after
    limit.take("amberside/system:a")
    seconds.now += 3_600
    assert count_taken(limit, 50) == 10


def test_a_retry_is_never_sooner_than_the_next_command_is_allowed() -> None:
    seconds = Seconds()
    limit = CommandRateLimit(per_second=0.1, burst=1, monotonic=seconds)
    limit.take("a")
    with pytest.raises(TooManyRequests) as refused:
        limit.take("a")
    assert refused.value.retry_after == 10
    seconds.now += 10
    limit.take("a")


def test_callers_have_limits_of_their_own() -> None:
    limit = CommandRateLimit(per_second=1, burst=5, monotonic=Seconds())
    assert count_taken(limit, 50, "amberside/system:a") == 5
    assert count_taken(limit, 50, "amberside/system:b") == 5


def test_remembered_callers_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limits, "MAX_CALLERS", 3)
    limit = CommandRateLimit(per_second=1, burst=5, monotonic=Seconds())
    for number in range(10):
        limit.take(f"caller-{number}")
    assert list(vars(limit)["_buckets"]) == ["caller-7", "caller-8", "caller-9"]


def test_forty_referrals_a_second_are_normal_use() -> None:
    seconds, fields = Seconds(), RuntimeSettings.model_fields
    limit = CommandRateLimit(
        per_second=fields["command_rate_limit"].default, burst=fields["command_burst_limit"].default, monotonic=seconds
    )
    for _ in range(600):
        seconds.now += 1
        assert count_taken(limit, 40) == 40
