"""Installation files of the compose stack, for `calloff`: one for its network and one for the host.

The host's is in a folder of its own, with the clients' secrets beside it: `docker compose cp` copies it as it is.
"""

import json
from pathlib import Path
from typing import Final

from devstack.compose.folders import HTTP_PORT
from devstack.config import PORTS, SERVICES
from devstack.embedded.ports import LOOPBACK
from devstack.home import write_private
from devstack.issuer.identities import KNOWN_IDENTITIES
from devstack.issuer.tokens import TOKEN_PATH
from devstack.keys import StackKeys
from devstack.names import ISSUER

INSIDE: Final = "inside"
OUTSIDE: Final = "installation"
FILE: Final = "installation.json"


def build_url(name: str, *, outside: bool) -> str:
    """The address of a service or of the issuer, as the host sees it or as containers see it."""
    return f"http://{LOOPBACK}:{PORTS[name]}" if outside else f"http://{name}:{HTTP_PORT}"


def write_installations(folder: Path, keys: StackKeys) -> None:
    """Writes `inside/installation.json` and `installation/installation.json` with the secret of each client."""
    for name, outside in ((INSIDE, False), (OUTSIDE, True)):
        here = folder / name
        here.mkdir(parents=True, exist_ok=True)
        for client in KNOWN_IDENTITIES:
            write_private(here / client, keys.derive_client_secret(client))
        write_private(here / FILE, json.dumps(_build_installation(outside=outside), indent=2))


def _build_installation(*, outside: bool) -> dict[str, object]:
    return {
        "urls": {service.name: build_url(service.name, outside=outside) for service in SERVICES},
        "token_url": build_url(ISSUER, outside=outside) + TOKEN_PATH,
        "clients": {name: {"client_id": name, "client_secret_file": name} for name in KNOWN_IDENTITIES},
        "ca_file": None,
        "traces_url": None,
    }
