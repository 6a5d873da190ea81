"""Renders what one recipient gets of a list as a document: its words for the mail, and the workbook."""

from typing import Final

from contracts.events.lists import AvailablePackagesIssued, BatchingListIssued, ListKind, ListRecipient
from contracts.framework.definition import FrameworkDefinition
from list_documents.building import Issue, build_document
from list_documents.columns import HASH_PREFIX, list_facts, state_facts
from list_documents.content_hash import hash_content
from list_documents.document import ListDocument
from list_documents.wording import list_sentences
from list_documents.workbook import write_workbook
from provider_registry.domain.list_mail import ListAsText
from provider_registry.ports.notices import ListFile, RenderedList

_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def render_list(
    issued: BatchingListIssued | AvailablePackagesIssued, recipient: ListRecipient, definition: FrameworkDefinition
) -> RenderedList:
    """Renders the list; `issued` has the recipient's rows in the order of the event, of which the hash is."""
    document = build_document(_build_issue(issued), issued.rows, definition, served_areas=recipient.areas)
    name = f"{document.kind.value}-{issued.day.isoformat()}.xlsx"
    return RenderedList(_describe(document), (ListFile(name, _XLSX, write_workbook(document)),))


def _build_issue(issued: BatchingListIssued | AvailablePackagesIssued) -> Issue:
    if isinstance(issued, BatchingListIssued):
        return Issue(issued.list_id, ListKind.BATCHING_LIST, issued.issued_at, closes_at=issued.closes_at)
    return Issue(
        issued.list_id,
        ListKind.AVAILABLE_PACKAGES,
        issued.issued_at,
        moved_from=issued.moved_from,
        next_list_on=issued.next_list_on,
    )


def _describe(document: ListDocument) -> ListAsText:
    return ListAsText(
        title=document.title,
        framework=document.framework,
        sentences=tuple(list_sentences(document, in_file=True)),
        headers=("Reference", *(fact.header for fact in list_facts(document))),
        rows=tuple((str(row.reference), *map(str, state_facts(document, row))) for row in document.rows),
        content_hash=f"{HASH_PREFIX}{hash_content(document)}",
    )
