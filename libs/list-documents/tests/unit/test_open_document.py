"""OpenDocument spreadsheets are read, and measured: one element can stand for a million rows."""

import pytest

from list_documents import (
    ActiveContent,
    PasswordProtected,
    ReturnDamaged,
    ReturnedRow,
    ReturnRefused,
    ReturnTooLarge,
    read_return,
)
from list_documents.returns.containers import repack
from testkit.listed_documents import a_reference

NAMES = "urn:oasis:names:tc:opendocument:xmlns"
MANIFEST = (
    f'<manifest:manifest xmlns:manifest="{NAMES}:manifest:1.0">'
    '<manifest:file-entry manifest:full-path="/" manifest:media-type="application/vnd.oasis.opendocument.spreadsheet"/>'
    "</manifest:manifest>"
)
HEADER = ("Reference", "Interested? Yes or No")


def a_cell(text: str, attributes: str = "") -> str:
    return f'<table:table-cell office:value-type="string"{attributes}><text:p>{text}</text:p></table:table-cell>'


def a_table_row(*texts: str, attributes: str = "") -> str:
    return f"<table:table-row{attributes}>{''.join(map(a_cell, texts))}</table:table-row>"


def repeat(what: str, count: int) -> str:
    return f' table:number-{what}-repeated="{count}"'


def build_ods(*rows: str, **parts: bytes) -> bytes:
    spaces = " ".join(f'xmlns:{name}="{NAMES}:{name}:1.0"' for name in ("office", "table", "text"))
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {spaces}><office:body><office:spreadsheet>'
        f'<table:table table:name="List">{"".join(rows)}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    usual = {
        "mimetype": b"application/vnd.oasis.opendocument.spreadsheet",
        "META-INF/manifest.xml": MANIFEST.encode(),
        "content.xml": content.encode(),
    }
    return repack(usual | parts)


ANSWER = a_table_row(str(a_reference(1)), "Yes")


def test_answers_in_an_open_document_are_read() -> None:
    empty = '<table:table-row table:number-rows-repeated="2"><table:table-cell/></table:table-row>'
    rows = read_return(build_ods(a_table_row(*HEADER), empty, ANSWER)).rows
    assert [(row.where, row.is_interested) for row in rows] == [("row 4", True)]


def test_empty_rows_and_cells_to_the_end_of_the_sheet_cost_nothing() -> None:
    rest = (
        '<table:table-row table:number-rows-repeated="1048570">'
        '<table:table-cell table:number-columns-repeated="16384"/></table:table-row>'
    )
    assert len(read_return(build_ods(a_table_row(*HEADER), ANSWER, rest)).rows) == 1


@pytest.mark.parametrize(
    "row",
    [
        a_table_row("x", attributes=repeat("rows", 1_048_576)),
        f"<table:table-row>{a_cell('x', repeat('columns', 16_384))}</table:table-row>",
        f"<table:table-row><table:table-cell{repeat('columns', 500)}/>{a_cell('x')}</table:table-row>",
        a_table_row("x" * 1000, attributes=repeat("rows", 9_000)),
        f"<table:table-row{repeat('rows', 5_000)}>{a_cell('x', repeat('columns', 90))}</table:table-row>",
    ],
    ids=["rows", "columns", "after empty cells", "characters", "cells"],
)
def test_repeated_cells_in_which_something_stands_are_counted(row: str) -> None:
    with pytest.raises(ReturnTooLarge):
        read_return(build_ods(a_table_row(*HEADER), ANSWER, row))


@pytest.mark.parametrize("count", ["-1", "1e9", "9999999999", "", "٣"])
def test_a_count_that_is_none_is_refused(count: str) -> None:
    with pytest.raises(ReturnDamaged):
        read_return(build_ods(a_table_row("x", attributes=f' table:number-rows-repeated="{count}"')))


@pytest.mark.parametrize("name", ["Basic/Standard/Module1.xml", "Scripts/python/x.py", "Object 1"])
def test_macros_and_objects_are_refused(name: str) -> None:
    with pytest.raises(ActiveContent):
        read_return(build_ods(a_table_row(*HEADER), ANSWER, **{f"{name} ": b"", name: b"<x/>"}))


def test_a_dde_link_is_refused() -> None:
    with pytest.raises(ActiveContent):
        read_return(build_ods(a_table_row(*HEADER), ANSWER, '<table:dde-link office:dde-application="cmd"/>'))


def test_an_encrypted_document_is_refused() -> None:
    manifest = MANIFEST.replace("/></", "><manifest:encryption-data/></manifest:file-entry></").encode()
    with pytest.raises(PasswordProtected):
        read_return(build_ods(ANSWER, **{"META-INF/manifest.xml": manifest}))


def test_a_blank_that_stands_for_a_billion_blanks_is_one() -> None:
    answer = read_answer(a_cell('Yes<text:s text:c="1000000000"/>'))
    assert answer.is_interested is True


def test_dates_and_numbers_are_read_from_their_values() -> None:
    rate = '<table:table-cell office:value-type="float" office:value="21.55"><text:p>22</text:p></table:table-cell>'
    day = '<table:table-cell office:value-type="date" office:date-value="2026-05-01"/>'
    answer = read_answer(rate, day, headers=("Reference", "Proposed rate", "Can start on"))
    assert (str(answer.rate), str(answer.can_start_on)) == ("21.55", "2026-05-01")


def test_a_note_at_a_cell_is_no_part_of_the_answer() -> None:
    note = "<office:annotation><text:p>ask Jo</text:p></office:annotation>"
    answer = read_answer(f'<table:table-cell office:value-type="string">{note}<text:p>Yes</text:p></table:table-cell>')
    assert answer.is_interested is True


def read_answer(*cells: str, headers: tuple[str, ...] = HEADER) -> ReturnedRow:
    row = f"<table:table-row>{a_cell(str(a_reference(1)))}{''.join(cells)}</table:table-row>"
    (answer,) = read_return(build_ods(a_table_row(*headers), row)).rows
    return answer


def test_a_table_within_a_table_is_refused() -> None:
    table = f'<table:table table:name="x">{ANSWER}</table:table>'
    inner = f"<table:table-row><table:table-cell>{table}</table:table-cell></table:table-row>"
    with pytest.raises(ReturnRefused):
        read_return(build_ods(a_table_row(*HEADER), inner))
