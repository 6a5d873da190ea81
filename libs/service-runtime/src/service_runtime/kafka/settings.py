"""The environment variables about Kafka."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal

from pydantic import Field

from service_runtime.kafka.connection import OAUTHBEARER, SCRAM, KafkaConnection, ScramLogin
from service_runtime.kafka.oauth import OAuthClient, OAuthTokens
from service_runtime.kafka.topics import Replication
from service_runtime.settings_base import EnvironmentSettings, to_variable
from service_runtime.settings_types import Bootstrap, ReadableFile, Secret, Text, TokenUrl
from service_runtime.tls import ClientTls, find_file_faults

_NEEDED: Final[Mapping[str | None, Sequence[str]]] = {
    SCRAM: ("kafka_sasl_username", "kafka_sasl_password"),
    OAUTHBEARER: ("kafka_oauth_token_url", "kafka_oauth_client_id", "kafka_oauth_client_secret"),
}
"""The settings that each mechanism needs."""
_ALLOWED: Final = {**_NEEDED, OAUTHBEARER: (*_NEEDED[OAUTHBEARER], "kafka_oauth_scope")}
_TLS_SETTINGS: Final = ("kafka_ssl_cafile", "kafka_ssl_certfile", "kafka_ssl_keyfile")


class KafkaSettings(EnvironmentSettings):
    """How Kafka is reached, and what its topics are made with."""

    kafka_bootstrap: Bootstrap = Field(description="host:port of one or more Kafka brokers, separated by commas")
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    kafka_ssl_cafile: ReadableFile | None = Field(
        default=None, description="certificate of the authority of the brokers' certificates; unset: the machine's"
    )
    kafka_ssl_certfile: ReadableFile | None = Field(default=None, description="certificate of the service")
    kafka_ssl_keyfile: ReadableFile | None = Field(default=None, description="key of the service's certificate")
    kafka_sasl_mechanism: Literal["SCRAM-SHA-512", "OAUTHBEARER"] | None = None
    kafka_sasl_username: Text | None = None
    kafka_sasl_password: Secret | None = None
    kafka_oauth_token_url: TokenUrl | None = Field(default=None, description="token endpoint of the identity provider")
    kafka_oauth_client_id: Text | None = None
    kafka_oauth_client_secret: Secret | None = None
    kafka_oauth_scope: Text | None = None
    kafka_replication_factor: int = Field(default=1, ge=1, le=32_767, description="copies that topics have")
    kafka_min_insync_replicas: int = Field(
        default=1, ge=1, le=32_767, description="copies that a record must have before it is acknowledged"
    )

    @property
    def replication(self) -> Replication:
        return Replication(self.kafka_replication_factor, self.kafka_min_insync_replicas)

    def build_kafka_connection(self) -> KafkaConnection:
        return KafkaConnection(self.kafka_bootstrap, self._build_kafka_tls(), self._build_kafka_login())

    def _build_kafka_tls(self) -> ClientTls | None:
        if not self.kafka_security_protocol.endswith("SSL"):
            return None
        return ClientTls(self.kafka_ssl_cafile, self.kafka_ssl_certfile, self.kafka_ssl_keyfile)

    def _build_kafka_login(self) -> ScramLogin | OAuthTokens | None:
        if self.kafka_sasl_username is not None and self.kafka_sasl_password is not None:
            return ScramLogin(self.kafka_sasl_username, self.kafka_sasl_password)
        url, client, secret = self.kafka_oauth_token_url, self.kafka_oauth_client_id, self.kafka_oauth_client_secret
        if url is None or client is None or secret is None:
            return None
        return OAuthTokens(OAuthClient(url, client, secret, self.kafka_oauth_scope, self.kafka_ssl_cafile))

    def find_contradictions(self) -> Iterator[str]:
        yield from super().find_contradictions()
        yield from self._find_tls_contradictions()
        yield from self._find_login_contradictions()
        if self.kafka_min_insync_replicas > self.kafka_replication_factor:
            yield (
                "CALLOFF_KAFKA_MIN_INSYNC_REPLICAS must not be more than CALLOFF_KAFKA_REPLICATION_FACTOR: "
                "Kafka would acknowledge no record"
            )

    def _find_tls_contradictions(self) -> Iterator[str]:
        if not self.kafka_security_protocol.endswith("SSL"):
            for name in self.list_set(_TLS_SETTINGS):
                yield f"{name} needs CALLOFF_KAFKA_SECURITY_PROTOCOL=SSL or SASL_SSL; without them nothing is encrypted"
            return
        files = (self.kafka_ssl_cafile, self.kafka_ssl_certfile, self.kafka_ssl_keyfile)
        yield from find_file_faults(files, [to_variable(name) for name in _TLS_SETTINGS])

    def _find_login_contradictions(self) -> Iterator[str]:
        protocol, mechanism = self.kafka_security_protocol, self.kafka_sasl_mechanism
        if protocol.startswith("SASL") and mechanism is None:
            yield f"CALLOFF_KAFKA_SASL_MECHANISM must be {SCRAM} or {OAUTHBEARER}: {protocol} needs a login"
            return
        if mechanism is not None and not protocol.startswith("SASL"):
            yield (
                f"CALLOFF_KAFKA_SECURITY_PROTOCOL must be SASL_SSL (or SASL_PLAINTEXT, which encrypts nothing) "
                f"for CALLOFF_KAFKA_SASL_MECHANISM={mechanism}"
            )
        if mechanism == OAUTHBEARER and protocol == "SASL_PLAINTEXT":
            yield (
                f"CALLOFF_KAFKA_SECURITY_PROTOCOL must be SASL_SSL for CALLOFF_KAFKA_SASL_MECHANISM={OAUTHBEARER}: "
                "whoever reads the token can use it"
            )
        for field in _NEEDED.get(mechanism, ()):
            if getattr(self, field) is None:
                yield f"{to_variable(field)} is not set; CALLOFF_KAFKA_SASL_MECHANISM={mechanism} needs it"
        for other, fields in _ALLOWED.items():
            if other != mechanism:
                for variable in self.list_set(fields):
                    yield f"{variable} needs CALLOFF_KAFKA_SASL_MECHANISM={other}"
