"""Generates every password and key of the compose stack once, and gives each container a folder with its own.

`python -m devstack.compose.secrets`. A second run changes nothing that exists and adds what is missing.
"""

import json
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from sqlalchemy import URL

from devstack.compose.certificate import generate_certificate
from devstack.compose.folders import (
    CERTIFICATE,
    ISSUER,
    ISSUER_KEYS,
    MAIL,
    POSTGRES,
    STACK,
    SUPERUSER_PASSWORD,
    TRUSTED_CERTIFICATES,
    find_volumes,
)
from devstack.compose.installation_files import write_installations
from devstack.config import ROLES, SERVICES, ServiceDefinition
from devstack.home import Home
from devstack.keys import StackKeys
from devstack.names import REFERRAL, REGISTRY, SOURCING

SUPERUSER: Final = "postgres"
POSTGRES_HOST: Final = "postgres"
POSTGRES_PORT: Final = 5432
CERTIFICATE_BEGINS: Final = "-----BEGIN CERTIFICATE-----"
READABLE: Final = 0o444
"""PostgreSQL's image reads its password as another user; nothing else mounts that folder."""


def write_secrets(volumes: Path) -> None:
    """Writes the files of each container below `volumes`."""
    (volumes / STACK).mkdir(parents=True, exist_ok=True)
    keys = StackKeys.load(Home(volumes / STACK), roles=(*ROLES, SUPERUSER))
    for service in SERVICES:
        for name, value in build_service_secrets(service, keys).items():
            _write(volumes / service.name / name, value)
    _write(volumes / POSTGRES / SUPERUSER_PASSWORD, keys.databases[SUPERUSER], mode=READABLE)
    _write_certificate(volumes)
    _write(volumes / ISSUER / ISSUER_KEYS, keys.model_dump_json(include={"clients", "token_signing"}))
    write_installations(volumes / ISSUER, keys)


def build_service_secrets(service: ServiceDefinition, keys: StackKeys) -> dict[str, str]:
    """The secret settings of one service, by the name of the variable."""
    secrets = {
        "CALLOFF_DATABASE_URL": build_database_url(service.package, service.package, keys),
        "CALLOFF_FINGERPRINT_KEY": keys.fingerprints,
    }
    if service.name in {REFERRAL, REGISTRY}:
        secrets["CALLOFF_WEBHOOK_KEYS"] = json.dumps([keys.webhook_encryption])
    if service.name == SOURCING:
        secrets["CALLOFF_TEXT_KEYS"] = json.dumps([keys.text_encryption])
    if service.name in {SOURCING, REGISTRY}:
        secrets["CALLOFF_OFFER_LINK_KEY"] = keys.offer_links
    return secrets


def build_database_url(database: str, role: str, keys: StackKeys) -> str:
    url = URL.create("postgresql+asyncpg", role, keys.databases[role], POSTGRES_HOST, POSTGRES_PORT, database)
    return url.render_as_string(hide_password=False)


def load_keys(file: Path) -> StackKeys:
    """Reads a part of the keys that another container may see; those left out are random and open nothing."""
    return StackKeys.model_validate_json(file.read_text(encoding="utf-8"))


def _write_certificate(volumes: Path) -> None:
    """Gives the mail sink a certificate, and the registry the list of authorities that includes it."""
    file = volumes / MAIL / CERTIFICATE
    if not file.exists():
        generated = generate_certificate(MAIL)
        _write(file, generated.private_key + generated.certificate)
    certificate = CERTIFICATE_BEGINS + file.read_text(encoding="utf-8").rpartition(CERTIFICATE_BEGINS)[2]
    authorities = ssl.get_default_verify_paths().cafile
    trusted = Path(authorities).read_text(encoding="utf-8") if authorities else ""
    _write(volumes / REGISTRY / TRUSTED_CERTIFICATES, f"{trusted}\n{certificate}")


def _write(file: Path, text: str, *, mode: int = 0o400) -> None:
    """Writes a file that only its owner reads, unless it has this content."""
    if file.exists() and file.read_text(encoding="utf-8") == text:
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_suffix(".new")
    new.unlink(missing_ok=True)
    new.touch(mode=0o600)
    new.write_text(text, encoding="utf-8")
    new.chmod(mode)
    new.replace(file)


def describe_folders(volumes: Path) -> Mapping[str, int]:
    """How many files each container's folder holds."""
    return {folder.name: len(list(folder.iterdir())) for folder in sorted(volumes.iterdir()) if folder.is_dir()}


def main() -> None:
    volumes = find_volumes()
    write_secrets(volumes)
    counts = ", ".join(f"{name} {count}" for name, count in describe_folders(volumes).items())
    print(f"Secrets are in place; files by container: {counts}")  # noqa: T201 - the log of the one-shot


if __name__ == "__main__":
    main()
