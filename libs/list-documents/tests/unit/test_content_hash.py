"""One hash stands in every form of a list, changes with the content, and can be computed from the JSON."""

import hashlib
import json
from dataclasses import replace
from datetime import timedelta
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
    whole = json.loads(write_json(an_available_packages_list()))
    canonical = json.dumps(whole["content"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert hashlib.sha256(canonical.encode()).hexdigest() == whole["content_hash"]


def test_the_order_in_which_a_recipient_reads_is_not_part_of_the_hash() -> None:
    one = a_batching_list(a_row(1), a_row(2))
    other = a_batching_list(a_row(2), a_row(1), recipient_areas=("Southmoor",))
    assert hash_content(one) == hash_content(other)
    assert json.loads(write_json(one))["order"] == json.loads(write_json(other))["order"][::-1]


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


def test_another_closing_time_changes_the_hash() -> None:
    document = a_batching_list()
    assert document.closes_at is not None
    later = a_batching_list(closes_at=document.closes_at + timedelta(microseconds=1))
    assert hash_content(later) != hash_content(document)


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
