"""CSV comes back as spreadsheet programs of people write it."""

import pytest

from list_documents import NotAList, ReturnTooLarge, read_return, write_csv
from testkit.listed_documents import a_batching_list, a_reference, a_row, an_available_packages_list

REFERENCE = str(a_reference(1))
LINES = ("Reference{s}Proposed rate (£){s}Area", REFERENCE + "{s}£21.50{s}Ynys Môn", "")
TEXT = "\r\n".join(LINES)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings_and_separators_of_spreadsheet_programs_are_read(encoding: str, separator: str) -> None:
    (row,) = read_return(TEXT.format(s=separator).encode(encoding)).rows
    assert (row.reference, str(row.rate)) == (a_reference(1), "21.50")


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_lines_end_in_each_of_the_three_ways(ending: str) -> None:
    text = ending.join(("Reference,Interested", f"{REFERENCE},Yes", "", f"{a_reference(2)},No"))
    assert [(row.where, row.is_interested) for row in read_return(text.encode()).rows] == [
        ("row 2", True),
        ("row 4", False),
    ]


def test_a_line_that_names_the_separator_is_passed_over() -> None:
    text = f"sep=;\nReference;Interested\n{REFERENCE};Yes\n"
    assert [row.is_interested for row in read_return(text.encode()).rows] == [True]


def test_a_quoted_cell_may_hold_separators_and_lines() -> None:
    text = f'"Reference","Note","Interested"\n"{REFERENCE}","one, two\nthree","Yes"\n{a_reference(2)},,No\n'
    assert [row.where for row in read_return(text.encode()).rows] == ["row 2", "row 3"]


def test_our_own_csv_comes_back_row_by_row() -> None:
    document = an_available_packages_list()
    rows = read_return(write_csv(document)).rows
    assert [row.reference for row in rows] == [row.reference for row in document.rows]
    assert not [row for row in rows if row.problem or row.note or row.has_answer]


def test_a_csv_that_a_program_saved_with_semicolons_has_no_edited_rows() -> None:
    document = a_batching_list(a_row(skills=()))
    saved = write_csv(document).decode("utf-8-sig").replace(",", ";").encode("cp1252")
    assert [row.note for row in read_return(saved).rows] == [None]


@pytest.mark.parametrize(
    "content", [b"", b"\0\0\0", b"%PDF-1.7\n\x01\x02", b"\xff\xfeR", b"\x89PNG\r\n\x1a\n", b"Dear team, yes."]
)
def test_what_is_no_list_is_refused(content: bytes) -> None:
    with pytest.raises(NotAList):
        read_return(content)


def test_a_file_without_the_columns_is_refused_and_the_text_says_which_are_needed() -> None:
    with pytest.raises(NotAList, match="Reference and the columns for answers"):
        read_return(f"Reference,Comment\n{REFERENCE},Yes\n".encode())


def test_more_rows_than_a_list_can_have_are_refused() -> None:
    rows = "".join(f"{a_reference(number)},Yes\n" for number in range(2001))
    with pytest.raises(ReturnTooLarge, match="2000 rows"):
        read_return(f"Reference,Interested\n{rows}".encode())


def test_two_thousand_rows_of_one_package_are_answered_at_once() -> None:
    rows = "".join(f"{REFERENCE},{'Yes' if number % 2 else 'No'}\n" for number in range(2000))
    returned = read_return(f"Reference,Interested\n{rows}".encode())
    assert list(returned.counting_rows) == []
    assert max(len(str(row.problem)) for row in returned.rows) < 100


@pytest.mark.parametrize("content", [b"\n" * 20_000, b"Reference,Interested" + b"," * 2_000 + b"x", b"a," * 200_000])
def test_more_cells_than_a_list_can_have_are_refused(content: bytes) -> None:
    with pytest.raises(ReturnTooLarge):
        read_return(content)


def test_a_file_of_more_than_ten_megabytes_is_refused_unread() -> None:
    with pytest.raises(ReturnTooLarge, match="10 MB"):
        read_return(b"Reference,Interested\n" + b" " * (10 * 1024 * 1024))
