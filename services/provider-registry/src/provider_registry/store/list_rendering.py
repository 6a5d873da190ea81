"""Renders what one recipient gets of a list as a document: its words for the mail, and the workbook."""

from contracts.events.lists import AvailablePackagesIssued, BatchingListIssued, ListRecipient
from contracts.framework.definition import FrameworkDefinition
from list_documents import Issue, ListDocument, ListedPackage, ListKind, build_document, hash_content, write_workbook
from list_documents.columns import HASH_PREFIX, list_facts, state_facts
from list_documents.wording import list_sentences
from provider_registry.domain.list_mail import ListAsText
from provider_registry.ports.notices import ListFile, RenderedList

_WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def render_list(
    issued: BatchingListIssued | AvailablePackagesIssued, recipient: ListRecipient, definition: FrameworkDefinition
) -> RenderedList:
    """Renders the list; `issued` has the recipient's rows."""
    document = _build_document(issued, recipient, definition)
    name = f"{document.kind}-{issued.day.isoformat()}-{issued.part}.xlsx"
    return RenderedList(_describe(document), (ListFile(name, _WORKBOOK, write_workbook(document)),))


def _build_document(
    issued: BatchingListIssued | AvailablePackagesIssued, recipient: ListRecipient, definition: FrameworkDefinition
) -> ListDocument:
    asks_for_rates = isinstance(issued, AvailablePackagesIssued)
    packages = [
        ListedPackage(row.advert, row.unit if asks_for_rates else None, row.listed_since) for row in issued.rows
    ]
    return build_document(_build_issue(issued), packages, definition, served_areas=recipient.areas)


def _build_issue(issued: BatchingListIssued | AvailablePackagesIssued) -> Issue:
    if isinstance(issued, AvailablePackagesIssued):
        return Issue(
            issued.list_id,
            ListKind.AVAILABLE_PACKAGES,
            issued.issued_at,
            moved_from=issued.moved_from,
            next_list_on=issued.next_list_on,
        )
    return Issue(issued.list_id, ListKind.BATCHING_LIST, issued.issued_at, closes_at=issued.closes_at)


def _describe(document: ListDocument) -> ListAsText:
    return ListAsText(
        title=document.title,
        framework=document.framework,
        sentences=tuple(list_sentences(document, in_file=True)),
        headers=("Reference", *(fact.header for fact in list_facts(document))),
        rows=tuple((str(row.reference), *map(str, state_facts(document, row))) for row in document.rows),
        content_hash=f"{HASH_PREFIX}{hash_content(document)}",
    )
