"""Types of settings. The text of a refusal follows the name of the variable, and never repeats the value."""

import base64
import binascii
import json
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import parse_qsl, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode
from yarl import URL

from contracts.errors import CallOffError
from service_runtime.postgres.connection import SCHEMES
from service_runtime.webhooks.addresses import AddressRules
from service_runtime.webhooks.egress import EgressProxy

_HOST: Final = re.compile(r"[0-9A-Za-z._-]+|\[[0-9A-Fa-f:.]+\]")
_LISTEN: Final = re.compile(r"[0-9A-Za-z._-]+|[0-9A-Fa-f:.]+")
_MAIL_ADDRESS: Final = re.compile(r"[^@\s]+@[^@\s]+")
_KEY_BYTES: Final = 32


def _refuse(expectation: str) -> ValueError:
    return ValueError(expectation)


def _is_host_and_port(text: str) -> bool:
    host, _, port = text.rpartition(":")
    return bool(_HOST.fullmatch(host)) and port.isdecimal() and 0 < int(port) < 65_536


def _check_text(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise _refuse("must be text without line breaks and other control characters")
    return text


def _check_secret(secret: SecretStr) -> SecretStr:
    if secret.get_secret_value():
        _check_text(secret.get_secret_value())
    return secret


def _check_listen_address(text: str) -> str:
    if not _LISTEN.fullmatch(text):
        raise _refuse("must be an address of this machine to listen on, such as 0.0.0.0 or 127.0.0.1")
    return text


def _check_host(text: str) -> str:
    if not _LISTEN.fullmatch(text):
        raise _refuse("must be the name or the address of a host, without a port")
    return text


def _check_mail_address(text: str) -> str:
    if not _MAIL_ADDRESS.fullmatch(text) or not text.isprintable():
        raise _refuse("must be a mail address like offers@council.example")
    return text


def _check_bootstrap(text: str) -> str:
    servers = [server.strip() for server in text.split(",")]
    if not all(map(_is_host_and_port, servers)):
        raise _refuse("must be host:port of one or more Kafka brokers, separated by commas")
    return ",".join(servers)


def _check_http_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        has_host = bool(_HOST.fullmatch(_get_host(parts.netloc))) and parts.port != 0
        is_url = has_host and parts.scheme in {"http", "https"}
    except ValueError:
        is_url = False
    if not is_url or not text.isprintable() or " " in text:
        raise _refuse("must be a URL like https://host.example:443/path")
    return text


def _get_host(netloc: str) -> str:
    address = netloc.rpartition("@")[2]
    return address if address.endswith("]") else re.sub(r":\d*$", "", address)


def _check_base_url(text: str) -> str:
    try:
        _check_http_url(text)
    except ValueError:
        raise _refuse("must be a URL like https://host.example, without a slash at the end") from None
    if text.endswith("/"):
        raise _refuse("must be a URL like https://host.example, without a slash at the end")
    return text


def _check_database_url(url: SecretStr) -> SecretStr:
    """The URL may name several hosts, separated by commas, which urlsplit does not parse."""
    text = url.get_secret_value()
    expectation = "must be a URL like postgresql://role:password@host:5432/database"
    scheme = next((scheme for scheme in SCHEMES if text.startswith(scheme)), None)
    if scheme is None or not text.isprintable() or " " in text:
        raise _refuse(expectation)
    try:
        parts = urlsplit(f"postgresql://{text.removeprefix(scheme)}")
        parse_qsl(parts.query, strict_parsing=bool(parts.query))
    except ValueError:
        raise _refuse(expectation) from None
    login, _, hosts = parts.netloc.rpartition("@")
    named = [
        host if host.rpartition("]")[2].startswith(":") or re.search(r":\d+$", host) else f"{host}:5432"
        for host in hosts.split(",")
    ]
    if not login.partition(":")[0] or not all(map(_is_host_and_port, named)) or not parts.path.strip("/"):
        raise _refuse(expectation)
    if "ssl" in parts.query:
        raise _refuse("must not hold parameters of TLS; set CALLOFF_DATABASE_SSLMODE and CALLOFF_DATABASE_SSLROOTCERT")
    return url


def _check_file(path: Path) -> Path:
    try:
        with path.open("rb"):
            pass
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "the path is no path"
        raise _refuse(f"must be the path of a file that this process can read ({reason})") from None
    return path


def _check_path(path: Path) -> Path:
    if not str(path).isprintable():
        raise _refuse("must be the path of a folder")
    return path


def _parse_list(value: object) -> object:
    """Parses JSON. What is no list becomes one that the next check refuses. Code passes the list itself."""
    if not isinstance(value, str):
        return value
    try:
        parsed: object = json.loads(value)
    except ValueError:
        parsed = None
    return parsed if isinstance(parsed, list) else [""]  # pyright: ignore[reportUnknownVariableType]  checked next


def _check_keys(keys: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    if not keys or not all(_is_key(key.get_secret_value()) for key in keys):
        raise _refuse(
            "must be a list in JSON of one or more keys, each 32 bytes in base64; `openssl rand -base64 32` makes one"
        )
    return keys


def _is_key(text: str) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) == _KEY_BYTES
    except (binascii.Error, ValueError):
        return False


def _check_addresses(addresses: tuple[str, ...]) -> tuple[str, ...]:
    try:
        AddressRules(addresses)
    except CallOffError:
        raise _refuse('must be a list in JSON of host:port, such as ["receiver.example:8443"]') from None
    return addresses


def _check_proxy(url: SecretStr) -> SecretStr:
    try:
        EgressProxy(url)
    except CallOffError:
        raise _refuse("must be the URL of a proxy like http://user:password@proxy.example:3128") from None
    return url


def _check_token_url(text: str) -> str:
    """The client's secret goes there."""
    _check_http_url(text)
    url = URL(text)
    if url.scheme != "https" and url.host not in {"127.0.0.1", "::1", "localhost"}:
        raise _refuse("must begin with https://, because the client's secret is sent there")
    return text


def _validate(check: Callable[..., object]) -> AfterValidator:
    return AfterValidator(check)


Text = Annotated[str, _validate(_check_text)]
Secret = Annotated[SecretStr, Field(min_length=1), _validate(_check_secret)]
Key = Annotated[SecretStr, Field(min_length=32), _validate(_check_secret)]
Port = Annotated[int, Field(ge=0, le=65_535)]
ListenAddress = Annotated[str, _validate(_check_listen_address)]
MailAddress = Annotated[str, _validate(_check_mail_address)]
Host = Annotated[str, _validate(_check_host)]
Bootstrap = Annotated[str, _validate(_check_bootstrap)]
HttpUrl = Annotated[str, _validate(_check_http_url)]
BaseUrl = Annotated[str, _validate(_check_base_url)]
TokenUrl = Annotated[str, _validate(_check_token_url)]
DatabaseUrl = Annotated[SecretStr, _validate(_check_database_url)]
ReadableFile = Annotated[Path, _validate(_check_file)]
Folder = Annotated[Path, _validate(_check_path)]
Duration = Annotated[timedelta, Field(gt=timedelta(0))]
EncryptionKeys = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_parse_list), _validate(_check_keys)]
Addresses = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_parse_list), _validate(_check_addresses)]
ProxyUrl = Annotated[SecretStr, _validate(_check_proxy)]
