"""A list as CSV: the header first, UTF-8 with a byte order mark, and nothing that a spreadsheet takes for a formula."""

import csv
import io

import pytest

from list_documents import hash_content, read_return, write_csv
from list_documents.neutral_text import neutralise, strip_quote
from testkit.listed_documents import LIST_ID, a_batching_list, a_row, an_available_packages_list


def read_records(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_the_first_record_is_the_header_and_every_package_has_a_record() -> None:
    header, *records = read_records(write_csv(a_batching_list()))
    assert header[0] == "Area"
    assert header[-5:] == ["Interested? Yes or No", "Reference", "Check", "List", "Content hash"]
    assert len(records) == 3
    assert {len(record) for record in records} == {len(header)}


def test_records_name_the_list_and_its_hash() -> None:
    document = a_batching_list()
    records = [dict(zip(*each, strict=True)) for each in _pair_with_header(write_csv(document))]
    assert {record["List"] for record in records} == {str(LIST_ID)}
    assert {record["Content hash"] for record in records} == {f"sha256:{hash_content(document)}"}


def _pair_with_header(content: bytes) -> list[tuple[list[str], list[str]]]:
    header, *records = read_records(content)
    return [(header, record) for record in records]


def test_the_file_begins_with_a_byte_order_mark_and_lines_end_as_the_standard_demands() -> None:
    content = write_csv(an_available_packages_list())
    assert content.startswith(b"\xef\xbb\xbfArea,")
    assert content.count(b"\r\n") == content.count(b"\n") == 4
    assert "Proposed rate (£)" in content.decode("utf-8-sig")


def test_the_same_document_gives_the_same_bytes() -> None:
    assert write_csv(a_batching_list()) == write_csv(a_batching_list())


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1", "＠x"])
def test_text_that_could_be_a_formula_gets_an_apostrophe_and_loses_it_again(text: str) -> None:
    assert neutralise(text) == f"'{text}"
    assert strip_quote(neutralise(text)) == text


@pytest.mark.parametrize("text", ["", "Northmoor", "O'Neill", "'s-Gravenhage", "18 to 39", "CO1", "1-2"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert neutralise(text) == strip_quote(text) == text


def test_a_title_that_begins_like_a_formula_is_neutral_and_its_row_is_not_taken_for_edited() -> None:
    document = a_batching_list(a_row(area='=HYPERLINK("http://example.org")', skills=("@home", "-")))
    record = read_records(write_csv(document))[1]
    assert not [cell for cell in record if cell.startswith(("=", "+", "-", "@"))]
    assert [row.note for row in read_return(write_csv(document)).rows] == [None]


def test_separators_quotes_and_line_breaks_in_a_title_stay_in_their_cell() -> None:
    document = a_batching_list(a_row(area='North, "upper" moor; east'))
    assert read_records(write_csv(document))[1][0] == 'North, "upper" moor; east'
    assert read_return(write_csv(document)).rows[0].note is None
