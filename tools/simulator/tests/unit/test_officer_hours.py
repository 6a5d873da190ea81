"""The simulated officer works during office hours only."""

from datetime import UTC, datetime, timedelta

from simulator.simulated_clock.officer_hours import ScheduledOfficer

EIGHT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


async def test_the_officer_works_every_quarter_of_an_hour_of_the_working_day() -> None:
    instants: list[datetime] = []

    async def process_work_list() -> int:
        return 0

    friday = datetime(2026, 3, 6, 16, 20, tzinfo=UTC)
    officer = ScheduledOfficer(process_work_list, start=friday)
    for _ in range(4):
        at = officer.get_next_due_at()
        assert at is not None
        instants.append(at)
        await officer.act(at)
    assert [f"{at:%a %H:%M}" for at in instants] == ["Fri 16:30", "Fri 16:45", "Mon 08:30", "Mon 08:45"]
