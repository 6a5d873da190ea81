"""The page: a table with headers, a label for every field, results at their rows, no script."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from html.parser import HTMLParser
from uuid import UUID

import pytest

from list_documents import PageForm, ReturnedRow, RowResult, render_page
from testkit.listed_documents import (
    LIST_ID,
    OTHER_TIMES,
    a_batching_list,
    a_reference,
    a_row,
    an_available_packages_list,
)

Attributes = dict[str, str | None]


class Page(HTMLParser):
    """Collects the elements of a page with their attributes, and its text."""

    def __init__(self, html: bytes) -> None:
        super().__init__()
        self.elements = list[tuple[str, Attributes]]()
        self.text = ""
        self.feed(html.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def find(self, *tags: str) -> list[Attributes]:
        return [attributes for tag, attributes in self.elements if tag in tags]


def render(
    kind: str = "batching",
    *,
    form: PageForm | None = None,
    results: Mapping[UUID, RowResult] | None = None,
    notices: tuple[str, ...] = (),
) -> Page:
    document = a_batching_list() if kind == "batching" else an_available_packages_list()
    return Page(render_page(document, form=form, results=results, notices=notices)[0])


both_kinds = pytest.mark.parametrize("kind", ["batching", "available"])


@both_kinds
def test_every_field_has_a_label_and_every_group_a_name(kind: str) -> None:
    page = render(kind, form=PageForm("/lists/x"))
    fields = [field for field in page.find("input") if field.get("type") != "hidden"]
    labels = {label.get("for") for label in page.find("label")}
    assert fields
    assert {field.get("id") for field in fields} == labels
    assert len(page.find("fieldset")) == len(page.find("legend")) == (3 if kind == "batching" else 6)


@both_kinds
def test_every_id_stands_once(kind: str) -> None:
    page = render(kind, form=PageForm("/lists/x"), results={a_reference(1): RowResult("Received.")})
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(set(ids)) == len(ids)


@both_kinds
def test_the_table_has_a_caption_and_headers_for_columns_and_rows(kind: str) -> None:
    page = render(kind)
    assert len(page.find("caption")) == 1
    assert [header.get("scope") for header in page.find("th")].count("row") == 3
    assert all(header.get("scope") in {"col", "row"} for header in page.find("th"))
    assert page.find("html") == [{"lang": "en"}]


@both_kinds
def test_on_a_narrow_screen_each_cell_has_its_header_and_keeps_its_role(kind: str) -> None:
    page = render(kind)
    assert {cell.get("role") for cell in page.find("td")} == {"cell"}
    labels = [cell.get("data-label") for cell in page.find("td")]
    assert len(labels) == 3 * len(set(labels))
    assert {"Area", "Skills needed", "Reference"} <= set(labels)
    assert {row.get("role") for row in page.find("tr")} == {"row"}


@both_kinds
def test_there_is_no_script_and_nothing_is_fetched(kind: str) -> None:
    page = render(kind, form=PageForm("/lists/x"))
    assert page.find("script", "link", "img", "iframe", "object") == []
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]


def test_the_policy_allows_the_style_of_the_page_and_its_own_form() -> None:
    _, headers = render_page(a_batching_list())
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "form-action 'self'" in policy
    assert (headers["cache-control"], headers["referrer-policy"]) == ("no-store", "no-referrer")


def test_without_a_form_the_page_asks_nothing() -> None:
    page = render()
    assert page.find("form", "input", "button") == []
    assert str(a_reference(1)) in page.text


def test_the_form_is_sent_by_post_with_list_and_hash() -> None:
    page = render(form=PageForm("/lists/x?a=1&b=2"))
    assert page.find("form") == [{"method": "post", "action": "/lists/x?a=1&b=2"}]
    hidden = {field["name"]: field["value"] for field in page.find("input") if field.get("type") == "hidden"}
    assert hidden["list"] == str(LIST_ID)
    assert (hidden["content-hash"] or "").startswith("sha256:")


def test_what_the_provider_has_answered_is_filled_in() -> None:
    given = ReturnedRow("row 2", 2, a_reference(2), is_interested=False)
    page = render(form=PageForm("/", {a_reference(2): given}))
    checked = [field for field in page.find("input") if "checked" in field]
    assert [(field["name"], field["value"]) for field in checked] == [(f"interested-{a_reference(2)}", "no")]


def test_a_proposal_is_filled_in() -> None:
    document = an_available_packages_list()
    html, _ = render_page(document, form=PageForm("/", {a_reference(1): _a_proposal()}))
    fields = [field for field in Page(html).find("input") if str(a_reference(1)) in (field.get("name") or "")]
    assert [field["value"] for field in fields if "checked" in field or field["type"] != "checkbox"] == [
        "21.50",
        "other-times",
        "2026-05-01",
    ]


def _a_proposal() -> ReturnedRow:
    return ReturnedRow(
        "row 2",
        2,
        a_reference(1),
        rate=Decimal("21.50"),
        variations=(OTHER_TIMES.key,),
        can_start_on=date(2026, 5, 1),
    )


def test_results_stand_at_their_rows_and_errors_in_a_summary_that_links_to_them() -> None:
    results = {
        a_reference(1): RowResult("Your answer counts."),
        a_reference(3): RowResult("row 4: late", is_problem=True),
    }
    page = render(form=PageForm("/"), results=results, notices=("One answer counts.",))
    assert "Your answer counts." in page.text
    assert page.text.count("row 4: late") == 2
    assert [link["href"] for link in page.find("a")] == ["#package-3"]
    assert "Error: Batching List" in page.text
    assert [each["aria-describedby"] for each in page.find("fieldset") if "aria-describedby" in each] == [
        "result-1",
        "result-3",
    ]
    assert "One answer counts." in page.text


def test_markup_in_a_title_is_shown_as_text() -> None:
    html, _ = render_page(a_batching_list(a_row(area="<script>alert(1)</script>", skills=('" onload="x',))))
    page = Page(html)
    assert page.find("script") == []
    assert "<script>alert(1)</script>" in page.text


def test_the_person_and_the_ceiling_have_no_place_on_a_list() -> None:
    assert {"person", "ceiling", "postcode", "name", "address", "visits"}.isdisjoint(a_row().__slots__)
