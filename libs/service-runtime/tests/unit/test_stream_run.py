"""A run of jobs on one stream: what was decided is applied once, or reported as not applied."""

import pytest

from service_runtime.postgres.errors import ConnectionBroken
from service_runtime.unit_of_work.changes import Changes
from service_runtime.unit_of_work.stream_run import StreamRun
from service_runtime.unit_of_work.streams import Stream, StreamKey

STREAM = Stream(StreamKey("packages", "1"), revision=3)


class Database:
    """Applies changes, unless it is broken."""

    def __init__(self) -> None:
        self.is_broken = False
        self.applied: list[Changes] = []

    async def apply(self, changes: Changes) -> None:
        if self.is_broken:
            raise ConnectionBroken
        self.applied.append(changes)


def build_changes(run: StreamRun, row: int) -> Changes:
    changes = Changes(run.stream, after=run.after)
    changes.put_row("rows", row, {"number": row})
    return changes


async def test_what_several_jobs_decided_is_applied_together_and_once() -> None:
    database = Database()
    run = StreamRun(STREAM, database.apply, is_confirmed=False)
    run.merge(build_changes(run, 1))
    run.merge(build_changes(run, 2))
    await run.apply()
    await run.apply()
    assert [list(each.rows["rows"]) for each in database.applied] == [[1, 2]]
    assert (run.stream.revision, run.after.revision, run.is_confirmed) == (4, 4, True)
    run.merge(build_changes(run, 3))
    await run.apply()
    assert [list(each.rows["rows"]) for each in database.applied] == [[1, 2], [3]]
    assert run.stream.revision == 5


async def test_what_could_not_be_applied_is_not_reported_as_applied_later() -> None:
    """A job that reads applies what earlier jobs decided; its error must not hide that this failed."""
    database = Database()
    run = StreamRun(STREAM, database.apply, is_confirmed=False)
    run.merge(build_changes(run, 1))
    database.is_broken = True
    for _ in range(2):
        with pytest.raises(ConnectionBroken):
            await run.apply()
    assert run.stream.revision == STREAM.revision
    database.is_broken = False
    await run.apply()
    assert [list(each.rows["rows"]) for each in database.applied] == [[1]]
