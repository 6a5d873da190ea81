"""The directory itself, built from the installed ONS data: what it answers, what it costs, what it survives."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from contracts.errors import CallOffError
from geography import (
    ESSEX_DISTRICTS,
    Postcode,
    PostcodeDirectory,
    PostcodeLocation,
    PostcodesUnreadable,
    UnknownLocation,
    WhyUnknown,
)
from geography.index import Index, IndexWriter
from geography.ons import Columns, list_installed_files, read_columns

COUNTY_HALL = Postcode.parse("CM1 1QH")
COLCHESTER_TOWN_HALL = Postcode.parse("CO1 1PJ")


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("geography") / "cache"
    PostcodeDirectory.open(directory)
    return directory


@pytest.fixture
def directory(built: Path) -> PostcodeDirectory:
    return PostcodeDirectory.open(built)


def index_under(directory: Path) -> Path:
    (index,) = directory.glob("*.index")
    return index


@pytest.mark.parametrize(
    ("text", "district"),
    [
        ("SS13 3ZF", "Basildon"),
        ("CM77 7GH", "Braintree"),
        ("CM14 5UW", "Brentwood"),
        ("SS7 5UP", "Castle Point"),
        ("CM1 1QH", "Chelmsford"),
        ("CO4 0AE", "Colchester"),
        ("EN9 2RZ", "Epping Forest"),
        ("CM19 5AJ", "Harlow"),
        ("CM9 4TT", "Maldon"),
        ("SS5 5DA", "Rochford"),
        ("CO15 3QR", "Tendring"),
        ("CM22 7DN", "Uttlesford"),
    ],
)
def test_each_of_the_twelve_districts_is_found(directory: PostcodeDirectory, text: str, district: str) -> None:
    place = directory.locate(Postcode.parse(text))
    assert isinstance(place, PostcodeLocation)
    assert place.district.name == district
    assert place.district in ESSEX_DISTRICTS


def test_beyond_essex_a_district_is_known_by_its_code(directory: PostcodeDirectory) -> None:
    place = directory.locate(Postcode.parse("SW1A 1AA"))
    assert isinstance(place, PostcodeLocation)
    assert (place.district.code, place.district.name) == ("E09000033", None)


@pytest.mark.parametrize("letter", ["C", "N", "Z"])
def test_every_postcode_of_the_package_is_answered_as_the_package_says(
    directory: PostcodeDirectory, letter: str
) -> None:
    (file,) = (file for file in list_installed_files() if file.name.startswith(f"postcodes_{letter}"))
    columns = read_columns(file)
    step = 1 + len(columns["pcd"]) // 5_000
    wrong = 0
    for text, code in list(zip(columns["pcd"], columns["laua"], strict=True))[::step]:
        if text.startswith("NPT"):  # a form that no home has had for a generation
            continue
        place = directory.locate(Postcode.parse(text))
        wrong += isinstance(code, str) and not (isinstance(place, PostcodeLocation) and place.district.code == code)
        wrong += not isinstance(code, str) and place != UnknownLocation(place.outward, WhyUnknown.WITHOUT_DISTRICT)
    assert wrong == 0


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("CM1 0ZZ", WhyUnknown.NOT_IN_DIRECTORY),
        ("QX9 9ZZ", WhyUnknown.NOT_IN_DIRECTORY),
        ("ZE3 9ZZ", WhyUnknown.NOT_IN_DIRECTORY),
        ("AB11 3AG", WhyUnknown.WITHOUT_DISTRICT),
        ("IM1 1AA", WhyUnknown.WITHOUT_DISTRICT),
        ("ZZ99 3VZ", WhyUnknown.NO_FIXED_ABODE),
        ("ZZ99 3WZ", WhyUnknown.PSEUDO),
    ],
)
def test_an_unknown_postcode_is_an_answer_with_its_reason(
    directory: PostcodeDirectory, text: str, why: WhyUnknown
) -> None:
    postcode = Postcode.parse(text)
    assert directory.locate(postcode) == UnknownLocation(postcode.outward, why)


def test_chelmsford_and_colchester_are_some_twenty_two_miles_apart(directory: PostcodeDirectory) -> None:
    metres = directory.compute_distance(COUNTY_HALL, COLCHESTER_TOWN_HALL)
    assert metres is not None
    assert metres / 1609.344 == pytest.approx(21.7, abs=0.5)
    assert metres == directory.compute_distance(COLCHESTER_TOWN_HALL, COUNTY_HALL)


@pytest.mark.parametrize("elsewhere", ["CM1 0ZZ", "ZZ99 3VZ", "BT1 1AA"])
def test_no_distance_is_made_up_to_what_is_unknown_or_on_another_grid(
    directory: PostcodeDirectory, elsewhere: str
) -> None:
    assert directory.compute_distance(COUNTY_HALL, Postcode.parse(elsewhere)) is None


def test_threads_share_one_directory(directory: PostcodeDirectory) -> None:
    expected = directory.locate(COUNTY_HALL)
    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(directory.locate, [COUNTY_HALL] * 2_000)) == {expected}


def test_an_index_that_is_there_is_not_built_again(built: Path) -> None:
    shares: list[float] = []
    PostcodeDirectory.open(built, progress=shares.append)
    assert shares == []


@pytest.mark.parametrize("content", [b"", b"short", b"of another format" * 10])
def test_a_file_of_another_format_is_no_index(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "postcodes.index").write_bytes(content)
    assert Index.open(tmp_path / "postcodes.index") is None


def test_an_index_cut_short_is_built_anew_with_progress_from_nothing_to_all(tmp_path: Path, built: Path) -> None:
    whole = index_under(built).read_bytes()
    (tmp_path / index_under(built).name).write_bytes(whole[:-1])
    shares: list[float] = []
    PostcodeDirectory.open(tmp_path, progress=shares.append)
    assert index_under(tmp_path).read_bytes() == whole
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


def test_a_service_that_finds_the_index_starts_at_once_and_stays_small(built: Path) -> None:
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
        pytest.skip("this system has no /proc to read the memory from")
    output = subprocess.run(
        [sys.executable, "-c", script, str(built)], check=True, capture_output=True, text=True, timeout=60
    ).stdout
    opened, looked_up, resident_kilobytes = map(float, output.split())
    assert opened < 0.5
    assert looked_up < 200e-6
    assert resident_kilobytes < 50_000


def letter(**changed: object) -> Columns:
    columns: Columns = {
        "pcd": ["CM1 1QH", "CM1 1QJ"],
        "laua": ["E07000070", float("nan")],
        "oseast1m": [570_628.0, float("nan")],
        "osnrth1m": [206_915.0, float("nan")],
    }
    return {**columns, **changed}  # pyright: ignore[reportReturnType]  # a package of another shape, on purpose


@pytest.mark.parametrize(
    "strange",
    [
        letter(pcd=["CM1 1QJ", "CM1 1QH"]),
        letter(pcd=["CM1 1QH", "CM1 1QH"]),
        letter(pcd=["CM1 1QH", "CM1  1QJ"]),
        letter(pcd=None),
        letter(laua=["E07000070"]),
        letter(oseast1m=["570628", "570629"]),
    ],
)
def test_a_package_of_another_shape_is_refused_not_misread(strange: Columns) -> None:
    with pytest.raises(PostcodesUnreadable, match="install the pinned one"):
        IndexWriter().add(strange)
    assert issubclass(PostcodesUnreadable, CallOffError)


def test_a_file_of_the_package_that_is_damaged_is_named(tmp_path: Path) -> None:
    damaged = tmp_path / "postcodes_C.msgpack.br"
    damaged.write_bytes(b"not brotli")
    with pytest.raises(PostcodesUnreadable, match=r"postcodes_C.msgpack.br"):
        read_columns(damaged)


def test_a_sector_may_not_come_twice() -> None:
    writer = IndexWriter()
    writer.add(letter())
    with pytest.raises(PostcodesUnreadable):
        writer.add(letter())
