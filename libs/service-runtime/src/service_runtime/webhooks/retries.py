"""When a webhook that was not accepted is tried again: later each time, and never past the instant of giving up."""

import random
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

FIRST_DELAY: Final = timedelta(seconds=1)
LONGEST_DELAY: Final = timedelta(minutes=5)
LONGEST_RETRY_AFTER: Final = timedelta(hours=1)
LAST_CHANCE: Final = timedelta(seconds=10)
"""Before giving up: what the last attempt has left for its request."""


def compute_next_attempt(
    *, attempt: int, now: datetime, give_up_at: datetime, retry_after: timedelta | None, chance: float | None = None
) -> datetime:
    """When to look at a delivery again after its `attempt`-th attempt failed; at `give_up_at` it is given up.

    Delays double from a second up to five minutes, each shortened by up to half by `chance` (0 to 1), so that many
    deliveries that failed together do not come back together. What `Retry-After` asked for is kept instead, up to an
    hour. A delivery whose next attempt would come too late gets one last attempt in time.
    """
    if retry_after is not None:
        return min(now + min(retry_after, LONGEST_RETRY_AFTER), give_up_at)
    part = random.random() if chance is None else chance  # noqa: S311  spreading attempts needs no secrecy
    at = now + min(FIRST_DELAY * 2 ** min(attempt - 1, 20), LONGEST_DELAY) * (1 - part / 2)
    if at < give_up_at:
        return at
    last = give_up_at - LAST_CHANCE
    return last if last > now else give_up_at


def parse_retry_after(header: str | None, *, now: datetime | None = None) -> timedelta | None:
    """How long an endpoint asks us to wait, by its header (seconds or an HTTP date); None where it does not say.

    `now` is real time by default, because the endpoint's date is.
    """
    if header is None:
        return None
    if header.isascii() and header.isdigit():
        return min(timedelta(seconds=int(header[:9])), LONGEST_RETRY_AFTER)
    try:
        until = parsedate_to_datetime(header)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    wait = until - (now or datetime.now(UTC))
    return max(timedelta(0), min(wait, LONGEST_RETRY_AFTER))
