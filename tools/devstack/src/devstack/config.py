"""Configuration of a stack: services, ports, and the environment of each service."""

import json
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from devstack.embedded import EmbeddedKafka, EmbeddedPostgres
from devstack.embedded.ports import LOOPBACK, find_free_port
from devstack.embedded.postgres import MAX_CONNECTIONS
from devstack.home import Home
from devstack.issuer.tokens import AUDIENCE, JWKS_PATH
from devstack.keys import StackKeys
from devstack.names import AUDIT, ISSUER, PRICING, RECEIVERS, REFERRAL, REGISTRY, SOURCING, TELEMETRY
from devstack.replicas import Replica, compute_pool_size

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
"""Default ports; a port that is taken is replaced by a free one."""
OTLP_ENDPOINT_VARIABLE: Final = "OTEL_EXPORTER_OTLP_ENDPOINT"
_METRICS_INTERVAL_MS: Final = 10_000


@dataclass(frozen=True)
class ServiceDefinition:
    """A service and its package; its database and its role have the package's name."""

    name: str
    package: str

    @property
    def owner(self) -> str:
        """The role that owns the database and its tables, and runs the migrations."""
        return f"{self.package}_owner"


SERVICES: Final = (
    ServiceDefinition(REFERRAL, "referral"),
    ServiceDefinition(SOURCING, "sourcing"),
    ServiceDefinition(REGISTRY, "provider_registry"),
    ServiceDefinition(PRICING, "pricing"),
    ServiceDefinition(AUDIT, "audit"),
)
PACKAGES: Final = tuple(service.package for service in SERVICES)
ROLES: Final = (*PACKAGES, *(service.owner for service in SERVICES))
"""The database roles."""


@dataclass(frozen=True)
class Addresses:
    """The ports of one stack, chosen before anything is started."""

    ports: Mapping[str, int]

    @classmethod
    def from_default_ports(cls) -> "Addresses":
        """The default ports; one that is taken is replaced by a free one."""
        return cls({name: port if _is_free(port) else find_free_port() for name, port in PORTS.items()})

    @classmethod
    def from_free_ports(cls) -> "Addresses":
        """Free ports only, so that several stacks can start at the same time."""
        return cls({name: find_free_port() for name in PORTS})

    def get_url(self, name: str) -> str:
        return f"http://{LOOPBACK}:{self.ports[name]}"

    @property
    def service_urls(self) -> dict[str, str]:
        return {service.name: self.get_url(service.name) for service in SERVICES}


def _is_free(port: int) -> bool:
    with socket.socket() as candidate:
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


@dataclass(frozen=True)
class StackConfig:
    """Everything that the environment of the services is built from."""

    home: Home
    keys: StackKeys
    addresses: Addresses
    postgres: EmbeddedPostgres
    kafka: EmbeddedKafka
    simulated_from: datetime | None = None
    """The start of the simulated clock; None for real time."""
    receives_telemetry: bool = False
    replicas: tuple[Replica, ...] = ()
    """The processes of all services where each has several; empty where each has one."""

    def build_environment(self, service: ServiceDefinition) -> dict[str, str]:
        """The environment of one service: that of this process without CALLOFF_ variables, and the stack's settings."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("CALLOFF_")}
        return (
            inherited
            | self._build_common_settings(service)
            | self._build_service_settings(service)
            | self.build_clock_environment()
            | self._build_telemetry_settings()
        )

    def build_replica_environment(self, replica: Replica) -> dict[str, str]:
        """The environment of one of several processes of a service."""
        service = next(each for each in SERVICES if each.name == replica.service)
        ports = {"CALLOFF_PORT": str(replica.port), "CALLOFF_HEALTH_PORT": str(replica.health_port)}
        return self.build_environment(service) | ports

    def build_migration_environment(self, service: ServiceDefinition) -> dict[str, str]:
        """The environment of one service's migration, which runs as the owner of the tables."""
        url = self.postgres.get_url(service.package, service.owner, self.keys.databases[service.owner])
        return self.build_environment(service) | {"CALLOFF_MIGRATION_DATABASE_URL": url}

    def build_clock_environment(self) -> dict[str, str]:
        """The settings of the simulated clock; empty for real time."""
        if self.simulated_from is None:
            return {}
        begins = self.simulated_from.isoformat()
        return {"CALLOFF_SIMULATED_CLOCK": begins, "CALLOFF_SIMULATION_KEY": self.keys.simulation}

    def _build_common_settings(self, service: ServiceDefinition) -> dict[str, str]:
        role, issuer = service.package, self.addresses.get_url(ISSUER)
        return {
            "CALLOFF_DATABASE_URL": self.postgres.get_url(role, role, self.keys.databases[role]),
            "CALLOFF_KAFKA_BOOTSTRAP": self.kafka.bootstrap,
            "CALLOFF_HOST": LOOPBACK,
            "CALLOFF_PORT": str(self.addresses.ports[service.name]),
            "CALLOFF_POOL_SIZE": str(self._compute_pool_size()),
            "CALLOFF_TOKEN_ISSUER": issuer,
            "CALLOFF_TOKEN_AUDIENCE": AUDIENCE,
            "CALLOFF_TOKEN_JWKS_URL": issuer + JWKS_PATH,
            "CALLOFF_FINGERPRINT_KEY": self.keys.fingerprints,
        }

    def _compute_pool_size(self) -> int:
        processes = len(self.replicas) or len(SERVICES)
        return compute_pool_size(processes=processes, max_connections=MAX_CONNECTIONS)

    def _build_telemetry_settings(self) -> dict[str, str]:
        """Sends telemetry to the receiver of the stack, without a proxy."""
        if not self.receives_telemetry:
            return {}
        unproxied = [os.environ.get("no_proxy") or os.environ.get("NO_PROXY", ""), LOOPBACK]
        return {
            OTLP_ENDPOINT_VARIABLE: self.addresses.get_url(TELEMETRY),
            "OTEL_METRIC_EXPORT_INTERVAL": str(_METRICS_INTERVAL_MS),
            "CALLOFF_TRACE_SAMPLE_RATIO": "1",
            "no_proxy": ",".join(filter(None, unproxied)),
        }

    def _build_service_settings(self, service: ServiceDefinition) -> dict[str, str]:
        if service.name == REFERRAL:
            return {
                "CALLOFF_POSTCODE_DIRECTORY": str(self.home.postcodes),
                "CALLOFF_REFERRAL_URL": self.addresses.get_url(REFERRAL),
                **self._build_webhook_settings(),
            }
        if service.name == REGISTRY:
            return {
                "CALLOFF_SOURCING_URL": self.addresses.get_url(SOURCING),
                "CALLOFF_REFERRAL_URL": self.addresses.get_url(REFERRAL),
                **self._build_webhook_settings(),
                **self._build_offer_link_settings(),
            }
        if service.name == SOURCING:
            texts = {"CALLOFF_TEXT_KEYS": json.dumps([self.keys.text_encryption])}
            return {**self._build_offer_link_settings(), **texts}
        return {}

    def _build_offer_link_settings(self) -> dict[str, str]:
        """Sourcing verifies the links in mails that the registry signs, with the same key."""
        return {"CALLOFF_OFFER_LINK_KEY": self.keys.offer_links}

    def _build_webhook_settings(self) -> dict[str, str]:
        return {
            "CALLOFF_WEBHOOK_KEYS": json.dumps([self.keys.webhook_encryption]),
            # Simulated providers and councils receive on this machine; other private addresses stay refused.
            "CALLOFF_WEBHOOK_PRIVATE_ADDRESSES": json.dumps([f"{LOOPBACK}:{self.addresses.ports[RECEIVERS]}"]),
        }
