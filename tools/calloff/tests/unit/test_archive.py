"""`calloff archive` and `calloff verify --archive`: files are verified by themselves and against what audit lists."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Protocol

import pytest
from typer.testing import CliRunner, Result

from audit.domain.archives import ArchiveVerifier
from audit.domain.records import RawRecord, parse_record
from audit.domain.verification import RecordColumns, StoredRecord
from calloff.archive.main import app
from contracts.catalogue import PACKAGES
from contracts.events.offers import OfferDeclined, OfferMade
from contracts.events.searches import SourcingStarted
from contracts.examples import an_example_of
from service_runtime.retention.archive_files import Manifest, find_manifest, write_archive
from testkit.audit.builders import PACKAGE, RecordBuilder


class Services(Protocol):
    """The fixture `services`."""

    answers: dict[str, tuple[int, object]]


MONTHS: Final = ("2026-01", "2026-02")
EVENTS: Final = (SourcingStarted, OfferMade, OfferDeclined)


def to_row(raw: RawRecord) -> dict[str, Any]:
    columns = RecordColumns.from_record(parse_record(raw))
    content = {"key": raw.key, "headers": raw.headers, "payload": raw.payload, "seal": raw.seal.hex()}
    return {**vars(raw.position), **content, **vars(columns), "taken_in_at": "2026-01-10T00:00:00+00:00"}


def write_month(folder: Path, month: str, records: Sequence[RawRecord]) -> Path:
    async def list_rows() -> AsyncGenerator[Mapping[str, Any]]:
        for each in records:
            yield to_row(each)

    extent = {f"{PACKAGES}/0": (records[0].position.offset, records[-1].position.offset + 1)}
    described = {"service": "audit", "kind": "record", "month": month}
    return folder / asyncio.run(write_archive(folder, list_rows(), **described, extent=extent)).name


@pytest.fixture
def records() -> list[RawRecord]:
    return RecordBuilder().publish(*(an_example_of(kind, package_id=PACKAGE) for kind in EVENTS))


@pytest.fixture
def files(records: list[RawRecord], tmp_path: Path) -> list[Path]:
    """Two events in the first month, one in the second."""
    return [write_month(tmp_path, MONTHS[0], records[:2]), write_month(tmp_path, MONTHS[1], records[2:])]


def run_archive(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_archives_that_match_are_verified_from_the_first_event(files: list[Path]) -> None:
    result = run_archive("verify", *reversed(files))
    assert (result.exit_code, result.output.splitlines()[-1]) == (0, "All files, hashes and chains match.")
    assert "3 records in 1 streams of 2 archives were verified; no faults" in result.output


def test_a_changed_file_is_refused(files: list[Path]) -> None:
    files[0].write_bytes(files[0].read_bytes() + b"\0")
    result = run_archive("verify", *files)
    assert result.exit_code == 1
    assert "its SHA-256 is not that of its manifest" in result.output


def test_a_changed_row_is_found_though_the_manifest_was_changed_too(records: list[RawRecord], tmp_path: Path) -> None:
    forged = replace(records[1], payload=(records[1].payload or b"").replace(b"tier-1", b"tier-2"))
    assert forged != records[1]
    document = json.loads(
        run_archive("verify", "--json", write_month(tmp_path, MONTHS[0], [records[0], forged])).output
    )
    assert (document["records"], document["found"]) == (2, 1)
    assert document["faults"][0][:2] == ["the hash is not that of the bytes", f"{PACKAGES}/0 at 1"]


def test_a_file_with_fewer_rows_than_its_manifest_says_is_refused(files: list[Path]) -> None:
    manifest = replace(Manifest.load(files[0]), row_count=5)
    find_manifest(files[0]).write_text(json.dumps(vars(manifest)))
    result = run_archive("verify", *files)
    assert result.exit_code == 1
    assert "the files have 3 rows, not 6 as their manifests say" in result.output


def test_archives_after_the_first_lack_what_is_before_them(files: list[Path]) -> None:
    result = run_archive("verify", files[1])
    assert result.exit_code == 1
    assert "stored rows before it are missing" in result.output


def test_the_trail_of_an_archived_package_is_read_from_the_files(files: list[Path]) -> None:
    lines = json.loads(run_archive("trail", PACKAGE, *files, "--json").output)
    assert [(each["sequence"], each["verified"]) for each in lines] == [(1, True), (2, True), (3, True)]
    assert (
        "The files have no event of the package."
        in run_archive("trail", RecordBuilder().make_envelope(an_example_of(SourcingStarted)).id, *files).output
    )


def test_files_of_two_tables_are_not_mixed(files: list[Path], tmp_path: Path) -> None:
    manifest = Manifest.load(files[1])
    other = replace(manifest, service="sourcing", kind="journal", extent={"positions": (1, 2)})
    path = tmp_path / other.name
    path.write_bytes(files[1].read_bytes())
    (tmp_path / "sourcing-journal-2026-02.manifest.json").write_text(json.dumps(vars(other)))
    result = run_archive("verify", files[0], path)
    assert result.exit_code == 1
    assert "the files are of audit's record and sourcing's journal" in result.output


@pytest.fixture
def listed(files: list[Path], records: list[RawRecord]) -> dict[str, Any]:
    """What audit answers if the archives are its own."""
    rows = [StoredRecord(each, RecordColumns.from_record(parse_record(each)), each.seal) for each in records]
    archives = [{"name": path.name, "sha256": Manifest.load(path).sha256} for path in files]
    return {"archives": archives, "heads": ArchiveVerifier().verify(rows).heads_digest}


def verify_with(
    run: Callable[..., Result], services: Services, listed: dict[str, Any], files: Sequence[Path]
) -> tuple[int, dict[str, Any]]:
    page: dict[str, object] = {"verified": True, "records": 5, "streams": 2, "found": 0, "faults": [], "next": None}
    services.answers |= {"/v1/archives": (200, listed), "/v1/verification": (200, page)}
    options = [part for path in files for part in ("--archive", str(path))]
    result = run("verify", "--json", *options)
    return result.exit_code, json.loads(result.output)


def test_verify_follows_the_chains_through_the_archives_into_the_record(
    run: Callable[..., Result], services: Services, listed: dict[str, Any], files: list[Path]
) -> None:
    exit_code, document = verify_with(run, services, listed, files)
    assert (exit_code, document["verified"], document["records"]) == (0, True, 5)
    assert (document["archives"]["records"], document["archives"]["differences"]) == (3, [])


def test_verify_names_an_archive_that_was_not_given_and_one_that_is_another_file(
    run: Callable[..., Result], services: Services, listed: dict[str, Any], files: list[Path]
) -> None:
    exit_code, document = verify_with(run, services, listed, files[:1])
    assert exit_code == 1
    assert document["archives"]["differences"] == [f"{files[1].name} is listed by audit and was not given"]
    listed["archives"][0]["sha256"] = "0" * 64
    exit_code, document = verify_with(run, services, listed, files)
    assert exit_code == 1
    assert document["archives"]["differences"] == [f"{files[0].name} is not the file whose SHA-256 audit has stored"]


def test_verify_finds_that_the_record_does_not_continue_where_the_archives_end(
    run: Callable[..., Result], services: Services, listed: dict[str, Any], files: list[Path]
) -> None:
    exit_code, document = verify_with(run, services, {**listed, "heads": "0" * 64}, files)
    assert exit_code == 1
    assert document["archives"]["differences"] == [
        "audit's chains do not continue after the last events of the archives"
    ]
