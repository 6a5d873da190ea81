"""One hash stands in every form of a list, changes with the content, and can be computed from the JSON."""

import hashlib
import json
from dataclasses import replace
from decimal import Decimal

import pytest

from list_documents import ListDocument, hash_content, read_return, render_page, write_csv, write_json, write_workbook
from list_documents.content_hash import compute_check, compute_row_check
from testkit.listed_documents import LIST_ID, a_batching_list, a_reference, a_row, an_available_packages_list


@pytest.mark.parametrize("document", [a_batching_list(), an_available_packages_list()], ids=lambda each: each.kind)
def test_workbook_csv_json_and_page_carry_the_same_hash(document: ListDocument) -> None:
    expected = hash_content(document)
    assert read_return(write_workbook(document)).content_hash == expected
    assert read_return(write_csv(document)).content_hash == expected
    assert json.loads(write_json(document))["content_hash"] == expected
    assert f"sha256:{expected}".encode() in render_page(document)[0]


def test_the_hash_can_be_computed_from_the_json_by_its_recipe() -> None:
    whole = json.loads(write_json(an_available_packages_list(a_row(area="Ynys Môn"))))
    canonical = json.dumps(whole["content"], sort_keys=True, separators=(",", ":"))
    assert hashlib.sha256(canonical.encode()).hexdigest() == whole["content_hash"]


def test_the_json_has_the_rows_with_titles_in_the_order_of_the_recipient() -> None:
    document = an_available_packages_list()
    whole = json.loads(write_json(replace(document, rows=document.rows[::-1])))
    assert [row["reference"] for row in whole["packages"]] == [str(a_reference(number)) for number in (3, 2, 1)]
    assert whole["packages"][0]["weekly_hours"] == "14.00"
    assert whole["content_hash"] == hash_content(document)


@pytest.mark.parametrize(
    "changed",
    [
        {"weekly_hours": Decimal("14.25")},
        {"outward_code": None},
        {"skills": ("Dementia",)},
        {"carers_at_once": 2},
        {"reference": a_reference(9)},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_a_change_of_one_cell_changes_the_hash(changed: dict[str, object]) -> None:
    assert hash_content(a_batching_list(replace(a_row(), **changed))) != hash_content(a_batching_list(a_row()))


def test_equal_amounts_have_equal_hashes() -> None:
    documents = (a_batching_list(a_row(weekly_hours=Decimal(hours))) for hours in ("14", "14.0", "1.4E+1"))
    assert len({hash_content(document) for document in documents}) == 1


def test_the_check_of_a_row_survives_what_a_spreadsheet_does_to_numbers_and_blanks() -> None:
    assert compute_check(LIST_ID, ["CO1", "14.50", "1"]) == compute_check(LIST_ID, [" CO1 ", 14.5, 1.0])
    assert compute_check(LIST_ID, ["'=SUM(1)"]) == compute_check(LIST_ID, ["=SUM(1)"])


def test_the_check_of_a_row_changes_with_a_cell_and_with_the_reference() -> None:
    document = a_batching_list(a_row(1), a_row(2))
    assert compute_row_check(document, a_row(1)) != compute_row_check(document, a_row(2))
    assert compute_row_check(document, a_row(1)) != compute_row_check(document, a_row(1, area="Southmoor"))


def test_a_check_begins_with_a_letter_so_that_no_spreadsheet_reads_a_number() -> None:
    assert all(compute_check(a_reference(number), []).startswith("C") for number in range(50))
