"""Retry schedule of webhooks: exponential backoff with jitter, up to the instant at which a delivery is given up."""

import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

FIRST_DELAY: Final = timedelta(seconds=1)
LONGEST_DELAY: Final = timedelta(minutes=5)
LONGEST_RETRY_AFTER: Final = timedelta(hours=1)
LAST_CHANCE: Final = timedelta(seconds=10)
"""The last attempt starts this long before giving up, which is the time for its request."""


def compute_next_attempt(
    *, attempt: int, now: datetime, give_up_at: datetime, retry_after: timedelta | None, chance: float | None = None
) -> datetime:
    """Returns when to claim a delivery again after its `attempt`-th attempt failed; at `give_up_at` it is given up.

    Delays double from one second to five minutes. `chance` (0 to 1, random by default) shortens each by up to half, so
    that deliveries that failed together are not retried together. A `Retry-After` lengthens the delay, up to one hour,
    and never shortens it. If the next attempt would be too late, the last one starts LAST_CHANCE before `give_up_at`.
    """
    part = random.random() if chance is None else chance  # noqa: S311  jitter needs no cryptographic randomness
    at = now + min(FIRST_DELAY * 2 ** min(attempt - 1, 20), LONGEST_DELAY) * (1 - part / 2)
    if retry_after is not None and (asked := now + min(retry_after, LONGEST_RETRY_AFTER)) > at:
        return min(asked, give_up_at)
    if at < give_up_at:
        return at
    last = give_up_at - LAST_CHANCE
    return last if last > now else give_up_at


def find_retry_after(headers: Iterable[str], *, now: datetime | None = None) -> timedelta | None:
    """Returns the longest wait that a response's Retry-After headers ask for; None if none of them can be read."""
    waits = [wait for header in headers if (wait := parse_retry_after(header, now=now)) is not None]
    return max(waits, default=None)


def parse_retry_after(header: str, *, now: datetime | None = None) -> timedelta | None:
    """Parses a Retry-After header (seconds or an HTTP date): zero to one hour, or None if it cannot be read.

    `now` is the real time by default, because endpoints send real dates.
    """
    if header.isascii() and header.isdigit():
        return min(timedelta(seconds=int(header.lstrip("0")[:9] or "0")), LONGEST_RETRY_AFTER)
    try:
        until = parsedate_to_datetime(header)
        if until.tzinfo is None:
            until = until.replace(tzinfo=UTC)
        wait = until - (now or datetime.now(UTC))
    except Exception:  # noqa: BLE001  the library raises errors of many kinds for what is not a date
        return None
    return max(timedelta(0), min(wait, LONGEST_RETRY_AFTER))
