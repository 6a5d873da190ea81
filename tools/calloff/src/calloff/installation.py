"""The installation file: addresses and clients of a Call-off that runs anywhere, for the commands of `calloff`.

`CALLOFF_INSTALLATION` names the file; without it the commands act on the stack that runs on this machine.
"""

import os
import stat
from collections.abc import Sequence
from pathlib import Path
from ssl import SSLContext, create_default_context
from typing import Annotated, Final, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import ErrorDetails

from devstack.config import SERVICES
from devstack.errors import InvalidInstallation, UnknownIdentity
from devstack.issuer.identities import find_identity
from devstack.names import INSTALLATION_VARIABLE

_READABLE_BY_OTHERS: Final = stat.S_IRGRP | stat.S_IROTH
_SERVICE_NAMES: Final = tuple(service.name for service in SERVICES)


def _check_address(text: str) -> str:
    message = "is not an address such as https://referral.example.org"
    try:
        address = urlsplit(text)
        is_complete = address.scheme in {"http", "https"} and bool(address.hostname) and address.port != 0
    except ValueError:  # its text may quote the address
        raise ValueError(message) from None
    if not is_complete:
        raise ValueError(message)
    if "@" in address.netloc or address.query or address.fragment:
        message = "has a user, a query or a fragment; give scheme, host, port and path only"
        raise ValueError(message)
    return text.rstrip("/")


def _check_client_name(name: str) -> str:
    try:
        return find_identity(name).client_id
    except UnknownIdentity as unknown:
        raise ValueError(str(unknown)) from None


Address = Annotated[str, AfterValidator(_check_address)]
ClientName = Annotated[str, AfterValidator(_check_client_name)]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


class OAuthClient(_Entry):
    """An OAuth 2 client of the identity provider. Its secret is in a file of its own."""

    client_id: str
    client_secret_file: str
    scope: str | None = None
    """Sent with the request for a token; some identity providers require it."""


class Installation(_Entry):
    """The content of an installation file, with the folder from which its relative paths start."""

    urls: dict[str, Address]
    token_url: Address | None = None
    clients: dict[ClientName, OAuthClient] = {}
    ca_file: str | None = None
    traces_url: Address | None = None

    _file: Path = Path()

    @model_validator(mode="after")
    def _check_services(self) -> Self:
        missing = [name for name in _SERVICE_NAMES if name not in self.urls]
        unknown = [name for name in self.urls if name not in _SERVICE_NAMES]
        if missing or unknown:
            faults = [
                *[f"urls has no {name}" for name in missing],
                *[f"urls has an unknown {name}" for name in unknown],
            ]
            raise ValueError(f"{'; '.join(faults)}; the services are {', '.join(_SERVICE_NAMES)}")
        if self.clients and self.token_url is None:
            message = "clients are given without token_url, the address of the identity provider's token endpoint"
            raise ValueError(message)
        return self

    @classmethod
    def load(cls, file: Path) -> Self:
        """Reads an installation file. Raises InvalidInstallation, which names every fault with its place."""
        try:
            installation = cls.model_validate_json(file.read_bytes())
        except OSError as error:
            reason = error.strerror or type(error).__name__
            message = f"{INSTALLATION_VARIABLE} names {file}, which cannot be read: {reason}"
            raise InvalidInstallation(message) from error
        except ValidationError as error:
            faults = "".join(f"\n  {line}" for line in _describe_faults(error.errors()))
            raise InvalidInstallation(f"{file} is not a complete installation file:{faults}") from None
        installation._file = file
        return installation

    @property
    def file(self) -> Path:
        return self._file

    def load_certificates(self) -> SSLContext | None:
        """What the services' certificates are checked against; None for the system's. Raises InvalidInstallation."""
        if self.ca_file is None:
            return None
        path = self._file.parent / self.ca_file
        try:
            return create_default_context(cafile=path)
        except OSError as error:  # SSLError is one
            reason = error.strerror or type(error).__name__
            raise InvalidInstallation(f"ca_file: no certificates can be read from {path}: {reason}") from error

    def find_secret_file(self, client: OAuthClient) -> Path:
        return self._file.parent / client.client_secret_file

    def read_secret(self, client: OAuthClient) -> str:
        """Raises InvalidInstallation where the file cannot be read or is empty."""
        path = self.find_secret_file(client)
        try:
            secret = path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = (isinstance(error, OSError) and error.strerror) or type(error).__name__
            message = f"the secret of client {client.client_id} cannot be read from {path}: {reason}"
            raise InvalidInstallation(message) from error
        if not secret:
            raise InvalidInstallation(f"the secret file {path} of client {client.client_id} is empty")
        return secret


def _describe_faults(faults: Sequence[ErrorDetails]) -> list[str]:
    """`clients.officer.client_id: Field required`; the values are not repeated."""
    return [f"{'.'.join(map(str, fault['loc'])) or 'file'}: {fault['msg']}" for fault in faults]


def find_installation() -> Installation | None:
    """The installation that `CALLOFF_INSTALLATION` names; None without it. Raises InvalidInstallation."""
    named = os.environ.get(INSTALLATION_VARIABLE)
    return Installation.load(Path(named).absolute()) if named else None


def is_readable_by_others(file: Path) -> bool:
    """True if a file, or what a link leads to, can be read by other users than its owner."""
    try:
        return bool(file.stat().st_mode & _READABLE_BY_OTHERS)
    except OSError:
        return False
