"""Tasks of a schedule pause until an instant of the simulated clock and continue when it is due."""

import asyncio
from datetime import UTC, datetime, timedelta

from service_runtime.simulated_clock.clock import SimulatedClock
from simulator.simulated_clock.driver import ClockDriver
from simulator.simulated_clock.participant_process import ParticipantProcess
from simulator.simulated_clock.task_schedule import TaskSchedule

EIGHT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


async def test_paused_tasks_continue_one_after_the_other_when_they_are_due() -> None:
    clock, done = SimulatedClock(EIGHT), list[str]()
    schedule = TaskSchedule("systems", clock)

    async def answer(name: str, after: timedelta) -> None:
        async with schedule.track_task():
            await schedule.pause(after)
            done.append(f"{name} begins")
            await asyncio.sleep(0)
            done.append(f"{name} ends")

    tasks = [asyncio.create_task(answer(*each)) for each in (("Birch", MINUTE), ("Alder", MINUTE), ("Elm", HOUR))]
    await asyncio.sleep(0)
    assert (schedule.running_tasks, schedule.get_next_due_at()) == (0, EIGHT + MINUTE)
    assert await schedule.act(EIGHT + MINUTE) == 2
    assert done == ["Birch begins", "Birch ends", "Alder begins", "Alder ends"]
    tasks[2].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert (schedule.running_tasks, schedule.get_next_due_at()) == (0, None)


async def test_a_participant_process_is_driven_as_a_service_is() -> None:
    clock, log = SimulatedClock(EIGHT), list[datetime]()
    schedule = TaskSchedule("systems", clock)

    async def answer() -> None:
        async with schedule.track_task():
            for _ in range(3):
                await schedule.pause(20 * MINUTE)
                log.append(clock.now())

    task = asyncio.create_task(answer())
    await asyncio.sleep(0)
    run = await ClockDriver([ParticipantProcess("providers", clock, [schedule])], seed=1).advance(HOUR)
    await task
    assert log == [EIGHT + n * 20 * MINUTE for n in (1, 2, 3)]
    assert run.steps == 3
