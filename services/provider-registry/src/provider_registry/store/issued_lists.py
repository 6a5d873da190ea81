"""Lists as they were issued, from which mails are composed, in PostgreSQL."""

from typing import Any, Final

from sqlalchemy import text

from contracts.catalogue import BY_TYPE, decode
from contracts.events.lists import AvailablePackagesIssued, BatchingListIssued
from contracts.ids import ListId
from service_runtime.postgres.database import Reader
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork

TABLES: Final = """
CREATE TABLE issued_lists (
    list_id uuid NOT NULL,
    part integer NOT NULL,
    council text NOT NULL,
    type text NOT NULL,
    issued jsonb NOT NULL,
    PRIMARY KEY (list_id, part)
);
"""
"""One row for each part of a list, whoever gets it; `save_rows` of `notices` writes it."""

_ISSUED_LIST = text(
    "SELECT type, CAST(issued AS text) AS issued FROM issued_lists WHERE list_id = :list_id AND part = :part"
)

IssuedList = BatchingListIssued | AvailablePackagesIssued


class PostgresIssuedLists:
    def __init__(self, work: PostgresUnitOfWork) -> None:
        self._work = work

    def save(self, issued: IssuedList) -> None:
        """Saves a part; a part that is saved already stays as it is."""
        row = {
            "list_id": issued.list_id,
            "part": issued.part,
            "council": self._work.cause.council,
            "type": issued.get_type_name(),
            "issued": issued,
        }
        self._work.put_row("issued_lists", (issued.list_id, issued.part), row)


async def load_issued_list(reader: Reader, list_id: ListId, part: int) -> IssuedList | None:
    row = (await reader.execute(_ISSUED_LIST, {"list_id": list_id, "part": part})).one_or_none()
    return None if row is None else _to_issued_list(row)


def _to_issued_list(row: Any) -> IssuedList:  # a row's attributes are its columns
    issued = decode(BY_TYPE[row.type].event, row.issued.encode())
    assert isinstance(issued, BatchingListIssued | AvailablePackagesIssued), "only issued lists are saved"
    return issued
