"""Rows of a return: each stands for itself, and what is wrong with one is explained in it."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from contracts.ids import ListId
from list_documents import ProblemKind, ReturnedRow, match_return, read_return, write_csv, write_workbook
from testkit.list_workbooks import INTERESTED, fill_workbook, tick_workbook
from testkit.listed_documents import (
    LIST_ID,
    OTHER_TIMES,
    SHARED,
    Cells,
    a_batching_list,
    a_reference,
    an_available_packages_list,
    build_workbook,
)

HEADERS: Cells = ("Reference", "Interested? Yes or No")
PROPOSAL_HEADERS: Cells = (
    "Reference",
    "Proposed rate (£)",
    "Another way to deliver",
    "Second other way",
    "Can start on",
)
FIRST, SECOND, THIRD = (str(a_reference(number)) for number in (1, 2, 3))


def read_rows(*rows: Cells, headers: Cells = HEADERS) -> tuple[ReturnedRow, ...]:
    return read_return(build_workbook([headers, *rows])).rows


def explain(*rows: Cells, headers: Cells = HEADERS) -> list[str | None]:
    return [row.problem and row.problem.text for row in read_rows(*rows, headers=headers)]


def test_ticks_come_back_with_their_references() -> None:
    document = a_batching_list()
    answers = {a_reference(1): True, a_reference(3): False}
    returned = read_return(tick_workbook(write_workbook(document), answers))
    assert returned.list_id == LIST_ID
    assert {row.reference: row.is_interested for row in returned.counting_rows} == answers
    assert [row.is_interested for row in returned.rows] == [True, None, False]


def test_a_list_that_comes_back_without_an_answer_has_nothing_that_counts() -> None:
    returned = read_return(write_workbook(a_batching_list()))
    assert list(returned.counting_rows) == []
    assert [(row.problem, row.note) for row in returned.rows] == [(None, None)] * 3


def test_a_proposal_comes_back_with_rate_ways_and_first_day() -> None:
    document = an_available_packages_list()
    filling = {
        a_reference(2): {
            "Proposed rate (£)": Decimal("24.30"),
            "Another way to deliver": SHARED.title,
            "Second other way": OTHER_TIMES.title,
            "Can start on": date(2026, 4, 20),
        }
    }
    returned = match_return(read_return(fill_workbook(write_workbook(document), filling)), document)
    (row,) = returned.counting_rows
    assert (row.reference, row.rate) == (a_reference(2), Decimal("24.30"))
    assert (row.variations, row.can_start_on) == ((SHARED.key, OTHER_TIMES.key), date(2026, 4, 20))


def test_an_answer_that_cannot_be_read_stops_no_other() -> None:
    rows = read_rows((FIRST, "mabye"), (SECOND, "Yes"))
    assert str(rows[0].problem) == "row 2: 'mabye' is neither Yes nor No"
    assert [
        row.reference for row in read_return(build_workbook([HEADERS, (FIRST, "?"), (SECOND, "x")])).counting_rows
    ] == [a_reference(2)]


@pytest.mark.parametrize("reference", ["abc", "12345", FIRST.replace("-", ""), f"{{{FIRST}}}", FIRST[:-1], f"{FIRST}0"])
def test_a_reference_that_is_none_is_explained(reference: str) -> None:
    assert explain((reference, "Yes")) == ["row 2: the reference is not one of a list"]


def test_an_answer_without_a_reference_is_explained() -> None:
    assert explain((FIRST, "No"), ("", "Yes")) == [None, "row 3: has an answer and no reference"]


def test_blank_rows_titles_and_notes_are_passed_over() -> None:
    sheet = [("Our answers",), (), HEADERS, (), (FIRST, "Yes"), ("Please ring Jo about the next one",), (SECOND, "")]
    rows = read_return(build_workbook(sheet)).rows
    assert [(row.where, row.is_interested) for row in rows] == [("row 5", True), ("row 7", None)]


def test_columns_may_stand_in_any_order_among_others() -> None:
    rows = read_rows(("Jo", "Yes", "", FIRST), headers=("Who", "interested?", "Notes", "REFERENCE "))
    assert [(row.reference, row.is_interested) for row in rows] == [(a_reference(1), True)]


def test_rows_that_answer_alike_count_once() -> None:
    rows = read_rows((FIRST, "Yes"), (SECOND, "No"), (FIRST, "y"))
    assert [row.problem and row.problem.kind for row in rows] == [None, None, ProblemKind.REPEATED]
    assert str(rows[2].problem) == "row 4: repeats row 2; the answer counts once"


def test_rows_that_contradict_each_other_do_not_count() -> None:
    rows = read_rows((FIRST, "Yes"), (SECOND, "Yes"), (FIRST, "No"), (FIRST, "Yes"))
    assert [row.problem and row.problem.text for row in rows] == [
        "row 2: answers differently from row 4 for one package",
        None,
        "row 4: answers differently from row 2 for one package",
        "row 5: answers differently from row 4 for one package",
    ]


def test_a_row_without_an_answer_contradicts_nothing() -> None:
    assert explain((FIRST, ""), (FIRST, "Yes"), (FIRST, "mabye")) == [
        None,
        None,
        "row 4: 'mabye' is neither Yes nor No",
    ]


def test_the_copy_of_a_locked_sheet_is_read_too() -> None:
    original = [HEADERS, (FIRST, ""), (SECOND, "")]
    copy = [HEADERS, (FIRST, "Yes"), (SECOND, "perhaps")]
    rows = read_return(build_workbook(original, [("notes",)], copy)).rows
    assert [(row.where, row.is_interested) for row in rows if row.has_answer] == [("row 2 of sheet 3", True)]
    assert str(rows[3].problem) == "row 3 of sheet 3: 'perhaps' is neither Yes nor No"


def test_a_proposal_without_a_rate_is_explained() -> None:
    assert explain((FIRST, None, "Shared with another provider"), (SECOND, 21), headers=PROPOSAL_HEADERS) == [
        "row 2: proposes no rate; give one, or leave the row empty",
        None,
    ]


def test_a_rate_and_a_day_as_text_and_as_cells_are_the_same() -> None:
    rows = read_rows(
        (FIRST, "£21.50", "", "", "1 May 2026"), (SECOND, 21.5, "", "", date(2026, 5, 1)), headers=PROPOSAL_HEADERS
    )
    assert rows[0].answer == rows[1].answer == (None, Decimal("21.50"), (), date(2026, 5, 1))


def test_a_workbook_that_counts_days_from_1904_means_the_same_days() -> None:
    sheet = [PROPOSAL_HEADERS, (FIRST, 21, "", "", date(2026, 5, 1))]
    (row,) = read_return(build_workbook(sheet, date_1904=True)).rows
    assert row.can_start_on == date(2026, 5, 1)


def test_one_cell_that_cannot_be_read_leaves_the_whole_proposal_unused() -> None:
    (row,) = read_rows((FIRST, 21.5, "", "", "soon"), headers=PROPOSAL_HEADERS)
    assert str(row.problem) == "row 2: 'soon' is not a date; write it like 1 December 2026"
    assert not row.has_answer


def test_a_changed_cell_of_the_council_is_noted_and_the_answer_counts() -> None:
    content = write_csv(a_batching_list()).replace(b"Northmoor", b"Southmoor", 1)
    rows = read_return(content).rows
    assert [row.note is not None for row in rows] == [True, False, False]
    assert rows[0].problem is None


def test_sorting_one_column_alone_is_noted_in_every_row_that_moved() -> None:
    document = a_batching_list()
    references = [str(row.reference).encode() for row in document.rows[:2]]
    content = write_csv(document).replace(references[0], b"#").replace(references[1], references[0])
    rows = read_return(content.replace(b"#", references[1])).rows
    assert [row.note is not None for row in rows] == [True, True, False]


def test_a_file_of_other_software_without_checks_has_no_edited_rows() -> None:
    assert [row.note for row in read_rows(("Southmoor", FIRST, "Yes"), headers=("Area", *HEADERS))] == [None]


def test_a_reference_of_another_list_is_explained_when_it_is_compared_with_the_list() -> None:
    document = a_batching_list()
    foreign = str(a_reference(9))
    matched = match_return(read_return(build_workbook([HEADERS, (FIRST, "Yes"), (foreign, "Yes")])), document)
    assert [row.problem and row.problem.text for row in matched.rows] == [
        None,
        "row 3: the reference is not one of this list",
    ]


def test_a_way_to_deliver_is_known_by_its_title_or_key_and_otherwise_explained() -> None:
    document = an_available_packages_list()
    sheet = [
        PROPOSAL_HEADERS,
        (FIRST, 21, "  at other times  of day"),
        (SECOND, 21, "shared", "Shared with another provider"),
        (THIRD, 21, "by drone"),
    ]
    rows = match_return(read_return(build_workbook(sheet)), document).rows
    assert [row.variations for row in rows[:2]] == [(OTHER_TIMES.key,), (SHARED.key,)]
    assert rows[2].problem is not None
    assert rows[2].problem.kind is ProblemKind.UNKNOWN_VARIATION


def test_a_file_with_rows_of_two_lists_names_no_list() -> None:
    one, other = a_batching_list(), replace(a_batching_list(), list_id=ListId(a_reference(7)))
    content = write_csv(one) + write_csv(other).removeprefix(b"\xef\xbb\xbf")
    returned = read_return(content)
    assert returned.list_id is None
    assert len(returned.rows) == 6


def test_a_damaged_id_or_hash_is_none() -> None:
    content = write_csv(a_batching_list()).replace(str(LIST_ID).encode(), b"none").replace(b"sha256:", b"md5:")
    assert (read_return(content).list_id, read_return(content).content_hash) == (None, None)


def test_what_a_person_types_anew_is_found_by_short_headers() -> None:
    sheet = [("Ref", "Yes or no"), (FIRST, "Yes")]
    assert INTERESTED not in sheet[0]
    assert [row.is_interested for row in read_return(build_workbook(sheet)).rows] == [True]
