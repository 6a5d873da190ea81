"""Ids and lateness of lists: one list for a framework, stage and day."""

from datetime import date, timedelta
from typing import Final
from uuid import UUID, uuid5

from contracts.ids import FrameworkKey, ListId

LISTS: Final = UUID("5f0d7a52-6a0f-4f6e-9c57-2f3f3e1f9b10")
"""The namespace of the ids of lists."""
LATE_AFTER: Final = timedelta(minutes=1)
"""After its time by more than this a list is marked late: the service was down."""


def make_list_id(framework: FrameworkKey, stage: str, day: date) -> ListId:
    """Return the id of a list; all packages of the same list get the same one."""
    return ListId(uuid5(LISTS, f"{framework}/{stage}/{day.isoformat()}"))
