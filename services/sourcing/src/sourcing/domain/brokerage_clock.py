"""Computes when a step can happen in brokerage time, and formats its instant."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from contracts.framework.definition import FrameworkDefinition
from contracts.office_time import LONDON, to_office_date
from sourcing.domain.calendar import BrokerageCalendar


@dataclass(frozen=True)
class BrokerageClock:
    """The brokerage hours of one definition relative to `now`, for one search."""

    definition: FrameworkDefinition | None
    now: datetime
    is_urgent: bool

    @property
    def opening(self) -> datetime | None:
        """The earliest instant for a step that is due now: now, or the next opening; None without a definition."""
        if self.is_urgent:
            return self.now
        calendar = self._calendar
        return None if calendar is None else calendar.find_opening_from(self.now)

    @property
    def waits_for_opening(self) -> bool:
        return self.opening is not None and self.opening > self.now

    def find_opening_from(self, at: datetime) -> datetime:
        calendar = self._calendar
        return at if calendar is None else calendar.find_opening_from(at)

    def describe_opening(self) -> str:
        """Format the opening: `on Mon 30 Nov 08:30, when brokerage opens`, or `now` while brokerage is open."""
        if self.opening is None:
            return "when brokerage is open"
        return f"on {self.format_day(self.opening)}, when brokerage opens" if self.waits_for_opening else "now"

    def format_instant(self, at: datetime) -> str:
        """Format an instant: `10:12` today, `Mon 30 Nov 10:12` on another day."""
        is_today = to_office_date(at, self._timezone) == to_office_date(self.now, self._timezone)
        return f"{at.astimezone(self._timezone):%H:%M}" if is_today else self.format_day(at)

    def format_day(self, at: datetime) -> str:
        local = at.astimezone(self._timezone)
        return f"{local:%a} {local.day} {local:%b %H:%M}"

    @property
    def _timezone(self) -> ZoneInfo:
        return LONDON if self.definition is None else ZoneInfo(self.definition.brokerage.timezone)

    @property
    def _calendar(self) -> BrokerageCalendar | None:
        return None if self.definition is None else BrokerageCalendar(self.definition.brokerage)
