"""The document of a list for one provider: workbook, CSV, JSON or page, all with one content hash."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from contracts.events.lists import ListRecipient
from contracts.framework.definition import FrameworkDefinition
from list_documents.building import Issue, build_document
from list_documents.csv_file import write_csv
from list_documents.document import ListDocument
from list_documents.json_file import write_json
from list_documents.workbook import write_workbook
from sourcing.domain.sent_list import to_listed_row
from sourcing.ports import ListDetails, ListRowDetails

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class FileFormat(StrEnum):
    """The formats in which a list can be fetched; the page is another route."""

    WORKBOOK = "xlsx"
    CSV = "csv"
    JSON = "json"


@dataclass(frozen=True)
class ListFile:
    """A document as bytes, with its media type and file name."""

    content: bytes
    media_type: str
    name: str


_WRITERS: Final[Mapping[FileFormat, tuple[Callable[[ListDocument], bytes], str]]] = {
    FileFormat.WORKBOOK: (write_workbook, XLSX),
    FileFormat.CSV: (write_csv, "text/csv; charset=utf-8"),
    FileFormat.JSON: (write_json, "application/json"),
}


def build_list_document(
    details: ListDetails, recipient: ListRecipient, rows: Sequence[ListRowDetails], definition: FrameworkDefinition
) -> ListDocument:
    """Build the document of the rows that the recipient gets, in the order in which they were issued."""
    sent = details.sent
    issue = Issue(
        list_id=sent.list_id,
        kind=sent.kind,
        issued_at=details.issued_at,
        closes_at=sent.closes_at,
        moved_from=sent.moved_from,
    )
    shown = [to_listed_row(each.added).row for each in rows]
    return build_document(issue, shown, definition, served_areas=recipient.areas)


def write_list(document: ListDocument, file_format: FileFormat) -> ListFile:
    """Write the document in one of the formats; its name has the kind of list and its day."""
    write, media_type = _WRITERS[file_format]
    name = f"{document.kind.value}-{document.issued_at:%Y-%m-%d}.{file_format.value}"
    return ListFile(write(document), media_type, name)
