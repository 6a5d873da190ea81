"""Whatever bytes come back, a return is read or refused: no other error, and no row that counts twice."""

import zipfile
from io import BytesIO

from hypothesis import given, settings
from hypothesis import strategies as st

from list_documents import ReturnedList, ReturnRefused, read_form, read_return, write_csv, write_workbook
from list_documents.returns.containers import repack
from testkit.list_workbooks import replace_part, tick_workbook
from testkit.listed_documents import a_batching_list, a_reference, a_row, an_available_packages_list

WORKBOOK = write_workbook(an_available_packages_list())
CSV = write_csv(an_available_packages_list())
with zipfile.ZipFile(BytesIO(WORKBOOK)) as archive:
    PARTS = {entry.filename: archive.read(entry) for entry in archive.infolist()}

fuzzed = settings(max_examples=200, deadline=None)
positions = st.floats(0, 1, exclude_max=True)
fragments = st.one_of(
    st.binary(max_size=30),
    st.sampled_from(
        [
            b'<c r="XFD1048576"><v>1</v></c>',
            b"<row/>" * 50,
            b't="s"',
            b't="e"',
            b't="d"',
            b's="99999"',
            b"1e308",
            b"NaN",
            b"-1",
            b"&#0;",
            b"<![CDATA[",
            b"]]>",
            b'"',
            b"9" * 30,
            b"2026-99-99T99:99:99",
        ]
    ),
)


def try_to_read(content: bytes) -> ReturnedList | None:
    try:
        returned = read_return(content)
    except ReturnRefused:
        return None
    references = [row.reference for row in returned.counting_rows]
    assert None not in references
    assert len(set(references)) == len(references)
    return returned


def replace_at(content: bytes, position: float, length: int, fragment: bytes) -> bytes:
    at = int(position * len(content))
    return content[:at] + fragment + content[at + length :]


@fuzzed
@given(st.binary(max_size=500))
def test_random_bytes(content: bytes) -> None:
    try_to_read(content)


@fuzzed
@given(st.binary(max_size=300))
def test_random_bytes_that_begin_like_an_archive(content: bytes) -> None:
    assert try_to_read(b"PK\x03\x04" + content) is None


@fuzzed
@given(positions)
def test_a_workbook_that_breaks_off(position: float) -> None:
    assert try_to_read(WORKBOOK[: int(position * len(WORKBOOK))]) is None


@fuzzed
@given(positions, st.integers(0, 40), fragments)
def test_a_workbook_with_changed_bytes(position: float, length: int, fragment: bytes) -> None:
    try_to_read(replace_at(WORKBOOK, position, length, fragment))


@fuzzed
@given(st.sampled_from(sorted(PARTS)), positions, st.integers(0, 40), fragments)
def test_a_workbook_with_changed_xml(name: str, position: float, length: int, fragment: bytes) -> None:
    try_to_read(replace_part(WORKBOOK, name, replace_at(PARTS[name], position, length, fragment)))


@fuzzed
@given(st.dictionaries(st.sampled_from([*PARTS, "content.xml", "mimetype", "x/y.xml"]), st.binary(max_size=200)))
def test_random_archives(parts: dict[str, bytes]) -> None:
    assert try_to_read(repack(parts)) is None


@fuzzed
@given(st.sets(st.sampled_from(sorted(PARTS)), min_size=1))
def test_a_workbook_without_some_of_its_parts(missing: set[str]) -> None:
    try_to_read(repack({name: part for name, part in PARTS.items() if name not in missing}))


@fuzzed
@given(positions, st.integers(0, 40), fragments)
def test_a_csv_with_changed_bytes(position: float, length: int, fragment: bytes) -> None:
    try_to_read(replace_at(CSV, position, length, fragment))


@fuzzed
@given(st.lists(st.text(max_size=40), max_size=12))
def test_random_text_in_the_cells_for_answers(texts: list[str]) -> None:
    lines = [f'{a_reference(number)},"{text.replace(chr(34), "")}"' for number, text in enumerate(texts)]
    try_to_read("\n".join(("Reference,Proposed rate", *lines)).encode("utf-8", "replace"))


@fuzzed
@given(st.binary(max_size=300))
def test_random_forms(body: bytes) -> None:
    for content in (body, b"interested-" + str(a_reference(1)).encode() + b"=" + body):
        try:
            read_form(content)
        except ReturnRefused:
            continue


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.integers(1, 30), st.booleans(), max_size=30))
def test_every_tick_comes_back_with_its_reference(ticks: dict[int, bool]) -> None:
    document = a_batching_list(*(a_row(number) for number in range(1, 31)))
    answers = {a_reference(number): ticks[number] for number in ticks}
    returned = try_to_read(tick_workbook(write_workbook(document), answers))
    assert returned is not None
    assert {row.reference: row.is_interested for row in returned.counting_rows} == answers
    assert not [row for row in returned.rows if row.problem or row.note]
