"""The monthly CronJobs that archive: when they run, how often they try again, and where their files stay."""

import json
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

import pytest

from devstack.config import SERVICES
from devstack.home import REPOSITORY
from service_runtime.process_commands import MIGRATE, check_command
from service_runtime.retention.commands import parse_arguments
from service_runtime.startup.errors import EXIT_CONFIG, EXIT_TEMPORARY
from testkit.kubernetes_manifests import (
    SOURCES,
    Container,
    Manifest,
    find_all,
    find_one,
    get_pod,
    list_containers,
    list_workloads,
)

MONTHLY: Final = re.compile(r"(\d+) (\d+) (\d+) \* \*")
"""Minute, hour and day of the month."""
CONTAINER_PATH: Final = "/spec/template/spec/containers/0/"
LONGEST_PAUSE: Final = 360
"""Seconds. Between attempts, Kubernetes pauses for 10 s, and twice as long each time up to this."""

each_overlay = pytest.mark.parametrize("overlay", ["production", "minimal"])


def _find_archives(manifests: list[Manifest]) -> dict[str, Container]:
    """Returns the containers of the CronJobs, by their service."""
    found = [each for each in list_containers(manifests) if each.workload["kind"] == "CronJob"]
    assert all(each.workload["metadata"]["name"] == f"calloff-archive-{each.words[0]}" for each in found)
    return {each.words[0]: each for each in found}


def _find_claims(workload: Manifest) -> dict[str, str]:
    """Returns the claims of a workload's pods, by the name of their volumes."""
    return {
        volume["name"]: volume["persistentVolumeClaim"]["claimName"]
        for volume in get_pod(workload)["volumes"]
        if "persistentVolumeClaim" in volume
    }


def _find_projected(workload: Manifest) -> Mapping[str, Manifest]:
    return {volume["name"]: volume for volume in get_pod(workload)["volumes"] if "projected" in volume}


@each_overlay
def test_every_service_archives_each_month_in_a_minute_of_its_own(overlay: str, request: pytest.FixtureRequest) -> None:
    minutes: set[tuple[str, ...]] = set()
    archives = _find_archives(request.getfixturevalue(overlay))
    assert archives.keys() == {service.name for service in SERVICES}
    for container in archives.values():
        spec = container.workload["spec"]
        schedule = MONTHLY.fullmatch(spec["schedule"])
        assert schedule is not None, container.label
        assert int(schedule[3]) <= 28, "every month has this day"
        assert spec["timeZone"] == "Etc/UTC"
        minutes.add(schedule.groups())
    assert len(minutes) == len(SERVICES)


def test_archives_run_after_the_back_ups_of_the_night(production: list[Manifest]) -> None:
    backups = [each["spec"]["schedule"].split()[1:3] for each in find_all(production, "ScheduledBackup")]
    last = max((int(hour), int(minute)) for minute, hour in backups)
    for container in _find_archives(production).values():
        minute, hour, *_ = container.workload["spec"]["schedule"].split()
        assert (int(hour), int(minute)) > last


@each_overlay
def test_one_run_at_a_time_ends_before_the_next(overlay: str, request: pytest.FixtureRequest) -> None:
    for container in _find_archives(request.getfixturevalue(overlay)).values():
        spec = container.workload["spec"]
        job = spec["jobTemplate"]["spec"]
        assert spec["concurrencyPolicy"] == "Forbid"
        assert spec["suspend"] is True, "rows leave the back-ups: somebody has to decide that"
        latest = timedelta(seconds=spec["startingDeadlineSeconds"] + job["activeDeadlineSeconds"])
        assert timedelta(days=1) < latest < timedelta(days=28)
        assert job["activeDeadlineSeconds"] > (job["backoffLimit"] + 1) * LONGEST_PAUSE
        assert spec["failedJobsHistoryLimit"] >= 1, "its log says why it failed"


@each_overlay
def test_an_attempt_is_repeated_only_if_it_may_succeed(overlay: str, request: pytest.FixtureRequest) -> None:
    for container in _find_archives(request.getfixturevalue(overlay)).values():
        drained, final = container.workload["spec"]["jobTemplate"]["spec"]["podFailurePolicy"]["rules"]
        assert drained == {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}
        assert (final["action"], final["onExitCodes"]["operator"]) == ("FailJob", "In")
        assert final["onExitCodes"]["containerName"] == container.spec["name"]
        assert {1, EXIT_CONFIG} <= set(final["onExitCodes"]["values"])
        assert EXIT_TEMPORARY not in final["onExitCodes"]["values"]
        assert get_pod(container.workload)["restartPolicy"] == "Never", "the policy needs it"


@each_overlay
def test_files_stay_on_a_volume_of_the_service(overlay: str, request: pytest.FixtureRequest) -> None:
    manifests: list[Manifest] = request.getfixturevalue(overlay)
    users = [claim for each in list_workloads(manifests) for claim in _find_claims(each).values()]
    assert sorted(users) == sorted(each["metadata"]["name"] for each in find_all(manifests, "PersistentVolumeClaim"))
    for service, container in _find_archives(manifests).items():
        folder = parse_arguments(service, container.words[1:]).path
        (mount,) = (each for each in container.spec["volumeMounts"] if each["mountPath"] == str(folder))
        assert not mount.get("readOnly", False)
        assert _find_claims(container.workload) == {mount["name"]: f"calloff-archives-{service}"}
        claim = find_one(manifests, "PersistentVolumeClaim", f"calloff-archives-{service}")
        assert claim["spec"]["accessModes"] == ["ReadWriteOnce"]


def test_volumes_have_the_storage_class_of_the_installation(
    production: list[Manifest], minimal: list[Manifest]
) -> None:
    settings = (SOURCES / "overlays" / "production" / "installation.env").read_text().splitlines()
    for claim in find_all(production, "PersistentVolumeClaim"):
        assert f"STORAGE_CLASS={claim['spec']['storageClassName']}" in settings
    for claim in find_all(minimal, "PersistentVolumeClaim"):
        assert "storageClassName" not in claim["spec"], "the default one of the cluster"


@each_overlay
def test_an_archive_mounts_the_secrets_and_certificates_of_the_migration(
    overlay: str, request: pytest.FixtureRequest
) -> None:
    manifests: list[Manifest] = request.getfixturevalue(overlay)
    for service, container in _find_archives(manifests).items():
        migration = find_one(manifests, "Job", f"calloff-migration-{service}")
        assert migration["spec"]["template"]["spec"]["containers"][0]["args"] == [service, MIGRATE]
        projected = _find_projected(container.workload)
        assert projected == _find_projected(migration)
        assert all(volume["projected"]["sources"] for volume in projected.values())


def test_the_operations_page_makes_jobs_with_commands_of_the_image() -> None:
    page = (REPOSITORY / "docs" / "operations.md").read_text()
    patches = [json.loads(each) for each in re.findall(r"--patch='(\[.*?\])'", page, flags=re.DOTALL)]
    changes = [{change["path"].removeprefix(CONTAINER_PATH): change["value"] for change in each} for each in patches]
    assert [sorted(each) for each in changes] == [["args", "command"], ["args"]]
    service, *arguments = changes[1]["args"]
    check_command(arguments)
    assert parse_arguments(service, arguments).path.match(f"/archives/{service}-*.jsonl.gz")
