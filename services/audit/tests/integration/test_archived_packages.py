"""HTTP answers about a package whose events are in an archive, and about the record that continues after it."""

from datetime import UTC, datetime
from pathlib import Path

from audit.domain.archives import ArchiveVerifier
from audit.store.archive import RecordsTable
from audit.store.archive_reader import read_archives
from contracts.events.packages import WithdrawalRequested
from contracts.examples import an_example_of
from contracts.ids import PackageId
from service_runtime.retention.archiver import Archiver
from service_runtime.retention.journal_archive import JournalTable
from testkit.audit.harness import AuditHarness

LATER = datetime(2026, 6, 1, tzinfo=UTC)


async def test_an_archived_package_is_named_with_its_archive_and_the_rest_verifies(
    harness: AuditHarness, package: PackageId, tmp_path: Path
) -> None:
    case = await harness.send_complete_case(package)
    before = await harness.get("/v1/archives")
    assert (before.status, before.body["archives"]) == (200, [])
    archiver = Archiver(harness.audit.owner, "audit", [JournalTable(), RecordsTable()])
    (moved,) = await archiver.archive(tmp_path, keep_months=1, now=LATER)

    paths = [f"/v1/packages/{package}/trail", f"/v1/packages/{package}/why-not/{case.providers['Alder']}"]
    evidence = f"/v1/packages/{package}/evidence"
    for path in (*paths, evidence, f"/v1/verification?package_id={package}"):
        answer = await harness.get(path)
        assert (answer.status, answer.body["title"]) == (404, "Package archived")
        assert moved.name in answer.body["detail"]
        stranger = await harness.get(path, council="another-council")
        assert (stranger.status, stranger.body["title"]) == (404, "Not Found")

    listed = (await harness.get("/v1/archives", "operations:manage")).body
    assert [(each["name"], each["records"], each["sha256"]) for each in listed["archives"]] == [
        (moved.name, moved.row_count, moved.sha256)
    ]
    assert ArchiveVerifier().verify(read_archives([tmp_path / moved.name])).heads_digest == listed["heads"]
    rest = (await harness.get("/v1/verification", "operations:manage")).body
    assert (rest["verified"], rest["records"]) == (True, 3 + 2 * len(case.providers))

    await harness.send_records(case.record_builder.publish(an_example_of(WithdrawalRequested, package_id=package)))
    await harness.wait_for_records(package, count=1)
    trail = (await harness.get(paths[0])).body
    assert (trail["verified"], trail["archives"], len(trail["lines"])) == (True, [moved.name], 1)
    assert (await harness.get(paths[1])).body["title"] == "Package archived"
    rest = (await harness.get(evidence)).body
    assert (rest["verified"], rest["archives"], len(rest["events"])) == (True, [moved.name], 1)

    await archiver.restore(tmp_path / moved.name)
    restored = await harness.get(paths[0])
    assert (restored.status, restored.body["verified"], restored.body["archives"]) == (200, True, [])
    assert len(restored.body["lines"]) > len(trail["lines"])
