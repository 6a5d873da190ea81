"""The image of the services: what it holds, who runs it, and what it refuses."""

import json
import re
from importlib.metadata import entry_points
from typing import Final

import pytest

from devstack.home import REPOSITORY
from service_runtime.installed_services import SERVICES_GROUP
from testkit.docker_commands import run_docker, run_in_image, run_service_command

pytestmark = [
    pytest.mark.servers,
    pytest.mark.slow,
    pytest.mark.timeout(2400),
    pytest.mark.xdist_group("containers"),
    pytest.mark.usefixtures("service_image"),
]

LARGEST_IMAGE: Final = 350_000_000
"""Bytes."""
SHARED_FOLDERS: Final = {"/tmp", "/var/tmp", "/run/lock"}
"""Folders in which everybody may write, unless the root file system is read-only."""
PACKAGES: Final = {
    "calloff-audit",
    "calloff-contracts",
    "calloff-geography",
    "calloff-list-documents",
    "calloff-pricing",
    "calloff-provider-registry",
    "calloff-referral",
    "calloff-service-runtime",
    "calloff-sourcing",
}


def test_the_image_runs_as_a_user_without_rights(service_image: str) -> None:
    config = json.loads(run_docker("image", "inspect", service_image).stdout)[0]["Config"]
    assert config["User"] == "10001:10001"
    assert run_in_image("id -u; id -g").split() == ["10001", "10001"]


def test_the_image_is_small(service_image: str) -> None:
    assert json.loads(run_docker("image", "inspect", service_image).stdout)[0]["Size"] < LARGEST_IMAGE


def test_its_user_can_write_no_file_of_the_image() -> None:
    writable = run_in_image(r"find / -xdev \( -type f -o -type d \) -writable 2>/dev/null || true").splitlines()
    assert set(writable) <= SHARED_FOLDERS


def test_no_file_changes_the_user_of_who_runs_it() -> None:
    assert run_in_image("find / -xdev -type f -perm /6000", user="0") == ""


def test_there_is_no_compiler_and_no_installer() -> None:
    assert run_in_image("command -v gcc cc g++ clang make ld pip pip3 uv easy_install || true") == ""
    assert run_in_image("find / -xdev -type d -path '*-packages/pip' 2>/dev/null || true") == ""


def test_neither_environment_nor_layers_hold_a_secret(service_image: str) -> None:
    config = json.loads(run_docker("image", "inspect", service_image).stdout)[0]["Config"]
    names = [variable.partition("=")[0] for variable in config["Env"]]
    assert [name for name in names if re.search("PASSWORD|SECRET|KEY|TOKEN|DATABASE_URL", name)] == []
    layers = run_docker("history", "--no-trunc", "--format", "{{.CreatedBy}}", service_image).stdout
    assert re.findall(r"postgresql\S*://\S+|(?i:password|secret_key)=\S+", layers) == []


def test_the_bill_of_materials_names_every_package_with_its_version() -> None:
    components = json.loads(run_in_image("cat /usr/share/calloff/sbom.cdx.json"))["components"]
    installed = {re.sub(r"[._]", "-", each["name"].lower()): each["version"] for each in components}
    lock = (REPOSITORY / "deploy" / "docker" / "requirements-service.lock").read_text()
    pinned = dict(re.findall(r"^([a-z0-9.-]+)==(\S+) \\$", lock, flags=re.MULTILINE))
    assert installed.keys() >= PACKAGES
    assert {name: installed.get(name) for name in pinned} == pinned
    assert installed.keys() - PACKAGES <= set(re.findall(r"^([a-z0-9.-]+)==", lock, flags=re.MULTILINE))


def test_an_unknown_service_is_refused_with_the_names_of_the_installed_ones() -> None:
    done = run_service_command(["sorcing"])
    services = ", ".join(sorted(each.name for each in entry_points(group=SERVICES_GROUP)))
    assert done.stderr == f"calloff-service: there is no service 'sorcing'; choose {services}, topics or probe\n"
    assert done.returncode == 64


def test_a_probe_of_a_container_in_which_nothing_runs_says_so() -> None:
    done = run_service_command(["probe", "ready"])
    assert done.stdout == "port 8081 does not answer /readyz: [Errno 111] Connection refused\n"
    assert done.returncode == 1
