"""The workbook: locked but for the answers, without formulas, set up for screen, print and screen readers."""

import re
import zipfile
from decimal import Decimal
from io import BytesIO
from xml.etree import ElementTree as ET

import pytest

from list_documents import ListDocument, Variation, hash_content, write_workbook
from testkit.list_workbooks import INTERESTED, CellIsLocked, fill_workbook, read_cells, tick_workbook
from testkit.listed_documents import (
    LIST_ID,
    OTHER_TIMES,
    a_batching_list,
    a_reference,
    a_row,
    an_available_packages_list,
)
from testkit.workbook_parts import SHEET, WorkbookParts, get_column, tag

both_kinds = pytest.mark.parametrize(
    "document", [a_batching_list(), an_available_packages_list()], ids=lambda each: each.kind
)


def read_part(document: ListDocument, name: str = SHEET) -> ET.Element:
    return ET.fromstring(WorkbookParts.read(write_workbook(document)).parts[name])


def list_texts(document: ListDocument) -> list[str]:
    return list(WorkbookParts.read(write_workbook(document)).texts)


def list_unlocked_columns(document: ListDocument) -> set[str]:
    parts = WorkbookParts.read(write_workbook(document))
    return {get_column(cell) for cell in parts.parse_sheet().iter(tag("c")) if not parts.is_locked(cell)}


@both_kinds
def test_every_package_has_a_row_with_its_reference(document: ListDocument) -> None:
    assert [cells["Reference"] for cells in read_cells(write_workbook(document))] == [
        str(a_reference(number)) for number in (1, 2, 3)
    ]


def test_a_row_states_the_package_in_words_and_numbers() -> None:
    cells = next(iter(read_cells(write_workbook(a_batching_list(a_row(weekly_hours=Decimal("10.50")))))))
    assert (cells["Area"], cells["Postcode district"], cells["Age"]) == ("Northmoor", "CO1", "75 to 84")
    assert (cells["Hours a week"], cells["Carers at once"]) == ("10.50", "1")
    assert cells["Skills needed"] == "Dementia; Moving and handling"


def test_a_package_without_skills_and_without_a_district_says_so() -> None:
    cells = next(iter(read_cells(write_workbook(a_batching_list(a_row(skills=(), outward_code=None))))))
    assert (cells["Skills needed"], cells["Postcode district"]) == ("none", "not shown")


@both_kinds
def test_the_first_sheet_has_title_instructions_list_and_hash(document: ListDocument) -> None:
    texts = list_texts(document)
    assert texts[:2] == [document.title, document.framework]
    assert any("save the file and send it back" in text for text in texts)
    assert {str(LIST_ID), f"sha256:{hash_content(document)}"} <= set(texts)


@both_kinds
def test_the_sheet_is_protected_and_only_the_cells_for_answers_are_unlocked(document: ListDocument) -> None:
    protection = read_part(document).find(tag("sheetProtection"))
    assert protection is not None
    assert protection.get("sheet") == "1"
    assert list_unlocked_columns(document) == ({"I"} if document.closes_at else {"K", "L", "M", "N"})


def test_the_headers_of_answers_look_like_the_cells_below_them_and_the_others_do_not() -> None:
    row = next(each for each in read_part(a_batching_list()).iter(tag("row")) if each.get("r") == "6")
    styles = {get_column(cell): cell.get("s") for cell in row}
    assert {column for column in styles if styles[column] == styles["I"]} == {"I"}


def test_a_locked_cell_cannot_be_filled() -> None:
    with pytest.raises(CellIsLocked):
        fill_workbook(write_workbook(a_batching_list()), {a_reference(1): {"Area": "Southmoor"}})


def test_an_unlocked_cell_can_be_filled() -> None:
    ticked = tick_workbook(write_workbook(a_batching_list()), {a_reference(2): True})
    assert [cells.get(INTERESTED, "") for cells in read_cells(ticked)] == ["", "Yes", ""]


@both_kinds
def test_no_cell_contains_a_formula(document: ListDocument) -> None:
    build = a_batching_list if document.closes_at else an_available_packages_list
    changed = build(a_row(5, area="=1+1", service_type="+x", skills=("@SUM(A1)",), unit="-hour"))
    sheet = read_part(changed)
    assert list(sheet.iter(tag("f"))) == []
    assert {"=1+1", "+x", "@SUM(A1)"} <= set(list_texts(changed))


def test_text_that_looks_like_an_address_is_no_link() -> None:
    document = a_batching_list(a_row(area="https://example.org"))
    assert list(read_part(document).iter(tag("hyperlink"))) == []


def test_yes_and_no_are_chosen_from_a_list() -> None:
    rules = list(read_part(a_batching_list()).iter(tag("dataValidation")))
    assert [(rule.get("type"), rule.get("sqref")) for rule in rules] == [("list", "I7:I9")]
    assert rules[0].findtext(tag("formula1")) == '"Yes,No"'


def test_rate_ways_and_start_have_rules() -> None:
    rules = list(read_part(an_available_packages_list()).iter(tag("dataValidation")))
    assert [rule.get("type") for rule in rules] == ["decimal", "list", "list", "date"]
    assert [rule.findtext(tag("formula1")) for rule in rules[:3]] == ["0.01", "Ways_to_deliver", "Ways_to_deliver"]


def test_the_ways_to_deliver_stand_on_a_second_sheet_whatever_their_length() -> None:
    title = "x, " * 60
    document = an_available_packages_list(variations=(Variation(OTHER_TIMES.key, title),))
    assert title in list_texts(document)


def test_a_list_without_other_ways_has_neither_columns_nor_a_sheet_for_them() -> None:
    content = write_workbook(an_available_packages_list(variations=()))
    assert "xl/worksheets/sheet2.xml" not in zipfile.ZipFile(BytesIO(content)).namelist()
    assert not [header for header in next(iter(read_cells(content))) if "way" in header]


@both_kinds
def test_the_packages_are_a_table_with_headers_and_no_merged_cells(document: ListDocument) -> None:
    table = read_part(document, "xl/tables/table1.xml")
    assert table.get("headerRowCount", "1") == "1"
    assert len(list(table.iter(tag("tableColumn")))) == (11 if document.closes_at else 16)
    assert list(read_part(document).iter(tag("mergeCell"))) == []


@both_kinds
def test_the_check_is_hidden_and_the_reference_is_not(document: ListDocument) -> None:
    hidden = [each for each in read_part(document).iter(tag("col")) if each.get("hidden") == "1"]
    assert [each.get("min") for each in hidden] == ["11" if document.closes_at else "16"]


@both_kinds
def test_it_prints_on_landscape_pages_as_wide_as_the_list_with_repeated_headers(document: ListDocument) -> None:
    sheet = read_part(document)
    setup = sheet.find(tag("pageSetup"))
    assert setup is not None
    assert (setup.get("orientation"), setup.get("fitToHeight"), setup.get("paperSize")) == ("landscape", "0", "9")
    names = {name.get("name"): name.text for name in read_part(document, "xl/workbook.xml").iter(tag("definedName"))}
    assert re.fullmatch(r"Packages!\$(\d+):\$\1", names["_xlnm.Print_Titles"] or "")
    assert {"Answers", "References", "_xlnm.Print_Area"} <= names.keys()


@both_kinds
def test_title_and_headers_stay_in_view(document: ListDocument) -> None:
    pane = next(read_part(document).iter(tag("pane")))
    assert pane.get("state") == "frozen"
    assert pane.get("topLeftCell") == ("A7" if document.closes_at else "A10")


def test_properties_name_the_list() -> None:
    properties = "".join(read_part(a_batching_list(), "docProps/core.xml").itertext())
    assert "Batching List of Tue 7 Apr 2026" in properties
    assert str(LIST_ID) in properties


def test_the_same_document_gives_the_same_bytes() -> None:
    assert write_workbook(a_batching_list()) == write_workbook(a_batching_list())


def test_long_names_and_sixty_rows_have_room() -> None:
    skills = tuple(f"A skill with a long name, number {number}" for number in range(12))
    document = a_batching_list(*(a_row(number, skills=skills, area="Upper Northmoor " * 6) for number in range(60)))
    rows = [row for row in read_part(document).iter(tag("row")) if int(row.get("r", "0")) > 6]
    assert len(rows) == 60
    assert min(float(row.get("ht", "0")) for row in rows) > 160
