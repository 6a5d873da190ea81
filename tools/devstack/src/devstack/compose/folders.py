"""The folders of the containers, each a volume of its own, and the addresses that docker-compose.yml gives."""

import os
from pathlib import Path
from typing import Final

VOLUMES: Final = Path("/var/lib/calloff")
STACK: Final = "stack"
"""All passwords and keys; only the one-shots see them."""
POSTGRES: Final = "postgres"
ISSUER: Final = "issuer"
MAIL: Final = "mail"
SUPERUSER_PASSWORD: Final = "superuser-password"  # noqa: S105 - a file's name
CERTIFICATE: Final = "certificate.pem"
TRUSTED_CERTIFICATES: Final = "trusted-certificates.pem"
ISSUER_KEYS: Final = "keys.json"
ISSUER_VARIABLE: Final = "CALLOFF_TOKEN_ISSUER"
HTTP_PORT: Final = 8080
"""The port of every service and of the issuer inside the network."""
ANY_HOST: Final = "0.0.0.0"  # noqa: S104 - inside a container; docker-compose.yml publishes on the loopback address


def find_volumes() -> Path:
    """`/var/lib/calloff`, or the folder in `CALLOFF_VOLUMES`."""
    return Path(os.environ.get("CALLOFF_VOLUMES") or VOLUMES)
