"""docker-compose.yml and the image's lists agree with the code."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import yaml

from audit.settings import Settings as AuditSettings
from devstack.config import PORTS, SERVICES
from pricing.settings import Settings as PricingSettings
from provider_registry.settings import Settings as RegistrySettings
from referral.settings import Settings as ReferralSettings
from service_runtime.settings import RuntimeSettings
from sourcing.settings import Settings as SourcingSettings

ROOT: Final = Path(__file__).parents[2]
SETTINGS: Final[dict[str, type[RuntimeSettings]]] = {
    "audit": AuditSettings,
    "pricing": PricingSettings,
    "provider-registry": RegistrySettings,
    "referral": ReferralSettings,
    "sourcing": SourcingSettings,
}
READ_ELSEWHERE: Final = {"CALLOFF_SECRETS_DIR", "SSL_CERT_FILE"}
"""Read before the settings, or by Python's ssl module."""


def read_compose() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]


def list_variables(settings: type[RuntimeSettings]) -> set[str]:
    return {
        field.validation_alias if isinstance(field.validation_alias, str) else f"CALLOFF_{name.upper()}"
        for name, field in settings.model_fields.items()
    }


def test_a_container_has_no_setting_that_its_service_does_not_read() -> None:
    for service in SERVICES:
        known = list_variables(SETTINGS[service.name]) | READ_ELSEWHERE
        assert set(read_compose()[service.name]["environment"]) - known == set()


def test_a_variable_of_the_tools_is_read_by_their_code() -> None:
    code = "".join(file.read_text() for file in (ROOT / "tools").glob("*/src/**/*.py"))
    for name in ("secrets", "issuer", "mail", "demo"):
        variables = read_compose()[name].get("environment", {})
        assert [each for each in variables if each != "CALLOFF_INSTALLATION" and f'"{each}"' not in code] == []


def test_every_service_is_run_by_its_name_on_the_port_of_the_embedded_stack() -> None:
    for service in SERVICES:
        container = read_compose()[service.name]
        assert container["command"] == [service.name]
        assert container["ports"] == [f"127.0.0.1:{PORTS[service.name]}:8080"]


def test_nothing_is_published_beyond_this_machine() -> None:
    ports = [port for container in read_compose().values() for port in container.get("ports", [])]
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


def test_no_secret_is_in_an_environment() -> None:
    names: set[str] = {name for container in read_compose().values() for name in container.get("environment") or ()}
    secret = re.compile(r"(PASSWORD|SECRET|_KEYS?|DATABASE_URL)$")
    assert {name for name in names if secret.search(name)} == set()


def test_the_images_lists_are_what_their_packages_need() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "devstack.image_requirements", "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_what_the_build_uses_is_pinned_as_everywhere() -> None:
    locked = dict(re.findall(r"^([a-z0-9.-]+)==(\S+)", (ROOT / "requirements.lock").read_text(), flags=re.MULTILINE))
    build = (ROOT / "deploy" / "docker" / "requirements-build.lock").read_text()
    pinned = dict(re.findall(r"^([a-z0-9.-]+)==(\S+)", build, flags=re.MULTILINE))
    assert {name: version for name, version in pinned.items() if locked.get(name, version) != version} == {}
