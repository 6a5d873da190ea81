"""A list as a page that works without script: read-only, or as a form that is sent by POST.

The page meets WCAG 2.2 AA: a caption and headers for the table, a group with a name around each package's answers,
errors in a summary with links and at the row. It is self-contained; its headers allow its own style and nothing else.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final
from uuid import UUID

from list_documents.columns import HASH_PREFIX, list_facts, state_facts
from list_documents.content_hash import hash_content
from list_documents.document import DocumentRow, ListDocument
from list_documents.page_assets import PageAssets, load_page_assets
from list_documents.page_form import FieldNames
from list_documents.returns.returned import ReturnedRow
from list_documents.wording import list_sentences

TEMPLATES: Final = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True)
class RowResult:
    """What became of the answer for one package: a sentence for the provider."""

    text: str
    is_problem: bool = False


@dataclass(frozen=True, slots=True)
class PageForm:
    """Makes the page a form. `given` fills in what the provider has answered so far, by reference."""

    action: str
    given: Mapping[UUID, ReturnedRow] = field(default_factory=dict[UUID, ReturnedRow])


@dataclass(frozen=True, slots=True)
class PageRow:
    """One row of the table, as the template shows it."""

    number: int
    reference: UUID
    name: str
    facts: tuple[str, ...]
    names: FieldNames
    given: ReturnedRow | None
    result: RowResult | None


def render_page(
    document: ListDocument,
    *,
    form: PageForm | None = None,
    results: Mapping[UUID, RowResult] | None = None,
    notices: tuple[str, ...] = (),
) -> tuple[bytes, dict[str, str]]:
    """Renders the page's HTML and its headers.

    `notices` are sentences about a return as a whole. The form comes back to `page_form.read_form`.
    """
    assets = _load_assets()
    html = assets.template.render(
        document=document,
        form=form,
        notices=notices,
        sentences=tuple(list_sentences(document, in_file=False)) if form else (),
        headers=tuple(fact.header for fact in list_facts(document)),
        rows=tuple(_list_rows(document, form, results or {})),
        content_hash=f"{HASH_PREFIX}{hash_content(document)}",
        style=assets.style,
    )
    return html.encode(), dict(assets.headers)


def _list_rows(document: ListDocument, form: PageForm | None, results: Mapping[UUID, RowResult]) -> Iterator[PageRow]:
    for number, row in enumerate(document.rows, start=1):
        yield PageRow(
            number=number,
            reference=row.reference,
            name=_name_package(number, row),
            facts=tuple(str(cell) for cell in state_facts(document, row)),
            names=FieldNames.for_package(row.reference),
            given=None if form is None else form.given.get(row.reference),
            result=results.get(row.reference),
        )


def _name_package(number: int, row: DocumentRow) -> str:
    return f"Package {number}: {row.service_type}, {row.area}"


@cache
def _load_assets() -> PageAssets:
    return load_page_assets(TEMPLATES, template="list.html", style="list.css")
