"""The installation file, and the tokens and connections of commands that act on an installation by address."""

import json
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Protocol

import pytest
from aiohttp import web
from typer.testing import Result

from calloff.client import find_proxy
from calloff.connection import connect_to_stack
from calloff.installation import Installation
from devstack.config import SERVICES
from devstack.errors import InvalidInstallation, NoCredentials, ServiceRefused, ServiceUnreachable
from devstack.home import HOME_VARIABLE
from devstack.names import INSTALLATION_VARIABLE, TOKEN_VARIABLE
from testkit.mail_server import write_certificate

Run = Callable[..., Result]


class FakeServices(Protocol):
    """The fixture of conftest."""

    url: str
    answers: dict[str, tuple[int, object]]
    headers: list[dict[str, str]]
    bodies: list[str]


def write_installation(folder: Path, url: str, **changed: object) -> Path:
    """An installation whose services are all at one address, with one client, `operator`."""
    (folder / "operator.secret").write_text("a secret\n")
    (folder / "operator.secret").chmod(0o600)
    document = {
        "urls": {service.name: f"{url}/{service.name}" for service in SERVICES},
        "token_url": f"{url}/token",
        "clients": {"operator": {"client_id": "ops-17", "client_secret_file": "operator.secret"}},
    }
    file = folder / "installation.json"
    file.write_text(json.dumps(document | changed))
    return file


@pytest.fixture
def installation(services: FakeServices, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of an installation that consists of the fake services; no stack runs on this machine."""
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "nothing-runs-here"))
    monkeypatch.setenv(INSTALLATION_VARIABLE, str(write_installation(tmp_path, services.url)))
    services.answers["token/"] = (200, {"access_token": "granted", "expires_in": 300, "token_type": "Bearer"})
    return tmp_path / "installation.json"


def test_a_command_acts_on_the_installation_with_a_token_of_its_client(
    installation: Path, services: FakeServices, run: Run
) -> None:
    services.answers["/v1/parked"] = (200, {"items": []})
    assert run("parked", "list").output == "Nothing is parked.\n"
    assert services.bodies[0] == "grant_type=client_credentials&client_id=ops-17&client_secret=a+secret"
    assert {headers["Authorization"] for headers in services.headers[1:]} == {"Bearer granted"}
    assert len(services.headers) == 1 + len(SERVICES)


def test_a_given_token_is_used_instead_of_a_client(
    installation: Path, services: FakeServices, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, "my own")
    services.answers["/v1/work-list"] = (200, {"items": []})
    assert run("work-list").exit_code == 0
    assert [headers["Authorization"] for headers in services.headers] == ["Bearer my own"]
    assert run("token", "--as", "officer").output == "my own\n"


def test_a_missing_client_is_named_with_the_scopes_that_a_token_needs(installation: Path, run: Run) -> None:
    result = run("work-list")
    assert result.exit_code == 1
    assert f"{installation} names no client for officer; add it under clients" in result.output
    assert "CALLOFF_TOKEN to a token with the scopes sourcing:operate" in result.output


def test_a_refused_client_is_named_with_the_reason(installation: Path, services: FakeServices, run: Run) -> None:
    services.answers["token/"] = (401, {"error": "invalid_client"})
    result = run("parked", "list")
    assert (result.exit_code, "refused a token for ops-17 (invalid_client)" in result.output) == (1, True)
    assert "a secret" not in result.output


def test_an_address_that_issues_no_token_is_an_error(installation: Path, services: FakeServices, run: Run) -> None:
    services.answers["token/"] = (200, {"name": "a page"})
    assert "is it the address of the token endpoint?" in run("parked", "list").output


def test_status_needs_no_token_and_warns_about_a_secret_that_others_can_read(
    installation: Path, services: FakeServices, run: Run
) -> None:
    services.answers["/readyz"] = (200, {})
    installation.with_name("operator.secret").chmod(0o644)
    result = run("status", "--json")
    assert [row["ready"] for row in json.loads(result.stdout)] == ["ready"] * len(SERVICES)
    assert "operator.secret; chmod 600 it" in result.stderr
    assert not [headers for headers in services.headers if "Authorization" in headers]


@pytest.mark.parametrize("command", ["up", "demo", "clock"])
def test_what_exists_on_the_embedded_stack_only_says_so(installation: Path, run: Run, command: str) -> None:
    result = run(command)
    assert result.exit_code == 1
    assert "acts on the embedded stack only; unset CALLOFF_INSTALLATION" in str(result.output)


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"urls": {"referral": "https://referral.example.org"}}, "urls has no sourcing"),
        ({"urls": {"referal": "https://referral.example.org"}}, "urls has an unknown referal"),
        ({"urls": {"referral": "referral.example.org"}}, "urls.referral: Value error, is not an address such as"),
        ({"urls": {"referral": "https://me:secret@example.org"}}, "urls.referral: Value error, has a user"),
        ({"urls": {"referral": "https://:me:secret@example.org"}}, "urls.referral: Value error, has a user"),
        ({"urls": {"referral": "https://me:secret\u2100@x"}}, "urls.referral: Value error, is not an address such as"),
        ({"urls": {"referral": "https://example.org:x"}}, "urls.referral: Value error, is not an address such as"),
        ({"tokenurl": "https://identity.example.org"}, "tokenurl: Extra inputs are not permitted"),
        ({"token_url": None}, "clients are given without token_url"),
        ({"clients": {"officer": {"client_id": "a"}}}, "clients.officer.client_secret_file: Field required"),
        ({"clients": {"boss": {"client_id": "a", "client_secret_file": "b"}}}, "there is no identity 'boss'"),
        ({"ca_file": 7}, "ca_file: Input should be a valid string"),
    ],
)
def test_every_fault_of_the_file_is_named_with_its_place(
    tmp_path: Path, changed: dict[str, object], fault: str
) -> None:
    file = write_installation(tmp_path, "https://calloff.example.org", **changed)
    with pytest.raises(InvalidInstallation) as caught:
        Installation.load(file)
    assert str(file) in str(caught.value)
    assert fault in str(caught.value)
    assert "me:secret" not in str(caught.value)


def test_what_is_no_json_and_what_is_missing_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("urls:")
    with pytest.raises(InvalidInstallation, match="Invalid JSON"):
        Installation.load(tmp_path / "a.json")
    with pytest.raises(
        InvalidInstallation, match=r"CALLOFF_INSTALLATION names .*b\.json, which cannot be read: No such"
    ):
        Installation.load(tmp_path / "b.json")


def test_an_unreadable_secret_is_named(installation: Path, run: Run) -> None:
    installation.with_name("operator.secret").unlink()
    assert "the secret of client ops-17 cannot be read from" in run("parked", "list").output


def test_a_certificate_file_without_certificates_is_named(
    tmp_path: Path, services: FakeServices, installation: Path, run: Run
) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    write_installation(tmp_path, services.url, ca_file="ca.pem")
    assert f"no certificates can be read from {tmp_path / 'ca.pem'}" in run("status").output


@pytest.fixture
async def https_url(tmp_path: Path) -> AsyncIterator[str]:
    """A server on `localhost` whose certificate, its own authority, is in `ca.pem`."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(write_certificate(tmp_path / "ca.pem", name="localhost"))

    async def answer(_: web.Request) -> web.Response:
        return web.json_response({})

    app = web.Application()
    app.add_routes([web.get("/{path:.*}", answer)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "localhost", 0, ssl_context=context)
    await site.start()
    (address,) = runner.addresses[:1]
    yield f"https://localhost:{address[1]}"
    await runner.cleanup()


async def test_a_certificate_is_checked_against_the_file_of_the_installation(
    https_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(INSTALLATION_VARIABLE, str(write_installation(tmp_path, https_url, ca_file="ca.pem")))
    async with connect_to_stack() as connection:
        assert (await connection.create_anonymous_client().get(f"{https_url}/readyz")).status == 200
    write_installation(tmp_path, https_url)
    async with connect_to_stack() as connection:
        with pytest.raises(ServiceUnreachable, match=r"is not trusted \(self-signed certificate\); name .* as ca_file"):
            await connection.create_anonymous_client().get(f"{https_url}/readyz")


async def test_a_redirect_is_not_followed_and_names_the_address(
    services: FakeServices, installation: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.answers["/readyz"] = (308, {})
    async with connect_to_stack() as connection:
        with pytest.raises(ServiceRefused, match="redirects to another address; use that address"):
            await connection.create_anonymous_client().get(connection.get_url("audit", "/readyz"))


async def test_a_token_is_requested_once(services: FakeServices, installation: Path) -> None:
    async with connect_to_stack() as connection:
        assert [await connection.fetch_token("operator") for _ in range(3)] == ["granted"] * 3
        with pytest.raises(NoCredentials):
            await connection.fetch_token("council")
    assert len(services.headers) == 1


def test_proxies_are_those_of_the_environment_and_none_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example.org:3128")
    monkeypatch.setenv("http_proxy", "http://proxy.example.org:3128")
    monkeypatch.setenv("no_proxy", "internal.example.org")
    addresses = {
        "https://calloff.example.org/v1": "http://proxy.example.org:3128",
        "https://internal.example.org/v1": None,
        "http://127.0.0.1:8101": None,
        "http://localhost:8101": None,
        "http://[::1]:8101": None,
    }
    assert {address: find_proxy(address) for address in addresses} == addresses
