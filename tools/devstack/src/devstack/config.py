"""What a stack is made of: its services with their ports and roles, and what each reads from its environment."""

import json
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from devstack.embedded import EmbeddedKafka, EmbeddedPostgres
from devstack.embedded.ports import LOOPBACK, free_port
from devstack.home import Home
from devstack.issuer.tokens import AUDIENCE, JWKS_PATH
from devstack.keys import Keys
from devstack.names import AUDIT, ISSUER, PRICING, RECEIVERS, REFERRAL, REGISTRY, SOURCING, TELEMETRY

PORTS: Final = {
    ISSUER: 8100,
    REFERRAL: 8101,
    SOURCING: 8102,
    REGISTRY: 8103,
    PRICING: 8104,
    AUDIT: 8105,
    RECEIVERS: 8110,
    TELEMETRY: 8111,
}
"""What people type, unless one is taken."""
POOL_SIZE: Final = 20
OTLP: Final = "OTEL_EXPORTER_OTLP_ENDPOINT"
_METRICS_EVERY_MS: Final = 10_000


@dataclass(frozen=True)
class ServiceKind:
    """One service and the package that is run; its role and its database have the package's name."""

    name: str
    package: str


SERVICES: Final = (
    ServiceKind(REFERRAL, "referral"),
    ServiceKind(SOURCING, "sourcing"),
    ServiceKind(REGISTRY, "provider_registry"),
    ServiceKind(PRICING, "pricing"),
    ServiceKind(AUDIT, "audit"),
)
ROLES: Final = tuple(service.package for service in SERVICES)


@dataclass(frozen=True)
class Addresses:
    """Where everything of one stack is; decided before anything is started."""

    ports: Mapping[str, int]

    @classmethod
    def usual(cls) -> "Addresses":
        """A port that is taken is replaced by a free one."""
        return cls({name: port if _is_free(port) else free_port() for name, port in PORTS.items()})

    @classmethod
    def unusual(cls) -> "Addresses":
        """Ports that another stack, started at the same moment, will not take too."""
        return cls({name: free_port() for name in PORTS})

    def url(self, name: str) -> str:
        return f"http://{LOOPBACK}:{self.ports[name]}"

    @property
    def services(self) -> dict[str, str]:
        return {service.name: self.url(service.name) for service in SERVICES}


def _is_free(port: int) -> bool:
    with socket.socket() as candidate:
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


@dataclass(frozen=True)
class Surroundings:
    """What the services of one stack are told about it."""

    home: Home
    keys: Keys
    addresses: Addresses
    postgres: EmbeddedPostgres
    kafka: EmbeddedKafka
    simulated_from: datetime | None = None
    """None: time passes by itself."""
    receives_telemetry: bool = False

    def environment(self, service: ServiceKind) -> dict[str, str]:
        """The environment of one service: this process's own, without what it says about Call-off, and the stack's."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("CALLOFF_")}
        return inherited | self._common(service) | self._special(service) | self.clock() | self._telemetry()

    def clock(self) -> dict[str, str]:
        """What those on the simulated clock are told of it; nothing where time passes by itself."""
        if self.simulated_from is None:
            return {}
        begins = self.simulated_from.isoformat()
        return {"CALLOFF_SIMULATED_CLOCK": begins, "CALLOFF_SIMULATION_KEY": self.keys.simulation}

    def _common(self, service: ServiceKind) -> dict[str, str]:
        role, issuer = service.package, self.addresses.url(ISSUER)
        return {
            "CALLOFF_DATABASE_URL": self.postgres.url(role, role, self.keys.databases[role]),
            "CALLOFF_KAFKA_BOOTSTRAP": self.kafka.bootstrap,
            "CALLOFF_HOST": LOOPBACK,
            "CALLOFF_PORT": str(self.addresses.ports[service.name]),
            "CALLOFF_POOL_SIZE": str(POOL_SIZE),
            "CALLOFF_TOKEN_ISSUER": issuer,
            "CALLOFF_TOKEN_AUDIENCE": AUDIENCE,
            "CALLOFF_TOKEN_JWKS_URL": issuer + JWKS_PATH,
            "CALLOFF_FINGERPRINT_KEY": self.keys.fingerprints,
        }

    def _telemetry(self) -> dict[str, str]:
        """Everything is told to the stack's own receiver, past any proxy."""
        if not self.receives_telemetry:
            return {}
        unproxied = [os.environ.get("no_proxy") or os.environ.get("NO_PROXY", ""), LOOPBACK]
        return {
            OTLP: self.addresses.url(TELEMETRY),
            "OTEL_METRIC_EXPORT_INTERVAL": str(_METRICS_EVERY_MS),
            "CALLOFF_TRACE_SAMPLE_RATIO": "1",
            "no_proxy": ",".join(filter(None, unproxied)),
        }

    def _special(self, service: ServiceKind) -> dict[str, str]:
        if service.name == REFERRAL:
            return {
                "CALLOFF_POSTCODE_DIRECTORY": str(self.home.postcodes),
                "CALLOFF_REFERRAL_URL": self.addresses.url(REFERRAL),
                **self._webhooks(),
            }
        if service.name == REGISTRY:
            return {
                "CALLOFF_SOURCING_URL": self.addresses.url(SOURCING),
                "CALLOFF_REFERRAL_URL": self.addresses.url(REFERRAL),
                **self._webhooks(),
                **self._offer_links(),
            }
        return self._offer_links() if service.name == SOURCING else {}

    def _offer_links(self) -> dict[str, str]:
        """One signs the links in mails, the other checks them."""
        return {"CALLOFF_OFFER_LINK_KEY": self.keys.offer_links}

    def _webhooks(self) -> dict[str, str]:
        return {
            "CALLOFF_WEBHOOK_KEYS": json.dumps([self.keys.webhook_vault]),
            # The simulated providers and councils live on this machine, where webhooks go to nobody else.
            "CALLOFF_WEBHOOK_PRIVATE_ADDRESSES": json.dumps([f"{LOOPBACK}:{self.addresses.ports[RECEIVERS]}"]),
        }
