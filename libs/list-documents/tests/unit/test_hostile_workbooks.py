"""Workbooks that run, fetch or hide something, or exhaust memory, are refused before they are parsed."""

import io
import re
import zipfile
from collections.abc import Callable
from zlib import crc32

import pytest

from list_documents import (
    ActiveContent,
    NotAList,
    PasswordProtected,
    ReturnDamaged,
    ReturnRefused,
    ReturnTooLarge,
    read_return,
    write_workbook,
)
from list_documents.returns.containers import list_parts, repack, unpack
from testkit.list_workbooks import replace_part, tick_workbook
from testkit.listed_documents import a_batching_list, a_reference, build_workbook
from testkit.workbook_parts import SHEET, WorkbookParts

LIST = write_workbook(a_batching_list())
TEXTS = "xl/sharedStrings.xml"
WORKBOOK = "xl/workbook.xml"
NAMESPACE = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


def change_part(change: Callable[[bytes], bytes], name: str = SHEET) -> bytes:
    return replace_part(LIST, name, change(WorkbookParts.read(LIST).parts[name]))


def add_cells(cells: str) -> bytes:
    """Adds rows to the sheet, after its own."""
    return change_part(lambda sheet: sheet.replace(b"</sheetData>", f"{cells}</sheetData>".encode()))


@pytest.mark.parametrize(
    "name",
    [
        "xl/vbaProject.bin",
        "xl/macrosheets/sheet1.xml",
        "xl/embeddings/oleObject1.bin",
        "xl/externalLinks/externalLink1.xml",
        "xl/activeX/activeX1.xml",
        "xl/connections.xml",
        "customUI/customUI.xml",
        "XL/VBAPROJECT.BIN",
    ],
)
def test_macros_links_and_embedded_objects_are_refused(name: str) -> None:
    with pytest.raises(ActiveContent):
        read_return(replace_part(LIST, name, b"<x/>"))


def test_a_workbook_that_declares_macros_is_refused_whatever_its_parts_are_named() -> None:
    declared = b"application/vnd.ms-excel.sheet.macroEnabled.main+xml"
    usual = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
    with pytest.raises(ActiveContent, match="macros"):
        read_return(change_part(lambda part: part.replace(usual, declared), "[Content_Types].xml"))


def test_a_dde_link_is_refused() -> None:
    with pytest.raises(ActiveContent, match="links"):
        read_return(replace_part(LIST, "xl/x.xml", b'<externalLink><ddeLink ddeService="cmd"/></externalLink>'))


def test_a_formula_is_not_computed_and_its_last_value_is_read_as_text() -> None:
    answer = '<c r="I20" t="str"><f>1+1</f><v>Yes</v></c>'
    reference = f'<c r="J20" t="inlineStr"><is><t>{a_reference(1)}</t></is></c>'
    rows = read_return(add_cells(f'<row r="20">{answer}{reference}</row>')).rows
    assert [row.is_interested for row in rows] == [None, None, None, True]


@pytest.mark.parametrize("cell", ["XFD1048576", "A1048576", "XFD1", "CW9", "A10001"])
def test_one_cell_at_the_far_end_is_refused(cell: str) -> None:
    row = cell.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    with pytest.raises(ReturnTooLarge, match="something stands below"):
        read_return(add_cells(f'<row r="{row}"><c r="{cell}"><v>1</v></c></row>'))


def test_an_empty_cell_with_a_format_at_the_far_end_costs_nothing() -> None:
    rows = read_return(add_cells('<row r="1048576"><c r="A1048576" s="1"/></row>')).rows
    assert len(rows) == 3


def test_rows_and_cells_without_a_place_are_counted() -> None:
    with pytest.raises(ReturnTooLarge):
        read_return(add_cells("<row/>" * 10_000 + "<row><c><v>1</v></c></row>"))
    with pytest.raises(ReturnTooLarge):
        read_return(add_cells("<row>" + "<c/>" * 100 + "<c><v>1</v></c></row>"))


def test_more_elements_than_a_list_can_have_are_refused() -> None:
    with pytest.raises(ReturnTooLarge):
        read_return(add_cells("<row/>" * 600_000))


def test_a_long_text_that_many_cells_share_is_refused() -> None:
    long = f"<sst {NAMESPACE}><si><t>{'x' * 30_000}</t></si></sst>"
    rows = "".join(f'<row r="{row}"><c r="A{row}" t="s"><v>0</v></c></row>' for row in range(20, 220))
    sheet = f"<worksheet {NAMESPACE}><sheetData>{rows}</sheetData></worksheet>"
    with pytest.raises(ReturnTooLarge):
        read_return(replace_part(replace_part(LIST, TEXTS, long.encode()), SHEET, sheet.encode()))


@pytest.mark.parametrize("place", ["", "A0x", "AAAA1", "1A", "A" * 2000, "A99999999999", "A&#49;&#48;;"])
def test_a_cell_whose_place_is_none_is_refused(place: str) -> None:
    with pytest.raises(ReturnRefused):
        read_return(add_cells(f'<row r="20"><c r="{place}"><v>1</v></c></row>'))


def test_entities_are_refused() -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>'
    with pytest.raises(ReturnDamaged):
        read_return(change_part(lambda sheet: sheet.replace(b"<worksheet", bomb + b"<worksheet", 1)))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
def test_xml_in_another_encoding_than_utf_8_is_refused(encoding: str) -> None:
    with pytest.raises(ReturnDamaged):
        read_return(change_part(lambda sheet: sheet.decode().replace("UTF-8", encoding).encode(encoding)))


def test_utf_16_that_declares_no_encoding_is_refused() -> None:
    with pytest.raises(ReturnDamaged):
        read_return(change_part(lambda sheet: sheet.decode().partition("?>")[2].encode("utf-16")))


def test_a_declared_encoding_other_than_utf_8_is_refused() -> None:
    with pytest.raises(ReturnDamaged):
        read_return(change_part(lambda sheet: sheet.replace(b"UTF-8", b"ISO-8859-1")))


def test_a_dense_part_is_refused_before_it_is_unpacked() -> None:
    with pytest.raises(ReturnTooLarge, match="too densely"):
        read_return(replace_part(LIST, "xl/media/image1.png", b"\0" * 20_000_000))


def test_more_than_can_be_unpacked_is_refused() -> None:
    with pytest.raises(ReturnTooLarge, match="unpacks to more"):
        read_return(replace_part(LIST, "xl/media/image1.png", b"\0" * 40_000_000))


def test_more_parts_than_a_workbook_has_are_refused() -> None:
    packed = repack({f"xl/part{number}.xml": b"<x/>" for number in range(301)})
    with pytest.raises(ReturnTooLarge):
        read_return(packed)


def test_a_directory_that_states_a_smaller_size_hides_nothing_from_the_parser() -> None:
    """The archive states 1,000 bytes for a part that unpacks to more, with the checksum of those 1,000."""
    sheet = WorkbookParts.read(LIST).parts[SHEET]
    entry = next(each for each in zipfile.ZipFile(io.BytesIO(LIST)).infolist() if each.filename == SHEET)
    old = entry.CRC.to_bytes(4, "little") + entry.compress_size.to_bytes(4, "little") + len(sheet).to_bytes(4, "little")
    new = crc32(sheet[:1000]).to_bytes(4, "little") + old[4:8] + (1000).to_bytes(4, "little")
    assert LIST.count(old) == 2
    content = LIST.replace(old, new)
    assert len(unpack(content)[SHEET]) == 1000
    with pytest.raises(ReturnDamaged):
        read_return(content)


def test_a_part_that_is_named_twice_is_refused() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("xl/workbook.xml", b"<x/>")
        archive.writestr("XL/workbook.xml", b"<x/>")
    with pytest.raises(ReturnDamaged):
        list_parts(packed.getvalue())


def test_an_encrypted_part_is_refused() -> None:
    """Sets the flag of encryption in each entry of the directory."""
    at = LIST.index(b"PK\x01\x02")
    content = bytearray(LIST)
    content[at + 8] |= 1
    with pytest.raises(PasswordProtected):
        read_return(bytes(content))


def test_an_old_workbook_and_an_encrypted_one_are_told_apart() -> None:
    compound = bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 1000
    with pytest.raises(NotAList, match="xlsx"):
        read_return(compound)
    with pytest.raises(PasswordProtected, match="without a password"):
        read_return(compound + "EncryptedPackage".encode("utf-16-le"))


def test_a_binary_workbook_is_refused() -> None:
    with pytest.raises(NotAList, match="xlsb"):
        read_return(replace_part(LIST, "xl/workbook.bin", b""))


@pytest.mark.parametrize(
    "parts", [{"a.txt": b"x"}, {"mimetype": b"application/epub+zip"}, {"word/document.xml": b"<x/>"}]
)
def test_an_archive_that_is_no_workbook_is_refused(parts: dict[str, bytes]) -> None:
    with pytest.raises(NotAList):
        read_return(repack(parts))


def test_more_sheets_than_a_list_can_have_are_refused() -> None:
    assert read_return(build_workbook(*([["Reference", "Interested"]] for _ in range(10)))).rows == ()
    with pytest.raises(ReturnTooLarge, match="sheets"):
        read_return(build_workbook(*([["Reference", "Interested"]] for _ in range(11))))


def test_a_sheet_that_the_workbook_names_many_times_is_read_once() -> None:
    again = b'<sheet name="again" sheetId="9" r:id="rId1"/>' * 1000
    rows = read_return(change_part(lambda part: part.replace(b"</sheets>", again + b"</sheets>"), WORKBOOK)).rows
    assert len(rows) == 3


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        (TEXTS, r' uniqueCount="\d+"', ' uniqueCount="4000000000"'),
        (TEXTS, r' count="\d+"', ' count="18446744073709551615"'),
        ("xl/styles.xml", r'<cellXfs count="\d+"', '<cellXfs count="4294967295"'),
        (SHEET, r'<dimension ref="[^"]*"', '<dimension ref="A1:XFD1048576"'),
        (
            SHEET,
            r"</sheetData>",
            '</sheetData><mergeCells count="4294967295"><mergeCell ref="A1:XFD1048576"/></mergeCells>',
        ),
    ],
)
def test_counts_that_a_part_declares_reserve_no_memory(name: str, old: str, new: str) -> None:
    """The parser would reserve 96 GB for the first of them, and its process would end."""
    content = change_part(lambda part: re.sub(old.encode(), new.encode(), part, count=1), name)
    assert content != LIST
    assert len(read_return(content).rows) == 3


def test_a_shared_formula_for_the_whole_sheet_is_left_out() -> None:
    formula = '<row r="20"><c r="A20"><f t="shared" ref="A20:XFD1048576" si="4294967295">B1</f><v>1</v></c></row>'
    assert len(read_return(add_cells(formula)).rows) == 3


def test_a_tag_longer_than_any_of_a_list_is_refused_unread() -> None:
    attributes = " ".join(f'a{number}="1"' for number in range(40_000))
    with pytest.raises(ReturnTooLarge, match="more text"):
        read_return(add_cells(f"<row {attributes}/>"))


def test_elements_within_each_other_are_refused() -> None:
    with pytest.raises(ReturnDamaged):
        read_return(add_cells("<row>" * 100 + "</row>" * 100))


def test_a_refusal_repeats_nothing_of_what_was_sent() -> None:
    with pytest.raises(ReturnRefused) as refused:
        read_return(b"My name is Jo, my number is 01206 000000")
    assert "Jo" not in str(refused.value)
    assert "01206" not in str(refused.value)


def test_a_picture_in_a_workbook_is_left_out_and_the_answers_are_read() -> None:
    ticked = tick_workbook(LIST, {a_reference(1): True})
    content = replace_part(ticked, "xl/media/image1.png", b"\x89PNG")
    assert "xl/media/image1.png" not in unpack(content)
    assert [row.is_interested for row in read_return(content).counting_rows] == [True]
