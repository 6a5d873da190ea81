"""The postcode directory, built from the installed ONS data: results, start-up time, memory and damaged files."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from contracts.errors import CallOffError
from geography import (
    Postcode,
    PostcodeDirectory,
    PostcodeLocation,
    PostcodesUnreadable,
    UnknownLocation,
    UnknownReason,
)
from geography.index import IndexWriter, PostcodeIndex
from geography.ons import Columns, list_installed_files, read_columns

pytestmark = pytest.mark.slow  # builds the index of 2.6 million postcodes

COUNTY_HALL = Postcode.parse("CM1 1QH")
COLCHESTER_COUNCIL_OFFICE = Postcode.parse("CO1 1PJ")


@pytest.fixture(scope="session")
def index_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with an index."""
    directory = tmp_path_factory.mktemp("geography") / "cache"
    PostcodeDirectory.open(directory)
    return directory


@pytest.fixture
def directory(index_directory: Path) -> PostcodeDirectory:
    return PostcodeDirectory.open(index_directory)


def find_index(directory: Path) -> Path:
    (index,) = directory.glob("*.index")
    return index


@pytest.mark.parametrize(
    ("text", "district"),
    [
        ("SS13 3ZF", "E07000066"),
        ("CM77 7GH", "E07000067"),
        ("CM14 5UW", "E07000068"),
        ("SS7 5UP", "E07000069"),
        ("CM1 1QH", "E07000070"),
        ("CO4 0AE", "E07000071"),
        ("EN9 2RZ", "E07000072"),
        ("CM19 5AJ", "E07000073"),
        ("CM9 4TT", "E07000074"),
        ("SS5 5DA", "E07000075"),
        ("CO15 3QR", "E07000076"),
        ("CM22 7DN", "E07000077"),
        ("SW1A 1AA", "E09000033"),
    ],
)
def test_a_district_is_found_by_its_code(directory: PostcodeDirectory, text: str, district: str) -> None:
    place = directory.locate(Postcode.parse(text))
    assert isinstance(place, PostcodeLocation)
    assert place.district.code == district


@pytest.mark.parametrize("initial", ["C", "N", "Z"])
def test_every_postcode_has_the_district_of_the_package(directory: PostcodeDirectory, initial: str) -> None:
    (file,) = (file for file in list_installed_files() if file.name.startswith(f"postcodes_{initial}"))
    columns = read_columns(file)
    step = 1 + len(columns["pcd"]) // 5_000
    wrong = 0
    for text, code in list(zip(columns["pcd"], columns["laua"], strict=True))[::step]:
        if text.startswith("NPT"):  # an obsolete form that the parser refuses
            continue
        place = directory.locate(Postcode.parse(text))
        wrong += isinstance(code, str) and not (isinstance(place, PostcodeLocation) and place.district.code == code)
        wrong += not isinstance(code, str) and place != UnknownLocation(place.outward, UnknownReason.WITHOUT_DISTRICT)
    assert wrong == 0


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("CM1 0ZZ", UnknownReason.NOT_IN_DIRECTORY),
        ("QX9 9ZZ", UnknownReason.NOT_IN_DIRECTORY),
        ("ZE3 9ZZ", UnknownReason.NOT_IN_DIRECTORY),
        ("AB11 3AG", UnknownReason.WITHOUT_DISTRICT),
        ("IM1 1AA", UnknownReason.WITHOUT_DISTRICT),
        ("ZZ99 3VZ", UnknownReason.NO_FIXED_ABODE),
        ("ZZ99 3WZ", UnknownReason.PSEUDO),
    ],
)
def test_an_unknown_postcode_is_reported_with_its_reason(
    directory: PostcodeDirectory, text: str, reason: UnknownReason
) -> None:
    postcode = Postcode.parse(text)
    assert directory.locate(postcode) == UnknownLocation(postcode.outward, reason)


def test_chelmsford_and_colchester_are_some_twenty_two_miles_apart(directory: PostcodeDirectory) -> None:
    metres = directory.compute_distance(COUNTY_HALL, COLCHESTER_COUNCIL_OFFICE)
    assert metres is not None
    assert metres / 1609.344 == pytest.approx(21.7, abs=0.5)
    assert metres == directory.compute_distance(COLCHESTER_COUNCIL_OFFICE, COUNTY_HALL)


@pytest.mark.parametrize("elsewhere", ["CM1 0ZZ", "ZZ99 3VZ", "BT1 1AA"])
def test_there_is_no_distance_to_an_unknown_postcode_or_one_on_another_grid(
    directory: PostcodeDirectory, elsewhere: str
) -> None:
    assert directory.compute_distance(COUNTY_HALL, Postcode.parse(elsewhere)) is None


def test_threads_share_one_directory(directory: PostcodeDirectory) -> None:
    expected = directory.locate(COUNTY_HALL)
    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(directory.locate, [COUNTY_HALL] * 2_000)) == {expected}


def test_an_existing_index_is_not_built_again(index_directory: Path) -> None:
    shares: list[float] = []
    PostcodeDirectory.open(index_directory, progress=shares.append)
    assert shares == []


@pytest.mark.parametrize("content", [b"", b"short", b"of another format" * 10])
def test_a_file_of_another_format_is_no_index(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "postcodes.index").write_bytes(content)
    assert PostcodeIndex.open(tmp_path / "postcodes.index") is None


def test_a_truncated_index_is_rebuilt_and_reports_progress_from_0_to_1(tmp_path: Path, index_directory: Path) -> None:
    whole = find_index(index_directory).read_bytes()
    (tmp_path / find_index(index_directory).name).write_bytes(whole[:-1])
    shares: list[float] = []
    PostcodeDirectory.open(tmp_path, progress=shares.append)
    assert find_index(tmp_path).read_bytes() == whole
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    assert shares == sorted(shares)


def test_processes_that_start_together_build_one_index(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from geography import PostcodeDirectory as D;"
        "D.open(Path(sys.argv[1]), progress=print)"
    )
    starts = [subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE) for _ in range(3)]
    outputs = [start.communicate()[0] for start in starts]
    assert [start.returncode for start in starts] == [0, 0, 0]
    assert sorted(bool(output) for output in outputs) == [False, False, True]


def test_an_existing_index_opens_in_half_a_second_and_uses_little_memory(index_directory: Path) -> None:
    script = """
import sys
from pathlib import Path
from time import perf_counter
from geography import Postcode, PostcodeDirectory
start = perf_counter()
directory = PostcodeDirectory.open(Path(sys.argv[1]))
opened = perf_counter() - start
county_hall = Postcode.parse("CM1 1QH")
start = perf_counter()
for _ in range(10_000):
    directory.locate(county_hall)
looked_up = (perf_counter() - start) / 10_000
resident = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS"))
print(opened, looked_up, resident.split()[1])
"""
    if not Path("/proc/self/status").exists():
        pytest.skip("this test reads its memory use from /proc, which this system does not have")
    output = subprocess.run(
        [sys.executable, "-c", script, str(index_directory)], check=True, capture_output=True, text=True, timeout=60
    ).stdout
    opened, looked_up, resident_kilobytes = map(float, output.split())
    assert opened < 0.5
    assert looked_up < 200e-6
    assert resident_kilobytes < 50_000


def build_columns(**changed: object) -> Columns:
    columns: Columns = {
        "pcd": ["CM1 1QH", "CM1 1QJ"],
        "laua": ["E07000070", float("nan")],
        "oseast1m": [570_628.0, float("nan")],
        "osnrth1m": [206_915.0, float("nan")],
    }
    return {**columns, **changed}  # pyright: ignore[reportReturnType]  # invalid columns on purpose


@pytest.mark.parametrize(
    "columns",
    [
        build_columns(pcd=["CM1 1QJ", "CM1 1QH"]),
        build_columns(pcd=["CM1 1QH", "CM1 1QH"]),
        build_columns(pcd=["CM1 1QH", "CM1  1QJ"]),
        build_columns(pcd=None),
        build_columns(laua=["E07000070"]),
        build_columns(oseast1m=["570628", "570629"]),
    ],
)
def test_a_package_with_an_unknown_format_is_refused(columns: Columns) -> None:
    with pytest.raises(PostcodesUnreadable, match="install the pinned version"):
        IndexWriter().add(columns)
    assert issubclass(PostcodesUnreadable, CallOffError)


def test_the_error_of_a_damaged_file_names_the_file(tmp_path: Path) -> None:
    damaged = tmp_path / "postcodes_C.msgpack.br"
    damaged.write_bytes(b"not brotli")
    with pytest.raises(PostcodesUnreadable, match=r"postcodes_C.msgpack.br"):
        read_columns(damaged)


def test_a_sector_in_two_files_is_refused() -> None:
    writer = IndexWriter()
    writer.add(build_columns())
    with pytest.raises(PostcodesUnreadable):
        writer.add(build_columns())
