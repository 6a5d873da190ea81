"""Gauges of open packages, counted in SQL when metrics are collected."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import text

from contracts.bank_holidays import find_end_of_calendar, find_last_day
from contracts.office_time import to_office_date
from service_runtime.observability.instruments import GaugeSample, GaugeSpec
from service_runtime.postgres.database import Connection
from service_runtime.projections.projections import ProjectionReader
from sourcing.ports import DEFINITIONS

# Reads open packages only, by a partial index, so the cost does not grow with the number of placed packages.
_OPEN = text(
    """
    SELECT council, status, stage, age, count(*) AS packages
    FROM (SELECT council, status, coalesce(stage, 'before any stage') AS stage,
                 CASE WHEN requested_at > CAST(:now AS timestamptz) - interval '1 hour' THEN 'under 1 hour'
                      WHEN requested_at > CAST(:now AS timestamptz) - interval '4 hours' THEN 'under 4 hours'
                      WHEN requested_at > CAST(:now AS timestamptz) - interval '1 day' THEN 'under 1 day'
                      WHEN requested_at > CAST(:now AS timestamptz) - interval '3 days' THEN 'under 3 days'
                      ELSE '3 days and more' END AS age
          FROM searches
          WHERE status IN ('running', 'held', 'listed', 'competing', 'exhausted')) AS open
    GROUP BY council, status, stage, age
    """
)
_WORK_LIST = text(
    """
    SELECT council, needs_a_person AS reason, count(*) AS packages FROM searches
    WHERE needs_a_person IS NOT NULL GROUP BY council, needs_a_person
    """
)
_HELD = text("SELECT count(*) AS packages FROM searches WHERE status = 'held'")


async def _count_open_packages(connection: Connection, now: datetime) -> Sequence[GaugeSample]:
    rows = await connection.execute(_OPEN, {"now": now})
    return [GaugeSample(row.packages, (row.council, row.status, row.stage, row.age)) for row in rows]


async def _count_work_list(connection: Connection, _: datetime) -> Sequence[GaugeSample]:
    rows = await connection.execute(_WORK_LIST)
    return [GaugeSample(row.packages, (row.council, row.reason)) for row in rows]


async def _count_held_packages(connection: Connection, _: datetime) -> Sequence[GaugeSample]:
    return [GaugeSample((await connection.execute(_HELD)).scalar_one())]


async def _measure_calendars(connection: Connection, now: datetime) -> Sequence[GaugeSample]:
    """Measures the days until the bank holidays end of each framework in force whose calendar ends before it does."""
    today = to_office_date(now)
    entries = await ProjectionReader(connection).get_by_prefix(DEFINITIONS, "")
    newest = [entry.event.definition for entry in entries]
    in_force = [each for each in newest if each.runs_from <= today <= find_last_day(each)]
    ends = [(each, find_end_of_calendar(each)) for each in in_force]
    return [GaugeSample((end - today).days, (each.framework,)) for each, end in ends if end is not None]


GAUGES: Final = (
    GaugeSpec(
        "calloff_open_packages",
        "Packages without a provider, by council, status, stage, and time since their request",
        _count_open_packages,
        ("council", "status", "stage", "age"),
    ),
    GaugeSpec(
        "calloff_work_list_entries",
        "Packages on the officers' work list, by council and reason",
        _count_work_list,
        ("council", "reason"),
    ),
    GaugeSpec("calloff_held_packages", "Searches that are held by a missing projection entry", _count_held_packages),
    GaugeSpec(
        "calloff_calendar_days_left",
        "Days until the bank holidays in a definition end, for frameworks that run longer than their calendar",
        _measure_calendars,
        ("framework",),
    ),
)
