"""Secrets of the compose stack: made once, and each container's folder holds its own only."""

import json
import stat
from pathlib import Path

from devstack.compose.folders import ISSUER, ISSUER_KEYS, MAIL, POSTGRES, STACK
from devstack.compose.mail_sink import create_smtp_context
from devstack.compose.secrets import load_keys, write_secrets
from devstack.config import SERVICES
from devstack.home import Home
from devstack.issuer.identities import find_identity
from devstack.keys import StackKeys


def read_files(volumes: Path) -> dict[str, str]:
    return {str(file.relative_to(volumes)): file.read_text() for file in volumes.rglob("*") if file.is_file()}


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    write_secrets(tmp_path)
    files = read_files(tmp_path)
    write_secrets(tmp_path)
    assert read_files(tmp_path) == files
    assert f"{POSTGRES}/superuser-password" in files


def test_a_lost_file_is_made_again_with_the_same_secret(tmp_path: Path) -> None:
    write_secrets(tmp_path)
    files = read_files(tmp_path)
    (tmp_path / "audit" / "CALLOFF_DATABASE_URL").unlink()
    (tmp_path / "provider-registry" / "trusted-certificates.pem").unlink()
    write_secrets(tmp_path)
    assert read_files(tmp_path) == files


def test_no_service_has_the_password_of_another_role(tmp_path: Path) -> None:
    write_secrets(tmp_path)
    passwords = StackKeys.load(Home(tmp_path / STACK)).databases
    for service in SERVICES:
        texts = "".join(read_files(tmp_path / service.name).values())
        assert [role for role, password in passwords.items() if password in texts] == [service.package]
    elsewhere = "".join(text for folder in (ISSUER, MAIL) for text in read_files(tmp_path / folder).values())
    assert [role for role, password in passwords.items() if password in elsewhere] == []


def test_only_the_owner_reads_a_secret_but_for_postgresqls(tmp_path: Path) -> None:
    write_secrets(tmp_path)
    modes = {file: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.rglob("*") if file.is_file()}
    assert {file.name for file, mode in modes.items() if mode & 0o077} == {"superuser-password"}


def test_the_issuer_knows_its_clients_and_its_signing_key(tmp_path: Path) -> None:
    write_secrets(tmp_path)
    all_keys, issuers = StackKeys.load(Home(tmp_path / STACK)), load_keys(tmp_path / ISSUER / ISSUER_KEYS)
    assert (issuers.clients, issuers.token_signing) == (all_keys.clients, all_keys.token_signing)
    assert issuers.databases == {}


def test_the_installation_file_names_a_secret_for_each_client(tmp_path: Path) -> None:
    write_secrets(tmp_path)
    folder = tmp_path / ISSUER / "installation"
    installation = json.loads((folder / "installation.json").read_text())
    keys = StackKeys.load(Home(tmp_path / STACK))
    assert installation["urls"]["provider-registry"] == "http://127.0.0.1:8103"
    assert {
        name: (folder / each["client_secret_file"]).read_text() for name, each in installation["clients"].items()
    } == {name: keys.derive_client_secret(find_identity(name).client_id) for name in installation["clients"]}


def test_the_mail_sinks_certificate_can_be_served(tmp_path: Path) -> None:
    write_secrets(tmp_path)
    create_smtp_context(tmp_path / MAIL / "certificate.pem")
