"""What tries an installation out by address: the invented market, and referrals of invented adults."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Protocol

import pytest

from devstack.config import SERVICES
from devstack.home import HOME_VARIABLE
from devstack.names import INSTALLATION_VARIABLE, TOKEN_VARIABLE
from simulator import SEED
from simulator.essex import build_essex_market


class FakeServices(Protocol):
    """The fixture of conftest."""

    url: str
    fallback: tuple[int, object]
    requests: list[tuple[str, str]]
    headers: list[dict[str, str]]
    bodies: list[str]


@pytest.fixture
def installation(services: FakeServices, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation of the fake services, to which a token is given."""
    urls = {service.name: f"{services.url}/{service.name}" for service in SERVICES}
    (tmp_path / "installation.json").write_text(json.dumps({"urls": urls}))
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    monkeypatch.setenv(INSTALLATION_VARIABLE, str(tmp_path / "installation.json"))
    monkeypatch.setenv(TOKEN_VARIABLE, "given")


def run_program(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "calloff", *arguments], capture_output=True, text=True, check=False)


@pytest.mark.usefixtures("installation")
def test_the_market_is_registered_without_endpoints_where_no_receivers_are_named(services: FakeServices) -> None:
    services.fallback = (200, {})
    done = run_program("market", "register", "--json")
    market = build_essex_market(seed=SEED)
    assert (done.returncode, json.loads(done.stdout or "{}")) == (
        0,
        {"providers": len(market.providers), "lists": len(market.lists)},
    ), done.stderr
    paths = [path for _, path in services.requests]
    assert paths.count("/v1/providers") == len(market.providers)
    assert sum(path.endswith("/lists") for path in paths) == len(market.lists)
    assert not [path for path in paths if path.endswith("/endpoint")]
    assert {headers["Authorization"] for headers in services.headers} == {"Bearer given"}


@pytest.mark.usefixtures("installation")
def test_endpoints_are_registered_and_their_secrets_are_kept_for_the_receivers(
    services: FakeServices, tmp_path: Path
) -> None:
    services.fallback = (200, {"secret": "whsec_invented"})
    secrets = tmp_path / "secrets.jsonl"
    done = run_program("market", "register", "--receivers", "http://simulator:8110/", "--secrets", str(secrets))
    assert done.returncode == 0, done.stderr
    with_system = [provider for provider in build_essex_market(seed=SEED).providers if provider.has_system]
    urls = [body for body in services.bodies if "simulator:8110" in body]
    assert len(urls) == len(secrets.read_text().splitlines()) == len(with_system)
    assert f"http://simulator:8110/providers/{with_system[0].provider_id}/webhooks" in "".join(urls)
    assert secrets.stat().st_mode & 0o777 == 0o600


@pytest.mark.usefixtures("installation")
def test_receivers_without_a_file_for_the_secrets_are_refused(services: FakeServices) -> None:
    done = run_program("market", "register", "--receivers", "http://simulator:8110")
    assert (done.returncode, services.requests) == (2, [])
    assert "give --receivers and --secrets together" in " ".join(done.stderr.replace("│", " ").split())
