"""The manifests of deploy/k8s can be rendered, are valid and safe, and agree with the code."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import kubernetes_validate
import pytest

from contracts.catalogue import PARTITIONS
from devstack.config import SERVICES
from devstack.docs import kubernetes
from service_runtime.http import operations
from service_runtime.postgres.availability import CHECK_TIMEOUT
from testkit.kubernetes_manifests import (
    SOURCES,
    Manifest,
    find_all,
    find_one,
    get_pod,
    get_pod_labels,
    list_containers,
    list_leaves,
    list_workloads,
    parse,
    render,
    render_base,
    write_secrets,
)
from testkit.kubernetes_network import selects

VERSION: Final = "1.35"
"""The version of Kubernetes whose schemas are checked."""
CORE: Final = re.compile(r"v1|(apps|batch|policy|networking\.k8s\.io)/v1")
FIELDS: Final = Path(__file__).with_name("kubernetes_fields.json")
"""Fields of custom resources that were compared with the schemas of their operators (deploy/k8s/README.md)."""
USER: Final = 10001
SECONDS_TO_LEAVE: Final = 20
"""For leaving the consumer groups and flushing telemetry, after the drain."""

each_overlay = pytest.mark.parametrize("overlay", ["production", "minimal"])


def _list_pods(manifests: list[Manifest]) -> Iterator[tuple[str, Manifest]]:
    for workload in list_workloads(manifests):
        yield workload["metadata"]["name"], get_pod(workload)


@each_overlay
def test_every_resource_of_kubernetes_itself_is_valid(overlay: str, request: pytest.FixtureRequest) -> None:
    manifests: list[Manifest] = request.getfixturevalue(overlay)
    for manifest in manifests:
        if CORE.fullmatch(manifest["apiVersion"]):
            kubernetes_validate.validate(manifest, VERSION, strict=True)


def test_an_unknown_field_is_refused() -> None:
    manifest = {**render_base()[0], "surplus": 1}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(manifest, VERSION, strict=True)


@each_overlay
def test_custom_resources_use_only_fields_that_their_operators_know(
    overlay: str, request: pytest.FixtureRequest
) -> None:
    known: dict[str, list[str]] = json.loads(FIELDS.read_text())
    unknown = {
        (f"{manifest['apiVersion']} {manifest['kind']}", path)
        for manifest in request.getfixturevalue(overlay)
        if not CORE.fullmatch(manifest["apiVersion"])
        for path, _ in list_leaves(manifest)
        if path not in known.get(f"{manifest['apiVersion']} {manifest['kind']}", [])
    }
    assert sorted(unknown) == [], f"compare with the operator's schema, then add to {FIELDS.name}"


def test_an_overlay_without_its_secrets_is_refused(tmp_path: Path) -> None:
    folder = write_secrets(tmp_path, "production")
    (folder / "secrets" / "sourcing.env").unlink()
    with pytest.raises(subprocess.CalledProcessError) as refused:
        render(folder)
    assert "secrets/sourcing.env" in str(refused.value.stderr)


def test_secrets_that_exist_are_kept(tmp_path: Path) -> None:
    folder = write_secrets(tmp_path, "minimal") / "secrets"
    before = {path.name: path.read_text() for path in folder.iterdir()}
    write_secrets(tmp_path, "minimal")
    assert {path.name: path.read_text() for path in folder.iterdir()} == before
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


@pytest.mark.parametrize(
    ("overlay", "lost"),
    [
        ("minimal", ["sourcing-owner.env", "roles.sql"]),
        ("minimal", ["roles.sql", "audit.env", "audit-owner.env"]),
        ("production", ["sourcing-database.env", "sourcing.env.new"]),
        ("production", ["sourcing.env", "sourcing-database.env"]),
    ],
)
def test_a_run_that_was_interrupted_is_completed_with_the_passwords_that_are_there(
    tmp_path: Path, overlay: str, lost: list[str]
) -> None:
    folder = write_secrets(tmp_path, overlay) / "secrets"
    names = {path.name for path in folder.iterdir()}
    for name in lost:
        (folder / name).unlink(missing_ok=True)
    write_secrets(tmp_path, overlay)
    assert {path.name for path in folder.iterdir()} == names
    given = set(re.findall(r"postgresql://(\w+):(\w+)@", "".join(path.read_text() for path in folder.glob("*.env"))))
    if overlay == "minimal":
        roles = re.findall(r"CREATE ROLE (\w+) LOGIN PASSWORD '(\w+)'", (folder / "roles.sql").read_text())
    else:
        files = [path.read_text() for path in folder.glob("*-database.env")]
        roles = [tuple(re.findall(r"=(.*)", file)) for file in files]
    assert (len(roles), set(roles)) == (len(given), given)


def test_a_host_that_would_change_the_addresses_is_refused(tmp_path: Path) -> None:
    folder = write_secrets(tmp_path, "minimal")
    done = subprocess.run([tmp_path / "make-secrets", folder, "db:5433/x"], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, "db:5433/x is no name of a host; its port is 5432\n")


def test_sourcing_verifies_links_with_the_key_that_the_registry_signs_with(tmp_path: Path) -> None:
    folder = write_secrets(tmp_path, "production") / "secrets"
    keys = [re.findall(r"^CALLOFF_OFFER_LINK_KEY=(.+)$", path.read_text(), re.MULTILINE) for path in folder.iterdir()]
    assert len({key for (key,) in filter(None, keys)}) == 1


@each_overlay
def test_every_pod_runs_without_rights(overlay: str, request: pytest.FixtureRequest) -> None:
    for name, pod in _list_pods(request.getfixturevalue(overlay)):
        assert pod["automountServiceAccountToken"] is False, name
        assert pod["securityContext"]["runAsNonRoot"], name
        assert pod["securityContext"]["runAsUser"] == USER, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        for container in (*pod.get("initContainers", []), *pod["containers"]):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
                "readOnlyRootFilesystem": True,
            }, name
            assert container["resources"]["requests"].keys() == {"cpu", "memory"}, name
            assert container["resources"]["limits"].keys() == {"memory"}, name
        volumes = [volume["emptyDir"] for volume in pod["volumes"] if "emptyDir" in volume]
        assert all("sizeLimit" in volume for volume in volumes), name


@each_overlay
def test_the_image_is_named_in_one_place(overlay: str, request: pytest.FixtureRequest) -> None:
    manifests: list[Manifest] = request.getfixturevalue(overlay)
    images = {container.spec["image"] for container in list_containers(manifests)}
    named = parse((SOURCES / "overlays" / overlay / "kustomization.yaml").read_text())[0]["images"]
    assert images == {f"{each['newName']}:{each['newTag']}" for each in named}
    assert len(images) == 1


@each_overlay
def test_services_probes_and_containers_have_the_same_ports(overlay: str, request: pytest.FixtureRequest) -> None:
    manifests: list[Manifest] = request.getfixturevalue(overlay)
    paths = {getattr(route, "path", "") for route in operations.probes.routes}
    for container in list_containers(manifests):
        if container.spec["name"] != "service":
            continue
        ports = {port["name"]: str(port["containerPort"]) for port in container.spec["ports"]}
        assert ports["http"] == container.environment["CALLOFF_PORT"]
        assert ports["health"] == container.environment["CALLOFF_HEALTH_PORT"]
        probes = [container.spec[f"{kind}Probe"] for kind in ("startup", "liveness", "readiness")]
        assert {probe["httpGet"]["port"] for probe in probes} == {"health"}
        assert {probe["httpGet"]["path"] for probe in probes} <= paths
        assert probes[2]["timeoutSeconds"] > CHECK_TIMEOUT
        service = find_one(manifests, "Service", container.workload["metadata"]["name"])
        assert [port["targetPort"] for port in service["spec"]["ports"]] == ["http"]


@each_overlay
def test_a_restart_is_no_answer_to_an_outage_of_the_database_or_kafka(
    overlay: str, request: pytest.FixtureRequest
) -> None:
    for container in list_containers(request.getfixturevalue(overlay)):
        for kind in ("startupProbe", "livenessProbe"):
            if probe := container.spec.get(kind):
                assert probe["httpGet"]["path"] == "/healthz"
        if probe := container.spec.get("readinessProbe"):
            assert probe["httpGet"]["path"] == "/readyz"


@each_overlay
def test_a_pod_has_time_to_drain(overlay: str, request: pytest.FixtureRequest) -> None:
    for container in list_containers(request.getfixturevalue(overlay)):
        if container.spec["name"] == "service":
            pause = container.spec["lifecycle"]["preStop"]["sleep"]["seconds"]
            drain = float(container.environment["CALLOFF_DRAIN_WITHIN"])
            grace = get_pod(container.workload)["terminationGracePeriodSeconds"]
            assert grace >= pause + drain + SECONDS_TO_LEAVE, container.label


@each_overlay
def test_budgets_services_and_spreads_are_about_the_pods_of_one_service(
    overlay: str, request: pytest.FixtureRequest
) -> None:
    manifests: list[Manifest] = request.getfixturevalue(overlay)
    pods = {workload["metadata"]["name"]: get_pod_labels(workload) for workload in list_workloads(manifests)}
    for deployment in find_all(manifests, "Deployment"):
        name = deployment["metadata"]["name"]
        budget = find_one(manifests, "PodDisruptionBudget", name)["spec"]
        service = find_one(manifests, "Service", name)["spec"]
        spreads = [each["labelSelector"] for each in get_pod(deployment)["topologySpreadConstraints"]]
        for selector in (deployment["spec"]["selector"], budget["selector"], *spreads):
            assert [pod for pod, labels in pods.items() if selects(selector, labels)] == [name]
        assert [pod for pod, labels in pods.items() if selects({"matchLabels": service["selector"]}, labels)] == [name]
        assert budget["maxUnavailable"] == 1
        assert get_pod(deployment)["serviceAccountName"] == name
        assert find_one(manifests, "ServiceAccount", name)["automountServiceAccountToken"] is False


@each_overlay
def test_every_service_has_a_deployment_a_migration_that_it_waits_for_and_an_archive(
    overlay: str, request: pytest.FixtureRequest
) -> None:
    manifests: list[Manifest] = request.getfixturevalue(overlay)
    names = {f"calloff-{service.name}" for service in SERVICES}
    assert {each["metadata"]["name"] for each in find_all(manifests, "Deployment")} == names
    for service in SERVICES:
        containers = [each for each in list_containers(manifests) if each.words[0] == service.name]
        words = [(each.workload["kind"], *each.words[1:3]) for each in containers]
        assert words == [
            ("Deployment", "migrate", "--wait"),
            ("Deployment",),
            ("Job", "migrate"),
            ("CronJob", "archive", "/archives"),
        ]


def test_generated_manifests_are_up_to_date() -> None:
    assert kubernetes.find_stale_files() == [], "run `make docs` and commit what it wrote"


def test_more_replicas_than_partitions_are_never_asked_for(production: list[Manifest]) -> None:
    for scaled in find_all(production, "ScaledObject"):
        assert scaled["spec"]["maxReplicaCount"] <= PARTITIONS
    for deployment in find_all(production, "Deployment"):
        assert "replicas" not in deployment["spec"], "KEDA decides"
