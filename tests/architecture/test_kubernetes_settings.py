"""Containers are started with commands that the image knows, and with settings that their service reads."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from certifi import where
from pydantic.fields import FieldInfo

from audit.settings import Settings as AuditSettings
from devstack.config import SERVICES
from devstack.docs.kubernetes import REPLICATION
from devstack.names import AUDIT, PRICING, REFERRAL, REGISTRY, SOURCING
from pricing.settings import Settings as PricingSettings
from provider_registry.settings import Settings as RegistrySettings
from referral.settings import Settings as ReferralSettings
from service_runtime.kafka.settings import KafkaSettings
from service_runtime.process_commands import MIGRATE, check_command
from service_runtime.retention.commands import ARCHIVE, parse_arguments
from service_runtime.settings import RuntimeSettings
from sourcing.settings import Settings as SourcingSettings
from testkit.kubernetes_manifests import SOURCES, Container, Manifest, find_one, get_pod, list_containers, parse

SETTINGS: Final[dict[str, type[RuntimeSettings]]] = {
    REFERRAL: ReferralSettings,
    SOURCING: SourcingSettings,
    REGISTRY: RegistrySettings,
    PRICING: PricingSettings,
    AUDIT: AuditSettings,
}
SECRETS_DIRECTORY: Final = "CALLOFF_SECRETS_DIR"
MADE_IN_THE_CLUSTER: Final = {
    "CALLOFF_KAFKA_SASL_PASSWORD": "drawn-by-strimzi",
    "CALLOFF_MIGRATION_DATABASE_URL": "postgresql://sourcing_owner:drawn-by-cloudnativepg@calloff-sourcing-db-rw/sourcing",
}
"""Values such as operators write into the files that they make."""
each_overlay = pytest.mark.parametrize("overlay", ["production", "minimal"])


def _get_variable(name: str, field: FieldInfo) -> str:
    return field.validation_alias if isinstance(field.validation_alias, str) else f"CALLOFF_{name.upper()}"


def _list_variables(settings: type[Any], *, required: bool = False, secret: bool = False) -> set[str]:
    return {
        _get_variable(name, field)
        for name, field in settings.model_fields.items()
        if (field.is_required() or not required) and ("Secret" in str(field.annotation) or not secret)
    }


def _find_containers(request: pytest.FixtureRequest, overlay: str) -> Iterator[tuple[Container, type[Any]]]:
    """Yields each container with the class of the settings that it reads."""
    manifests: list[Manifest] = request.getfixturevalue(overlay)
    for container in list_containers(manifests):
        yield container, KafkaSettings if container.words[0] == "topics" else SETTINGS[container.words[0]]


@each_overlay
def test_every_argument_is_a_command_of_the_image(overlay: str, request: pytest.FixtureRequest) -> None:
    used = {container.words for container, _ in _find_containers(request, overlay)} - {("topics", "apply")}
    assert {name for name, *_ in used} == {service.name for service in SERVICES}
    for name, *arguments in used:
        check_command(arguments)
        if arguments[:1] == [ARCHIVE]:
            parse_arguments(name, arguments)


@each_overlay
def test_every_variable_and_secret_is_a_setting_of_the_service(overlay: str, request: pytest.FixtureRequest) -> None:
    surplus = {
        (container.label, name)
        for container, settings in _find_containers(request, overlay)
        for name in {*container.environment, *container.secrets} - _list_variables(settings)
        if name != SECRETS_DIRECTORY
        # The topics command reads the settings of Kafka from what all containers get.
        if container.words[0] != "topics" or name not in _list_variables(RuntimeSettings)
    }
    assert surplus == set()


@each_overlay
def test_every_required_setting_is_given(overlay: str, request: pytest.FixtureRequest) -> None:
    missing = {
        (container.label, name)
        for container, settings in _find_containers(request, overlay)
        for name in _list_variables(settings, required=True) - {*container.environment, *container.secrets}
    }
    assert missing == set()


@each_overlay
def test_every_service_accepts_its_settings(
    overlay: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for number, (container, settings) in enumerate(_find_containers(request, overlay)):
        folder = tmp_path / str(number)
        folder.mkdir()
        for name, content in container.secrets.items():
            (folder / name).write_text(MADE_IN_THE_CLUSTER[name] if content is None else content)
        for name in [name for name in os.environ if name.startswith(("CALLOFF_", "OTEL_"))]:
            monkeypatch.delenv(name)
        for name, value in container.environment.items():
            monkeypatch.setenv(name, _find_local_path(value, tmp_path) if value.startswith("/") else value)
        read = settings(_secrets_dir=folder).model_dump()
        assert read["kafka_bootstrap"] == container.environment["CALLOFF_KAFKA_BOOTSTRAP"], container.label


def _find_local_path(path: str, folder: Path) -> str:
    """Returns a file or folder of this machine for one of a container."""
    return where() if path.endswith(".crt") else str(folder)


@each_overlay
def test_secrets_come_as_files_and_never_by_the_environment(overlay: str, request: pytest.FixtureRequest) -> None:
    exposed = {
        (container.label, name)
        for container, settings in _find_containers(request, overlay)
        for name in container.environment.keys() & _list_variables(settings, secret=True)
    }
    assert exposed == set()
    for container, _ in _find_containers(request, overlay):
        assert "env" not in container.spec
        mounts = {mount["name"]: mount["mountPath"] for mount in container.spec["volumeMounts"]}
        assert container.environment[SECRETS_DIRECTORY] == mounts["secrets"]


@each_overlay
def test_secrets_are_those_of_the_service(overlay: str, request: pytest.FixtureRequest) -> None:
    for container, _ in _find_containers(request, overlay):
        (volume,) = (volume for volume in get_pod(container.workload)["volumes"] if volume["name"] == "secrets")
        names = [source["secret"]["name"] for source in volume["projected"]["sources"]]
        assert [name for name in names if f"-{container.words[0]}" not in name] == [], container.label


@each_overlay
def test_only_migrations_and_archives_get_the_password_of_the_tables_owner(
    overlay: str, request: pytest.FixtureRequest
) -> None:
    owners = sorted(
        (container.words[0], container.workload["kind"], *container.words[1:2])
        for container, _ in _find_containers(request, overlay)
        if "CALLOFF_MIGRATION_DATABASE_URL" in container.secrets
    )
    jobs = (("Job", MIGRATE), ("CronJob", ARCHIVE))
    assert owners == sorted((service.name, *job) for service in SERVICES for job in jobs)


@each_overlay
def test_every_path_in_a_setting_is_a_mounted_file(overlay: str, request: pytest.FixtureRequest) -> None:
    for container, _ in _find_containers(request, overlay):
        mounts = {mount["mountPath"]: mount["name"] for mount in container.spec["volumeMounts"]}
        volumes = {volume["name"]: volume for volume in get_pod(container.workload)["volumes"]}
        for name, value in container.environment.items():
            if not value.startswith("/"):
                continue
            folder = value if value in mounts else str(Path(value).parent)
            assert folder in mounts, (container.label, name)
            if folder != value:
                assert Path(value).name in _list_files(request.getfixturevalue(overlay), volumes[mounts[folder]])


def _list_files(manifests: list[Manifest], volume: Manifest) -> Iterator[str]:
    for source in volume["projected"]["sources"]:
        (each,) = source.values()
        if "items" in each:
            yield from (item["path"] for item in each["items"])
        else:
            yield from find_one(manifests, "ConfigMap", each["name"])["data"]


def test_no_committed_file_has_a_secret() -> None:
    secret = {name for settings in SETTINGS.values() for name in _list_variables(settings, secret=True)}
    committed = [path for path in SOURCES.rglob("*") if path.is_file() and "secrets" not in path.parts]
    named = {
        (path.name, name)
        for path in committed
        if path.suffix == ".env"
        for name in re.findall(r"^([A-Z_]+)=", path.read_text(), flags=re.MULTILINE)
    }
    assert {name for _, name in named} & secret == set()
    manifests = [each for path in committed if path.suffix == ".yaml" for each in parse(path.read_text())]
    assert [each for each in manifests if "kind" in each and each["kind"] == "Secret"] == []
    assert "overlays/*/secrets/" in (SOURCES / ".gitignore").read_text().splitlines()


def test_services_check_topics_against_what_the_topics_are_made_with(production: list[Manifest]) -> None:
    for container in list_containers(production):
        assert container.environment["CALLOFF_KAFKA_REPLICATION_FACTOR"] == str(REPLICATION.factor)
        assert container.environment["CALLOFF_KAFKA_MIN_INSYNC_REPLICAS"] == str(REPLICATION.min_insync)
