"""Calendar months in UTC, each named by its first day."""

from datetime import UTC, date, datetime


def month_of(instant: datetime) -> date:
    return instant.astimezone(UTC).date().replace(day=1)


def add_months(month: date, count: int) -> date:
    index = month.year * 12 + month.month - 1 + count
    return date(index // 12, index % 12 + 1, 1)


def begin_of(month: date) -> datetime:
    return datetime(month.year, month.month, 1, tzinfo=UTC)
